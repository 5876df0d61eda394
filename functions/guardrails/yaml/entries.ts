import { Layout, sizeOf } from './layout';
import type { YamlMapping, YamlSequence } from './nodes';
import { type Splice, endOfLine, isLineStart, startOfLine } from './text';

const NONE: ReadonlySet<number> = new Set();

/**
 * The splices that remove entries of a collection: their lines in block style, up to a neighbour in flow style. A block
 * collection must keep an entry.
 */
export function removeEntries(
  text: string,
  collection: YamlMapping | YamlSequence,
  removed: ReadonlySet<number>,
): Splice[] {
  const layout = new Layout(text);
  const count = sizeOf(collection);
  const splices: Splice[] = [];
  for (let first = 0; first < count; first++) {
    if (!removed.has(first)) continue;
    let last = first;
    while (last + 1 < count && removed.has(last + 1)) last++;
    const range = collection.flow ? rangeInFlow(first, last) : linesOf(first, last);
    splices.push({ ...range, text: '' });
    first = last;
  }
  return splices;

  function rangeInFlow(first: number, last: number) {
    const end = layout.endOfEntry(collection, last);
    if (first > 0) return { start: layout.endOfEntry(collection, first - 1), end };
    if (last + 1 === count) return { start: collection.start + 1, end: collection.end - 1 };
    return { start: layout.startOfEntry(collection, 0), end: layout.startOfEntry(collection, last + 1) };
  }

  function linesOf(first: number, last: number) {
    const start = layout.startOfEntry(collection, first);
    const lineStart = startOfLine(text, start);
    const end = endOfLine(text, layout.endOfEntry(collection, last));
    if (/^[ \t]*$/.test(text.slice(lineStart, start))) return { start: lineStart, end };
    // The line starts with the dash of an outer list, which stays.
    return { start, end: last + 1 < count ? layout.startOfEntry(collection, last + 1) : end };
  }
}

/**
 * The splice that adds entries at the end of a flow collection.
 *
 * @param added each as it is written
 * @param separator the comma and the whitespace between entries
 * @param removed the entries that `removeEntries` removes in the same edit
 */
export function appendToFlow(
  text: string,
  collection: YamlMapping | YamlSequence,
  added: readonly string[],
  separator: string,
  removed = NONE,
): Splice {
  const count = sizeOf(collection);
  const isFirst = removed.size === count;
  const at = isFirst
    ? count === 0
      ? collection.start + 1
      : collection.end - 1
    : new Layout(text).endOfEntry(collection, count - 1);
  return { start: at, end: at, text: (isFirst ? '' : separator) + added.join(separator) };
}

/** The splice that inserts lines, each with its line end, at a line start or after a last line without a line end. */
export function insertLines(text: string, at: number, lines: string, newline: string): Splice {
  return { start: at, end: at, text: isLineStart(text, at) ? lines : newline + lines };
}
