import { type YamlObject, type YamlValue, isAbsent, isObject } from './value';

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
  for (const {
    path: [step, ...path],
    value,
  } of fixes) {
    if (step === undefined) continue;
    const group = groups.get(step) ?? [];
    group.push({ path, value });
    groups.set(step, group);
  }
  return groups;
}

/** A copy of a value with fixes applied in order; undefined if a fix would replace a value. */
export function withFixes(value: YamlObject, fixes: readonly Fix[]): YamlObject | undefined {
  return fixed(value, fixes) as YamlObject | undefined;
}

function fixed(value: YamlValue | undefined, fixes: readonly Fix[]): YamlValue | undefined {
  const [first, ...rest] = fixes;
  if (first === undefined) return value;
  const [step] = first.path;
  if (step === undefined) return isAbsent(value) ? fixed(withoutPrototypes(first.value), rest) : undefined;
  if (step === '-' || typeof step === 'number') {
    const list = isAbsent(value) && step === '-' ? [] : value;
    return Array.isArray(list) ? fixedList(list, fixes) : undefined;
  }
  return isAbsent(value) || isObject(value) ? fixedMapping(value ?? {}, fixes) : undefined;
}

function fixedList(list: readonly YamlValue[], fixes: readonly Fix[]): YamlValue | undefined {
  let { length } = list;
  const indexed = fixes.map(({ path: [step, ...rest], value }) => {
    const index = step === '-' ? length++ : step;
    return { path: typeof index === 'number' && index < length ? [index, ...rest] : [], value };
  });
  if (indexed.some(({ path }) => path.length === 0)) return undefined;
  const copy = [...list];
  for (const [index, below] of byFirstStep(indexed)) {
    const item = fixed(list[Number(index)], below);
    if (item === undefined) return undefined;
    copy[Number(index)] = item;
  }
  return copy;
}

function fixedMapping(mapping: YamlObject, fixes: readonly Fix[]): YamlValue | undefined {
  if (fixes.some(({ path: [step] }) => typeof step !== 'string' || step === '-')) return undefined;
  const copy = Object.assign(Object.create(null) as YamlObject, mapping);
  for (const [key, below] of byFirstStep(fixes)) {
    const child = fixed(mapping[key], below);
    if (child === undefined) return undefined;
    copy[key] = child;
  }
  return copy;
}

/** Parsed values have no prototypes either, so that equal values compare equal. */
function withoutPrototypes(value: YamlValue): YamlValue {
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, child]) => [key, withoutPrototypes(child)] as const);
  return Object.assign(Object.create(null) as YamlObject, Object.fromEntries(entries));
}
