import { InputError } from '../errors';
import { message } from '../message';
import {
  type Edit,
  type Item,
  type ItemRange,
  isKustomizationFile,
  readItem,
  spliceItem,
  withWireAnnotations,
} from './item';
import { type Result, printResults, yamlSafeJson } from './result';
import {
  type Splice,
  endOfLine,
  lineStarts,
  splice,
  splitDocuments,
  startOfLine,
  withNewline,
} from '../yaml/text';
import {
  type YamlEntry,
  type YamlMapping,
  type YamlNode,
  type YamlSequence,
  type YamlValue,
  lineOf,
  parseYaml,
  valueOf,
} from '../yaml/yaml';

const WHERE = 'standard input';
const LIST_KIND = 'ResourceList';

/** What is to become of the items of an input. */
export interface Changes {
  readonly edits: ReadonlyMap<Item, Edit>;
  readonly removed: ReadonlySet<Item>;
  /** New documents of files; they go last. */
  readonly added: readonly Item[];
}

const NO_CHANGES: Changes = { edits: new Map(), removed: new Set(), added: [] };

/** What a host wrote to the function. */
export interface WireInput {
  readonly form: 'ResourceList' | 'documents';
  readonly items: readonly Item[];
  /** The functionConfig of a ResourceList; undefined where there is none. */
  readonly functionConfig: YamlValue | undefined;
  /**
   * The same input with these results and changes in it; every other item byte for byte. Plain YAML has no place for
   * results.
   */
  print(results: readonly Result[], changes?: Changes): string;
}

/**
 * Reads a ResourceList (KRM Functions Specification v1) in any form of YAML or JSON, or plain YAML documents.
 *
 * @throws InputError input that is neither, or a ResourceList without items
 */
export function readWire(text: string): WireInput {
  if (text.trim() === '')
    throw new InputError(message`${WHERE}: empty; a ResourceList or YAML documents are expected`);
  const block = readBlockList(text);
  if (block !== undefined) return block;
  // The kind may be written with escapes.
  const items = text.includes(LIST_KIND) ? undefined : readDocuments(text);
  if (items?.some(({ value }) => value.kind === LIST_KIND) === false) return streamOf(text, items);
  const roots = parseYaml(text, WHERE).filter((document) => document !== null);
  const root = roots.find(isList);
  if (root === undefined) return streamOf(text, items ?? readDocuments(text));
  if (roots.length > 1) throw new InputError(message`${WHERE}: a ResourceList stands alone in its input`);
  return readAnyList(text, root);
}

function readDocuments(text: string): Item[] {
  return splitDocuments(text).flatMap(({ text: document, start }, i) => {
    const range = { start, end: start + document.length, column: 0 };
    const item = readItem(document, `${WHERE}, document ${i + 1}`, range);
    return item === undefined ? [] : [item];
  });
}

function isList(root: YamlNode): root is YamlMapping {
  return root.kind === 'mapping' && valueOf(valueNode(root, 'kind') ?? null) === LIST_KIND;
}

function streamOf(text: string, items: readonly Item[]): WireInput {
  for (const item of items) requireResource(item, () => `${WHERE}, line ${lineOf(text, item.range.start)}`);
  if (items.length === 0) throw new InputError(message`${WHERE}: no resource in it`);
  return {
    form: 'documents',
    items,
    functionConfig: undefined,
    print: (_, changes = NO_CHANGES) => {
      const documents = splice(text, [
        ...editSplices(text, changes),
        ...[...changes.removed].map(({ range: { start, end } }) => ({ start, end, text: '\n' })),
      ]);
      return [withNewline(documents), ...changes.added.map(withWireAnnotations)].join('---\n');
    },
  };
}

/** A kustomization may do without apiVersion and kind; nothing else may. */
export function requireResource(item: Item, where: () => string): void {
  if (item.path !== undefined && isKustomizationFile(item.path)) return;
  for (const field of ['apiVersion', 'kind'] as const) {
    const value = item.value[field];
    if (typeof value !== 'string' || value === '')
      throw new InputError(
        message`${where()}: not a ResourceList and no Kubernetes resource: it has no ${field}`,
      );
  }
}

/** Offsets of the entries of `items` in the block form that kpt and kustomize print. */
interface BlockList {
  /** Where the line `items:` starts, and where the list under it ends. */
  readonly start: number;
  readonly end: number;
  /** Where each entry starts: its dash, in column 0. */
  readonly entries: readonly number[];
}

/** Splits by line; undefined for any other form. What the lines hold is judged where they are parsed. */
function splitBlockList(text: string): BlockList | undefined {
  const starts = lineStarts(text);
  const line = (i: number) => text.slice(starts[i], starts[i + 1]);
  const header = starts.findIndex(
    (start, i) => text.startsWith('items:', start) && /^items:[ \t]*\r?\n$/.test(line(i)),
  );
  if (header === -1) return undefined;
  const entries: number[] = [];
  let i = header + 1;
  for (; i < starts.length; i++) {
    const start = starts[i] ?? 0;
    const first = text.charAt(start);
    if (first === '-' && /^[ \r\n]$/.test(text.charAt(start + 1))) entries.push(start);
    else if (first !== ' ' && first !== '#' && first !== '\n' && first !== '\r') break;
    else if (entries.length === 0) return undefined;
  }
  return entries.length === 0
    ? undefined
    : { start: starts[header] ?? 0, end: starts[i] ?? text.length, entries };
}

const NO_ITEMS = 'items: []';

/** The fast path: the list is split by line, and only what stands around it is parsed as one. */
function readBlockList(text: string): WireInput | undefined {
  const list = splitBlockList(text);
  if (list === undefined) return undefined;
  const noItems = NO_ITEMS + (text[list.end - 1] === '\n' ? '\n' : '');
  const envelope = text.slice(0, list.start) + noItems + text.slice(list.end);
  const root = readEnvelope(envelope);
  if (root === undefined) return undefined;
  const items = list.entries.map((start, i) => {
    const end = list.entries[i + 1] ?? list.end;
    return readListItem(outdentEntry(text.slice(start + 1, end)), i, { start: start + 1, end, column: 1 });
  });
  const shift = list.end - list.start - noItems.length;
  return {
    form: 'ResourceList',
    items,
    functionConfig: functionConfigOf(root),
    print: (results, changes = NO_CHANGES) => {
      const moved = resultSplices(envelope, root, results).map((one) =>
        one.start > list.start ? { ...one, start: one.start + shift, end: one.end + shift } : one,
      );
      // The dash of an item stands before its range.
      const removals = [...changes.removed].map(({ range: { start, end } }) => ({
        start: start - 1,
        end,
        text: '',
      }));
      const added = changes.added.map((item) => listEntry(withWireAnnotations(item), 0)).join('');
      const gap = added === '' || text[list.end - 1] === '\n' ? '' : '\n';
      const additions = { start: list.end, end: list.end, text: gap + added };
      return splice(text, [...editSplices(text, changes), ...removals, additions, ...moved]);
    },
  };
}

/** undefined where the envelope is none: parsing the whole then tells what is wrong, with the right line. */
function readEnvelope(envelope: string): YamlMapping | undefined {
  let documents: (YamlNode | null)[];
  try {
    documents = parseYaml(envelope, WHERE);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
  const [root] = documents;
  if (documents.length !== 1 || root === undefined || root === null || !isList(root)) return undefined;
  refuseRepeatedKeys(root);
  return root;
}

/** Of two lists of items one would go unread. */
function refuseRepeatedKeys(root: YamlMapping): void {
  const names = root.entries.map(({ key }) => (key.kind === 'scalar' ? key.text : ''));
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined)
    throw new InputError(message`${WHERE}: a ResourceList with the key ${repeated} twice`);
}

function readAnyList(text: string, root: YamlMapping): WireInput {
  refuseRepeatedKeys(root);
  const list = valueNode(root, 'items');
  if (list?.kind !== 'sequence')
    throw new InputError(
      message`${WHERE}: a ResourceList without a list of items; send \`items: []\` where there are none`,
    );
  const items = list.items.map((node, i) => {
    if (node.kind === 'alias')
      throw new InputError(message`${WHERE}: item ${i + 1} is an alias; write the resource itself`);
    const column = node.start - startOfLine(text, node.start);
    const { start } = node;
    // The colon of a last key without a value is in no node.
    const end = list.flow ? node.end : endOfLine(text, node.end);
    return readListItem(outdent(withNewline(text.slice(start, end)), column, column), i, {
      start,
      end,
      column,
    });
  });
  return {
    form: 'ResourceList',
    items,
    functionConfig: functionConfigOf(root),
    print: (results, changes = NO_CHANGES) =>
      splice(text, [
        ...editSplices(text, changes),
        ...listSplices(text, list, items, changes),
        ...resultSplices(text, root, results),
      ]),
  };
}

/** A document as an entry of a list whose dashes stand in a column. */
function listEntry(document: string, column: number): string {
  const indent = ' '.repeat(column);
  return withNewline(document)
    .replace(/^(?=.)/gm, `${indent}  `)
    .replace(/^( *)  /, '$1- ');
}

/** The splices that take items out of a list in any style, and put new ones behind the last. */
function listSplices(
  text: string,
  list: YamlSequence,
  items: readonly Item[],
  { removed, added }: Changes,
): Splice[] {
  if (removed.size === 0 && added.length === 0) return [];
  if (list.flow) {
    const isKept = (item: Item) => !removed.has(item);
    const gone = items.flatMap((item, i) => {
      if (isKept(item)) return [];
      const { start, end } = item.range;
      const isBehindKept = items.slice(0, i).some(isKept);
      const cut = isBehindKept
        ? { start: items[i - 1]?.range.end ?? start, end }
        : { start, end: items[i + 1]?.range.start ?? end };
      return [{ ...cut, text: '' }];
    });
    const at = items.at(-1)?.range.end ?? list.start + 1;
    const entries = added.map((item) =>
      yamlSafeJson(valueOf(parseYaml(withWireAnnotations(item), WHERE)[0] ?? null)),
    );
    const isFirst = !items.some(isKept);
    return [...gone, { start: at, end: at, text: (isFirst ? '' : ', ') + entries.join(', ') }].filter(
      ({ start, end }) => end > start || entries.length > 0,
    );
  }
  const column = list.start - startOfLine(text, list.start);
  const dashes = items.map((_, i) =>
    startOfLine(text, dashBefore(text, items[i - 1]?.range.end ?? list.start)),
  );
  const end = endOfLine(text, list.end);
  const gone = items.flatMap((item, i) =>
    removed.has(item) ? [{ start: dashes[i] ?? 0, end: dashes[i + 1] ?? end, text: '' }] : [],
  );
  const gap = text[end - 1] === '\n' ? '' : '\n';
  const entries = added.map((item) => listEntry(withWireAnnotations(item), column)).join('');
  return [...gone, { start: end, end, text: entries === '' ? '' : gap + entries }];
}

/** The next dash, comments passed over. */
function dashBefore(text: string, from: number): number {
  for (let at = from; ; at++) {
    if (text[at] === '#') at = endOfLine(text, at) - 1;
    else if (text[at] === '-' || at >= text.length) return at;
  }
}

/** What stands behind the dash of an entry in column 0: two columns to the right, or one where a line starts there. */
function outdentEntry(text: string): string {
  return outdent(text, /\n [^ \r\n#]/.test(text) ? 1 : 2, 1);
}

/**
 * Takes an item out of its list.
 *
 * @param columns how far the item stands to the right
 * @param gone how much of that the first line has lost already
 */
function outdent(text: string, columns: number, gone: number): string {
  const indent = new RegExp(`\\n {1,${Math.max(columns, 1)}}`, 'g');
  const outdented = columns === 0 ? text : text.replace(indent, '\n');
  return gone < columns && outdented.startsWith(' ') ? outdented.slice(1) : outdented;
}

function readListItem(text: string, i: number, range: ItemRange): Item {
  const where = `${WHERE}, item ${i + 1}`;
  const item = readItem(text, where, range);
  if (item === undefined) throw new InputError(message`${where}: empty; a Kubernetes resource is expected`);
  requireResource(item, () => where);
  return item;
}

function editSplices(text: string, { edits }: Changes): Splice[] {
  return [...edits].flatMap(([item, edit]) => spliceItem(text, item, edit));
}

function valueNode(root: YamlMapping, name: string): YamlNode | undefined {
  return root.entries.findLast(({ key }) => key.kind === 'scalar' && key.text === name)?.value;
}

function functionConfigOf(root: YamlMapping): YamlValue | undefined {
  const node = valueNode(root, 'functionConfig');
  return node === undefined ? undefined : valueOf(node);
}

/** The splices that put the results into a ResourceList in place of those that it came with. */
function resultSplices(text: string, root: YamlMapping, results: readonly Result[]): Splice[] {
  const old = root.entries.filter(({ key }) => key.kind === 'scalar' && key.text === 'results');
  const kept = root.entries.filter((entry) => !old.includes(entry));
  if (root.flow) {
    const gone = old.map((entry) => {
      const before = root.entries[root.entries.indexOf(entry) - 1];
      const after = root.entries[root.entries.indexOf(entry) + 1];
      return before === undefined
        ? { start: entry.key.start, end: after?.key.start ?? entry.value.end, text: '' }
        : { start: endInFlow(root, before), end: endInFlow(root, entry), text: '' };
    });
    if (results.length === 0) return gone;
    const last = kept.at(-1);
    const at = last === undefined ? root.start + 1 : endInFlow(root, last);
    return [...gone, { start: at, end: at, text: `, "results": ${printResults(results, 'flow')}` }];
  }
  const end = (entry: (typeof old)[number]) => {
    const next = root.entries[root.entries.indexOf(entry) + 1];
    return next?.key.start ?? endOfLine(text, entry.value.end);
  };
  const gone = old.map((entry) => {
    const start = entry === root.entries.at(-1) ? startOfEntry(text, entry.key.start) : entry.key.start;
    return { start, end: end(entry), text: '' };
  });
  if (results.length === 0) return gone;
  const column = root.start - startOfLine(text, root.start);
  const lines = `results:\n${printResults(results, 'block')}`;
  const indent = ' '.repeat(column);
  const last = root.entries.at(-1);
  if (last === undefined) return gone;
  const at = end(last);
  if (text[at - 1] === '\n')
    return [...gone, { start: at, end: at, text: lines.replace(/^(?=.)/gm, indent) }];
  // Behind a last line without its end nothing can follow: a block scalar would gain it.
  const first = root.start;
  return [...gone, { start: first, end: first, text: lines.replace(/\n/g, `\n${indent}`) }];
}

/** Behind a value of a flow mapping; behind the colon where there is none. */
function endInFlow(root: YamlMapping, { key, value }: YamlEntry): number {
  if (value.end > key.end) return value.end;
  const next = root.entries[root.entries.findIndex((entry) => entry.key === key) + 1];
  return next === undefined ? root.end - 1 : value.end;
}

/** The start of its line, where nothing stands before it there. */
function startOfEntry(text: string, offset: number): number {
  const start = startOfLine(text, offset);
  return text.slice(start, offset).trim() === '' ? start : offset;
}
