import type { YamlValue } from '../yaml/yaml';
import { CelError, CelUnknown } from './errors';

/** A key of a map: an int and a uint of the same value are the same key. */
export type Key = string | bigint | boolean;

/** A value of CEL: `bigint` is an int, `number` a double. */
export type Value =
  | bigint
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | readonly Value[]
  | ReadonlyMap<Key, Value>
  | Uint
  | Opaque;

/** An unsigned integer. */
export class Uint {
  constructor(readonly value: bigint) {}
}

/** A value of a type that is neither a number, a text nor a collection. */
export abstract class Opaque {
  abstract readonly type: string;
  /** Values with equal keys are equal. */
  abstract readonly key: string | bigint;
}

export class Type extends Opaque {
  readonly type = 'type';
  constructor(readonly key: string) {
    super();
  }
}

export class Optional extends Opaque {
  readonly type = 'optional_type';
  readonly key = '';
  /** @param value undefined: there is none */
  constructor(readonly value: Value | undefined) {
    super();
  }
}

const FIRST_TIME = -62_135_596_800n * 1_000_000_000n;
const LAST_TIME = 253_402_300_800n * 1_000_000_000n - 1n;

/** Nanoseconds since 1970. */
export class Timestamp extends Opaque {
  readonly type = 'google.protobuf.Timestamp';
  /** @throws CelError before the year 1, or after the year 9999 */
  constructor(readonly key: bigint) {
    super();
    if (key < FIRST_TIME || key > LAST_TIME) throw new CelError('timestamp overflow');
  }
}

/** Nanoseconds. */
export class Duration extends Opaque {
  readonly type = 'google.protobuf.Duration';
  /** @throws CelError beyond 64 bits */
  constructor(readonly key: bigint) {
    super();
    if (BigInt.asIntN(64, key) !== key) throw new CelError('duration overflow');
  }
}

/** Stands for a value that only a cluster knows; reading it is a `CelUnknown`. */
export class Unknown extends Opaque {
  readonly type = 'unknown';
  constructor(readonly key: string) {
    super();
  }
}

/** A value that is read; throws for one that is unknown. */
export function known(value: Value): Value {
  if (value instanceof Unknown) throw new CelUnknown(value.key);
  return value;
}

/** A value of YAML as the API server passes it to CEL: a whole number is an int. */
export function fromYaml(value: YamlValue): Value {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(fromYaml);
  return new Map(Object.entries(value).map(([key, field]) => [key, fromYaml(field)]));
}

/** The characters of a text as CEL counts them: code points. */
export function characters(text: string): string[] {
  return Array.from(text);
}

export function isMap(value: Value): value is ReadonlyMap<Key, Value> {
  return value instanceof Map;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

const SCALARS: Readonly<Record<string, string>> = { bigint: 'int', number: 'double', boolean: 'bool' };

export function typeOf(value: Value): string {
  if (value === null) return 'null_type';
  if (typeof value !== 'object') return SCALARS[typeof value] ?? typeof value;
  if (value instanceof Uint) return 'uint';
  if (value instanceof Opaque) return value.type;
  if (value instanceof Uint8Array) return 'bytes';
  return isMap(value) ? 'map' : 'list';
}

/** The value of a number for a comparison with other types of numbers. */
function numberIn(value: Value): bigint | number | undefined {
  if (value instanceof Uint) return value.value;
  return typeof value === 'bigint' || typeof value === 'number' ? value : undefined;
}

/** The order of two numbers as cel-go has it: an int is compared with a double as a double. undefined: one is NaN. */
function order(a: bigint | number, b: bigint | number): number | undefined {
  const [x, y] = typeof a === typeof b ? [a, b] : [asDouble(a, b), asDouble(b, a)];
  return x < y ? -1 : x > y ? 1 : x === y ? 0 : undefined;
}

function asDouble(value: bigint | number, other: bigint | number): bigint | number {
  // Beyond 64 bits the exact values are compared.
  const isBeyond = typeof other === 'number' && Math.abs(other) > 2 ** 63;
  return isBeyond ? value : Number(value);
}

export function equal(a: Value, b: Value): boolean {
  const [x, y] = [numberIn(a), numberIn(b)];
  if (x !== undefined && y !== undefined) return order(x, y) === 0;
  if (a === b) return true;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (a instanceof Optional && b instanceof Optional) {
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return equal(a.value, b.value);
  }
  if (a instanceof Opaque && b instanceof Opaque) return a.type === b.type && a.key === b.key;
  if (Array.isArray(a) && Array.isArray(b)) {
    const others = b as readonly Value[];
    return a.length === b.length && (a as readonly Value[]).every((one, i) => equal(one, others[i] ?? null));
  }
  if (a instanceof Map && b instanceof Map) {
    const other = b as ReadonlyMap<Key, Value>;
    const isSame = ([key, value]: [Key, Value]) => {
      const found = other.get(key);
      return found !== undefined && equal(value, found);
    };
    return a.size === b.size && [...(a as ReadonlyMap<Key, Value>)].every(isSame);
  }
  return false;
}

/** Negative, zero or positive; undefined for values without an order, NaN included. */
export function compare(a: Value, b: Value): number | undefined {
  const [x, y] = [numberIn(a), numberIn(b)];
  if (x !== undefined && y !== undefined) return order(x, y);
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  const isTime = (value: Value) => value instanceof Timestamp || value instanceof Duration;
  if (isTime(a) && isTime(b) && typeOf(a) === typeOf(b)) {
    const [first, second] = [(a as Timestamp).key, (b as Timestamp).key];
    return first < second ? -1 : first > second ? 1 : 0;
  }
  return undefined;
}

/** The key of a map that a value is; undefined for a value that can be none. */
export function keyOf(value: Value): Key | undefined {
  if (value instanceof Uint) return value.value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean'
    ? value
    : undefined;
}

export function noOverload(name: string, ...values: readonly Value[]): CelError {
  return new CelError(`no such overload: ${name}(${values.map(typeOf).join(', ')})`);
}

/** @throws CelError beyond 64 bits */
export function toInt(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new CelError('integer overflow');
  return value;
}

/** @throws CelError below zero, or beyond 64 bits */
export function toUint(value: bigint): Uint {
  if (BigInt.asUintN(64, value) !== value) throw new CelError('unsigned integer overflow');
  return new Uint(value);
}
