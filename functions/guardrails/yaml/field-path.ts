import { type YamlObject, type YamlValue, isObject } from './yaml';

/** Keys and list indices from a resource's root. `'-'`, last, is the place behind a list's end (RFC 6901). */
export type FieldPath = readonly (string | number)[];

/** One change of a resource: a value where none stands, or, behind `'-'`, one more entry of a list. */
export interface Fix {
  readonly path: FieldPath;
  readonly value: YamlValue;
}

/** `spec.template.spec.containers[0].image`, as kustomize and kpt write it. */
export function formatPath(path: FieldPath): string {
  return path
    .map((step, i) => {
      if (typeof step === 'number') return `[${step}]`;
      return i === 0 ? step : `.${/[.[\]]/.test(step) ? JSON.stringify(step) : step}`;
    })
    .join('');
}

/** The value at a path; undefined where there is none. */
export function valueAt(value: YamlValue | undefined, path: FieldPath): YamlValue | undefined {
  return path.reduce<YamlValue | undefined>((at, step) => {
    if (typeof step === 'number') return Array.isArray(at) ? at[step] : undefined;
    return isObject(at) ? at[step] : undefined;
  }, value);
}

/**
 * A copy of a value with fixes in it; undefined where one of them has no place: a scalar stands in its way. What no fix
 * goes into is the same object in both.
 */
export function withFixes(value: YamlObject, fixes: readonly Fix[]): YamlObject | undefined {
  const copies = new Set<YamlValue>();
  let result: YamlValue | undefined = value;
  for (const fix of fixes) {
    result = withFix(result, fix, 0, copies);
    if (result === undefined) return undefined;
  }
  return result as YamlObject;
}

/** @param copies what this run has copied, and may change */
function withFix(
  value: YamlValue | undefined,
  fix: Fix,
  depth: number,
  copies: Set<YamlValue>,
): YamlValue | undefined {
  const isAbsent = value === undefined || value === null;
  const step = fix.path[depth];
  if (step === undefined) return isAbsent ? withoutPrototypes(fix.value) : undefined;
  if (typeof step === 'number' || step === '-') {
    const list: YamlValue | undefined = isAbsent && step === '-' ? [] : value;
    if (!Array.isArray(list)) return undefined;
    if (step !== '-' && step >= list.length) return undefined;
    const index = step === '-' ? list.length : step;
    const child = withFix(list[index], fix, depth + 1, copies);
    if (child === undefined) return undefined;
    const copy = copies.has(list) ? list : [...list];
    copy[index] = child;
    copies.add(copy);
    return copy;
  }
  if (!isAbsent && !isObject(value)) return undefined;
  const child = withFix(value?.[step], fix, depth + 1, copies);
  if (child === undefined) return undefined;
  const copy =
    isAbsent || !copies.has(value) ? Object.assign(Object.create(null) as YamlObject, value) : value;
  copy[step] = child;
  copies.add(copy);
  return copy;
}

/** As parsed values are, so that equal ones compare equal. */
function withoutPrototypes(value: YamlValue): YamlValue {
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, child]) => [key, withoutPrototypes(child)] as const);
  return Object.assign(Object.create(null) as YamlObject, Object.fromEntries(entries));
}
