import { endOfLine, startOfLine } from './text';
import type { YamlEntry, YamlMapping, YamlNode, YamlSequence } from './yaml';

/** Comment lines, one below the other. */
export interface CommentLines {
  readonly start: number;
  readonly end: number;
  readonly column: number;
  /** A comment on the token that follows at once. */
  readonly isAboveNext: boolean;
  /** Something further left follows at once. */
  readonly isAboveLower: boolean;
}

/** Anchor and tag. */
const PROPERTIES = /(?:[ \t]+(?:!<[^>\n]*>|[&!][^\s,{}[\]]*))*/y;
/** Whitespace to look at before a token: deeper nesting than any reader allows. */
const MAX_INDENT = 4096;

/** Where the parts of a document stand that no node holds: colons, dashes, comments, indentation. All are offsets. */
export class Layout {
  constructor(private readonly text: string) {}

  /** The column of a block collection. */
  columnOf({ start }: YamlMapping | YamlSequence): number {
    const before = this.text.slice(startOfLine(this.text, start), start);
    // Behind the anchor of a first key the parser starts its mapping at the tag.
    return before.replace(/(?<=^|\s)(?:[&!]\S*[ \t]+)+$/, '').length;
  }

  /** Where the next token starts: blanks and comments are none. */
  tokenAfter(offset: number): number {
    let at = offset;
    for (; at < this.text.length; at++) {
      const c = this.text[at] ?? '';
      if (c === '#' && /\s/.test(this.text[at - 1] ?? ' ')) at = endOfLine(this.text, at) - 1;
      else if (!/\s/.test(c)) break;
    }
    return at;
  }

  blanksFrom(offset: number): number {
    let at = offset;
    while (this.text[at] === ' ' || this.text[at] === '\t') at++;
    return at;
  }

  /** Behind anchor and tag, where they stand between a colon or dash and its value. */
  behindProperties(from: number): number {
    PROPERTIES.lastIndex = from;
    return from + (PROPERTIES.exec(this.text)?.[0].length ?? 0);
  }

  /** Where a node's text ends, also where its last value is missing. */
  endOf(node: YamlNode): number {
    if (node.kind === 'scalar' || node.kind === 'alias' || node.flow) return node.end;
    if (node.kind === 'sequence') {
      const last = node.items.at(-1);
      if (last === undefined) return node.end;
      return isMissing(last) ? this.dashOf(node, node.items.length - 1) + 1 : this.endOf(last);
    }
    const last = node.entries.at(-1);
    if (last === undefined) return node.end;
    if (!isMissing(last.value)) return this.endOf(last.value);
    const colon = this.tokenAfter(last.key.end);
    return this.text[colon] === ':' ? colon + 1 : last.key.end;
  }

  /** Where an entry of a flow mapping ends that has no value: before the comma or bracket, as in `{a: , }`. */
  endOfBare({ key }: YamlEntry): number {
    const colon = this.tokenAfter(key.end);
    return this.text[colon] === ':' ? this.tokenAfter(this.behindProperties(colon + 1)) : colon;
  }

  dashOf(sequence: YamlSequence, i: number): number {
    const before = sequence.items[i - 1];
    if (before === undefined) return sequence.start;
    return this.tokenAfter(isMissing(before) ? this.dashOf(sequence, i - 1) + 1 : this.endOf(before));
  }

  /** The next comment lines, down to one further left, an empty line, or the next token. */
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

  /** The column of the first character of a line; undefined for an empty one, and behind the last. */
  private lineColumn(start: number): number | undefined {
    const column = this.text.slice(start, endOfLine(this.text, start + 1)).search(/\S/);
    return column === -1 ? undefined : column;
  }

  lineIndent(offset: number): string {
    const start = startOfLine(this.text, offset);
    return /^[ \t]*/.exec(this.text.slice(start, start + MAX_INDENT))?.[0] ?? '';
  }

  /** The whitespace before the first token of a line; undefined for another. */
  indentBefore(offset: number): string | undefined {
    const indent = /[ \t]*$/.exec(this.text.slice(Math.max(0, offset - MAX_INDENT), offset))?.[0] ?? '';
    return this.text[offset - indent.length - 1] === '\n' ? indent : undefined;
  }
}

/** A value that no character stands for. */
export function isMissing(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.plain && node.start === node.end;
}
