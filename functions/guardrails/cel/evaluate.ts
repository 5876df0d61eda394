import { CelError, CelUnknown } from './errors';
import { type Functions, FUNCTIONS } from './functions';
import { type Evaluate, MACROS, type Scope, decide } from './macros';
import type { Expression } from './syntax';
import type { Literal } from './tokens';
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
  typeOf,
} from './value';

type Call = Extract<Expression, { is: 'call' }>;

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

function valueOfLiteral(value: Literal): Value {
  if (typeof value === 'object' && value !== null && 'uint' in value) return new Uint(value.uint);
  return value;
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
