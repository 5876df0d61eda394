import { parseQuantity } from '../../kubernetes/quantity';
import { CelError } from '../errors';
import type { Library, Overload } from '../library';
import { Opaque } from '../value';

const UNIT = 1_000_000_000n;

/** A quantity of Kubernetes; the key is in billionths. */
class Quantity extends Opaque {
  readonly type = 'kubernetes.Quantity';
  constructor(readonly key: bigint) {
    super();
  }
}

function comparison(isTrue: (difference: bigint) => bigint | boolean): Overload {
  return (a = null, b = null) =>
    a instanceof Quantity && b instanceof Quantity ? isTrue(a.key - b.key) : undefined;
}

function arithmetic(sign: bigint): Overload {
  return (a = null, b = null) => {
    if (!(a instanceof Quantity)) return undefined;
    if (b instanceof Quantity) return new Quantity(a.key + sign * b.key);
    return typeof b === 'bigint' ? new Quantity(a.key + sign * b * UNIT) : undefined;
  };
}

const isInteger = ({ key }: Quantity) => key % UNIT === 0n && BigInt.asIntN(64, key / UNIT) === key / UNIT;

/** The library quantity of Kubernetes. */
export const quantityFunctions: Library = {
  global: {
    quantity: (text = null) => {
      if (typeof text !== 'string') return undefined;
      const quantity = parseQuantity(text);
      if (quantity === undefined)
        throw new CelError(
          "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        );
      return new Quantity(quantity.digits);
    },
    isQuantity: (text = null) => (typeof text === 'string' ? parseQuantity(text) !== undefined : undefined),
  },
  methods: {
    isInteger: (value = null) => (value instanceof Quantity ? isInteger(value) : undefined),
    asInteger: (value = null) => {
      if (!(value instanceof Quantity)) return undefined;
      if (!isInteger(value)) throw new CelError('cannot convert value to integer');
      return value.key / UNIT;
    },
    asApproximateFloat: (value = null) =>
      value instanceof Quantity ? Number(value.key) / Number(UNIT) : undefined,
    sign: (value = null) =>
      value instanceof Quantity ? (value.key > 0n ? 1n : value.key < 0n ? -1n : 0n) : undefined,
    isGreaterThan: comparison((difference) => difference > 0n),
    isLessThan: comparison((difference) => difference < 0n),
    compareTo: comparison((difference) => (difference > 0n ? 1n : difference < 0n ? -1n : 0n)),
    add: arithmetic(1n),
    sub: arithmetic(-1n),
  },
};
