import { CelError } from '../errors';
import type { Library } from '../library';
import { Optional, Uint, type Value, isList, isMap } from '../value';

/** Whether a value is that of its type which says nothing: 0, an empty text, an empty collection. */
function isZero(value: Value): boolean {
  if (value instanceof Uint) return value.value === 0n;
  if (isList(value) || value instanceof Uint8Array) return value.length === 0;
  if (isMap(value)) return value.size === 0;
  return value === null || value === 0n || value === 0 || value === '' || value === false;
}

/** Optional values of cel-go; the macros optMap and optFlatMap are in `evaluate.ts`. */
export const optionalFunctions: Library = {
  global: {
    'optional.none': () => new Optional(undefined),
    'optional.of': (value = null) => new Optional(value),
    'optional.ofNonZeroValue': (value = null) => new Optional(isZero(value) ? undefined : value),
  },
  methods: {
    hasValue: (optional = null) => (optional instanceof Optional ? optional.value !== undefined : undefined),
    value: (optional = null) => {
      if (!(optional instanceof Optional)) return undefined;
      if (optional.value === undefined) throw new CelError('optional.none() dereference');
      return optional.value;
    },
    orValue: (optional = null, other = null) =>
      optional instanceof Optional ? (optional.value === undefined ? other : optional.value) : undefined,
    or: (optional = null, other = null) =>
      optional instanceof Optional && other instanceof Optional
        ? optional.value === undefined
          ? other
          : optional
        : undefined,
  },
};
