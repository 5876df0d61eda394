import type { YamlEntry, YamlMapping, YamlNode, YamlScalar, YamlSequence } from './nodes';

/** Printable ASCII, line feeds, and letters beyond ASCII: no character that a YAML reader reads as a space or a line break. */
const PLAIN_TEXT = /^[\n\x20-\x7e\u00a1-\u1fff\u2010-\u2027\u3001-\ud7ff]*$/;
/** Characters that a plain scalar must not start with. */
const INDICATORS = new Set(',[]{}#&*!|>%@`');
const SINGLE_QUOTED = /'[^'\n]*(?:''[^'\n]*)*'(?!')/y;
const DOUBLE_QUOTED = /"[^"\\\n]*"/y;
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
    if (end < this.text.length && this.text[end] !== '\n') leaveToParser();
    this.seek(end + 1);
    return true;
  }

  private isMarker(): boolean {
    return this.column === 0 && this.text.startsWith('---', this.start);
  }

  /** Moves to the next line that has more than a comment. */
  private seek(from: number): void {
    for (let start = from; start < this.text.length;) {
      const at = this.skipSpaces(start);
      const first = this.text[at];
      if (first !== '#' && first !== '\n' && first !== undefined) {
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
    const isEmpty = this.isEmptyCollection(at);
    const end = isEmpty ? at + 2 : this.scalarEnd(at);
    if (this.text[end] === ':') leaveToParser();
    this.endLine(end);
    if (!isEmpty) return this.scalar(at, end);
    const range = { start: at, end, flow: true } as const;
    return this.text[at] === '{'
      ? { kind: 'mapping', ...range, entries: [] }
      : { kind: 'sequence', ...range, items: [] };
  }

  private isEmptyCollection(at: number): boolean {
    return this.text.startsWith('{}', at) || this.text.startsWith('[]', at);
  }

  private endLine(at: number): void {
    const rest = this.skipSpaces(at);
    if (!this.isRestEmpty(rest)) leaveToParser();
    this.seek(this.lineEnd(rest) + 1);
  }

  /** The offset of the colon after the key that starts here; -1 if it is not a key. */
  private keyEnd(at: number): number {
    const end = this.scalarEnd(at);
    return this.text[end] === ':' && this.isBlank(end + 1) ? end : -1;
  }

  /** The offset after the scalar that starts here: at a colon that ends a key, a comment, or the end of the line. */
  private scalarEnd(at: number): number {
    const { text } = this;
    const first = text[at] ?? '';
    if (first === "'") return this.quotedEnd(at, SINGLE_QUOTED);
    if (first === '"') return this.quotedEnd(at, DOUBLE_QUOTED);
    if (INDICATORS.has(first)) leaveToParser();
    if ((first === '-' || first === ':' || first === '?') && this.isBlank(at + 1)) leaveToParser();
    if (first === '.' && text.startsWith('...', at)) leaveToParser();
    if (first === '-' && text.startsWith('---', at) && this.isBlank(at + 3)) leaveToParser();
    const line = text.slice(at, this.lineEnd(at));
    const comment = line.indexOf(' #');
    const content = comment === -1 ? line : line.slice(0, comment);
    const colon = content.indexOf(': ');
    if (colon === -1 && !content.endsWith(':')) return this.trimmedEnd(at + content.length);
    const end = at + (colon === -1 ? content.length - 1 : colon);
    return text[end - 1] === ' ' ? leaveToParser() : end;
  }

  private trimmedEnd(from: number): number {
    let end = from;
    while (this.text[end - 1] === ' ') end--;
    return end;
  }

  private quotedEnd(at: number, quoted: RegExp): number {
    quoted.lastIndex = at;
    return quoted.test(this.text) ? quoted.lastIndex : leaveToParser();
  }

  private scalar(start: number, end: number): YamlScalar {
    const quote = this.text[start];
    const plain = quote !== "'" && quote !== '"';
    const source = plain ? this.text.slice(start, end) : this.text.slice(start + 1, end - 1);
    const text = quote === "'" ? source.replaceAll("''", "'") : source;
    return { kind: 'scalar', start, end, text, plain, tag: undefined };
  }

  private isDash(at: number): boolean {
    return this.text[at] === '-' && this.isBlank(at + 1);
  }

  private isBlank(at: number): boolean {
    const c = this.text[at];
    return c === ' ' || c === '\n' || c === undefined;
  }

  private skipSpaces(from: number): number {
    let at = from;
    while (this.text[at] === ' ') at++;
    return at;
  }

  /** Whether the rest of the line is empty, or a comment after a space. */
  private isRestEmpty(at: number): boolean {
    const c = this.text[at];
    return c === '\n' || c === undefined || (c === '#' && this.text[at - 1] === ' ');
  }
}
