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

/** A copy of a value with fixes in it; undefined where one of them has no place: a scalar stands in its way. */
export function withFixes(value: YamlObject, fixes: readonly Fix[]): YamlObject | undefined {
  let result: YamlValue | undefined = value;
  for (const fix of fixes) {
    result = withFix(result, fix.path, fix.value);
    if (result === undefined) return undefined;
  }
  return result as YamlObject;
}

function withFix(
  value: YamlValue | undefined,
  [step, ...rest]: FieldPath,
  fix: YamlValue,
): YamlValue | undefined {
  const isAbsent = value === undefined || value === null;
  if (step === undefined) return isAbsent ? withoutPrototypes(fix) : undefined;
  if (step === '-') {
    if (!isAbsent && !Array.isArray(value)) return undefined;
    return [...(value ?? []), withoutPrototypes(fix)];
  }
  if (typeof step === 'number') {
    if (!Array.isArray(value) || step >= value.length) return undefined;
    const child = withFix(value[step], rest, fix);
    if (child === undefined) return undefined;
    return [...value.slice(0, step), child, ...value.slice(step + 1)];
  }
  if (!isAbsent && !isObject(value)) return undefined;
  const child = withFix(isAbsent ? undefined : value[step], rest, fix);
  if (child === undefined) return undefined;
  return Object.assign(Object.create(null) as YamlObject, value, { [step]: child });
}

/** As parsed values are, so that equal ones compare equal. */
export function withoutPrototypes(value: YamlValue): YamlValue {
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, child]) => [key, withoutPrototypes(child)] as const);
  return Object.assign(Object.create(null) as YamlObject, Object.fromEntries(entries));
}
