import { InputError } from '../errors';
import { type YamlNode, lineOf, parseYaml } from './yaml';

/** Line breaks to kubectl and kustomize (YAML 1.1), ordinary characters to JavaScript's libraries (YAML 1.2). */
const DISPUTED_BREAK = /[\u0085\u2028\u2029]/g;
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/**
 * The text of bytes that came from outside.
 *
 * @throws InputError bytes that are no UTF-8, control characters, or a line break that only some YAML readers see
 *   outside a quoted scalar: behind one, a comment to us is a field to the cluster
 */
export function decodeText(bytes: Uint8Array, where: string): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`${where}: not valid UTF-8; save the file as UTF-8`);
  }
  refuseDisputedText(text, where);
  return text;
}

function refuseDisputedText(text: string, where: string): void {
  const control = CONTROL.exec(text);
  if (control !== null)
    throw new InputError(
      `${where}: line ${lineOf(text, control.index)}: a control character; YAML allows none`,
    );
  DISPUTED_BREAK.lastIndex = 0;
  if (!DISPUTED_BREAK.test(text)) return;
  const quoted = parseYaml(text, where).flatMap((document) => quotedRanges(document, text));
  for (const { index } of text.matchAll(DISPUTED_BREAK)) {
    if (quoted.some(([start, end]) => start < index && index < end)) continue;
    throw new InputError(
      `${where}: line ${lineOf(text, index)}: U+0085, U+2028 or U+2029 outside quotes, ` +
        'a line break to kubectl and to no editor; remove it',
    );
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
  for (const { start, end, text: replacement } of [...splices].sort((a, b) => a.start - b.start)) {
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

/**
 * The documents of a YAML stream, in order, without their `---` lines. A document may be empty.
 * The marker counts in column 0 alone, where YAML lets nothing else stand, a scalar's content included.
 */
export function splitDocuments(text: string): string[] {
  const documents: string[] = [];
  let from = text.startsWith('\ufeff') ? 1 : 0;
  for (const start of lineStarts(text)) {
    if (!text.startsWith('---', start) || !/^[ \t\r\n]?$/.test(text.charAt(start + 3))) continue;
    if (start > from || documents.length > 0) documents.push(text.slice(from, start));
    from = start + 3;
  }
  documents.push(text.slice(from));
  return documents;
}
