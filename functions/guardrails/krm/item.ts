import { InputError } from '../errors';
import { message } from '../message';
import { editDocument } from '../yaml/edit';
import { type Fix, withFixes } from '../yaml/field-path';
import { annotationsOf } from './resource';
import { type Removal, removeEntry, withoutEntry } from '../yaml/remove';
import { type Splice, endOfLine, splice, startOfLine } from '../yaml/text';
import {
  type YamlEntry,
  type YamlMapping,
  type YamlNode,
  type YamlObject,
  type YamlValue,
  isObject,
  parseYaml,
  valueOf,
} from '../yaml/yaml';

/** One resource of the input: a document of a file, or an entry of a ResourceList. */
export interface Item {
  /** A YAML document of its own, without what the wire added. */
  readonly text: string;
  readonly value: YamlObject;
  /** The file in the package, with `/`; undefined where the input names none. */
  readonly path: string | undefined;
  /** Its place among the documents of that file, from 0. */
  readonly index: number;
  readonly range: ItemRange;
}

/** Where an item stands in the text that it was read from: offsets, `end` exclusive. */
export interface ItemRange {
  readonly start: number;
  readonly end: number;
  /** How far its first line stands to the right there. */
  readonly column: number;
}

const PATH = ['internal.config.kubernetes.io/path', 'config.kubernetes.io/path'] as const;
const INDEX = ['internal.config.kubernetes.io/index', 'config.kubernetes.io/index'] as const;
/** How far kpt indents the lists of the file: `wide` or `compact`. */
const SEQ_INDENT = 'internal.config.kubernetes.io/seqindent';
const LEGACY = new Set(['config.kubernetes.io/path', 'config.kubernetes.io/index', 'config.k8s.io/id']);

/** Annotations that kpt puts on an item for the way and takes off when it writes (kyaml kio/kioutil). */
function isWireAnnotation(name: string): boolean {
  return name.startsWith('internal.config.kubernetes.io/') || LEGACY.has(name);
}

/** Whether a path is that of a file that kustomize and kpt both take for a kustomization. */
export function isKustomizationFile(file: string): boolean {
  return /(^|\/)kustomization\.ya?ml$/.test(file);
}

/**
 * Reads one document into an item.
 *
 * @returns undefined for a document with nothing in it
 * @throws InputError anything that is not one mapping
 */
export function readItem(
  text: string,
  where: string,
  range: ItemRange,
  file?: { path: string; index: number },
): Item | undefined {
  const [root, ...more] = parseYaml(text, where);
  if (more.length > 0) throw new InputError(message`${where}: more than one document where one belongs`);
  if (root === undefined || root === null || isNull(root)) return undefined;
  const value = valueIn(root, where);
  if (root.kind !== 'mapping' || !isObject(value))
    throw new InputError(
      message`${where}: not a Kubernetes resource: a mapping with apiVersion and kind is expected`,
    );
  if (file !== undefined) return { text, value, range, ...file };
  const annotations = annotationsOf(value);
  return {
    text: withoutWireAnnotations(text, root),
    value,
    path: firstText(annotations, PATH),
    index: Number(firstText(annotations, INDEX) ?? 0),
    range,
  };
}

function valueIn(root: YamlNode, where: string): YamlValue {
  try {
    return valueOf(root);
  } catch (error) {
    throw error instanceof InputError ? new InputError(message`${where}: ${error.message}`) : error;
  }
}

/** What is to be done to an item: values put in where none stand, or an entry taken out of a list. */
export type Edit = readonly Fix[] | Removal;

function splicesOf(text: string, edit: Edit, where: string): Splice[] {
  return 'list' in edit ? removeEntry(text, edit, where) : editDocument(text, edit, where);
}

/** The splices that edit an item in the text that it was read from. */
export function spliceItem(input: string, { range, path: file }: Item, edit: Edit): Splice[] {
  const { start, end, column } = range;
  const where = file ?? 'standard input';
  const document = ' '.repeat(column) + input.slice(start, end);
  return splicesOf(document, edit, where).map((one) => {
    if (one.start < column && one.end > one.start)
      throw new InputError(message`${where}: its first line cannot be taken out; edit it by hand`);
    return { ...one, start: one.start + start - column, end: one.end + start - column };
  });
}

/** The item as it reads once it is edited. Its text is made when it is asked for: a stream has no use for it. */
export function withItemEdit(item: Item, edit: Edit): Item {
  let text: string | undefined;
  return {
    ...item,
    value: 'list' in edit ? withoutEntry(item.value, edit) : (withFixes(item.value, edit) ?? item.value),
    /** @throws InputError as `editDocument` and `removeEntry` do */
    get text() {
      text ??= splice(item.text, splicesOf(item.text, edit, item.path ?? 'standard input'));
      return text;
    },
  };
}

/** A new document of a file. */
export function newItem(text: string, value: YamlObject, file: string, index: number): Item {
  return { text, value, path: file, index, range: { start: 0, end: 0, column: 0 } };
}

/** The document as kpt takes it for a file: with the annotations that say where it belongs. */
export function withWireAnnotations({ text, value, path: file, index }: Item): string {
  const seqIndent = annotationsOf(value)[SEQ_INDENT] ?? 'wide';
  const annotations = { [PATH[0]]: file ?? '', [INDEX[0]]: String(index), [SEQ_INDENT]: seqIndent };
  const fixes = Object.entries(annotations).map(([key, one]) => ({
    path: ['metadata', 'annotations', key],
    value: one,
  }));
  return splice(text, editDocument(text, fixes, file ?? 'standard input'));
}

function isNull(node: YamlNode): boolean {
  return node.kind === 'scalar' && valueOf(node) === null;
}

function firstText(annotations: YamlObject, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = annotations[name];
    if (typeof value === 'string' || typeof value === 'number') return String(value);
  }
  return undefined;
}

function withoutWireAnnotations(text: string, root: YamlMapping): string {
  const metadata = entryOf(root, 'metadata');
  const annotations = metadata?.value.kind === 'mapping' ? entryOf(metadata.value, 'annotations') : undefined;
  if (metadata?.value.kind !== 'mapping' || annotations?.value.kind !== 'mapping') return text;
  const { entries } = annotations.value;
  const wire = entries.filter(({ key }) => key.kind === 'scalar' && isWireAnnotation(key.text));
  if (wire.length === 0) return text;
  if (wire.length < entries.length) return splice(text, removals(text, annotations.value, wire));
  const emptied = metadata.value.entries.length === 1 ? { of: root, entry: metadata } : undefined;
  return splice(text, removals(text, emptied?.of ?? metadata.value, [emptied?.entry ?? annotations]));
}

function entryOf(mapping: YamlMapping, name: string): YamlEntry | undefined {
  return mapping.entries.findLast(({ key }) => key.kind === 'scalar' && key.text === name);
}

/** The stretches to cut so that a mapping is without some of its entries, but not without all of them. */
function removals(text: string, mapping: YamlMapping, gone: readonly YamlEntry[]): Splice[] {
  if (!mapping.flow) return gone.map((entry) => ({ ...linesOf(text, mapping, entry), text: '' }));
  const kept = mapping.entries.filter((entry) => !gone.includes(entry));
  const inside = kept.map(({ key, value }) => text.slice(key.start, value.end)).join(', ');
  return [{ start: mapping.start, end: mapping.end, text: `{${inside}}` }];
}

function linesOf(
  text: string,
  mapping: YamlMapping,
  { key, value }: YamlEntry,
): { start: number; end: number } {
  const end = endOfLine(text, value.end);
  const lineStart = startOfLine(text, key.start);
  // The first key of a list's mapping shares its line with the dash: keep what stands before it.
  if (text.slice(lineStart, key.start).trim() === '') return { start: lineStart, end };
  const next = mapping.entries.find((other) => other.key.start > key.start);
  return { start: key.start, end: next?.key.start ?? end };
}
