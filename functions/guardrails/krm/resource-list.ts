import { InputError } from '../errors';
import { message } from '../message';
import { appendToFlow, insertLines, removeEntries } from '../yaml/layout';
import { safeJson } from '../yaml/scalar';
import { type Splice, endOfLine, lineStarts, splice, startOfLine, withNewline } from '../yaml/text';
import type { YamlMapping, YamlNode, YamlSequence, YamlValue } from '../yaml/yaml';
import { entryOf, ifValid, lineOf, parseYaml, valueOf } from '../yaml/yaml';
import { type Changes, NO_CHANGES, type WireInput, editSplices } from './input';
import type { Item, ItemRange } from './item';
import { STANDARD_INPUT, readItem, requireResource } from './item';
import { KptPackages } from './kpt-packages';
import { type Result, printResults } from './result';

export const LIST_KIND = 'ResourceList';

export function isResourceList(root: YamlNode | null | undefined): root is YamlMapping {
  return root?.kind === 'mapping' && valueOf(entryOf(root, 'kind')?.value ?? null) === LIST_KIND;
}

/**
 * Splits `items` by line, in the block form that kpt and kustomize print; the lines are parsed later.
 *
 * @returns the start of the line `items:`, the end of the list, and the start and line of each entry, whose dash is in
 *   column 0; undefined for any other form
 */
function splitBlockList(text: string) {
  const starts = lineStarts(text);
  const isHeader = (start: number, i: number) =>
    text.startsWith('items:', start) && /^items:[ \t]*\r?\n$/.test(text.slice(start, starts[i + 1]));
  const header = starts.findIndex(isHeader);
  if (header === -1) return undefined;
  const entries: { start: number; line: number }[] = [];
  let i = header + 1;
  for (; i < starts.length; i++) {
    const start = starts[i] ?? 0;
    const first = text.charAt(start);
    if (first === '-' && /^[ \r\n]$/.test(text.charAt(start + 1))) entries.push({ start, line: i + 1 });
    else if (first !== ' ' && first !== '#' && first !== '\n' && first !== '\r') break;
    else if (entries.length === 0) return undefined;
  }
  return entries.length === 0
    ? undefined
    : { start: starts[header] ?? 0, end: starts[i] ?? text.length, entries };
}

/** The fast path: it splits the list by line, and parses each item and the rest of the ResourceList on their own. */
export function readBlockList(text: string): WireInput | undefined {
  const list = splitBlockList(text);
  if (list === undefined) return undefined;
  const noItems = text[list.end - 1] === '\n' ? 'items: []\n' : 'items: []';
  const envelope = text.slice(0, list.start) + noItems + text.slice(list.end);
  // If the envelope is invalid, parsing the complete text reports the error with the right line.
  const [root, ...more] = ifValid(() => parseYaml(envelope, STANDARD_INPUT)) ?? [];
  if (!isResourceList(root) || more.length > 0) return undefined;
  refuseRepeatedKeys(root);
  const read = list.entries.map(({ start, line }, i) => {
    const end = list.entries[i + 1]?.start ?? list.end;
    const range = { start: start + 1, end, column: 1, line };
    return readListItem(outdentEntry(text.slice(start + 1, end)), i, range);
  });
  const functionConfig = functionConfigOf(root);
  const packages = new KptPackages(read, functionConfig);
  const shift = list.end - list.start - noItems.length;
  return {
    form: 'ResourceList',
    items: packages.items,
    functionConfig,
    print: (results, changes = NO_CHANGES) => {
      const moved = resultSplices(envelope, root, results).map((one) =>
        one.start > list.start ? { ...one, start: one.start + shift, end: one.end + shift } : one,
      );
      // The dash of an item is before its range.
      const removals = [...changes.removed].map(({ range }) => ({
        start: range.start - 1,
        end: range.end,
        text: '',
      }));
      const added = addedLines(text, list.end, changes, packages, 0);
      return splice(text, [...editSplices(text, changes), ...removals, ...added, ...moved]);
    },
  };
}

/** Refuses a key that occurs twice: with two lists of items, one would not be checked. */
function refuseRepeatedKeys(root: YamlMapping): void {
  const names = root.entries.map(({ key }) => (key.kind === 'scalar' ? key.text : ''));
  const seen = new Set<string>();
  const repeated = names.find((name) => seen.size === seen.add(name).size);
  if (repeated !== undefined)
    throw new InputError(
      message`${STANDARD_INPUT}: the ResourceList has the key ${repeated} twice; remove one of them`,
    );
}

/** Reads a ResourceList in any form. */
export function readAnyList(text: string, root: YamlMapping): WireInput {
  refuseRepeatedKeys(root);
  const list = entryOf(root, 'items')?.value;
  if (list?.kind !== 'sequence')
    throw new InputError(
      message`${STANDARD_INPUT}: the ResourceList does not have a list of items; send \`items: []\` for an empty one`,
    );
  let line = 1;
  let lineStart = 0;
  let counted = 0;
  const read = list.items.map((node, i) => {
    const { start } = node;
    const skipped = text.slice(counted, start);
    line += lineOf(skipped, skipped.length) - 1;
    const newline = skipped.lastIndexOf('\n');
    if (newline !== -1) lineStart = counted + newline + 1;
    counted = start;
    if (node.kind === 'alias')
      throw new InputError(
        message`${STANDARD_INPUT}:${line}: item ${i + 1} is an alias; write the resource itself`,
      );
    // The range of a node does not include the colon of a last key without a value.
    const end = list.flow ? node.end : endOfLine(text, node.end);
    const source = text.slice(start, end);
    // Where all items are on one line, each would be indented by the length of those before it.
    const column = list.flow && !source.includes('\n') ? 0 : start - lineStart;
    const document = outdent(withNewline(source), column);
    return readListItem(document, i, { start, end, column, line });
  });
  const functionConfig = functionConfigOf(root);
  const packages = new KptPackages(read, functionConfig);
  return {
    form: 'ResourceList',
    items: packages.items,
    functionConfig,
    print: (results, changes = NO_CHANGES) =>
      splice(text, [
        ...editSplices(text, changes),
        ...listSplices(text, list, packages, changes),
        ...resultSplices(text, root, results),
      ]),
  };
}

/** The splices that remove items from a list in any style, and add new ones at its end. */
function listSplices(text: string, list: YamlSequence, packages: KptPackages, changes: Changes): Splice[] {
  const { items } = packages;
  const removed = list.items.filter((_, i) => items[i] !== undefined && changes.removed.has(items[i]));
  const removals = removeEntries(text, list, removed);
  if (!list.flow) {
    const column = list.start - startOfLine(text, list.start);
    return [...removals, ...addedLines(text, endOfLine(text, list.end), changes, packages, column)];
  }
  if (changes.added.length === 0) return removals;
  const added = changes.added.map((item) =>
    safeJson(valueOf(parseYaml(packages.print(item), STANDARD_INPUT)[0] ?? null)),
  );
  const isEmptied = removed.length === list.items.length;
  return [...removals, appendToFlow(text, list, added, ', ', isEmptied)];
}

/** The splice that adds items at the end of a block list, which is at a line start or at the end of the text. */
function addedLines(
  text: string,
  at: number,
  { added }: Changes,
  packages: KptPackages,
  column: number,
): Splice[] {
  if (added.length === 0) return [];
  const indent = ' '.repeat(column);
  const entries = added.map((item) => {
    const indented = withNewline(packages.print(item)).replace(/^(?=.)/gm, `${indent}  `);
    return indented.replace(/^( *)  /, '$1- ');
  });
  return [insertLines(text, at, entries.join(''), '\n')];
}

/** The document after the dash of an entry in column 0: indented by two columns, or by one if a line starts there. */
function outdentEntry(text: string): string {
  return /\n [^ \r\n#]/.test(text) ? outdent(text, 1) : outdent(text, 2).replace(/^ /, '');
}

/** Removes the indentation of an item from all lines but the first. */
function outdent(text: string, columns: number): string {
  return text.replace(new RegExp(`\\n {0,${columns}}`, 'g'), '\n');
}

function readListItem(text: string, i: number, range: ItemRange & { readonly line: number }): Item {
  const item = readItem(text, STANDARD_INPUT, range);
  const where = () => message`${STANDARD_INPUT}:${range.line}: item ${i + 1}`;
  if (item === undefined)
    throw new InputError(message`${where()} is empty; write a Kubernetes resource there, or remove the item`);
  requireResource(item, where);
  return item;
}

function functionConfigOf(root: YamlMapping): YamlValue | undefined {
  const entry = entryOf(root, 'functionConfig');
  return entry && valueOf(entry.value);
}

/** The splices that replace the results of a ResourceList. */
function resultSplices(text: string, root: YamlMapping, results: readonly Result[]): Splice[] {
  const old = entryOf(root, 'results');
  const removals = removeEntries(text, root, old === undefined ? [] : [old]);
  if (results.length === 0) return removals;
  if (root.flow) {
    const added = `"results": ${printResults(results, 'flow')}`;
    return [...removals, appendToFlow(text, root, [added], ', ')];
  }
  const { start } = root;
  const indent = ' '.repeat(start - startOfLine(text, start));
  const lines = `results:\n${printResults(results, 'block')}`;
  const last = endOfLine(text, root.end);
  if (text[last - 1] === '\n')
    return [...removals, insertLines(text, last, lines.replace(/^(?=.)/gm, indent), '\n')];
  // The last line has no line end, and a block scalar there must not get one: insert the results first.
  return [...removals, { start, end: start, text: lines.replace(/\n/g, `\n${indent}`) }];
}
