import { InputError } from '../errors';
import { type Message, message, words } from '../message';
import { type Edit, editDocument, withEdit } from '../yaml/edit';
import { removeEntries } from '../yaml/layout';
import { type Splice, joinDocuments, splice, withNewline } from '../yaml/text';
import type { YamlEntry, YamlMapping, YamlNode, YamlObject, YamlValue } from '../yaml/yaml';
import { entryOf, isObject, keyText, lineOf, parseYaml, valueWithRepeatedKeys } from '../yaml/yaml';
import { annotationsOf } from './resource';

export type { Edit } from '../yaml/edit';

/** The name of the input in messages. */
export const STANDARD_INPUT = 'standard input';

/** The range of an item in the text that it was read from: offsets, `end` exclusive. */
export interface ItemRange {
  readonly start: number;
  readonly end: number;
  /** The column of its first line there. */
  readonly column: number;
  /** The line of `start` there, from 1. */
  readonly line?: number;
}

/** One resource of the input: a document of a file, or an entry of a ResourceList. */
export interface Item {
  readonly value: YamlObject;
  /** The file, relative to the root package, with `/`; undefined if the input names none. */
  readonly path: string | undefined;
  /** Its position among the documents of that file, from 0. */
  readonly index: number;
  readonly range: ItemRange;
  /**
   * The line, from 1, at which `text` starts in its file, or in standard input if the item names no file. Undefined if
   * the file is not at hand, as for the items that kpt sends in a ResourceList.
   */
  readonly line: number | undefined;
  /**
   * A YAML document of its own, without the annotations that kpt adds to an item that it sends.
   *
   * @throws InputError an edited item whose document cannot be edited
   */
  readonly text: string;
  /** The keys that a mapping has twice, of which the last counts; undefined: none. */
  readonly repeatedKeys?: readonly RepeatedKey[];
}

/** A key that is in its mapping already. */
export interface RepeatedKey {
  readonly name: string;
  /** From 1, in the file, or in standard input; undefined if it is not at hand. */
  readonly line: number | undefined;
}

const PATH = ['internal.config.kubernetes.io/path', 'config.kubernetes.io/path'] as const;
const INDEX = ['internal.config.kubernetes.io/index', 'config.kubernetes.io/index'] as const;
/** The folder on disk of the package that the path of an item is relative to, as `kpt fn render` sends it. */
export const PACKAGE_PATH = 'internal.config.kubernetes.io/package-path';
/** How kpt indents the lists of the file: `wide` or `compact`. */
const SEQ_INDENT = 'internal.config.kubernetes.io/seqindent';
const LEGACY = new Set(['config.kubernetes.io/path', 'config.kubernetes.io/index', 'config.k8s.io/id']);

/** Whether kpt adds an annotation to an item that it sends, and removes it before it writes (kyaml kio/kioutil). */
function isWireAnnotation(name: string): boolean {
  return name.startsWith('internal.config.kubernetes.io/') || LEGACY.has(name);
}

/** Whether kustomize reads a file as a kustomization. kpt does not read `Kustomization`. */
export function isKustomizationFile(file: string): boolean {
  return /(^|\/)(kustomization\.ya?ml|Kustomization)$/.test(file);
}

/**
 * Reads one document into an item.
 *
 * @param where the name of the text that it was read from, for messages
 * @param file the file of the document and its position there; undefined if annotations name them
 * @returns undefined for an empty document
 * @throws InputError a text that is not one mapping
 */
export function readItem(
  text: string,
  where: string,
  range: ItemRange,
  file?: { readonly path: string; readonly index: number; readonly line?: number },
): Item | undefined {
  const line = file?.line ?? range.line;
  const [root = null, ...more] = parseYaml(text, where, line);
  const place = line === undefined ? message`${where}` : message`${where}:${line}`;
  if (more.length > 0)
    throw new InputError(
      message`${place}: found more than one document where one is expected; start each document with a line ---`,
    );
  const repeated: YamlNode[] = [];
  const value = valueIn(root, place, repeated);
  if (value === null) return undefined;
  if (root?.kind !== 'mapping' || !isObject(value))
    throw new InputError(
      message`${place}: the content is not a Kubernetes resource; write a mapping with apiVersion and kind`,
    );
  const repeatedKeys = (firstLine: number | undefined): Pick<Item, 'repeatedKeys'> => {
    if (repeated.length === 0) return {};
    const lineIn = ({ start }: YamlNode) => firstLine && lineOf(text, start) + firstLine - 1;
    return { repeatedKeys: repeated.map((key) => ({ name: keyText(key), line: lineIn(key) })) };
  };
  if (file !== undefined)
    return { value, path: file.path, index: file.index, range, line, text, ...repeatedKeys(line) };
  const annotations = annotationsOf(value);
  const path = firstText(annotations, PATH);
  const index = Number(firstText(annotations, INDEX) ?? 0);
  const fileText = withoutWireAnnotations(text, root);
  const isAtHand = path === undefined && fileText === text;
  const ownLine = isAtHand ? line : undefined;
  return { value, path, index, range, line: ownLine, text: fileText, ...repeatedKeys(ownLine) };
}

/**
 * Refuses an item that is not a Kubernetes resource. A kustomization may omit apiVersion and kind.
 *
 * @throws InputError
 */
export function requireResource(item: Item, where: () => string | Message): void {
  if (item.path !== undefined && isKustomizationFile(item.path)) return;
  for (const field of ['apiVersion', 'kind'] as const) {
    const value = item.value[field];
    if (typeof value !== 'string' || value === '')
      throw new InputError(
        message`${where()}: the field ${words(field)} of a Kubernetes resource is missing, empty, or not a string; set it to a non-empty string`,
      );
  }
}

function valueIn(root: YamlNode | null, place: Message, repeated: YamlNode[]): YamlValue {
  try {
    return valueWithRepeatedKeys(root, (key) => repeated.push(key));
  } catch (error) {
    throw error instanceof InputError ? new InputError(message`${place}: ${error.text}`) : error;
  }
}

/**
 * The splices that edit an item in the text that it was read from.
 *
 * @throws InputError a document that cannot be edited
 */
export function spliceItem(input: string, { range, path: file }: Item, edit: Edit): Splice[] {
  const { start, end, column } = range;
  const where = file ?? STANDARD_INPUT;
  const document = ' '.repeat(column) + input.slice(start, end);
  return editDocument(document, edit, where).map((one) => {
    if (one.start < column && one.end > one.start)
      throw new InputError(
        message`${where}: an obsolete entry in the first line of the item cannot be removed automatically; remove it by hand`,
      );
    return { ...one, start: one.start + start - column, end: one.end + start - column };
  });
}

/** An item after an edit. Its text is made on first use: a build uses it, a stream does not. */
export function withItemEdit(item: Item, edit: Edit): Item {
  const { path, index, range, line, repeatedKeys = [] } = item;
  const fields = { value: withEdit(item.value, edit) ?? item.value, path, index, range, line, repeatedKeys };
  let text: string | undefined;
  return {
    ...fields,
    get text() {
      text ??= splice(item.text, editDocument(item.text, edit, path ?? STANDARD_INPUT));
      return text;
    },
  };
}

/** A new document of a file. */
export function newItem(text: string, value: YamlObject, path: string, index: number): Item {
  return { value, path, index, range: { start: 0, end: 0, column: 0 }, line: undefined, text };
}

/**
 * The line, from 1, at which the text of an item starts in its file. If it is not known, it is computed for the file as
 * kpt writes it: the documents of the file in their order, joined by `---` lines. So it is wrong for a file that has
 * other lines between its documents, such as a document of comments alone.
 *
 * @param documentsOfFile the items of the same file, in any order
 */
export function lineOfItem(item: Item, documentsOfFile: readonly Item[]): number {
  if (item.line !== undefined) return item.line;
  const before = documentsOfFile.filter(({ index }) => index < item.index).sort((a, b) => a.index - b.index);
  const file = joinDocuments([...before, item].map(({ text }) => text));
  return lineOf(file, file.length - withNewline(item.text).length + 1);
}

/**
 * The document as kpt sends it: with the annotations that name its file and its position there.
 *
 * @param file relative to its package
 * @param packagePath the folder on disk of its package; undefined if kpt names none
 */
export function withWireAnnotations(item: Item, file: string, packagePath?: string): string {
  const { text, path = '', index } = item;
  const seqIndent = annotationsOf(item.value)[SEQ_INDENT] ?? 'wide';
  const annotations = { [PATH[0]]: file, [INDEX[0]]: String(index), [SEQ_INDENT]: seqIndent };
  const ofPackage = packagePath === undefined ? {} : { [PACKAGE_PATH]: packagePath };
  const entries = Object.entries({ ...annotations, ...ofPackage });
  const fixes = entries.map(([key, value]) => ({ path: ['metadata', 'annotations', key], value }));
  return splice(text, editDocument(text, fixes, path || STANDARD_INPUT));
}

/** The file that the annotations of a resource on the wire name. */
export function pathOf(value: YamlObject): string | undefined {
  return firstText(annotationsOf(value), PATH);
}

function firstText(annotations: YamlObject, names: readonly string[]): string | undefined {
  const values = names.map((name) => annotations[name]);
  return values.find((value) => typeof value === 'string' || typeof value === 'number')?.toString();
}

function withoutWireAnnotations(text: string, root: YamlMapping): string {
  const metadata = entryOf(root, 'metadata');
  const annotations = metadata?.value.kind === 'mapping' ? entryOf(metadata.value, 'annotations') : undefined;
  if (metadata?.value.kind !== 'mapping' || annotations?.value.kind !== 'mapping') return text;
  const { entries } = annotations.value;
  const wire = entries.filter(({ key }) => key.kind === 'scalar' && isWireAnnotation(key.text));
  const without = (mapping: YamlMapping, removed: readonly YamlEntry[]) =>
    splice(text, removeEntries(text, mapping, removed));
  if (wire.length === 0) return text;
  if (wire.length < entries.length) return without(annotations.value, wire);
  return metadata.value.entries.length > 1
    ? without(metadata.value, [annotations])
    : without(root, [metadata]);
}
