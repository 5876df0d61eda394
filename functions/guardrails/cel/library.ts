import type { Value } from './value';

/** A function for some types of arguments; undefined: not for these. */
export type Overload = (...args: readonly (Value | undefined)[]) => Value | undefined;

/** Functions by name. */
export interface Library {
  /** Called as `name(a, b)`, or `space.name(a, b)`. */
  readonly global?: Readonly<Record<string, Overload>>;
  /** Called as `a.name(b)`, with `a` as the first argument. */
  readonly methods?: Readonly<Record<string, Overload>>;
}
