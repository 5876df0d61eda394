import { CelError, CelUnknown } from './errors';
import { type Functions, FUNCTIONS } from './functions';
import type { Expression, Literal } from './syntax';
import {
  type Key,
  Optional,
  Type,
  Uint,
  type Value,
  isList,
  isMap,
  keyOf,
  known,
  noOverload,
  toInt,
  typeOf,
} from './value';

/** The variables of an expression. */
export type Scope = (name: string) => Value | undefined;

type Call = Extract<Expression, { is: 'call' }>;
type Evaluate = (expression: Expression, scope: Scope) => Value;

/** Evaluations of parts of one expression; the API server has a limit of its own for the cost. */
const MOST_STEPS = 1_000_000;
const TYPES = new Map(
  [
    'int',
    'uint',
    'double',
    'string',
    'bool',
    'bytes',
    'list',
    'map',
    'null_type',
    'type',
    'optional_type',
  ].map((name) => [name, new Type(name)]),
);

/**
 * Evaluates an expression as cel-go does for Kubernetes.
 *
 * @throws CelError what the API server reports as an error, CelUnknown what only a cluster knows
 */
export function evaluateCel(expression: Expression, scope: Scope): Value {
  return known(new Evaluation().of(expression, scope));
}

class Evaluation {
  private steps = 0;

  readonly of: Evaluate = (expression, scope) => {
    if (++this.steps > MOST_STEPS) throw new CelUnknown('the evaluation takes too many steps');
    switch (expression.is) {
      case 'literal':
        return valueOfLiteral(expression.value);
      case 'name':
        return this.name(expression.name, scope);
      case 'select':
        return this.select(this.of(expression.of, scope), expression.field, expression.isOptional);
      case 'index':
        return this.index(
          this.of(expression.of, scope),
          known(this.of(expression.key, scope)),
          expression.isOptional,
        );
      case 'list':
        return expression.items.flatMap(({ value, isOptional }) => {
          const item = this.of(value, scope);
          return isOptional ? itemsOf(item, '[?]') : [item];
        });
      case 'map':
        return this.map(expression, scope);
      case 'call':
        return this.call(expression, scope);
    }
  };

  private name(name: string, scope: Scope): Value {
    const variable = scope(name);
    const value = variable === undefined ? TYPES.get(name) : variable;
    if (value === undefined) throw new CelError(`undeclared reference to '${name}'`);
    return value;
  }

  private select(of: Value, field: string, isOptional: boolean): Value {
    const value = known(of);
    if (value instanceof Optional) {
      if (value.value === undefined) return value;
      return this.select(value.value, field, true);
    }
    if (!isMap(value))
      throw new CelError(`unexpected type '${typeOf(value)}' passed to select of '${field}'`);
    const found = value.get(field);
    if (isOptional) return new Optional(found);
    if (found === undefined) throw new CelError(`no such key: ${field}`);
    return found;
  }

  private index(of: Value, key: Value, isOptional: boolean): Value {
    const value = known(of);
    if (value instanceof Optional) {
      if (value.value === undefined) return value;
      return this.index(value.value, key, true);
    }
    const found = isMap(value) ? entryAt(value, key) : isList(value) ? itemAt(value, key) : undefined;
    if (found === undefined && !isMap(value) && !isList(value)) throw noOverload('_[_]', value, key);
    if (isOptional) return new Optional(found);
    if (found !== undefined) return found;
    throw new CelError(
      isMap(value) ? `no such key: ${textOfKey(key)}` : `index out of bounds: ${textOfKey(key)}`,
    );
  }

  private map({ entries }: Extract<Expression, { is: 'map' }>, scope: Scope): Value {
    const map = new Map<Key, Value>();
    for (const { key: written, value, isOptional } of entries) {
      const key = keyOf(known(this.of(written, scope)));
      if (key === undefined) throw new CelError('unsupported key type');
      const item = this.of(value, scope);
      const [one] = isOptional ? itemsOf(item, '{?}') : [item];
      if (one === undefined) continue;
      if (map.has(key)) throw new CelError(`duplicate key: ${String(key)}`);
      map.set(key, one);
    }
    return map;
  }

  private call(call: Call, scope: Scope): Value {
    return this.lazy(call, scope) ?? this.macro(call, scope) ?? this.function(call, scope);
  }

  /** What does not evaluate all of its operands; undefined: the call is something else. */
  private lazy({ of, name, args }: Call, scope: Scope): Value | undefined {
    const [first, second, third] = args;
    if (of !== undefined || first === undefined) return undefined;
    if (name === 'has' && args.length === 1) return this.has(first, scope);
    if (second === undefined) return undefined;
    if (name === '&&' || name === '||') return this.logical(first, second, scope, name === '||');
    if (name !== '?:' || third === undefined) return undefined;
    const condition = known(this.of(first, scope));
    if (typeof condition !== 'boolean') throw noOverload('_?_:_', condition);
    return this.of(condition ? second : third, scope);
  }

  private macro({ of, name, args }: Call, scope: Scope): Value | undefined {
    const macro = of === undefined ? undefined : MACROS.get(`${name} ${args.length}`);
    return of === undefined || macro === undefined
      ? undefined
      : macro({ of, args, scope, evaluate: this.of });
  }

  private function({ of, name, args }: Call, scope: Scope): Value {
    const qualified = of?.is === 'name' && scope(of.name) === undefined ? `${of.name}.${name}` : undefined;
    const isQualified = qualified !== undefined && FUNCTIONS.global.has(qualified);
    const isMethod = of !== undefined && !isQualified;
    const functions: Functions = isMethod ? FUNCTIONS.methods : FUNCTIONS.global;
    const fullName = isQualified ? qualified : name;
    const overloads = functions.get(fullName);
    if (overloads === undefined) throw new CelUnknown(`the function ${fullName} is not supported`);
    const values = (isMethod ? [of, ...args] : args).map((one) => known(this.of(one, scope)));
    for (const overload of overloads) {
      const result = overload(...values);
      if (result !== undefined) return result;
    }
    throw noOverload(fullName, ...values);
  }

  /** `has(a.b)`: whether the map has the key. */
  private has(tested: Expression, scope: Scope): Value {
    if (tested.is !== 'select') throw new CelError('invalid argument to has() macro');
    const of = known(this.of(tested.of, scope));
    const value = of instanceof Optional ? of.value : of;
    if (value === undefined) return false;
    if (!isMap(value)) throw new CelError(`unexpected type '${typeOf(value)}' passed to has()`);
    return value.get(tested.field) !== undefined;
  }

  /** `&&` and `||`: one side that decides is enough, even if the other is an error. */
  private logical(left: Expression, right: Expression, scope: Scope, deciding: boolean): Value {
    return decide([left, right], (one) => known(this.of(one, scope)), deciding, deciding ? '_||_' : '_&&_');
  }
}

/**
 * Whether an item yields the deciding value. An error counts only where none does; what is unknown before an error.
 */
function decide<T>(
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
interface MacroCall {
  readonly of: Expression;
  readonly args: readonly Expression[];
  readonly scope: Scope;
  readonly evaluate: Evaluate;
}

type Macro = (call: MacroCall) => Value | undefined;

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

/** The scopes of a macro of one or two variables, and its expressions. */
function iterated(
  { of, args, scope, evaluate }: MacroCall,
  variables: 1 | 2,
):
  | {
      readonly scopes: readonly Scope[];
      readonly parts: readonly Part[];
      readonly rest: readonly Expression[];
    }
  | undefined {
  const [first, second] = [nameOf(args[0]), nameOf(args[1])];
  if (first === undefined || (variables === 2 && second === undefined)) return undefined;
  const value = evaluate(of, scope);
  const parts = variables === 2 ? partsOf(value) : itemsIn(value).map((item): Part => [item, item]);
  const scopes = parts.map(([key, item]) =>
    variables === 2 && second !== undefined
      ? within(scope, { [first]: key, [second]: item })
      : within(scope, { [first]: item }),
  );
  return { scopes, parts, rest: args.slice(variables) };
}

function isTrue(value: Value, name: string): boolean {
  const read = known(value);
  if (typeof read !== 'boolean') throw noOverload(name, read);
  return read;
}

function quantified(deciding: boolean, variables: 1 | 2): Macro {
  return (call) => {
    const found = iterated(call, variables);
    const [test] = found?.rest ?? [];
    if (found === undefined || test === undefined) return undefined;
    const name = deciding ? '_||_' : '_&&_';
    return decide(found.scopes, (scope) => known(call.evaluate(test, scope)), deciding, name);
  };
}

function existsOne(variables: 1 | 2): Macro {
  return (call) => {
    const found = iterated(call, variables);
    const [test] = found?.rest ?? [];
    if (found === undefined || test === undefined) return undefined;
    return found.scopes.filter((scope) => isTrue(call.evaluate(test, scope), 'exists_one')).length === 1;
  };
}

/** `map`, `filter` and the like: the results of the scopes that pass the test. */
function transformed(variables: 1 | 2, call: MacroCall): { part: Part; result: Value }[] | undefined {
  const found = iterated(call, variables);
  if (found === undefined) return undefined;
  const transform = found.rest.at(-1);
  const test = found.rest.length > 1 ? found.rest[0] : undefined;
  if (transform === undefined) return undefined;
  return found.scopes.flatMap((scope, i) => {
    if (test !== undefined && !isTrue(call.evaluate(test, scope), '_?_:_')) return [];
    return [{ part: found.parts[i] ?? [null, null], result: known(call.evaluate(transform, scope)) }];
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

const filterMacro: Macro = (call) => {
  const found = iterated(call, 1);
  const [test] = found?.rest ?? [];
  if (found === undefined || test === undefined) return undefined;
  const isKept = (_: Part, i: number) => {
    const scope = found.scopes[i];
    return scope !== undefined && isTrue(call.evaluate(test, scope), '_?_:_');
  };
  return found.parts.filter(isKept).map(([, item]) => item);
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
const MACROS: ReadonlyMap<string, Macro> = new Map([
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

function valueOfLiteral(value: Literal): Value {
  if (typeof value === 'object' && value !== null && 'uint' in value) return new Uint(value.uint);
  return typeof value === 'bigint' ? toInt(value) : value;
}

function itemsOf(value: Value, name: string): readonly Value[] {
  const optional = known(value);
  if (!(optional instanceof Optional)) throw noOverload(name, optional);
  return optional.value === undefined ? [] : [optional.value];
}

function entryAt(map: ReadonlyMap<Key, Value>, key: Value): Value | undefined {
  const name = keyOf(key);
  return name === undefined ? undefined : map.get(name);
}

function itemAt(list: readonly Value[], key: Value): Value | undefined {
  const index = keyOf(key);
  if (typeof index !== 'bigint') throw new CelError(`unsupported index type '${typeOf(key)}' in list`);
  return index < 0n ? undefined : list[Number(index)];
}

function textOfKey(key: Value): string {
  return String(keyOf(key) ?? '');
}
