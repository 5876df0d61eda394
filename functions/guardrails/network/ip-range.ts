type Version = 4 | 6;

const BITS = { 4: 32, 6: 128 } as const;
/** `::ffff:10.0.0.1` is the address 10.0.0.1 (RFC 4291, 2.5.5.2). */
const MAPPED_IPV4 = 0xffffn;

/** An address as Go's netip.ParseAddr reads it, without zones. A text that is not an address is in no range. */
export class IpAddress {
  readonly version: Version | undefined;
  readonly value: bigint;

  constructor(readonly text: string) {
    const value = text.includes(':') ? ipv6Value(text) : ipv4Value(text);
    const isMapped = text.includes(':') && value !== undefined && value >> 32n === MAPPED_IPV4;
    this.version = value === undefined ? undefined : text.includes(':') && !isMapped ? 6 : 4;
    this.value = isMapped ? value & 0xffff_ffffn : (value ?? 0n);
  }
}

/** The addresses from `first` to `last`, which share their leading bits. */
export interface IpRange {
  readonly version: Version;
  readonly first: bigint;
  readonly last: bigint;
  /** Of the prefix, in bits. */
  readonly length: number;
}

/**
 * Reads a CIDR range (RFC 4632, RFC 4291); undefined where the API refuses it: leading zeros, bits beyond the prefix,
 * an IPv4 range that is written as IPv6. (apimachinery, validation/ip.go, strict as by default since Kubernetes 1.36)
 */
export function readIpRange(text: string): IpRange | undefined {
  const [, address = '', digits = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const { version, value } = new IpAddress(address);
  if (version === undefined || version !== (address.includes(':') ? 6 : 4)) return undefined;
  const length = Number(digits);
  if (length > BITS[version]) return undefined;
  const size = 1n << BigInt(BITS[version] - length);
  return value % size === 0n ? { version, first: value, last: value + size - 1n, length } : undefined;
}

/** A range as CIDR text, IPv6 in its shortest form (RFC 5952). */
export function printIpRange({ version, first, length }: IpRange): string {
  const address = addressText(version, first);
  // A URL has its IPv6 address in the shortest form (WHATWG URL, "host serializing").
  const text = version === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
  return `${text}/${length}`;
}

/** Whether a range is a proper part of another. */
export function isWithin(inner: IpRange, outer: IpRange): boolean {
  return (
    inner.version === outer.version &&
    inner.length > outer.length &&
    inner.first >= outer.first &&
    inner.last <= outer.last
  );
}

/** Whether an address is in a range. */
export function contains({ version, first, last }: IpRange, ip: IpAddress): boolean {
  return version === ip.version && first <= ip.value && ip.value <= last;
}

/**
 * The first address of every section into which the bounds of some ranges divide the addresses: where two sets made of
 * these ranges differ, they differ in one of them.
 */
export function representatives(ranges: readonly IpRange[]): IpAddress[] {
  const texts = ranges.flatMap(({ version, first, last }) => {
    const isAtEnd = last + 1n === 1n << BigInt(BITS[version]);
    return [first, ...(isAtEnd ? [] : [last + 1n])].map((value) => addressText(version, value));
  });
  return [...new Set(texts)].map((text) => new IpAddress(text));
}

function ipv4Value(text: string): bigint | undefined {
  const bytes = text.split('.');
  if (bytes.length !== 4 || !bytes.every((byte) => /^(0|[1-9]\d{0,2})$/.test(byte) && Number(byte) < 256))
    return undefined;
  return BigInt(bytes.reduce((value, byte) => value * 256 + Number(byte), 0));
}

/** `::` is one group of zeros at least; the last two groups may be written as an IPv4 address. */
function ipv6Value(text: string): bigint | undefined {
  const end = text.lastIndexOf(':') + 1;
  const ipv4 = text.includes('.', end) ? ipv4Value(text.slice(end)) : 0n;
  if (ipv4 === undefined) return undefined;
  const lastGroups = `${(ipv4 >> 16n).toString(16)}:${(ipv4 & 0xffffn).toString(16)}`;
  const written = text.includes('.', end) ? text.slice(0, end) + lastGroups : text;
  const [head = [], tail, ...more] = written.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const zeros = 8 - head.length - (tail?.length ?? 0);
  if (more.length > 0 || (tail === undefined ? zeros !== 0 : zeros < 1)) return undefined;
  const groups = [...head, ...Array.from({ length: zeros }, () => '0'), ...(tail ?? [])];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return BigInt(`0x${groups.map((group) => group.padStart(4, '0')).join('')}`);
}

function addressText(version: Version, value: bigint): string {
  const [size, count, base, separator] = version === 4 ? [8, 4, 10, '.'] : [16, 8, 16, ':'];
  const mask = (1n << BigInt(size)) - 1n;
  return Array.from({ length: count }, (_, i) =>
    ((value >> BigInt(size * (count - 1 - i))) & mask).toString(base),
  ).join(separator);
}
