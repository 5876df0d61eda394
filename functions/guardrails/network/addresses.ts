import { isIP } from 'node:net';

/** Addresses from one to another, both included, of IPv4 or IPv6. */
export interface AddressRange {
  readonly version: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

const BITS = { 4: 32n, 6: 128n } as const;

/** Reads `10.0.0.0/8` or `fd00::/8`; undefined for anything else. Bits behind the prefix count as zero. */
export function parseCidr(text: string): AddressRange | undefined {
  const [, address = '', written = ''] = /^([0-9a-fA-F.:]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const version = isIP(address);
  if (version !== 4 && version !== 6) return undefined;
  const bits = BITS[version];
  const length = BigInt(written);
  if (length > bits) return undefined;
  const size = 1n << (bits - length);
  const first = (parseAddress(address, version) / size) * size;
  return { version, first, last: first + size - 1n };
}

/** @param address valid: `isIP` says so */
function parseAddress(address: string, version: 4 | 6): bigint {
  if (version === 4) return address.split('.').reduce((value, part) => (value << 8n) + BigInt(part), 0n);
  const [, start = '', v4] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address) ?? [];
  if (v4 !== undefined) {
    const low = parseAddress(v4, 4);
    const [high, rest] = [low >> 16n, low & 0xffffn].map((part) => part.toString(16));
    return parseAddress(`${start}${high}:${rest}`, 6);
  }
  const [head = '', tail] = address.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const ends = tail === undefined ? [] : groups(tail);
  const missing = 8 - groups(head).length - ends.length;
  const all = [...groups(head), ...(tail === undefined ? [] : Array<string>(missing).fill('0')), ...ends];
  return all.reduce((value, group) => (value << 16n) + BigInt(`0x${group}`), 0n);
}

export function formatAddress(version: 4 | 6, value: bigint): string {
  const [size, parts] = version === 4 ? [8n, 4] : [16n, 8];
  const mask = (1n << size) - 1n;
  const groups = Array.from({ length: parts }, (_, i) => (value >> (size * BigInt(parts - 1 - i))) & mask);
  return version === 4 ? groups.join('.') : groups.map((group) => group.toString(16)).join(':');
}

/**
 * One address of every stretch into which the ends of some ranges cut the address space: whatever two sets made of
 * these ranges differ in, one of these addresses shows it.
 */
export function representatives(ranges: readonly AddressRange[]): string[] {
  const found = new Set<string>();
  for (const { version, first, last } of ranges)
    for (const start of [first, last + 1n])
      if (start < 1n << BITS[version]) found.add(formatAddress(version, start));
  return [...found];
}
