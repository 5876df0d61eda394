import { parseQuantity } from '../../kubernetes/quantity';
import type { YamlValue } from '../../yaml/yaml';

const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
/** From the largest, with the power of ten. */
const DECIMAL: readonly (readonly [suffix: string, power: number])[] = [
  ['E', 18],
  ['P', 15],
  ['T', 12],
  ['G', 9],
  ['M', 6],
  ['k', 3],
  ['', 0],
  ['m', -3],
  ['u', -6],
  ['n', -9],
];
const NANO = 9;

/**
 * A quantity as the API server prints it: a whole number with the largest suffix (apimachinery, Quantity.CanonicalizeBytes).
 * What is not a quantity stays as it is.
 */
export function canonicalQuantity(value: YamlValue): YamlValue {
  const digits = parseQuantity(value)?.digits;
  if (digits === undefined) return value;
  if (digits === 0n) return '0';
  const text = String(value);
  const unit = 10n ** BigInt(NANO);
  if (text.endsWith('i') && digits % unit === 0n && abs(digits) >= 1024n * unit) return binary(digits / unit);
  const isExponent = /[0-9.][eE][+-]?[0-9]/.test(text);
  for (const [suffix, power] of DECIMAL) {
    const size = 10n ** BigInt(power + NANO);
    if (digits % size !== 0n) continue;
    const end = isExponent && power !== 0 ? `e${power}` : isExponent ? '' : suffix;
    return `${digits / size}${end}`;
  }
  return value;
}

function binary(whole: bigint): string {
  let [rest, step] = [whole, 0];
  while (rest % 1024n === 0n && step < BINARY.length - 1) [rest, step] = [rest / 1024n, step + 1];
  return `${rest}${BINARY[step] ?? ''}`;
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
