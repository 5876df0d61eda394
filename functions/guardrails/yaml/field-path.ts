import { type YamlObject, type YamlValue, isAbsent, isObject, mappingOf } from './value';

/** Keys and list indices from the root of a resource. `'-'` as the last step is the end of a list (RFC 6901). */
export type FieldPath = readonly (string | number)[];

/** One change of a resource: a value for a field that is absent, or, if the path ends with `'-'`, a new list entry. */
export interface Fix {
  readonly path: FieldPath;
  readonly value: YamlValue;
}

/** `spec.template.spec.containers[0].image` or `metadata.annotations."example.com/a"`, as kustomize and kpt write it. */
export function formatPath(path: FieldPath): string {
  return path
    .map((step, i) => {
      if (typeof step === 'number') return `[${step}]`;
      const key = /^$|[."[\]]/.test(step) ? JSON.stringify(step) : step;
      return i === 0 ? key : `.${key}`;
    })
    .join('');
}

/** The value at a path; undefined if there is none. */
export function valueAt(value: YamlValue | undefined, path: FieldPath): YamlValue | undefined {
  return path.reduce<YamlValue | undefined>((at, step) => {
    if (typeof step === 'number') return Array.isArray(at) ? at[step] : undefined;
    return isObject(at) ? at[step] : undefined;
  }, value);
}

/** Fixes by the first step of their paths, each with the rest of its path. */
export function byFirstStep(fixes: readonly Fix[]): Map<string | number, Fix[]> {
  const groups = new Map<string | number, Fix[]>();
  for (const { path, value } of fixes) {
    const [step, ...rest] = path;
    if (step === undefined) continue;
    const group = groups.get(step) ?? [];
    group.push({ path: rest, value });
    groups.set(step, group);
  }
  return groups;
}

/** A copy of a value with fixes applied in order; undefined if a fix would replace a value. */
export function withFixes(value: YamlObject, fixes: readonly Fix[]): YamlObject | undefined {
  let fixed: YamlValue | undefined = value;
  for (const fix of fixes) {
    fixed = withFix(fixed, fix.path, fix.value);
    if (fixed === undefined) return undefined;
  }
  return fixed as YamlObject;
}

function withFix(
  at: YamlValue | undefined,
  [step, ...rest]: FieldPath,
  value: YamlValue,
): YamlValue | undefined {
  if (step === undefined) return isAbsent(at) ? withoutPrototypes(value) : undefined;
  if (typeof step === 'string' && step !== '-') {
    if (!isAbsent(at) && !isObject(at)) return undefined;
    const child = withFix(at?.[step], rest, value);
    return child === undefined ? undefined : mappingOf(at ?? {}, { [step]: child });
  }
  const list = step === '-' ? (at ?? []) : at;
  if (!Array.isArray(list) || (step !== '-' && step >= list.length)) return undefined;
  const index = step === '-' ? list.length : step;
  const item = withFix(list[index], rest, value);
  return item === undefined ? undefined : list.toSpliced(index, 1, item);
}

/** Parsed values have no prototypes either, so that equal values compare equal. */
function withoutPrototypes(value: YamlValue): YamlValue {
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, child]) => [key, withoutPrototypes(child)] as const);
  return mappingOf(Object.fromEntries(entries));
}
