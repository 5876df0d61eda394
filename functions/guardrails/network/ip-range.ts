import { isIP } from 'node:net';

/** The leading bits that all addresses of a range share, after a `4` or a `6` for their version. */
export type IpRange = string;

/**
 * Reads a CIDR range (RFC 4632, RFC 4291); undefined where the API refuses it: leading zeros, bits beyond the prefix,
 * an IPv4 range that is written as IPv6. (apimachinery, validation/ip.go, strict as by default since Kubernetes 1.36)
 */
export function readIpRange(text: string): IpRange | undefined {
  const [, address = '', length = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const bits = bitsOf(address);
  if (bits?.[0] !== (address.includes(':') ? '6' : '4')) return undefined;
  const end = 1 + Number(length);
  return end > bits.length || bits.includes('1', end) ? undefined : bits.slice(0, end);
}

/** Whether a range lies in another, and is not all of it. */
export function isWithin(inner: IpRange, outer: IpRange): boolean {
  return inner.startsWith(outer) && inner.length > outer.length;
}

/** Whether an address is in a range. What is no address is in none; no range holds both IPv4 and IPv6. */
export function contains(range: IpRange, ip: string): boolean {
  if (last.ip !== ip) last = { ip, bits: bitsOf(ip) };
  return last.bits?.startsWith(range) ?? false;
}

/** One range after another is asked about the same address. */
let last: { readonly ip: string; readonly bits: string | undefined } = { ip: '', bits: undefined };

/** `::ffff:10.0.0.1` is the address 10.0.0.1 (RFC 4291, 2.5.5.2). */
const MAPPED_IPV4 = '6' + '0'.repeat(80) + '1'.repeat(16);

function bitsOf(ip: string): string | undefined {
  const version = isIP(ip);
  if (version === 4) return `4${ipv4Bits(ip)}`;
  if (version === 0 || ip.includes('%')) return undefined;
  const [before = '', after = ''] = ip.split('::').map(groupBits);
  const bits = `6${before.padEnd(128 - after.length, '0')}${after}`;
  return bits.startsWith(MAPPED_IPV4) ? `4${bits.slice(MAPPED_IPV4.length)}` : bits;
}

function groupBits(groups: string): string {
  if (groups === '') return '';
  const bits = (group: string) =>
    group.includes('.') ? ipv4Bits(group) : parseInt(group, 16).toString(2).padStart(16, '0');
  return groups.split(':').map(bits).join('');
}

function ipv4Bits(ip: string): string {
  return ip
    .split('.')
    .map((byte) => Number(byte).toString(2).padStart(8, '0'))
    .join('');
}

/**
 * One address of every stretch into which the ends of some ranges cut the addresses: where two sets made of these ranges
 * differ, they differ in one of them.
 */
export function representatives(ranges: readonly IpRange[]): string[] {
  const found = new Set<string>();
  for (const range of ranges) {
    const version = range.charAt(0);
    const length = version === '4' ? 32 : 128;
    const first = BigInt(`0b0${range.slice(1).padEnd(length, '0')}`);
    const behind = first + (1n << BigInt(length + 1 - range.length));
    found.add(addressOf(version, first));
    if (behind < 1n << BigInt(length)) found.add(addressOf(version, behind));
  }
  return [...found];
}

function addressOf(version: string, value: bigint): string {
  const [size, count, base, separator] = version === '4' ? [8, 4, 10, '.'] : [16, 8, 16, ':'];
  const mask = (1n << BigInt(size)) - 1n;
  return Array.from({ length: count }, (_, i) =>
    ((value >> BigInt(size * (count - 1 - i))) & mask).toString(base),
  ).join(separator);
}
