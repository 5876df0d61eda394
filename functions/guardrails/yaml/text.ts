import { isUtf8 } from 'node:buffer';
import { InputError } from '../errors';
import { message, words } from '../message';
import type { YamlNode, YamlScalar } from './nodes';
import { ifValid, lineOf, parseYaml } from './parse';

/** A line break in YAML that `lineStarts` does not count. */
const LONE_RETURN = /\r(?!\n)/;
/** kubectl and kustomize (YAML 1.1) read these as line breaks or ignore them; JavaScript libraries read them as text. */
const DISPUTED_BREAK = /[\u0085\u2028\u2029]|(?<!^)\ufeff/g;
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/**
 * The text of input bytes.
 *
 * @throws InputError invalid UTF-8, control characters, or, outside quotes, a line break that only some YAML readers
 *   see: what follows it is a comment to one reader and a field to another
 */
export function decodeText(bytes: Uint8Array, where: string): string {
  if (!isUtf8(bytes)) throw new InputError(message`${where} is not valid UTF-8; save the file as UTF-8`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const refuse = (offset: number, what: string) => {
    if (offset !== -1) throw new InputError(message`${where}:${lineOf(text, offset)}: ${words(what)}`);
  };
  refuse(text.search(CONTROL), 'the text contains a control character, which YAML does not allow; remove it');
  refuse(
    text.search(LONE_RETURN),
    'the text contains a carriage return without a line feed; end lines with a line feed',
  );
  refuse(
    disputedBreakIn(text),
    'U+0085, U+2028, U+2029 or U+FEFF outside quotes, which YAML readers read in different ways; remove it',
  );
  return text;
}

/** The offset of the first disputed line break outside quotes, or -1. */
function disputedBreakIn(text: string): number {
  const breaks = [...text.matchAll(DISPUTED_BREAK)];
  if (breaks.length === 0) return -1;
  const quoted: YamlScalar[] = [];
  const collect = (node: YamlNode | null): void => {
    if (node?.kind === 'mapping') node.entries.flatMap(({ key, value }) => [key, value]).forEach(collect);
    if (node?.kind === 'sequence') node.items.forEach(collect);
    if (node?.kind === 'scalar' && /["']/.test(text.charAt(node.start))) quoted.push(node);
  };
  // If the text is invalid YAML, no break counts as quoted: the break may be the cause.
  ifValid(() => parseYaml(text, ''))?.forEach(collect);
  // Both are in the order of the text.
  let next = 0;
  const isQuoted = (at: number) => {
    while ((quoted[next]?.end ?? Infinity) <= at) next++;
    return (quoted[next]?.start ?? Infinity) < at;
  };
  return breaks.find(({ index }) => !isQuoted(index))?.index ?? -1;
}

/** A replacement of a part of a text; `end` is exclusive. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Applies splices that do not overlap; every other byte stays. */
export function splice(text: string, splices: readonly Splice[]): string {
  let result = '';
  let at = 0;
  for (const { start, end, text: added } of splices.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    result += text.slice(at, start) + added;
    at = end;
  }
  return result + text.slice(at);
}

/** Start offsets of the lines of a text. A line ends with `\n`: `decodeText` refuses other line breaks. */
export function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  if (starts.at(-1) === text.length) starts.pop();
  return starts;
}

/** The offset after the line break that follows a value. A block scalar ends after its own line break. */
export function endOfLine(text: string, valueEnd: number): number {
  if (text[valueEnd - 1] === '\n') return valueEnd;
  const newline = text.indexOf('\n', valueEnd);
  return newline === -1 ? text.length : newline + 1;
}

export function isLineStart(text: string, offset: number): boolean {
  return offset === 0 || text[offset - 1] === '\n';
}

/** The start of the line of an offset. */
export function startOfLine(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** The text before an offset on its line. */
export function lineBefore(text: string, offset: number): string {
  return text.slice(startOfLine(text, offset), offset);
}

/** One document of a YAML stream, with the offset and the line, from 1, at which its text starts there. */
export interface Document {
  readonly text: string;
  readonly start: number;
  readonly line: number;
}

/**
 * The documents of a YAML stream, in order, without their `---`: text after it on its line belongs to the document.
 * A document may be empty. Only in column 0 is `---` a marker; YAML allows no scalar content there.
 */
export function splitDocuments(text: string): Document[] {
  const documents: Document[] = [];
  let from = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  for (const [i, start] of lineStarts(text).entries()) {
    if (!text.startsWith('---', start) || !/^[ \t\r\n]?$/.test(text.charAt(start + 3))) continue;
    if (start > from || documents.length > 0)
      documents.push({ text: text.slice(from, start), start: from, line });
    from = start + 3;
    line = i + 1;
  }
  documents.push({ text: text.slice(from), start: from, line });
  return documents;
}

/** The line end of a text: CRLF if it has one. */
export function newlineOf(text: string): '\n' | '\r\n' {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

/** The text with a line end after its last line. */
export function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

/** A YAML stream of documents, each as `splitDocuments` returns it, or without the rest of its `---` line. */
export function joinDocuments(documents: readonly string[]): string {
  const texts = documents.map(withNewline).map((text, i) => {
    if (i === 0) return text.replace(/^\r?\n/, '');
    return /^\s/.test(text) ? `---${text}` : `---${newlineOf(text)}${text}`;
  });
  return texts.join('');
}
