import { CelError } from '../errors';
import type { Library, Overload } from '../library';
import {
  Duration,
  Timestamp,
  Type,
  Uint,
  type Value,
  characters,
  compare,
  equal,
  isList,
  isMap,
  keyOf,
  noOverload,
  toInt,
  toUint,
  typeOf,
} from '../value';
import {
  conversionError,
  parseDuration,
  parseTimestamp,
  printDuration,
  printTimestamp,
  withoutZeros,
} from './time';

type Arithmetic = (a: bigint, b: bigint) => bigint;

function numeric(integers: Arithmetic, doubles: (a: number, b: number) => number): Overload {
  return (a = null, b = null) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return toInt(integers(a, b));
    if (a instanceof Uint && b instanceof Uint) return toUint(integers(a.value, b.value));
    return typeof a === 'number' && typeof b === 'number' ? doubles(a, b) : undefined;
  };
}

/** @throws CelError a divisor of zero */
function nonZero(operation: Arithmetic, name: string): Arithmetic {
  return (a, b) => {
    if (b === 0n) throw new CelError(name);
    return operation(a, b);
  };
}

/** NaN has no order. */
function isNumber(value: Value): boolean {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof Uint;
}

function ordered(isTrue: (order: number) => boolean): Overload {
  return (a = null, b = null) => {
    const order = compare(a, b);
    if (order !== undefined) return isTrue(order);
    return isNumber(a) && isNumber(b) ? false : undefined;
  };
}

const addNumbers = numeric(
  (a, b) => a + b,
  (a, b) => a + b,
);
const subtractNumbers = numeric(
  (a, b) => a - b,
  (a, b) => a - b,
);

const add: Overload = (a = null, b = null) => {
  if (typeof a === 'string' && typeof b === 'string') return a + b;
  if (isList(a) && isList(b)) return [...a, ...b];
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Uint8Array.from([...a, ...b]);
  if (a instanceof Duration && b instanceof Duration) return new Duration(toInt(a.key + b.key));
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.key + b.key);
  if (a instanceof Duration && b instanceof Timestamp) return new Timestamp(a.key + b.key);
  return addNumbers(a, b);
};

const subtract: Overload = (a = null, b = null) => {
  if (a instanceof Duration && b instanceof Duration) return new Duration(toInt(a.key - b.key));
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(a.key - b.key);
  if (a instanceof Timestamp && b instanceof Timestamp) return new Duration(toInt(a.key - b.key));
  return subtractNumbers(a, b);
};

const negate: Overload = (a = null) => {
  if (typeof a === 'bigint') return toInt(-a);
  return typeof a === 'number' ? -a : undefined;
};

const isIn: Overload = (item = null, of = null) => {
  if (isList(of)) return of.some((one) => equal(item, one));
  if (!isMap(of)) return undefined;
  const key = keyOf(item);
  return key !== undefined && of.get(key) !== undefined;
};

const size: Overload = (of = null) => {
  if (typeof of === 'string') return BigInt(characters(of).length);
  if (of instanceof Uint8Array || isList(of)) return BigInt(of.length);
  return isMap(of) ? BigInt(of.size) : undefined;
};

const toIntValue: Overload = (value = null) => {
  if (typeof value === 'bigint') return value;
  if (value instanceof Uint) return toInt(value.value);
  if (value instanceof Timestamp) return value.key / 1_000_000_000n;
  if (typeof value === 'number') {
    if (!(Math.abs(value) < 2 ** 63)) throw new CelError('integer overflow');
    return BigInt(Math.trunc(value));
  }
  if (typeof value !== 'string') return undefined;
  if (!/^[+-]?\d+$/.test(value)) throw conversionError('int');
  return toInt(BigInt(value.replace('+', '')));
};

const toUintValue: Overload = (value = null) => {
  if (value instanceof Uint) return value;
  if (typeof value === 'bigint') return toUint(value);
  if (typeof value === 'number') {
    if (!(value >= 0 && value < 2 ** 64)) throw new CelError('unsigned integer overflow');
    return new Uint(BigInt(Math.trunc(value)));
  }
  if (typeof value !== 'string') return undefined;
  if (!/^\d+$/.test(value)) throw conversionError('uint');
  return toUint(BigInt(value));
};

const toDouble: Overload = (value = null) => {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint) return Number(value.value);
  if (typeof value !== 'string') return undefined;
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(value);
  if (special !== null)
    return special[2]?.toLowerCase() === 'nan' ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(value)) throw conversionError('double');
  return Number(value);
};

/** A double as Go's strconv.FormatFloat(value, 'g', -1, 64) prints it. */
function printDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 21) return Object.is(value, -0) ? '-0' : plainDigits(value);
  const sign = power < 0 ? '-' : '+';
  return `${mantissa}e${sign}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** Without an exponent, which JavaScript writes below 1e-6. */
function plainDigits(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  return withoutZeros(value.toFixed(20));
}

const toText: Overload = (value = null) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return printDouble(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Timestamp) return printTimestamp(value);
  if (value instanceof Duration) return printDuration(value);
  if (!(value instanceof Uint8Array)) return undefined;
  const text = Buffer.from(value).toString('utf8');
  if (!Buffer.from(text).equals(value))
    throw new CelError('invalid UTF-8 in bytes, cannot convert to string');
  return text;
};

const toBool: Overload = (value = null) => {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  if (/^(?:1|t|T|TRUE|true|True)$/.test(value)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(value)) return false;
  throw conversionError('bool');
};

const toBytes: Overload = (value = null) => {
  if (value instanceof Uint8Array) return value;
  return typeof value === 'string' ? Uint8Array.from(Buffer.from(value)) : undefined;
};

const matchText =
  (isMatch: (text: string, other: string) => boolean): Overload =>
  (text = null, other = null) =>
    typeof text === 'string' && typeof other === 'string' ? isMatch(text, other) : undefined;

/** The standard definitions of CEL. */
export const standardFunctions: Library = {
  global: {
    '!': (a = null) => (typeof a === 'boolean' ? !a : undefined),
    '-': (a, b) => (b === undefined ? negate(a) : subtract(a, b)),
    '+': add,
    '*': numeric(
      (a, b) => a * b,
      (a, b) => a * b,
    ),
    '/': numeric(
      nonZero((a, b) => a / b, 'division by zero'),
      (a, b) => a / b,
    ),
    '%': (a = null, b = null) =>
      typeof a === 'number'
        ? undefined
        : numeric(
            nonZero((x, y) => x % y, 'modulus by zero'),
            () => Number.NaN,
          )(a, b),
    '==': (a = null, b = null) => equal(a, b),
    '!=': (a = null, b = null) => !equal(a, b),
    '<': ordered((order) => order < 0),
    '<=': ordered((order) => order <= 0),
    '>': ordered((order) => order > 0),
    '>=': ordered((order) => order >= 0),
    in: isIn,
    size,
    int: toIntValue,
    uint: toUintValue,
    double: toDouble,
    string: toText,
    bool: toBool,
    bytes: toBytes,
    dyn: (value) => value,
    type: (value = null) => new Type(typeOf(value)),
    timestamp: (value = null) =>
      value instanceof Timestamp
        ? value
        : typeof value === 'string'
          ? parseTimestamp(value)
          : typeof value === 'bigint'
            ? new Timestamp(value * 1_000_000_000n)
            : undefined,
    duration: (value = null) =>
      value instanceof Duration ? value : typeof value === 'string' ? parseDuration(value) : undefined,
  },
  methods: {
    size,
    contains: matchText((text, other) => text.includes(other)),
    startsWith: matchText((text, other) => text.startsWith(other)),
    endsWith: matchText((text, other) => text.endsWith(other)),
  },
};

/** The text of a value where a function joins values to one. @throws CelError for a value without one */
export function textOfValue(value: Value): string {
  const text = toText(value);
  if (typeof text !== 'string') throw noOverload('string', value);
  return text;
}
