import { safeJson } from '../yaml/scalar';
import type { YamlValue } from '../yaml/yaml';
import type { ResourceRef } from './resource';

export type Severity = 'error' | 'warning' | 'info';

interface ResultField {
  readonly path: string;
  readonly currentValue?: YamlValue | undefined;
  readonly proposedValue?: YamlValue | undefined;
}

/**
 * One result of a function in a ResourceList (kpt.dev/docs, "function results"; kyaml fn/framework Result).
 * The severity is `warning` and the proposal is `proposedValue`: the types of kpt-functions differ, and kpt ignores them.
 */
export interface Result {
  readonly message: string;
  readonly severity: Severity;
  readonly resourceRef?: ResourceRef | undefined;
  readonly field?: ResultField | undefined;
  readonly file?: { readonly path: string; readonly index?: number } | undefined;
  readonly tags?: Readonly<Record<string, string | undefined>> | undefined;
}

/** The value of `results`: a YAML list in block style, or one line of JSON. */
export function printResults(results: readonly Result[], style: 'block' | 'flow'): string {
  if (style === 'flow') return safeJson(results);
  const entries = results.map((result) => {
    const lines = Object.entries(result)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}: ${safeJson(value)}\n`);
    return `- ${lines.join('  ')}`;
  });
  return entries.join('');
}
