import type { Library, Overload } from '../library';
import { compare, isList } from '../value';

function extreme(isBetter: (order: number) => boolean): Overload {
  return (...args) => {
    const [first = null] = args;
    const all = args.length === 1 && isList(first) ? first : args.map((one = null) => one);
    const [start, ...others] = all;
    if (start === undefined) return undefined;
    return others.reduce((best, one) => (isBetter(compare(one, best) ?? 0) ? one : best), start);
  };
}

/** `math.greatest` and `math.least` of cel-go. */
export const mathFunctions: Library = {
  global: {
    'math.greatest': extreme((order) => order > 0),
    'math.least': extreme((order) => order < 0),
  },
};
