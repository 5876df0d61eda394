import type { Library, Overload } from '../library';
import { type Value, equal, isList } from '../value';

function ofSets(isTrue: (a: readonly Value[], b: readonly Value[]) => boolean): Overload {
  return (a = null, b = null) => (isList(a) && isList(b) ? isTrue(a, b) : undefined);
}

const has = (list: readonly Value[], item: Value) => list.some((one) => equal(one, item));
const contains = (a: readonly Value[], b: readonly Value[]) => b.every((one) => has(a, one));

/** The extension `sets` of cel-go. */
export const setFunctions: Library = {
  global: {
    'sets.contains': ofSets(contains),
    'sets.equivalent': ofSets((a, b) => contains(a, b) && contains(b, a)),
    'sets.intersects': ofSets((a, b) => a.some((one) => has(b, one))),
  },
};
