import { endOfLine, startOfLine } from './text';
import type { YamlMapping, YamlNode, YamlSequence } from './nodes';

/** Consecutive comment lines. */
export interface CommentLines {
  readonly start: number;
  readonly end: number;
  readonly column: number;
  /** Whether a token in the same column or deeper follows directly: then the comment is about that. */
  readonly isAboveNext: boolean;
  /** Whether a token or comment further left follows directly. */
  readonly isAboveLower: boolean;
}

/** An anchor and a tag. */
const PROPERTIES = /(?:[ \t]+(?:!<[^>\n]*>|[&!][^\s,{}[\]]*))*/y;
/** Whitespace to search before a token: deeper nesting than any reader allows. */
const MAX_INDENT = 4096;

/** Offsets of the parts of a document that no node has: colons, dashes, comments, indentation. */
export class Layout {
  constructor(private readonly text: string) {}

  /** The column of a block collection. */
  columnOf({ start }: YamlMapping | YamlSequence): number {
    const before = this.text.slice(startOfLine(this.text, start), start);
    // If its first key has an anchor and a tag, the parser starts the mapping at the tag.
    return before.replace(/(?<=^|\s)(?:[&!]\S*[ \t]+)+$/, '').length;
  }

  /** Where the next token starts, after whitespace and comments. */
  tokenAfter(offset: number): number {
    let at = offset;
    for (; at < this.text.length; at++) {
      const c = this.text[at] ?? '';
      if (c === '#' && /\s/.test(this.text[at - 1] ?? ' ')) at = endOfLine(this.text, at + 1) - 1;
      else if (!/\s/.test(c)) break;
    }
    return at;
  }

  blanksFrom(offset: number): number {
    let at = offset;
    while (this.text[at] === ' ' || this.text[at] === '\t') at++;
    return at;
  }

  /** The offset after the anchor and the tag between a colon or dash and its value. */
  afterProperties(from: number): number {
    PROPERTIES.lastIndex = from;
    return from + (PROPERTIES.exec(this.text)?.[0].length ?? 0);
  }

  /** Where a node ends, also if its last value is missing. */
  endOf(node: YamlNode): number {
    if (node.kind === 'scalar' || node.kind === 'alias' || node.flow) return node.end;
    const count = sizeOf(node);
    return count === 0 ? node.end : this.endOfEntry(node, count - 1);
  }

  /** Where an entry starts: at its dash, `?`, anchor, tag or key. */
  startOfEntry(collection: YamlMapping | YamlSequence, i: number): number {
    if (!collection.flow)
      return i === 0
        ? startOfLine(this.text, collection.start) + this.columnOf(collection)
        : this.tokenAfter(this.endOfEntry(collection, i - 1));
    const before = i === 0 ? collection.start : this.tokenAfter(this.endOfEntry(collection, i - 1));
    return this.tokenAfter(before + 1);
  }

  /** Where an entry ends: after its value, or, if that is missing, its colon or dash; in flow style before the comma. */
  endOfEntry(collection: YamlMapping | YamlSequence, i: number): number {
    if (collection.kind === 'sequence') {
      const item = collection.items[i];
      if (item !== undefined && !isMissing(item)) return this.endOf(item);
      return collection.flow ? collection.end - 1 : this.startOfEntry(collection, i) + 1;
    }
    const entry = collection.entries[i];
    if (entry === undefined) return collection.end;
    if (!isMissing(entry.value)) return this.endOf(entry.value);
    const colon = this.tokenAfter(entry.key.end);
    const hasColon = this.text[colon] === ':';
    if (collection.flow) return hasColon ? this.tokenAfter(this.afterProperties(colon + 1)) : colon;
    return hasColon ? colon + 1 : entry.key.end;
  }

  /** The next comment lines, up to one further left, an empty line, or the next token. */
  commentsAt(from: number): CommentLines | undefined {
    let start = from;
    while (start < this.text.length && this.lineColumn(start) === undefined)
      start = endOfLine(this.text, start + 1);
    const column = this.lineColumn(start);
    if (column === undefined || this.text[start + column] !== '#') return undefined;
    let end = start;
    let next: number | undefined = column;
    while (next !== undefined && next >= column && this.text[end + next] === '#') {
      end = endOfLine(this.text, end + 1);
      next = this.lineColumn(end);
    }
    return {
      start,
      end,
      column,
      isAboveNext: next !== undefined && next >= column,
      isAboveLower: next !== undefined && next < column,
    };
  }

  /** The column of the first character of a line; undefined for an empty line and after the last one. */
  private lineColumn(start: number): number | undefined {
    const column = this.text.slice(start, endOfLine(this.text, start + 1)).search(/\S/);
    return column === -1 ? undefined : column;
  }

  lineIndent(offset: number): string {
    const start = startOfLine(this.text, offset);
    return /^[ \t]*/.exec(this.text.slice(start, start + MAX_INDENT))?.[0] ?? '';
  }

  /** The whitespace before a token that is the first of its line; undefined for any other. */
  indentBefore(offset: number): string | undefined {
    const indent = /[ \t]*$/.exec(this.text.slice(Math.max(0, offset - MAX_INDENT), offset))?.[0] ?? '';
    return this.text[offset - indent.length - 1] === '\n' ? indent : undefined;
  }
}

/** Whether a value is missing, as in `key:`. */
export function isMissing(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.plain && node.start === node.end;
}

/** The number of entries. */
export function sizeOf(collection: YamlMapping | YamlSequence): number {
  return collection.kind === 'mapping' ? collection.entries.length : collection.items.length;
}
