import { CelError } from '../errors';
import type { Library, Overload } from '../library';
import { Type, Uint, type Value, characters, isList, isMap, typeOf } from '../value';
import { textOfValue } from './standard';

/** @throws CelError an index before the start or after the end */
function inBounds(index: bigint, length: number): number {
  if (index < 0n || index > BigInt(length)) throw new CelError(`index out of range: ${index}`);
  return Number(index);
}

function indexOf(text: string, part: string, from: bigint): bigint {
  const all = characters(text);
  const start = inBounds(from, all.length);
  const found = all.slice(start).join('').indexOf(part);
  return found === -1 ? -1n : BigInt(start + characters(all.slice(start).join('').slice(0, found)).length);
}

function lastIndexOf(text: string, part: string, until: bigint | undefined): bigint {
  const all = characters(text);
  const length = characters(part).length;
  const last =
    until === undefined ? all.length - length : Math.min(inBounds(until, all.length), all.length - length);
  for (let i = last; i >= 0; i--) if (all.slice(i, i + length).join('') === part) return BigInt(i);
  return -1n;
}

function replace(text: string, part: string, by: string, limit: bigint): string {
  const pieces = part === '' ? ['', ...characters(text), ''] : text.split(part);
  const most = limit < 0n ? pieces.length - 1 : Math.min(Number(limit), pieces.length - 1);
  const replaced = pieces.slice(0, most + 1).join(by);
  return [replaced, ...pieces.slice(most + 1)].join(part);
}

function split(text: string, separator: string, limit: bigint): string[] {
  if (limit === 0n) return [];
  const pieces = separator === '' ? characters(text) : text.split(separator);
  if (limit < 0n || BigInt(pieces.length) <= limit) return pieces;
  const last = Number(limit) - 1;
  return [...pieces.slice(0, last), pieces.slice(last).join(separator)];
}

function join(list: readonly Value[], separator: string): string {
  return list
    .map((one) => {
      if (typeof one !== 'string') throw new CelError(`no such overload: join(list<${typeOf(one)}>)`);
      return one;
    })
    .join(separator);
}

/** What Unicode calls white space: JavaScript's trim() also removes U+FEFF, and leaves U+0085. */
function trim(text: string): string {
  const all = characters(text);
  const isBlank = (one = '') => /^\p{White_Space}$/u.test(one);
  let [start, end] = [0, all.length];
  while (start < end && isBlank(all[start])) start += 1;
  while (end > start && isBlank(all[end - 1])) end -= 1;
  return all.slice(start, end).join('');
}

/** An overload without further arguments. */
function upTo(most: number, overload: Overload): Overload {
  return (...args) => (args.length > most ? undefined : overload(...args));
}

const toLower = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
const toUpper = (text: string) => text.replace(/[a-z]/g, (letter) => letter.toUpperCase());

/** In a list, texts are quoted. */
function printElement(value: Value): string {
  return typeof value === 'string' ? quoted(value) : printValue(value);
}

/** What `%s` prints. */
function printValue(value: Value): string {
  if (value === null) return 'null';
  if (isList(value)) return `[${value.map(printElement).join(', ')}]`;
  if (isMap(value)) {
    const entries = [...value].map(([key, item]) => `${String(key)}: ${printValue(item)}`);
    return `{${entries.sort().join(', ')}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (value instanceof Type) return value.key;
  return textOfValue(value);
}

function roundedHalfEven(value: number, digits: number): string {
  const options: Intl.NumberFormatOptions = {
    maximumFractionDigits: digits,
    minimumFractionDigits: digits,
    useGrouping: false,
    roundingMode: 'halfEven',
  };
  return new Intl.NumberFormat('en-US', options).format(value);
}

function integerIn(value: Value): bigint | undefined {
  if (value instanceof Uint) return value.value;
  return typeof value === 'bigint' ? value : undefined;
}

const VERBS: Readonly<Record<string, (value: Value, precision: number) => string | undefined>> = {
  s: printValue,
  d: (value) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : integerIn(value)?.toString(),
  f: (value, precision) => {
    const number = typeof value === 'number' ? value : undefined;
    return number === undefined
      ? undefined
      : Number.isFinite(number)
        ? roundedHalfEven(number, precision)
        : String(number);
  },
  e: (value, precision) => {
    if (typeof value !== 'number') return undefined;
    if (!Number.isFinite(value)) return String(value);
    return value.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2');
  },
  b: (value) => (typeof value === 'boolean' ? String(Number(value)) : integerIn(value)?.toString(2)),
  o: (value) => integerIn(value)?.toString(8),
  x: (value) => hexOf(value),
  X: (value) => hexOf(value)?.toUpperCase(),
};

function hexOf(value: Value): string | undefined {
  if (typeof value === 'string' || value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return integerIn(value)?.toString(16);
}

/** `'%s has %d'.format([a, b])` (cel-go, ext/strings). */
function format(text: string, args: readonly Value[]): string {
  let next = 0;
  const result = text.replace(
    /%(?:%|(?:\.(\d+))?([a-zA-Z])|(?:\.\d*)?$)/g,
    (all, precision?: string, verb?: string) => {
      if (all === '%%') return '%';
      const print = VERBS[verb ?? ''];
      if (print === undefined)
        throw new CelError(
          `could not parse formatting clause: unrecognized formatting clause ${JSON.stringify(verb ?? '')}`,
        );
      const value = args[next++];
      if (value === undefined) throw new CelError(`index ${next - 1} out of range`);
      const printed = print(value, precision === undefined ? 6 : Number(precision));
      if (printed === undefined)
        throw new CelError(`error during formatting: %${verb ?? ''} cannot be used on ${typeOf(value)}`);
      return printed;
    },
  );
  return result;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

function quoted(text: string): string {
  return `"${text.replace(/[\x07\b\f\n\r\t\v\\"]/g, (one) => ESCAPES[one] ?? one)}"`;
}

/** The extension `strings` of cel-go. */
export const stringFunctions: Library = {
  global: {
    'strings.quote': (text = null) => (typeof text === 'string' ? quoted(text) : undefined),
  },
  methods: {
    charAt: (text = null, index = null) =>
      typeof text === 'string' && typeof index === 'bigint'
        ? (characters(text)[inBounds(index, characters(text).length)] ?? '')
        : undefined,
    indexOf: upTo(3, (text = null, part = null, from = 0n) =>
      typeof text === 'string' && typeof part === 'string' && typeof from === 'bigint'
        ? indexOf(text, part, from)
        : undefined,
    ),
    lastIndexOf: upTo(3, (text = null, part = null, until) =>
      typeof text === 'string' &&
      typeof part === 'string' &&
      (until === undefined || typeof until === 'bigint')
        ? lastIndexOf(text, part, until)
        : undefined,
    ),
    join: (list = null, separator = '') =>
      isList(list) && typeof separator === 'string' ? join(list, separator) : undefined,
    lowerAscii: (text = null) => (typeof text === 'string' ? toLower(text) : undefined),
    upperAscii: (text = null) => (typeof text === 'string' ? toUpper(text) : undefined),
    replace: upTo(4, (text = null, part = null, by = null, limit = -1n) =>
      typeof text === 'string' &&
      typeof part === 'string' &&
      typeof by === 'string' &&
      typeof limit === 'bigint'
        ? replace(text, part, by, limit)
        : undefined,
    ),
    split: upTo(3, (text = null, separator = null, limit = -1n) =>
      typeof text === 'string' && typeof separator === 'string' && typeof limit === 'bigint'
        ? split(text, separator, limit)
        : undefined,
    ),
    substring: upTo(3, (text = null, start = null, end) => {
      if (typeof text !== 'string' || typeof start !== 'bigint') return undefined;
      if (end !== undefined && typeof end !== 'bigint') return undefined;
      const all = characters(text);
      const [from, to] = [inBounds(start, all.length), inBounds(end ?? BigInt(all.length), all.length)];
      if (from > to) throw new CelError(`invalid substring range. start: ${from}, end: ${to}`);
      return all.slice(from, to).join('');
    }),
    trim: (text = null) => (typeof text === 'string' ? trim(text) : undefined),
    reverse: (text = null) => (typeof text === 'string' ? characters(text).reverse().join('') : undefined),
    format: (text = null, args = null) =>
      typeof text === 'string' && isList(args) ? format(text, args) : undefined,
  },
};
