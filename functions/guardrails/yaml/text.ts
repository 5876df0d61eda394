import { isUtf8 } from 'node:buffer';
import { InputError } from '../errors';
import { message } from '../message';
import { type YamlNode, lineOf, parseYaml } from './yaml';

/** A line break to every YAML reader, and to no line of ours. */
const LONE_RETURN = /\r(?!\n)/;
/** Line breaks, or nothing at all, to kubectl and kustomize (YAML 1.1); ordinary characters to JavaScript's libraries. */
const DISPUTED_BREAK = /[\u0085\u2028\u2029]|(?<!^)\ufeff/;
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/**
 * The text of bytes that came from outside.
 *
 * @throws InputError bytes that are no UTF-8, control characters, or a line break that only some YAML readers see
 *   outside a quoted scalar: behind one, a comment to us is a field to the cluster
 */
export function decodeText(bytes: Uint8Array, where: string): string {
  if (!isUtf8(bytes)) throw new InputError(message`${where}: not valid UTF-8; save the file as UTF-8`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  refuseDisputedText(text, where);
  return text;
}

function refuseDisputedText(text: string, where: string): void {
  const control = CONTROL.exec(text);
  if (control !== null)
    throw new InputError(
      message`${where}: line ${lineOf(text, control.index)}: a control character; YAML allows none`,
    );
  const lone = LONE_RETURN.exec(text);
  if (lone !== null)
    throw new InputError(
      message`${where}: line ${lineOf(text, lone.index)}: a carriage return without a line feed; end lines with a line feed`,
    );
  if (!DISPUTED_BREAK.test(text)) return;
  const quoted = quotedRangesIn(text);
  for (const { index } of text.matchAll(new RegExp(DISPUTED_BREAK, 'g'))) {
    if (quoted.some(([start, end]) => start < index && index < end)) continue;
    throw new InputError(
      message`${where}: line ${lineOf(text, index)}: U+0085, U+2028, U+2029 or U+FEFF outside quotes, ` +
        'which kubectl and other readers take for different things; remove it',
    );
  }
}

/** None where the text cannot be read: it may be such a break that is in the way. */
function quotedRangesIn(text: string): [number, number][] {
  try {
    return parseYaml(text, '').flatMap((document) => quotedRanges(document, text));
  } catch (error) {
    if (error instanceof InputError) return [];
    throw error;
  }
}

function quotedRanges(node: YamlNode | null, text: string): [number, number][] {
  switch (node?.kind) {
    case 'mapping':
      return node.entries.flatMap(({ key, value }) => [
        ...quotedRanges(key, text),
        ...quotedRanges(value, text),
      ]);
    case 'sequence':
      return node.items.flatMap((item) => quotedRanges(item, text));
    case 'scalar':
      return text[node.start] === '"' || text[node.start] === "'" ? [[node.start, node.end]] : [];
    case 'alias':
    case undefined:
      return [];
  }
}

/** A stretch of a text, `end` exclusive, that is to read otherwise. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Replaces stretches of a text that do not overlap; every other byte stays. */
export function splice(text: string, splices: readonly Splice[]): string {
  let result = '';
  let at = 0;
  for (const { start, end, text: replacement } of [...splices].sort(
    (a, b) => a.start - b.start || a.end - b.end,
  )) {
    result += text.slice(at, start) + replacement;
    at = end;
  }
  return result + text.slice(at);
}

/** Start offsets of the lines of a text. A line ends at `\n`: what other readers take for a break is refused above. */
export function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  if (starts.at(-1) === text.length) starts.pop();
  return starts;
}

/** Behind the line break that follows a value; a block scalar ends behind its own. */
export function endOfLine(text: string, valueEnd: number): number {
  if (text[valueEnd - 1] === '\n') return valueEnd;
  const newline = text.indexOf('\n', valueEnd);
  return newline === -1 ? text.length : newline + 1;
}

/** The start of the line on which an offset stands. */
export function startOfLine(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** One document of a YAML stream, and the offset at which its text starts there. */
export interface Document {
  readonly text: string;
  readonly start: number;
}

/**
 * The documents of a YAML stream, in order, without their `---` lines. A document may be empty.
 * The marker counts in column 0 alone, where YAML lets nothing else stand, a scalar's content included.
 */
export function splitDocuments(text: string): Document[] {
  const documents: Document[] = [];
  let from = text.startsWith('\ufeff') ? 1 : 0;
  for (const start of lineStarts(text)) {
    if (!text.startsWith('---', start) || !/^[ \t\r\n]?$/.test(text.charAt(start + 3))) continue;
    if (start > from || documents.length > 0) documents.push({ text: text.slice(from, start), start: from });
    from = start + 3;
  }
  documents.push({ text: text.slice(from), start: from });
  return documents;
}

/** The line end of a text: CRLF where it has one. */
export function newlineOf(text: string): '\n' | '\r\n' {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

export function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

/** A YAML stream of documents, each as `splitDocuments` gives it, or without what stood on its `---` line. */
export function joinDocuments(documents: readonly string[]): string {
  return documents
    .map(withNewline)
    .map((text, i) => {
      if (i === 0) return text.replace(/^\r?\n/, '');
      return /^\s/.test(text) ? `---${text}` : `---${newlineOf(text)}${text}`;
    })
    .join('');
}
