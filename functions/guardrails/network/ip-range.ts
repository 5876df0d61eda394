import { isIPv4, isIPv6 } from 'node:net';

type Version = 4 | 6;

const BITS = { 4: 32, 6: 128 } as const;

/** An address as Go's netip.ParseAddr reads it, without zones. A text that is not an address is in no range. */
export class IpAddress {
  readonly version: Version | undefined;
  readonly value: bigint;

  constructor(readonly text: string) {
    const [version, value] = parseAddress(text);
    // `::ffff:10.0.0.1` is the address 10.0.0.1 (RFC 4291, 2.5.5.2).
    const isMapped = version === 6 && value >> 32n === 0xffffn;
    this.version = isMapped ? 4 : version;
    this.value = isMapped ? BigInt.asUintN(32, value) : value;
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

/** The range of one address; undefined for a text that is not an address. */
export function hostRange({ version, value }: IpAddress): IpRange | undefined {
  return version === undefined ? undefined : { version, first: value, last: value, length: BITS[version] };
}

/** A range as CIDR text, IPv6 in its shortest form (RFC 5952). */
export function printIpRange({ version, first, length }: IpRange): string {
  return `${printAddress(version, first)}/${length}`;
}

/** An address as text, IPv6 in its shortest form (RFC 5952). */
export function printAddress(version: Version, value: bigint): string {
  const address = addressText(version, value);
  return version === 6 ? shortForm(address) : address;
}

/** Whether a range is a proper part of another. Two CIDR ranges are disjoint, or one contains the other. */
export function isWithin(inner: IpRange, outer: IpRange): boolean {
  return inner.length > outer.length && contains(outer, { version: inner.version, value: inner.first });
}

/** Whether an address is in a range. */
export function contains(range: IpRange, { version, value }: Pick<IpAddress, 'version' | 'value'>): boolean {
  return version === range.version && range.first <= value && value <= range.last;
}

/**
 * The first address of every section into which the bounds of some ranges divide the addresses: where two sets made of
 * these ranges differ, they differ in one of them.
 */
export function representatives(ranges: readonly IpRange[]): IpAddress[] {
  const texts = ranges.flatMap(({ version, first, last }) => {
    const starts = [first, last + 1n].filter((value) => value < 1n << BigInt(BITS[version]));
    return starts.map((value) => addressText(version, value));
  });
  return [...new Set(texts)].map((text) => new IpAddress(text));
}

function parseAddress(text: string): [version: Version | undefined, value: bigint] {
  if (isIPv4(text)) return [4, text.split('.').reduce((value, byte) => value * 256n + BigInt(byte), 0n)];
  if (!isIPv6(text) || text.includes('%')) return [undefined, 0n];
  const [head = [], tail = []] = shortForm(text)
    .split('::')
    .map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  const groups = [...head, ...zeros, ...tail];
  return [6, groups.reduce((value, group) => value * 65536n + BigInt(`0x${group}`), 0n)];
}

/** An IPv6 address as a URL has it, in its shortest form (WHATWG URL, "host serializing"). */
function shortForm(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function addressText(version: Version, value: bigint): string {
  const [size, base, separator] = version === 4 ? [8, 10, '.'] : [16, 16, ':'];
  return Array.from({ length: BITS[version] / size }, (_, i) => {
    const shift = BITS[version] - size * (i + 1);
    return BigInt.asUintN(size, value >> BigInt(shift)).toString(base);
  }).join(separator);
}
