import type { YamlEntry, YamlMapping, YamlNode, YamlSequence } from './nodes';
import { type Splice, endOfLine, isLineStart, startOfLine } from './text';

export type Collection = YamlMapping | YamlSequence;

/** Consecutive comment lines. */
interface CommentLines {
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

/** Offsets of the parts of a document that no node has: colons, dashes, comments, indentation. */
export class Layout {
  /** The last answer of `startOfLine`: JSON may be one long line, on which every search would start anew. */
  private line = { start: 0, until: 0 };
  /** Where the items of a list start that follow items without a value, which have no end of their own. */
  private readonly itemStarts = new Map<Collection, Map<number, number>>();

  constructor(private readonly text: string) {}

  /** The text before an offset on its line. */
  lineBefore(offset: number): string {
    return this.text.slice(this.startOfLine(offset), offset);
  }

  private startOfLine(offset: number): number {
    const { start, until } = this.line;
    if (offset < start) this.line = { start: startOfLine(this.text, offset), until: offset };
    else if (offset > until) {
      const newline = this.text.slice(until, offset).lastIndexOf('\n');
      this.line = { start: newline === -1 ? start : until + newline + 1, until: offset };
    }
    return this.line.start;
  }

  /** The column of a block collection. */
  columnOf({ start }: Collection): number {
    // If its first key has an anchor and a tag, the parser starts the mapping at the tag.
    return this.lineBefore(start).replace(/(?<=^|\s)(?:[&!]\S*[ \t]+)+$/, '').length;
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

  /** The offset after the anchor and the tag between a colon or dash and its value. */
  afterProperties(from: number): number {
    PROPERTIES.lastIndex = from;
    return from + (PROPERTIES.exec(this.text)?.[0].length ?? 0);
  }

  /** Where a node ends, also if its last value is missing. */
  endOf(node: YamlNode): number {
    if (node.kind === 'scalar' || node.kind === 'alias' || node.flow) return node.end;
    const { length } = childrenOf(node);
    return length === 0 ? node.end : this.endOfEntry(node, length - 1);
  }

  /** Where an entry starts: at its dash, `?`, anchor, tag or key. */
  startOfEntry(collection: Collection, i: number): number {
    const { flow, start } = collection;
    if (!flow) return this.startOfBlockEntry(collection, i);
    const before = i === 0 ? start : this.tokenAfter(this.endOfEntry(collection, i - 1));
    return this.tokenAfter(before + 1);
  }

  private startOfBlockEntry(collection: Collection, i: number): number {
    const known = this.itemStarts.get(collection) ?? new Map<number, number>();
    this.itemStarts.set(collection, known);
    let first = i;
    while (first > 0 && !known.has(first) && isBareDash(collection, first - 1)) first--;
    let start = known.get(first) ?? this.startAfterEntry(collection, first - 1);
    for (let at = first + 1; at <= i; at++) {
      start = this.tokenAfter(start + 1);
      known.set(at, start);
    }
    return start;
  }

  /** Where the first entry starts, or the one after an entry that has an end. */
  private startAfterEntry(collection: Collection, i: number): number {
    if (i >= 0) return this.tokenAfter(this.endOfEntry(collection, i));
    return this.startOfLine(collection.start) + this.columnOf(collection);
  }

  /** Where an entry ends: after its value, or, if that is missing, its colon or dash; in flow style before the comma. */
  endOfEntry(collection: Collection, i: number): number {
    const { flow, end } = collection;
    const child = childrenOf(collection)[i];
    if (child === undefined) return end;
    const value = 'key' in child ? child.value : child;
    if (!isMissing(value)) return this.endOf(value);
    if (!('key' in child)) return flow ? end - 1 : this.startOfEntry(collection, i) + 1;
    const colon = this.tokenAfter(child.key.end);
    const hasColon = this.text[colon] === ':';
    if (flow) return hasColon ? this.tokenAfter(this.afterProperties(colon + 1)) : colon;
    return hasColon ? colon + 1 : child.key.end;
  }

  /** The next comment lines, up to one further left, an empty line, or the next token. */
  commentsAt(from: number): CommentLines | undefined {
    let start = from;
    while (start < this.text.length && this.indentAt(start) === -1) start = endOfLine(this.text, start + 1);
    const column = this.indentAt(start);
    if (column === -1 || this.text[start + column] !== '#') return undefined;
    let end = start;
    let next = column;
    while (next >= column && this.text[end + next] === '#') {
      end = endOfLine(this.text, end + 1);
      next = this.indentAt(end);
    }
    return { start, end, column, isAboveNext: next >= column, isAboveLower: next !== -1 && next < column };
  }

  /** The column of the first character of a line; -1 for an empty line and after the last one. */
  private indentAt(lineStart: number): number {
    return this.text.slice(lineStart, endOfLine(this.text, lineStart + 1)).search(/\S/);
  }
}

/** Whether a value is missing, as in `key:`. */
export function isMissing(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.plain && node.start === node.end;
}

/** Whether an item of a block list is a dash without a value. */
function isBareDash(collection: Collection, i: number): boolean {
  const item = collection.kind === 'sequence' ? collection.items[i] : undefined;
  return item !== undefined && isMissing(item);
}

/** The entries of a mapping, or the items of a sequence. */
function childrenOf(collection: Collection): readonly (YamlEntry | YamlNode)[] {
  return collection.kind === 'mapping' ? collection.entries : collection.items;
}

/**
 * The splices that remove entries of a collection: their lines in block style, up to a neighbour in flow style. A block
 * collection must keep an entry.
 */
export function removeEntries(
  text: string,
  collection: Collection,
  removed: readonly (YamlEntry | YamlNode)[],
): Splice[] {
  if (removed.length === 0) return [];
  const layout = new Layout(text);
  const children = childrenOf(collection);
  const isRemoved = new Set<YamlEntry | YamlNode | undefined>(removed);
  const splices: Splice[] = [];
  for (let first = 0; first < children.length; first++) {
    if (!isRemoved.has(children[first])) continue;
    let last = first;
    while (isRemoved.has(children[last + 1])) last++;
    const range = collection.flow ? rangeInFlow(first, last) : linesOf(first, last);
    splices.push({ ...range, text: '' });
    first = last;
  }
  return splices;

  function rangeInFlow(first: number, last: number) {
    const end = layout.endOfEntry(collection, last);
    if (first > 0) return { start: layout.endOfEntry(collection, first - 1), end };
    if (last + 1 === children.length) return { start: collection.start + 1, end: collection.end - 1 };
    return { start: layout.startOfEntry(collection, 0), end: layout.startOfEntry(collection, last + 1) };
  }

  function linesOf(first: number, last: number) {
    const start = layout.startOfEntry(collection, first);
    const before = layout.lineBefore(start);
    const end = endOfLine(text, layout.endOfEntry(collection, last));
    if (/^[ \t]*$/.test(before)) return { start: start - before.length, end };
    // The line starts with the dash of an outer list, which stays.
    return { start, end: last + 1 < children.length ? layout.startOfEntry(collection, last + 1) : end };
  }
}

/**
 * The splice that adds entries at the end of a flow collection.
 *
 * @param added each as it is written
 * @param separator the comma and the whitespace between entries
 * @param isEmptied whether the same edit removes all entries
 */
export function appendToFlow(
  text: string,
  collection: Collection,
  added: readonly string[],
  separator: string,
  isEmptied = false,
): Splice {
  const { length } = childrenOf(collection);
  const entries = added.join(separator);
  const insert = (at: number, inserted: string) => ({ start: at, end: at, text: inserted });
  if (length === 0) return insert(collection.start + 1, entries);
  if (isEmptied) return insert(collection.end - 1, entries);
  return insert(new Layout(text).endOfEntry(collection, length - 1), separator + entries);
}

/** The splice that inserts lines, each with its line end, at a line start or after a last line without a line end. */
export function insertLines(text: string, at: number, lines: string, newline: string): Splice {
  return { start: at, end: at, text: isLineStart(text, at) ? lines : newline + lines };
}
