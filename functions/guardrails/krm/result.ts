import type { YamlValue } from '../yaml/yaml';

export type Severity = 'error' | 'warning' | 'info';

/**
 * One result of a function, as the wire has it (kpt.dev/docs, "function results"; kyaml fn/framework Result).
 * Severity is written `warning` and the proposal `proposedValue`: kpt-functions' own types differ and are not read.
 */
export interface Result {
  readonly message: string;
  readonly severity: Severity;
  readonly resourceRef?: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
  };
  readonly field?: {
    readonly path: string;
    readonly currentValue?: YamlValue;
    readonly proposedValue?: YamlValue;
  };
  readonly file?: { readonly path: string; readonly index?: number };
  readonly tags?: Readonly<Record<string, string>>;
}

/** Valid in JSON and refused, or read as line breaks, by YAML readers. */
const UNPRINTABLE = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]/gu;

/** JSON that every YAML reader takes for the same value. */
export function yamlSafeJson(value: unknown): string {
  return escapeUnprintable(JSON.stringify(value));
}

function escapeUnprintable(json: string): string {
  return json.replace(UNPRINTABLE, (c) => `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}

/** The value of `results`, in block style for a YAML list or in one line of JSON. */
export function printResults(results: readonly Result[], style: 'block' | 'flow'): string {
  if (style === 'flow') return yamlSafeJson(results);
  const entries = results.map((result) => {
    const lines = Object.entries(result)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`);
    return `- ${lines.join('  ')}`;
  });
  return escapeUnprintable(entries.join(''));
}
