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
  const draft = new Draft(value);
  return fixes.every((fix) => draft.add(fix)) ? (draft.result() as YamlObject) : undefined;
}

/** Whether `withFixes` would return a copy, without making it. */
export function canFix(value: YamlObject, fixes: readonly Fix[]): boolean {
  const draft = new Draft(value);
  return fixes.every((fix) => draft.add(fix));
}

/** A value, and its changes. Each mapping and list with a change is copied once, whatever the number of changes. */
class Draft {
  /** The fields or items that change. New items have the indices after those of the list. */
  private readonly children = new Map<string | number, Draft>();
  private appended = 0;

  constructor(private value: YamlValue | undefined) {}

  /** @returns false if the fix would replace a value; the draft is then unusable */
  add({ path, value }: Fix, depth = 0): boolean {
    const step = path[depth];
    if (step === undefined) {
      if (!isAbsent(this.value)) return false;
      this.value = withoutPrototypes(value);
      return true;
    }
    const child = typeof step === 'string' && step !== '-' ? this.field(step) : this.item(step);
    return child?.add({ path, value }, depth + 1) ?? false;
  }

  result(): YamlValue {
    if (this.children.size === 0) return this.value ?? null;
    const results = [...this.children].map(([step, child]) => [step, child.result()] as const);
    const copy = Array.isArray(this.value) ? [...this.value] : mappingOf(this.value as YamlObject);
    return Object.assign(copy, Object.fromEntries(results));
  }

  private field(name: string): Draft | undefined {
    this.value ??= mappingOf();
    return isObject(this.value) ? this.child(name, this.value[name]) : undefined;
  }

  private item(step: string | number): Draft | undefined {
    if (step === '-') this.value ??= [];
    if (!Array.isArray(this.value)) return undefined;
    const { length } = this.value;
    if (typeof step === 'string') return this.child(length + this.appended++, undefined);
    return step < length + this.appended ? this.child(step, this.value[step]) : undefined;
  }

  private child(step: string | number, value: YamlValue | undefined): Draft {
    const child = this.children.get(step) ?? new Draft(value);
    this.children.set(step, child);
    return child;
  }
}

/** Parsed values have no prototypes either, so that equal values compare equal. */
function withoutPrototypes(value: YamlValue): YamlValue {
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, child]) => [key, withoutPrototypes(child)] as const);
  return mappingOf(Object.fromEntries(entries));
}
