import { InputError } from '../errors';
import { message } from '../message';
import type { YamlEntry, YamlMapping, YamlNode, YamlScalar } from './nodes';

const LONG_TAG = 'tag:yaml.org,2002:';

/** A value as Go's YAML library passes it to Kubernetes. */
export type YamlValue = string | number | boolean | null | YamlValue[] | { [key: string]: YamlValue };
export type YamlObject = Record<string, YamlValue>;

/**
 * The value of a node, as Go's YAML library reads it for kubectl, kpt and kustomize (sigs.k8s.io/yaml): aliases are
 * expanded, keys are strings, and the last of two equal keys wins, also if one of them comes from a merge key.
 *
 * @throws InputError a key or a merge key that readers read in different ways
 */
export function valueOf(node: YamlNode | null): YamlValue {
  return read(node, undefined);
}

/** Like `valueOf`; it also calls `onRepeated` with each key that its mapping has already, merge keys aside. */
export function valueWithRepeatedKeys(node: YamlNode | null, onRepeated: (key: YamlNode) => void): YamlValue {
  return read(node, onRepeated);
}

function read(node: YamlNode | null, onRepeated: ((key: YamlNode) => void) | undefined): YamlValue {
  if (node === null) return null;
  switch (node.kind) {
    case 'scalar':
      return scalarValue(node);
    case 'alias':
      return valueOf(node.target);
    case 'sequence':
      return node.items.map((item) => read(item, onRepeated));
    case 'mapping': {
      // Without a prototype, so that `__proto__` is an ordinary key.
      const object = Object.create(null) as YamlObject;
      let merged: Set<string> | undefined;
      for (const { key, value } of node.entries) {
        if (!isMergeKey(key)) {
          const name = keyText(key);
          if (onRepeated !== undefined && name in object && merged?.delete(name) !== true) onRepeated(key);
          object[name] = read(value, onRepeated);
        } else
          for (const source of mergeSources(value))
            for (const [name, field] of mergedFieldsOf(source)) {
              if (!(name in object)) (merged ??= new Set()).add(name);
              object[name] = valueOf(field.value);
            }
      }
      return object;
    }
  }
}

/** A mapping without a prototype, like those of `valueOf`. */
export function mappingOf(...fields: YamlObject[]): YamlObject {
  return Object.assign(Object.create(null) as YamlObject, ...fields) as YamlObject;
}

/** Whether a key is `<<`, which merges the entries of its value into the mapping. */
export function isMergeKey(key: YamlNode): boolean {
  if (key.kind !== 'scalar' || key.text !== '<<') return false;
  const tag = shortTag(key.tag);
  return tag === undefined ? key.plain : tag === '!' || tag === '!!merge';
}

/** The mappings that a merge key adds, in reverse order: the first in the text wins. */
function mergeSources(value: YamlNode): YamlMapping[] {
  const source = aliased(value);
  return (source.kind === 'sequence' ? source.items.toReversed() : [source]).map((item) => {
    const mapping = aliased(item);
    if (mapping.kind === 'mapping') return mapping;
    throw new InputError(message`the value of a merge key (<<) must be a mapping or a list of mappings`);
  });
}

function aliased(node: YamlNode): YamlNode {
  return node.kind === 'alias' ? node.target : node;
}

/**
 * The name of a key.
 *
 * @throws InputError a mapping, a list, or a number that YAML readers write in different ways
 */
export function keyText(key: YamlNode): string {
  const value = valueOf(key);
  if (typeof value === 'object' && value !== null)
    throw new InputError(
      message`a key must be a scalar, but this key is a mapping or a list; write the key as a string`,
    );
  const isPlainInteger =
    key.kind === 'scalar' && Number.isSafeInteger(value) && INTEGER.test(key.text.replaceAll('_', ''));
  if (typeof value === 'number' && !isPlainInteger && key.kind === 'scalar')
    throw new InputError(
      message`the key ${key.text} is a number that YAML readers interpret in different ways; put the key in quotes`,
    );
  return String(value);
}

/** The text of a value in a message: a string as it is, everything else as JSON. */
export function textOf(value: YamlValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

export function isObject(value: unknown): value is YamlObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether two values are equal to Kubernetes: the order of keys does not count. */
export function isSame(a: YamlValue | undefined, b: YamlValue | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((one, i) => isSame(one, b[i]));
  if (!isObject(a) || !isObject(b)) return Object.is(a, b);
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]))
  );
}

const WORDS = new Map<string, boolean | null | number>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((w) => [w, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(
    (w) => [w, false] as const,
  ),
  ...['', '~', 'null', 'Null', 'NULL'].map((w) => [w, null] as const),
  ...['.nan', '.NaN', '.NAN'].map((w) => [w, NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((w) => [w, Infinity] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((w) => [w, -Infinity] as const),
]);
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB](-?[01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/;
/** 2^64 - 1 in hexadecimal, binary or octal: as a JavaScript number it would round up to 2^64. */
const MAX_UNSIGNED = /^\+?0(x0*f{16}|b0*1{64}|o?0*1(7{21}))$/i;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

/** Tags whose values are resolved from their text, like values without a tag. */
const RESOLVED_TAGS = new Set(['!!int', '!!float', '!!bool', '!!null', '!!timestamp']);

/** The short form of a tag: `!!str` for a tag in full or with `%` escapes. */
function shortTag(tag: string | undefined): string | undefined {
  if (tag === undefined) return undefined;
  const decoded = tag.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return decoded.startsWith(`!<${LONG_TAG}`) ? `!!${decoded.slice(`!<${LONG_TAG}`.length, -1)}` : decoded;
}

/**
 * A scalar by the rules of go.yaml.in/yaml/v2 (resolve.go): `0644` is 420, `yes` is true, `1_000` is 1000, `22:22` and
 * dates are strings. Integers beyond 2^53 lose their last digits: rules read these values, nothing prints them.
 */
export function scalarValue({ text, plain, tag }: YamlScalar): string | number | boolean | null {
  const short = shortTag(tag);
  if (short === '!!binary') return Buffer.from(text, 'base64').toString('utf8');
  if (short === undefined ? !plain : !RESOLVED_TAGS.has(short)) return text;
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.0-9]/.test(text)) return text;
  if (text.startsWith('.') && /(?<!\d)_|_(?!\d)/.test(text)) return text;
  const digits = text.replaceAll('_', '');
  const integer = INTEGER.exec(digits);
  if (integer !== null) {
    const [, sign, hex, binary, octal, decimal] = integer;
    const value =
      hex !== undefined
        ? parseInt(hex, 16)
        : binary !== undefined
          ? parseInt(binary, 2)
          : octal !== undefined
            ? parseInt(octal, 8)
            : Number(decimal);
    // Integers beyond 64 bits are strings, except decimal ones.
    if (decimal === undefined && value >= 2 ** 64 && !MAX_UNSIGNED.test(digits)) return text;
    return sign === '-' ? -value : value;
  }
  return FLOAT.test(digits) && Number.isFinite(Number(digits)) ? Number(digits) : text;
}

/** The entries of a list, with an empty mapping for each entry that is not a mapping, and for a value that is not a list. */
export function entriesIn(value: YamlValue | undefined): YamlObject[] {
  if (isAbsent(value)) return [];
  return Array.isArray(value) ? value.map((entry) => (isObject(entry) ? entry : {})) : [{}];
}

/** The mappings in a list; empty if the value is not a list. */
export function objectsIn(value: YamlValue | undefined): YamlObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The mapping at a key; empty if there is none. */
export function objectAt(value: YamlObject, key: string): YamlObject {
  const child = value[key];
  return isObject(child) ? child : {};
}

/** Whether a field has its default: its key is missing, or its value is null. */
export function isAbsent(value: YamlValue | undefined): value is null | undefined {
  return value === undefined || value === null;
}

/** An entry of a mapping as `valueOf` reads it. */
export interface Field {
  readonly key: YamlNode;
  readonly value: YamlNode;
  /** The entry; undefined if a merge key adds the field. */
  readonly own: YamlEntry | undefined;
}

/** The fields of a mapping by name, with those of its merge keys. The last of two equal keys wins. */
export function fieldsOf(node: YamlMapping): Map<string, Field> {
  const fields = new Map<string, Field>();
  for (const entry of node.entries) {
    if (!isMergeKey(entry.key)) fields.set(keyText(entry.key), { ...entry, own: entry });
    else
      for (const source of mergeSources(entry.value))
        for (const [name, { key, value }] of mergedFieldsOf(source))
          fields.set(name, { key, value, own: undefined });
  }
  return fields;
}

/** The fields of the mappings that merge keys name: each may be merged many times, also through others. */
const MERGED_FIELDS = new WeakMap<YamlMapping, ReadonlyMap<string, Field>>();

function mergedFieldsOf(node: YamlMapping): ReadonlyMap<string, Field> {
  const fields = MERGED_FIELDS.get(node) ?? fieldsOf(node);
  MERGED_FIELDS.set(node, fields);
  return fields;
}

/** The entry of a key as it is written, without merge keys. The last of two equal keys wins. */
export function entryOf({ entries }: YamlMapping, name: string): YamlEntry | undefined {
  return entries.findLast(({ key }) => key.kind === 'scalar' && key.text === name);
}
