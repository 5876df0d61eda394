import { IpAddress, printAddress } from '../../network/ip-range';
import { CelError } from '../errors';
import type { Library, Overload } from '../library';
import { Opaque } from '../value';

class Ip extends Opaque {
  readonly type = 'net.IP';
  readonly key: string;
  constructor(
    readonly version: 4 | 6,
    readonly value: bigint,
  ) {
    super();
    this.key = printAddress(version, value);
  }
}

class Cidr extends Opaque {
  readonly type = 'net.CIDR';
  readonly key: string;
  constructor(
    readonly ip: Ip,
    readonly length: number,
  ) {
    super();
    this.key = `${ip.key}/${length}`;
  }

  contains({ version, value }: Ip): boolean {
    return (
      version === this.ip.version &&
      masked(value, version, this.length) === masked(this.ip.value, version, this.length)
    );
  }
}

function masked(value: bigint, version: 4 | 6, length: number): bigint {
  return value >> BigInt((version === 4 ? 32 : 128) - length);
}

/** Without zones and IPv4 addresses in IPv6, which Kubernetes refuses. */
function parseIp(text: string): Ip | undefined {
  const { version, value } = new IpAddress(text);
  const isMapped = version === 4 && text.includes(':');
  return version === undefined || isMapped ? undefined : new Ip(version, value);
}

function parseCidr(text: string): Cidr | undefined {
  const [, address = '', digits = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const ip = parseIp(address);
  return ip === undefined || Number(digits) > (ip.version === 4 ? 32 : 128)
    ? undefined
    : new Cidr(ip, Number(digits));
}

function test(isTrue: (ip: Ip) => boolean): Overload {
  return (ip = null) => (ip instanceof Ip ? isTrue(ip) : undefined);
}

function isIn(...ranges: readonly string[]): Overload {
  return test((ip) => ranges.some((one) => parseCidr(one)?.contains(ip) === true));
}

const ipOf: Overload = (text = null) => {
  if (typeof text !== 'string') return undefined;
  const ip = parseIp(text);
  if (ip === undefined)
    throw new CelError(
      `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
    );
  return ip;
};

/** The libraries IP and CIDR of Kubernetes. */
export const networkFunctions: Library = {
  global: {
    ip: ipOf,
    isIP: (text = null) => (typeof text === 'string' ? parseIp(text) !== undefined : undefined),
    'ip.isCanonical': (text = null) => {
      const ip = ipOf(text);
      return ip instanceof Ip ? ip.key === text : undefined;
    },
    cidr: (text = null) => {
      if (typeof text !== 'string') return undefined;
      const cidr = parseCidr(text);
      if (cidr === undefined)
        throw new CelError(
          `network address parse error during conversion from string: ${JSON.stringify(text)}`,
        );
      return cidr;
    },
    isCIDR: (text = null) => (typeof text === 'string' ? parseCidr(text) !== undefined : undefined),
    string: (value = null) => (value instanceof Ip || value instanceof Cidr ? value.key : undefined),
  },
  methods: {
    family: (ip = null) => (ip instanceof Ip ? BigInt(ip.version) : undefined),
    isUnspecified: test(({ value }) => value === 0n),
    isLoopback: isIn('127.0.0.0/8', '::1/128'),
    isLinkLocalMulticast: isIn('224.0.0.0/24', 'ff02::/16'),
    isLinkLocalUnicast: isIn('169.254.0.0/16', 'fe80::/10'),
    isGlobalUnicast: test(
      (ip) =>
        ip.value !== 0n &&
        ![
          '127.0.0.0/8',
          '::1/128',
          '224.0.0.0/4',
          'ff00::/8',
          '169.254.0.0/16',
          'fe80::/10',
          '255.255.255.255/32',
        ].some((one) => parseCidr(one)?.contains(ip) === true),
    ),
    containsIP: (cidr = null, ip = null) => {
      const inner = typeof ip === 'string' ? ipOf(ip) : ip;
      return cidr instanceof Cidr && inner instanceof Ip ? cidr.contains(inner) : undefined;
    },
    containsCIDR: (cidr = null, other = null) => {
      const inner = typeof other === 'string' ? parseCidr(other) : other;
      if (!(cidr instanceof Cidr) || !(inner instanceof Cidr)) return undefined;
      return cidr.length <= inner.length && cidr.contains(inner.ip);
    },
    ip: (cidr = null) => (cidr instanceof Cidr ? cidr.ip : undefined),
    prefixLength: (cidr = null) => (cidr instanceof Cidr ? BigInt(cidr.length) : undefined),
    masked: (cidr = null) => {
      if (!(cidr instanceof Cidr)) return undefined;
      const { version, value } = cidr.ip;
      const bits = BigInt((version === 4 ? 32 : 128) - cidr.length);
      return new Cidr(new Ip(version, (value >> bits) << bits), cidr.length);
    },
  },
};
