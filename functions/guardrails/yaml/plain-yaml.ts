import type { YamlEntry, YamlMapping, YamlNode, YamlScalar, YamlSequence } from './nodes';

const SPACE = 0x20;
const NEWLINE = 0x0a;
const HASH = 0x23;
const DASH = 0x2d;
const DOT = 0x2e;
const COLON = 0x3a;
const QUESTION_MARK = 0x3f;
const SINGLE_QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Printable ASCII, line feeds, and letters beyond ASCII: no character that a YAML reader takes for a space or a line break. */
const PLAIN_TEXT = /^[\n\x20-\x7e\u00a1-\u1fff\u2010-\u2027\u3001-\ud7ff]*$/;
/** Characters that a plain scalar must not start with. */
const INDICATORS = new Set(Buffer.from(',[]{}#&*!|>%@`'));
const MAX_DEPTH = 100;

/** The text has a form that this reader leaves to the parser. */
class OtherForm extends Error {}

/**
 * The fast path of `parseYaml`, for the form of nearly every manifest: block mappings and sequences of scalars on one
 * line, plain or in quotes without escapes, `{}` and `[]`, comments, documents after `---`. It makes the same nodes as
 * the parser.
 *
 * @returns undefined for any other text, valid or invalid; then use the parser
 */
export function parsePlainYaml(text: string): YamlNode[] | undefined {
  if (!PLAIN_TEXT.test(text)) return undefined;
  try {
    return new PlainReader(text).documents();
  } catch (error) {
    if (error instanceof OtherForm) return undefined;
    throw error;
  }
}

function leaveToParser(): never {
  throw new OtherForm();
}

class PlainReader {
  /** The start of the next line. */
  private start = 0;
  /** The column of its first character; -1 at the end of the text. */
  private column = -1;
  private depth = 0;

  constructor(private readonly text: string) {
    this.seek(0);
  }

  documents(): YamlNode[] {
    const documents: YamlNode[] = [];
    this.skipMarker();
    do documents.push(this.block(this.start + this.column, this.column));
    while (this.skipMarker());
    if (this.column !== -1) leaveToParser();
    return documents;
  }

  /** Skips `---`, if it is next. */
  private skipMarker(): boolean {
    if (!this.isMarker()) return false;
    const end = this.start + 3;
    if (end < this.text.length && this.text.charCodeAt(end) !== NEWLINE) leaveToParser();
    this.seek(end + 1);
    return true;
  }

  private isMarker(): boolean {
    return this.column === 0 && this.text.startsWith('---', this.start);
  }

  /** Moves to the next line that has more than a comment. */
  private seek(from: number): void {
    const { text } = this;
    for (let start = from; start < text.length;) {
      let at = start;
      while (text.charCodeAt(at) === SPACE) at++;
      const first = text.charCodeAt(at);
      if (first !== HASH && first !== NEWLINE && at < text.length) {
        this.start = start;
        this.column = at - start;
        return;
      }
      start = this.lineEnd(at) + 1;
    }
    this.column = -1;
  }

  private lineEnd(at: number): number {
    const end = this.text.indexOf('\n', at);
    return end === -1 ? this.text.length : end;
  }

  /** A mapping or a sequence whose entries start in a column. */
  private block(at: number, column: number): YamlMapping | YamlSequence {
    if (column === -1 || ++this.depth > MAX_DEPTH) leaveToParser();
    const node = this.isDash(at) ? this.sequence(at, column) : this.mapping(at, column);
    if (this.column > column) leaveToParser();
    this.depth--;
    return node;
  }

  private sequence(start: number, column: number): YamlSequence {
    const items: YamlNode[] = [];
    let at = start;
    let end = start;
    do {
      const value = this.skipSpaces(at + 1);
      const item = this.isRestEmpty(value)
        ? this.below(value, column + 1, end)
        : this.entry(value, at - column);
      items.push(item);
      end = item.end;
      at = this.start + column;
    } while (this.column === column && this.isDash(at));
    return { kind: 'sequence', start, end, flow: false, items };
  }

  /** The value after a dash: a scalar, or the first line of a block. */
  private entry(at: number, lineStart: number): YamlNode {
    const isBlock = !this.isEmptyCollection(at) && (this.isDash(at) || this.keyEnd(at) !== -1);
    return isBlock ? this.block(at, at - lineStart) : this.value(at);
  }

  private mapping(start: number, column: number): YamlMapping {
    const entries: YamlEntry[] = [];
    let at = start;
    let end = start;
    do {
      const keyEnd = this.keyEnd(at);
      if (keyEnd === -1) leaveToParser();
      const key = this.scalar(at, keyEnd);
      const from = this.skipSpaces(keyEnd + 1);
      const value = this.isRestEmpty(from) ? this.below(from, column, key.end) : this.value(from);
      entries.push({ key, value });
      end = value.end;
      at = this.start + column;
    } while (this.column === column && !this.isDash(at) && !this.isMarker());
    return { kind: 'mapping', start, end, flow: false, entries };
  }

  /** The block on the lines below, from a column on; without one, an empty scalar at `end`, where the node before it ends. */
  private below(at: number, column: number, end: number): YamlNode {
    this.seek(this.lineEnd(at) + 1);
    const isBlock = this.column > column || (this.column === column && this.isDash(this.start + column));
    if (isBlock) return this.block(this.start + this.column, this.column);
    return { kind: 'scalar', start: end, end, text: '', plain: true, tag: undefined };
  }

  /** A value that ends on its line. */
  private value(at: number): YamlNode {
    const { text } = this;
    if (this.isEmptyCollection(at)) {
      this.endLine(at + 2);
      const range = { start: at, end: at + 2, flow: true } as const;
      return text.startsWith('{', at)
        ? { kind: 'mapping', ...range, entries: [] }
        : { kind: 'sequence', ...range, items: [] };
    }
    const end = this.scalarEnd(at);
    if (text.charCodeAt(end) === COLON) leaveToParser();
    const scalar = this.scalar(at, end);
    this.endLine(end);
    return scalar;
  }

  private isEmptyCollection(at: number): boolean {
    return this.text.startsWith('{}', at) || this.text.startsWith('[]', at);
  }

  private endLine(at: number): void {
    const rest = this.skipSpaces(at);
    if (!this.isRestEmpty(rest)) leaveToParser();
    this.seek(this.lineEnd(rest) + 1);
  }

  /** The offset of the colon after the key that starts here; -1 if there is no key. */
  private keyEnd(at: number): number {
    const end = this.scalarEnd(at);
    const isKey = this.text.charCodeAt(end) === COLON && this.isBlank(end + 1);
    return isKey ? end : -1;
  }

  /** The offset after the scalar that starts here: at a colon that ends a key, a comment, or the end of the line. */
  private scalarEnd(at: number): number {
    const { text } = this;
    const first = text.charCodeAt(at);
    if (first === SINGLE_QUOTE || first === DOUBLE_QUOTE) return this.quotedEnd(at, first);
    if (INDICATORS.has(first)) leaveToParser();
    if ((first === DASH || first === COLON || first === QUESTION_MARK) && this.isBlank(at + 1))
      leaveToParser();
    if (first === DOT && text.startsWith('...', at)) leaveToParser();
    if (first === DASH && text.startsWith('---', at) && this.isBlank(at + 3)) leaveToParser();
    const line = text.slice(at, this.lineEnd(at));
    const comment = line.indexOf(' #');
    const content = comment === -1 ? line : line.slice(0, comment);
    const colon = content.indexOf(': ');
    if (colon === -1 && !content.endsWith(':')) return this.trimmedEnd(at + content.length);
    const end = at + (colon === -1 ? content.length - 1 : colon);
    return text.charCodeAt(end - 1) === SPACE ? leaveToParser() : end;
  }

  private trimmedEnd(from: number): number {
    let end = from;
    while (this.text.charCodeAt(end - 1) === SPACE) end--;
    return end;
  }

  private quotedEnd(at: number, quote: number): number {
    const { text } = this;
    for (let i = at + 1; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === NEWLINE || (c === BACKSLASH && quote === DOUBLE_QUOTE)) break;
      if (c !== quote) continue;
      if (quote === DOUBLE_QUOTE || text.charCodeAt(i + 1) !== quote) return i + 1;
      i++;
    }
    return leaveToParser();
  }

  private scalar(start: number, end: number): YamlScalar {
    const { text } = this;
    const quote = text.charCodeAt(start);
    if (quote === SINGLE_QUOTE || quote === DOUBLE_QUOTE) {
      const inside = text.slice(start + 1, end - 1);
      const decoded = quote === SINGLE_QUOTE ? inside.replaceAll("''", "'") : inside;
      return { kind: 'scalar', start, end, text: decoded, plain: false, tag: undefined };
    }
    return { kind: 'scalar', start, end, text: text.slice(start, end), plain: true, tag: undefined };
  }

  private isDash(at: number): boolean {
    return this.text.charCodeAt(at) === DASH && this.isBlank(at + 1);
  }

  private isBlank(at: number): boolean {
    const c = this.text.charCodeAt(at);
    return c === SPACE || c === NEWLINE || at >= this.text.length;
  }

  private skipSpaces(from: number): number {
    let at = from;
    while (this.text.charCodeAt(at) === SPACE) at++;
    return at;
  }

  /** Whether the rest of the line is empty, or a comment after a space. */
  private isRestEmpty(at: number): boolean {
    const c = this.text.charCodeAt(at);
    return c === NEWLINE || at >= this.text.length || (c === HASH && this.text.charCodeAt(at - 1) === SPACE);
  }
}
