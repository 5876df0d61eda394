import type { Expression } from '../../cel/syntax';
import { type FieldPath, valueAt } from '../../yaml/field-path';
import type { YamlObject } from '../../yaml/yaml';

/** The field of an object that an expression is about: what all of its paths below `object` start with, as far as it is there. */
export function readField(expression: Expression | undefined, object: YamlObject): FieldPath {
  const paths = expression === undefined ? [] : [...pathsIn(expression)];
  const [first = [], ...others] = paths;
  const end = first.findIndex((step, i) => others.some((other) => other[i] !== step));
  let field = end === -1 ? first : first.slice(0, end);
  while (field.length > 0 && valueAt(object, field) === undefined) field = field.slice(0, -1);
  return field;
}

/** The paths of `object.a.b` in an expression, each as long as it is written. */
function* pathsIn(expression: Expression): Generator<readonly string[]> {
  const path = pathOf(expression);
  if (path !== undefined) {
    yield path;
    return;
  }
  switch (expression.is) {
    case 'select':
      yield* pathsIn(expression.of);
      break;
    case 'index':
      yield* pathsIn(expression.of);
      yield* pathsIn(expression.key);
      break;
    case 'call':
      for (const one of [...(expression.of === undefined ? [] : [expression.of]), ...expression.args])
        yield* pathsIn(one);
      break;
    case 'list':
      for (const { value } of expression.items) yield* pathsIn(value);
      break;
    case 'map':
      for (const { value } of expression.entries) yield* pathsIn(value);
      break;
    case 'literal':
    case 'name':
  }
}

/** undefined: the expression is no path below `object`. */
function pathOf(expression: Expression): readonly string[] | undefined {
  if (expression.is === 'name') return expression.name === 'object' ? [] : undefined;
  if (expression.is !== 'select') return undefined;
  const of = pathOf(expression.of);
  return of && [...of, expression.field];
}
