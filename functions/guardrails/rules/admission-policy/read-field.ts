import type { Expression } from '../../cel/syntax';
import type { FieldPath } from '../../yaml/field-path';

/**
 * The field that an expression is about: what all of its paths below `object` start with. It may be missing in the object:
 * then the place of the finding is that of the mapping above it.
 */
export function readField(expression: Expression | undefined): FieldPath {
  const [first = [], ...others] = expression === undefined ? [] : [...pathsIn(expression)];
  const end = first.findIndex((step, i) => others.some((other) => other[i] !== step));
  return end === -1 ? first : first.slice(0, end);
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
