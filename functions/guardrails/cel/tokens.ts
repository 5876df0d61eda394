import { CelSyntaxError } from './errors';

/** A literal as the parser reads it. */
export type Literal = bigint | number | string | boolean | null | Uint8Array | { readonly uint: bigint };

/** A word of an expression. */
export interface Token {
  readonly is: 'name' | 'literal' | 'operator' | 'end';
  readonly text: string;
  readonly value?: Literal;
  readonly at: number;
}

const OPERATORS = '&& || == != <= >= < > ! - + * / % ? : . , ( ) [ ] { }'.split(' ');
const NUMBER =
  /0x[0-9a-fA-F]+u?|(?:[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)|[0-9]+u?/iy;
const NAME = /[_a-zA-Z][_a-zA-Z0-9]*|`[a-zA-Z0-9_.\-/ ]+`/y;
const STRING_START = /([rR]?[bB]?|[bB][rR])("""|'''|"|')/y;
const BLANK = /(?:[ \t\r\n\f]+|\/\/[^\n]*)*/y;

/** The words of an expression, and its end. @throws CelSyntaxError */
export function* tokensOf(text: string): Generator<Token> {
  let at = 0;
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  for (;;) {
    at += match(BLANK)?.[0].length ?? 0;
    if (at >= text.length) break;
    const string = match(STRING_START);
    const number = match(NUMBER);
    const name = match(NAME);
    let length: number;
    if (string !== null) {
      const [value, end] = stringAt(text, at, string);
      yield { is: 'literal', text: text.slice(at, end), value, at };
      length = end - at;
    } else if (number !== null && /^\.?[0-9]/.test(text.slice(at, at + 2))) {
      [{ length }] = number;
      yield { is: 'literal', text: number[0], value: numberOf(number[0]), at };
    } else if (name !== null) {
      [{ length }] = name;
      yield { is: 'name', text: name[0], at };
    } else {
      const operator = OPERATORS.find((one) => text.startsWith(one, at));
      if (operator === undefined) throw new CelSyntaxError(`unexpected ${text.charAt(at)} at offset ${at}`);
      ({ length } = operator);
      yield { is: 'operator', text: operator, at };
    }
    at += length;
  }
  yield { is: 'end', text: '', at };
}

function numberOf(text: string): Literal {
  if (/^(?:0x[0-9a-f]+|[0-9]+)u$/i.test(text)) {
    const uint = BigInt(text.slice(0, -1));
    if (BigInt.asUintN(64, uint) !== uint)
      throw new CelSyntaxError(`${text} is not a 64-bit unsigned integer`);
    return { uint };
  }
  return /^(?:0x[0-9a-f]+|[0-9]+)$/i.test(text) ? BigInt(text) : Number(text);
}

/** The value of a string or of bytes, and the offset after it. */
function stringAt(text: string, start: number, opening: RegExpExecArray): [Literal, number] {
  const [all, prefix = '', quote = ''] = opening;
  const isRaw = /r/i.test(prefix);
  const isBytes = /b/i.test(prefix);
  const bytes: number[] = [];
  let value = '';
  let at = start + all.length;
  while (!text.startsWith(quote, at)) {
    if (at >= text.length || (quote.length === 1 && /[\r\n]/.test(text.charAt(at))))
      throw new CelSyntaxError(`the string at offset ${start} does not end`);
    let piece = String.fromCodePoint(text.codePointAt(at) ?? 0);
    let octet: number | undefined;
    let { length } = piece;
    if (piece === '\\' && !isRaw) ({ piece, length, octet } = escapeAt(text, at, isBytes));
    value += piece;
    if (octet !== undefined) bytes.push(octet);
    else if (isBytes) bytes.push(...Buffer.from(piece));
    at += length;
  }
  return [isBytes ? Uint8Array.from(bytes) : value, at + quote.length];
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
};
const CODE_ESCAPE = /\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/y;

/** In bytes, `\x` and octal escapes are octets. */
function escapeAt(
  text: string,
  at: number,
  isBytes: boolean,
): { readonly piece: string; readonly length: number; readonly octet: number | undefined } {
  const simple = SIMPLE_ESCAPES[text.charAt(at + 1)];
  if (simple !== undefined) return { piece: simple, length: 2, octet: undefined };
  CODE_ESCAPE.lastIndex = at;
  const code = CODE_ESCAPE.exec(text);
  const [all = '', hex, short, long, octal] = code ?? [];
  const value =
    octal === undefined ? Number.parseInt(hex ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8);
  if (code === null || !(value <= 0x10ffff)) throw new CelSyntaxError(`invalid escape at offset ${at}`);
  const isOctet = isBytes && (hex ?? octal) !== undefined;
  return { piece: String.fromCodePoint(value), length: all.length, octet: isOctet ? value : undefined };
}
