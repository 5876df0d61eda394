import { type YamlObject, type YamlValue, isObject } from '../../functions/guardrails/yaml/yaml';

/** Where a path of fields leads, and what is there. The last step may be `-`: the end of a list. */
export interface Target {
  readonly object: YamlObject;
  readonly field: string;
  readonly before: YamlValue | undefined;
  readonly isAppended: boolean;
}

/** The object that has the field at the end of a path; objects that are missing on the way are made. */
export function targetAt(root: YamlObject, path: readonly string[]): Target {
  const isAppended = path.at(-1) === '-';
  const fields = isAppended ? path.slice(0, -1) : path;
  let object = root;
  for (const field of fields.slice(0, -1)) {
    const next = object[field];
    const child = isObject(next) ? next : {};
    object[field] = child;
    object = child;
  }
  const field = fields.at(-1) ?? '';
  return { object, field, before: object[field], isAppended };
}
