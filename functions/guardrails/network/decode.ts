import type { Report } from '../findings/finding';
import { message, words } from '../message';
import { type FieldPath, formatPath } from '../yaml/field-path';
import { type YamlValue, isAbsent, isObject } from '../yaml/yaml';

/** A field of a resource, read as the API server's strict decoder reads it: what that refuses is a problem. */
export class Field {
  constructor(
    readonly value: YamlValue | undefined,
    readonly path: FieldPath = [],
    /** Shared by all fields of the resource, in the order in which they are read. */
    readonly problems: Report[] = [],
  ) {}

  get isAbsent(): boolean {
    return isAbsent(this.value);
  }

  /** The field under a key; absent where this one is not a mapping. */
  at(key: string): Field {
    return new Field(isObject(this.value) ? this.value[key] : undefined, [...this.path, key], this.problems);
  }

  /** @param expected what the field must be, after `it must be` */
  refuse(expected: string, found = this.value): void {
    const text = JSON.stringify(found ?? null);
    this.problems.push({
      problem: message`has an invalid ${formatPath(this.path)}: it must be ${words(expected)}, found ${text}`,
      remedy: words('fix the field, which the API server refuses'),
      field: this.path,
    });
  }

  /** Whether the field is a mapping; an absent one counts as empty. A key is a problem if it is not a known one. */
  isMapping(known?: readonly string[]): boolean {
    if (this.isAbsent) return true;
    if (!isObject(this.value)) {
      this.refuse('a mapping');
      return false;
    }
    for (const key of Object.keys(this.value))
      if (known?.includes(key) === false) {
        const field = [...this.path, key];
        this.problems.push({
          problem: message`has the unknown field ${formatPath(field)}`,
          remedy: words(`use one of ${known.join(', ')}, or remove the field`),
          field,
        });
      }
    return true;
  }

  /** What `read` makes of a mapping; undefined where the API server refuses the mapping or a field in it. */
  mapping<T>(known: readonly string[], read: () => T): T | undefined {
    const before = this.problems.length;
    const value = this.isMapping(known) ? read() : undefined;
    return this.problems.length > before ? undefined : value;
  }

  /** The entries of a list; an absent field counts as an empty list. */
  entries(): Field[] {
    if (this.isAbsent) return [];
    if (Array.isArray(this.value))
      return this.value.map((entry, i) => new Field(entry, [...this.path, i], this.problems));
    this.refuse('a list');
    return [];
  }
}
