import { type YamlObject, type YamlValue, isObject, isAbsent } from '../yaml/yaml';

/** Tells of a value that the API server refuses: where it stands, and what belongs there. */
export function refuse(problems: string[], at: string, value: YamlValue | undefined, expected: string): void {
  problems.push(`has ${at} ${JSON.stringify(value ?? null)}; ${expected}`);
}

/**
 * A mapping, as the API server's strict decoder takes it: nothing and null are an empty one. A key that the API does not
 * know is a problem, and so is all else: undefined.
 *
 * @param at where it stands, as a field path; `''` is the root
 * @param known undefined: every key is
 */
export function mappingIn(
  value: YamlValue | undefined,
  at: string,
  problems: string[],
  known?: readonly string[],
): YamlObject | undefined {
  if (isAbsent(value)) return {};
  if (!isObject(value)) {
    refuse(problems, at, value, 'a mapping belongs there');
    return undefined;
  }
  for (const key of Object.keys(value))
    if (known?.includes(key) === false) {
      const path = at === '' ? key : `${at}.${key}`;
      problems.push(`has ${path}, which the API does not know; it knows ${known.join(', ')}`);
    }
  return value;
}

/** A list, as the API server's strict decoder takes it: nothing and null are an empty one, all else is a problem. */
export function listIn(value: YamlValue | undefined, at: string, problems: string[]): readonly YamlValue[] {
  if (isAbsent(value)) return [];
  if (Array.isArray(value)) return value;
  refuse(problems, at, value, 'a list belongs there');
  return [];
}
