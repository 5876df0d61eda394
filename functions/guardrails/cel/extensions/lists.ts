import { CelError } from '../errors';
import type { Library, Overload } from '../library';
import { Duration, Optional, Uint, type Value, compare, equal, isList, noOverload, typeOf } from '../value';

/** @throws CelError items without an order */
function orderOf(a: Value, b: Value): number {
  const order = compare(a, b);
  if (order === undefined) throw noOverload('compare', a, b);
  return order;
}

function extreme(list: readonly Value[], name: string, isBetter: (order: number) => boolean): Value {
  const [first, ...others] = list;
  if (first === undefined) throw new CelError(`${name} called on empty list`);
  return others.reduce((best, one) => (isBetter(orderOf(one, best)) ? one : best), first);
}

function sum(list: readonly Value[]): Value {
  const [first] = list;
  if (first === undefined) return 0n;
  const wrong = list.find((one) => typeOf(one) !== typeOf(first));
  if (wrong !== undefined) throw noOverload('sum', first, wrong);
  const integers = list.map((one) =>
    one instanceof Uint ? one.value : one instanceof Duration ? one.key : one,
  );
  const total = integers.reduce<bigint | number>(
    (all, one) => {
      if (typeof all === 'bigint' && typeof one === 'bigint') return all + one;
      if (typeof one === 'number') return Number(all) + one;
      throw noOverload('sum', first);
    },
    typeof first === 'number' ? 0 : 0n,
  );
  if (typeof total === 'number') return total;
  return first instanceof Uint ? new Uint(total) : first instanceof Duration ? new Duration(total) : total;
}

function distinct(list: readonly Value[]): Value[] {
  return list.reduce<Value[]>(
    (all, one) => (all.some((other) => equal(one, other)) ? all : [...all, one]),
    [],
  );
}

function flatten(list: readonly Value[], depth: number): readonly Value[] {
  return list.flatMap((one) => (isList(one) && depth > 0 ? flatten(one, depth - 1) : [one]));
}

function ofList(use: (list: readonly Value[]) => Value): Overload {
  return (list = null) => (isList(list) ? use(list) : undefined);
}

/** The library lists of Kubernetes, and the extension `lists` of cel-go. */
export const listFunctions: Library = {
  global: {
    'lists.range': (count = null) =>
      typeof count === 'bigint' ? Array.from({ length: Number(count) }, (_, i) => BigInt(i)) : undefined,
  },
  methods: {
    isSorted: ofList((list) => list.every((one, i) => i === 0 || orderOf(list[i - 1] ?? null, one) <= 0)),
    sum: ofList(sum),
    min: ofList((list) => extreme(list, 'min', (order) => order < 0)),
    max: ofList((list) => extreme(list, 'max', (order) => order > 0)),
    indexOf: (list = null, item = null) =>
      isList(list) ? BigInt(list.findIndex((one) => equal(one, item))) : undefined,
    lastIndexOf: (list = null, item = null) =>
      isList(list) ? BigInt(list.findLastIndex((one) => equal(one, item))) : undefined,
    distinct: ofList(distinct),
    reverse: ofList((list) => list.toReversed()),
    sort: ofList((list) => list.toSorted(orderOf)),
    flatten: (list = null, depth = 1n) =>
      isList(list) && typeof depth === 'bigint' ? flatten(list, Number(depth)) : undefined,
    slice: (list = null, start = null, end = null) => {
      if (!isList(list) || typeof start !== 'bigint' || typeof end !== 'bigint') return undefined;
      if (start < 0n || end < start || end > BigInt(list.length))
        throw new CelError(`cannot slice(${start}, ${end}), list is length ${list.length}`);
      return list.slice(Number(start), Number(end));
    },
    first: ofList((list) => new Optional(list[0])),
    last: ofList((list) => new Optional(list.at(-1))),
  },
};
