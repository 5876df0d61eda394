/**
 * A quantity (k8s.io/apimachinery api/resource): a decimal number with a binary (Ki), decimal (k, m) or exponent (e3)
 * suffix.
 */
export interface Quantity {
  /** In billionths, the smallest unit that Kubernetes keeps. */
  readonly digits: bigint;
}

const QUANTITY =
  /^([+-]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)|[eE]([+-]?[0-9]+))?$/;
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);
const NANO = 9;
/** Billionths; ParseQuantity caps quantities with a binary suffix at 2^63 - 1, and no others. */
const MAX_BINARY = (2n ** 63n - 1n) * 10n ** BigInt(NANO);
/** ParseQuantity accepts larger exponents, which no real amount has and which could take all memory. */
const MAX_EXPONENT = 100;
/** ParseQuantity accepts any number of digits; the time to read them grows faster than their number. */
const MAX_LENGTH = 200;

/**
 * Reads a quantity, from a string or from the number that YAML makes of an unquoted one; undefined if it is invalid. A
 * fraction of a billionth is rounded up, away from zero. Stricter than ParseQuantity, which reads `Ki` and
 * `+` as 0.
 */
export function parseQuantity(value: unknown): Quantity | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  const match = text.length > MAX_LENGTH ? null : QUANTITY.exec(text);
  if (match === null) return undefined;
  const [, sign, number = '', suffix = '', written = '0'] = match;
  const exponent = Number(written);
  if (Math.abs(exponent) > MAX_EXPONENT) return undefined;
  const [whole = '', fraction = ''] = number.split('.');
  const binary = BINARY.indexOf(suffix) + 1;
  const unscaled = BigInt(whole + fraction) * 1024n ** BigInt(binary);
  const power = NANO + exponent + (DECIMAL.get(suffix) ?? 0) - fraction.length;
  const scale = 10n ** BigInt(Math.abs(power));
  const exact = power >= 0 ? unscaled * scale : (unscaled + scale - 1n) / scale;
  const digits = binary > 0 && exact > MAX_BINARY ? MAX_BINARY : exact;
  return { digits: sign === '-' ? -digits : digits };
}

/** Negative, zero or positive, as a is less than, equal to or more than b. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.digits === b.digits ? 0 : a.digits < b.digits ? -1 : 1;
}
