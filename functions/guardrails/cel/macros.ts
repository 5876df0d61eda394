import { CelError, CelUnknown } from './errors';
import type { Expression } from './syntax';
import { type Key, Optional, type Value, isList, isMap, keyOf, known, noOverload, typeOf } from './value';

/** The variables of an expression. */
export type Scope = (name: string) => Value | undefined;

export type Evaluate = (expression: Expression, scope: Scope) => Value;

/**
 * Whether an item yields the deciding value. An error counts only where none does; what is unknown before an error.
 */
export function decide<T>(
  items: readonly T[],
  evaluate: (item: T) => Value,
  deciding: boolean,
  name: string,
): boolean {
  let failure: CelError | CelUnknown | undefined;
  for (const item of items) {
    try {
      const value = evaluate(item);
      if (value === deciding) return deciding;
      if (typeof value !== 'boolean') failure ??= noOverload(name, value);
    } catch (error) {
      if (!(error instanceof CelError || error instanceof CelUnknown)) throw error;
      if (failure === undefined || error instanceof CelUnknown) failure = error;
    }
  }
  if (failure !== undefined) throw failure;
  return !deciding;
}

/** A macro: the first arguments are names of variables. */
export interface MacroCall {
  readonly of: Expression;
  readonly args: readonly Expression[];
  readonly scope: Scope;
  readonly evaluate: Evaluate;
}

export type Macro = (call: MacroCall) => Value | undefined;

/** A part of a collection: the values of one or two variables. */
type Part = readonly [Value, Value];

/** A list by index, or a map by key. */
function partsOf(value: Value): Part[] {
  const of = known(value);
  if (isList(of)) return of.map((item, i): Part => [BigInt(i), item]);
  if (isMap(of)) return [...of.keys()].map((key): Part => [key, of.get(key) ?? null]);
  throw new CelError(`got '${typeOf(of)}', expected iterable type`);
}

/** What a macro of one variable iterates over: the items of a list, the keys of a map. */
function itemsIn(value: Value): Value[] {
  const isOfMap = isMap(known(value));
  return partsOf(value).map(([key, item]) => (isOfMap ? key : item));
}

function nameOf(expression: Expression | undefined): string | undefined {
  return expression?.is === 'name' ? expression.name : undefined;
}

function within(scope: Scope, values: Readonly<Record<string, Value>>): Scope {
  return (name) => (Object.hasOwn(values, name) ? values[name] : scope(name));
}

/** One round of a macro: its scope, and what its variables are. */
interface Round {
  readonly scope: Scope;
  readonly part: Part;
}

/** The rounds of a macro of one or two variables, and its expressions; undefined: the call is no macro. */
function iterated(
  { of, args, scope, evaluate }: MacroCall,
  variables: 1 | 2,
): { readonly rounds: readonly Round[]; readonly first: Expression; readonly last: Expression } | undefined {
  const names = args.slice(0, variables).map(nameOf);
  const [first, last = first] = args.slice(variables);
  const [one, two] = names;
  if (first === undefined || last === undefined || one === undefined || names.includes(undefined))
    return undefined;
  const value = evaluate(of, scope);
  const parts = variables === 2 ? partsOf(value) : itemsIn(value).map((item): Part => [item, item]);
  const rounds = parts.map((part): Round => {
    const values = two === undefined ? { [one]: part[1] } : { [one]: part[0], [two]: part[1] };
    return { scope: within(scope, values), part };
  });
  return { rounds, first, last };
}

function isTrue(value: Value, name: string): boolean {
  const read = known(value);
  if (typeof read !== 'boolean') throw noOverload(name, read);
  return read;
}

function quantified(deciding: boolean, variables: 1 | 2): Macro {
  return (call) => {
    const found = iterated(call, variables);
    if (found === undefined) return undefined;
    const name = deciding ? '_||_' : '_&&_';
    return decide(found.rounds, ({ scope }) => known(call.evaluate(found.first, scope)), deciding, name);
  };
}

/** The rounds in which the first expression is true. */
function passing(call: MacroCall, variables: 1 | 2, name: string): readonly Round[] | undefined {
  const found = iterated(call, variables);
  return found?.rounds.filter(({ scope }) => isTrue(call.evaluate(found.first, scope), name));
}

function existsOne(variables: 1 | 2): Macro {
  return (call) => {
    const rounds = passing(call, variables, 'exists_one');
    return rounds === undefined ? undefined : rounds.length === 1;
  };
}

const filterMacro: Macro = (call) => passing(call, 1, '_?_:_')?.map(({ part: [, item] }) => item);

/** `map` and the like: the results of all rounds, or of those that pass a test before the expression. */
function transformed(variables: 1 | 2, call: MacroCall): { part: Part; result: Value }[] | undefined {
  const found = iterated(call, variables);
  if (found === undefined) return undefined;
  const { rounds, first, last } = found;
  return rounds.flatMap(({ scope, part }) => {
    if (first !== last && !isTrue(call.evaluate(first, scope), '_?_:_')) return [];
    return [{ part, result: known(call.evaluate(last, scope)) }];
  });
}

const mapMacro: Macro = (call) => transformed(1, call)?.map(({ result }) => result);
const transformList: Macro = (call) => transformed(2, call)?.map(({ result }) => result);

const transformMap: Macro = (call) => {
  const all = transformed(2, call);
  return all && new Map(all.map(({ part: [key], result }) => [keyOf(key) ?? '', result]));
};

const transformMapEntry: Macro = (call) => {
  const map = new Map<Key, Value>();
  const all = transformed(2, call);
  if (all === undefined) return undefined;
  for (const { result } of all) {
    if (!isMap(result)) throw noOverload('transformMapEntry', result);
    for (const [key, value] of result) {
      if (map.has(key)) throw new CelError(`insert failed: key '${String(key)}' already exists`);
      map.set(key, value);
    }
  }
  return map;
};

/** `cel.bind(name, value, expression)`. */
const bind: Macro = ({ of, args, scope, evaluate }) => {
  const [name, value, expression] = args;
  const variable = nameOf(name);
  if (nameOf(of) !== 'cel' || variable === undefined || value === undefined || expression === undefined)
    return undefined;
  return evaluate(expression, within(scope, { [variable]: evaluate(value, scope) }));
};

function optionalMacro(isFlat: boolean): Macro {
  return ({ of, args: [name, expression], scope, evaluate }) => {
    const variable = nameOf(name);
    if (variable === undefined || expression === undefined) return undefined;
    const optional = known(evaluate(of, scope));
    if (!(optional instanceof Optional)) throw noOverload(isFlat ? 'optFlatMap' : 'optMap', optional);
    if (optional.value === undefined) return optional;
    const result = known(evaluate(expression, within(scope, { [variable]: optional.value })));
    return isFlat ? result : new Optional(result);
  };
}

/** By name and number of arguments. */
export const MACROS: ReadonlyMap<string, Macro> = new Map([
  ['all 2', quantified(false, 1)],
  ['all 3', quantified(false, 2)],
  ['exists 2', quantified(true, 1)],
  ['exists 3', quantified(true, 2)],
  ['exists_one 2', existsOne(1)],
  ['exists_one 3', existsOne(2)],
  ['existsOne 2', existsOne(1)],
  ['existsOne 3', existsOne(2)],
  ['map 2', mapMacro],
  ['map 3', mapMacro],
  ['filter 2', filterMacro],
  ['transformList 3', transformList],
  ['transformList 4', transformList],
  ['transformMap 3', transformMap],
  ['transformMap 4', transformMap],
  ['transformMapEntry 3', transformMapEntry],
  ['transformMapEntry 4', transformMapEntry],
  ['bind 3', bind],
  ['optMap 2', optionalMacro(false)],
  ['optFlatMap 2', optionalMacro(true)],
]);
