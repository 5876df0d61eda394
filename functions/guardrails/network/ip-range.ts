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

/** A range as CIDR text, IPv6 as short as it gets (RFC 5952). */
export function printIpRange(range: IpRange): string {
  const [address = ''] = representatives([range]);
  const text = address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
  return `${text}/${range.length - 1}`;
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

/** As Go's netip.ParseAddr reads it, without zones: no leading zeros in IPv4, `::` for one group of zeros at least. */
function bitsOf(ip: string): string | undefined {
  if (!ip.includes(':')) {
    const bits = ipv4Bits(ip);
    return bits === undefined ? undefined : `4${bits}`;
  }
  const [before = '', after, ...more] = ip.split('::');
  const head = groupBits(before, after === undefined);
  const tail = groupBits(after ?? '', true);
  if (head === undefined || tail === undefined || more.length > 0) return undefined;
  const zeros = 128 - head.length - tail.length;
  if (after === undefined ? zeros !== 0 : zeros < 16) return undefined;
  const bits = `6${head}${'0'.repeat(zeros)}${tail}`;
  return bits.startsWith(MAPPED_IPV4) ? `4${bits.slice(MAPPED_IPV4.length)}` : bits;
}

/** The bits of groups of an IPv6 address, of which the last may be an IPv4 address where it ends there. */
function groupBits(text: string, isEnd: boolean): string | undefined {
  if (text === '') return '';
  const groups = text.split(':');
  let bits = '';
  for (const [i, group] of groups.entries()) {
    const isIpv4 = isEnd && i === groups.length - 1 && group.includes('.');
    const ofGroup = isIpv4
      ? ipv4Bits(group)
      : /^[0-9a-fA-F]{1,4}$/.test(group)
        ? parseInt(group, 16).toString(2).padStart(16, '0')
        : undefined;
    if (ofGroup === undefined) return undefined;
    bits += ofGroup;
  }
  return bits;
}

function ipv4Bits(text: string): string | undefined {
  const bytes = text.split('.');
  if (bytes.length !== 4 || !bytes.every((byte) => /^(0|[1-9]\d{0,2})$/.test(byte) && Number(byte) < 256))
    return undefined;
  return bytes.map((byte) => Number(byte).toString(2).padStart(8, '0')).join('');
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
