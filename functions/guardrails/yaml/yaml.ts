import { EVENT_ID, YAMLException, getScalarValue, parseEvents } from 'js-yaml';
import { InputError } from '../errors';
import { message } from '../message';
import { parsePlainYaml } from './plain-yaml';
import type { YamlEntry, YamlMapping, YamlNode, YamlScalar, YamlSequence } from './nodes';

export type * from './nodes';

/** Nesting that kubectl accepts with room to spare; the parser is recursive, so there has to be an end. */
const MAX_DEPTH = 500;
/** Nodes that a document may stand for once its aliases are followed: a bomb of aliases stops here. */
const MAX_EXPANDED_NODES = 1_000_000;

const FLOW = 2;
const PLAIN = 1;
const LONG_TAG = 'tag:yaml.org,2002:';

/** A value as Go's YAML library hands it to Kubernetes. */
export type YamlValue = string | number | boolean | null | YamlValue[] | { [key: string]: YamlValue };
export type YamlObject = Record<string, YamlValue>;

/** A node whose end is not reached yet. */
interface Building {
  readonly kind: 'document' | 'mapping' | 'sequence';
  readonly start: number;
  readonly flow: boolean;
  readonly anchor: string;
  readonly children: YamlNode[];
  /** Nodes in here, aliases followed. */
  size: number;
  /** How many of them aliases bring. */
  aliased: number;
}

/**
 * Parses every document of a YAML (or JSON) text into nodes that know their source offsets.
 * An empty document is `null`.
 *
 * @param where what the text is, for messages: a path, or `standard input`
 * @throws InputError text that is no YAML, an alias without its anchor, a mapping in itself: with the line, without
 *   the text, which may be a Secret's
 */
export function parseYaml(text: string, where: string): (YamlNode | null)[] {
  return parsePlainYaml(text) ?? parseAnyYaml(text, where);
}

/** As `parseYaml`, without its fast path. */
export function parseAnyYaml(text: string, where: string): (YamlNode | null)[] {
  const documents: (YamlNode | null)[] = [];
  const open: Building[] = [];
  let anchors = new Map<string, { readonly node: YamlNode; readonly size: number }>();
  const foldsNextLine = text.includes('\u0085');

  const add = (node: YamlNode, size: number, aliased: number, anchor: string) => {
    if (anchor !== '') anchors.set(anchor, { node, size });
    const parent = open.at(-1);
    if (parent === undefined) return;
    parent.children.push(node);
    parent.size += size;
    parent.aliased += aliased;
    if (aliased > 0 && parent.aliased > MAX_EXPANDED_NODES)
      throw failure(text, node.start, where, 'its aliases stand for too many nodes');
  };

  for (const event of events(text, where)) {
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        anchors = new Map();
        open.push({ kind: 'document', start: 0, flow: false, anchor: '', children: [], size: 0, aliased: 0 });
        break;
      case EVENT_ID.MAPPING:
      case EVENT_ID.SEQUENCE:
        open.push({
          kind: event.type === EVENT_ID.MAPPING ? 'mapping' : 'sequence',
          start: event.start,
          flow: event.style === FLOW,
          anchor: slice(text, event.anchorStart, event.anchorEnd),
          children: [],
          size: 1,
          aliased: 0,
        });
        break;
      case EVENT_ID.SCALAR: {
        const quoted = event.style !== PLAIN && event.indent === -1 ? 1 : 0;
        const start = event.valueStart === -1 ? lastOffset(open.at(-1)) : event.valueStart - quoted;
        add(
          {
            kind: 'scalar',
            start,
            end: event.valueStart === -1 ? start : event.valueEnd + quoted,
            text:
              event.valueStart === -1
                ? ''
                : foldsNextLine && quoted === 1
                  ? foldNextLine(text, event)
                  : getScalarValue(text, event),
            plain: event.style === PLAIN,
            tag: slice(text, event.tagStart, event.tagEnd) || undefined,
          },
          1,
          0,
          slice(text, event.anchorStart, event.anchorEnd),
        );
        break;
      }
      case EVENT_ID.ALIAS: {
        const anchored = anchors.get(text.slice(event.anchorStart, event.anchorEnd));
        if (anchored === undefined)
          throw failure(text, event.anchorStart, where, 'an alias names an anchor that is not there');
        const { node: target, size } = anchored;
        add({ kind: 'alias', start: event.anchorStart - 1, end: event.anchorEnd, target }, size, size, '');
        break;
      }
      case EVENT_ID.POP: {
        const done = open.pop();
        if (done === undefined) break;
        if (done.kind === 'document') documents.push(done.children[0] ?? null);
        else add(closed(done, text), done.size, done.aliased, done.anchor);
        break;
      }
    }
  }
  return documents;
}

type ScalarEvent = Parameters<typeof getScalarValue>[1];

/** U+0085 in quotes is a line break to YAML 1.1, and so a space. */
function foldNextLine(text: string, event: ScalarEvent): string {
  const folded = text.slice(event.valueStart, event.valueEnd).replace(/[ \t]*\u0085[ \t]*/g, ' ');
  return getScalarValue(folded, { ...event, valueStart: 0, valueEnd: folded.length });
}

function events(text: string, where: string): ReturnType<typeof parseEvents> {
  try {
    return parseEvents(text, { maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    // It quotes the text around the fault, which may be a Secret's value.
    throw failure(text, error.mark?.position ?? 0, where, error.reason.split(/["'<:!]/)[0]?.trim() ?? '');
  }
}

function failure(text: string, offset: number, where: string, reason: string): InputError {
  return new InputError(
    message`${where}: line ${lineOf(text, offset)}: not YAML that can be read: ${reason}`,
  );
}

/** The line, from 1, on which an offset stands. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

function slice(text: string, start: number, end: number): string {
  return start === -1 ? '' : text.slice(start, end);
}

function lastOffset(parent: Building | undefined): number {
  return parent?.children.at(-1)?.end ?? parent?.start ?? 0;
}

function closed({ kind, start, flow, children }: Building, text: string): YamlMapping | YamlSequence {
  const last = children.at(-1)?.end ?? start;
  const end = flow ? closingBracket(text, Math.max(last, start + 1)) : last;
  if (kind === 'sequence') return { kind, start, end, flow, items: children };
  const entries: YamlEntry[] = [];
  for (let i = 0; i < children.length; i += 2) {
    const [key, value] = children.slice(i, i + 2);
    if (key !== undefined && value !== undefined) entries.push({ key, value });
  }
  return { kind: 'mapping', start, end, flow, entries };
}

/** The offset behind the bracket that closes a flow collection whose last child ends at `from`. */
function closingBracket(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const c = text[i];
    if (c === ']' || c === '}') return i + 1;
    if (c === '#') {
      const newline = text.indexOf('\n', i);
      if (newline === -1) break;
      i = newline;
    }
  }
  return text.length;
}

/**
 * The value of a node, read as Go's YAML library reads it for kubectl, kpt and kustomize (sigs.k8s.io/yaml): aliases
 * followed, of two equal keys the last wins, also where a merge key brings one of them, keys are strings.
 */
export function valueOf(node: YamlNode | null): YamlValue {
  if (node === null) return null;
  switch (node.kind) {
    case 'scalar':
      return scalarValue(node);
    case 'alias':
      return valueOf(node.target);
    case 'sequence':
      return node.items.map(valueOf);
    case 'mapping': {
      // No prototype: a key `__proto__` is a key.
      const object = Object.create(null) as YamlObject;
      for (const { key, value } of node.entries) {
        if (isMergeKey(key)) mergeInto(object, value);
        else object[keyText(key)] = valueOf(value);
      }
      return object;
    }
  }
}

export function isMergeKey(key: YamlNode): boolean {
  if (key.kind !== 'scalar' || key.text !== '<<') return false;
  const tag = shortTag(key.tag);
  return tag === undefined ? key.plain : tag === '!' || tag === '!!merge';
}

function mergeInto(target: YamlObject, source: YamlNode): void {
  const node = source.kind === 'alias' ? source.target : source;
  // The first of several sources wins.
  const sources = node.kind === 'sequence' ? [...node.items].reverse() : [node];
  for (const one of sources) {
    const value = valueOf(one);
    if (!isObject(value)) throw new InputError(message`a merge key (<<) takes a mapping, or a list of them`);
    Object.assign(target, value);
  }
}

export function keyText(key: YamlNode): string {
  const value = valueOf(key);
  if (typeof value === 'object' && value !== null)
    throw new InputError(message`a mapping or a list cannot be a key`);
  const isPlainInteger =
    key.kind === 'scalar' && Number.isSafeInteger(value) && INTEGER.test(key.text.replaceAll('_', ''));
  if (typeof value === 'number' && !isPlainInteger && key.kind !== 'alias')
    throw new InputError(message`a key is a number that readers write in different ways; put it in quotes`);
  return String(value);
}

/** A value in a message: a string as it is, everything else as JSON. */
export function textOf(value: YamlValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

export function isObject(value: unknown): value is YamlObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether two values are the same to Kubernetes: the order of keys does not count. */
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
/** 2^64 - 1, which rounds up. */
const MAX_UNSIGNED = /^\+?0(x0*f{16}|b0*1{64}|o?0*1(7{21}))$/i;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

/** Tags whose values are resolved from their text, as without a tag. */
const RESOLVED_TAGS = new Set(['!!int', '!!float', '!!bool', '!!null', '!!timestamp']);

/** `!!str` also where it is written in full, or with `%` escapes. */
function shortTag(tag: string | undefined): string | undefined {
  if (tag === undefined) return undefined;
  const written = tag.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return written.startsWith(`!<${LONG_TAG}`) ? `!!${written.slice(`!<${LONG_TAG}`.length, -1)}` : written;
}

/**
 * A scalar by the rules of go.yaml.in/yaml/v2 (resolve.go): `0644` is 420, `yes` is true, `1_000` is 1000, `22:22` and
 * dates are strings. Integers beyond 2^53 lose their last digits: values are read to be judged, never to be printed.
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
    // Beyond 64 bits the others are no numbers.
    if (decimal === undefined && value >= 2 ** 64 && !MAX_UNSIGNED.test(digits)) return text;
    return sign === '-' ? -value : value;
  }
  return FLOAT.test(digits) && Number.isFinite(Number(digits)) ? Number(digits) : text;
}

/** The entries of a list, an empty mapping for each that is none, and for what stands in the place of a list. */
export function entriesIn(value: YamlValue | undefined): YamlObject[] {
  if (isAbsent(value)) return [];
  return Array.isArray(value) ? value.map((entry) => (isObject(entry) ? entry : {})) : [{}];
}

/** The mappings in a list; none where no list stands. */
export function objectsIn(value: YamlValue | undefined): YamlObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A mapping under a key; empty where none stands. */
export function objectAt(value: YamlObject, key: string): YamlObject {
  const child = value[key];
  return isObject(child) ? child : {};
}

/** Whether a field is left to its default: no key, or null. */
export function isAbsent(value: YamlValue | undefined): value is null | undefined {
  return value === undefined || value === null;
}
