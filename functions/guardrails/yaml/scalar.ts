import { scalarValue } from './value';

/** Characters that Go's YAML reader refuses or reads as line breaks, unless they are escaped. */
const UNSAFE = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;
/** An escape in JSON. */
const ESCAPE = /\\(u[dD][89a-fA-F][0-9a-fA-F]{2}|.)/g;

/**
 * JSON that every YAML and JSON reader reads as the same value. A lone surrogate becomes U+FFFD: Go's JSON reader
 * decodes it to that, and its YAML reader refuses it.
 */
export function safeJson(value: unknown): string {
  return JSON.stringify(value)
    .replace(ESCAPE, (escape, what: string) => (what.length > 1 ? '\\ufffd' : escape))
    .replace(UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** How a string is written. */
export interface StringStyle {
  readonly quote: '"' | "'";
  /** Whether a colon inside needs no quotes, as kpt writes `cidr: ::/0`. */
  readonly plainColon: boolean;
}

/** A string as a YAML scalar: plain if every reader reads it as this string, else quoted. */
export function printString(text: string, { quote, plainColon }: StringStyle): string {
  const node = { kind: 'scalar', start: 0, end: 0, text, plain: true, tag: undefined } as const;
  const isPlain = /^[A-Za-z0-9./:][-A-Za-z0-9./:_]*$/.test(text) && scalarValue(node) === text;
  if (isPlain && !(plainColon ? text.endsWith(':') : text.includes(':'))) return text;
  return quote === "'" && /^[\x20-\x7e]*$/.test(text) ? `'${text.replaceAll("'", "''")}'` : safeJson(text);
}
