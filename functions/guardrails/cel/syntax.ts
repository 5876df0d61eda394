import { CelSyntaxError } from './errors';
import { type Literal, type Token, tokensOf } from './tokens';

/** An expression. `isOptional` is the `?` of `a.?b`, `a[?b]`, `[?a]` and `{?a: b}`. */
export type Expression =
  | { readonly is: 'literal'; readonly value: Literal }
  | { readonly is: 'name'; readonly name: string }
  | {
      readonly is: 'select';
      readonly of: Expression;
      readonly field: string;
      readonly isOptional: boolean;
    }
  | { readonly is: 'index'; readonly of: Expression; readonly key: Expression; readonly isOptional: boolean }
  | {
      readonly is: 'call';
      readonly of: Expression | undefined;
      readonly name: string;
      readonly args: readonly Expression[];
    }
  | { readonly is: 'list'; readonly items: readonly ListItem[] }
  | { readonly is: 'map'; readonly entries: readonly MapEntry[] };

export interface ListItem {
  readonly value: Expression;
  readonly isOptional: boolean;
}

export interface MapEntry {
  readonly key: Expression;
  readonly value: Expression;
  readonly isOptional: boolean;
}

/** Names that no variable may have (CEL language definition, Syntax, RESERVED). */
const RESERVED = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);
/** The parser of the API server accepts 250 levels (cel-go, parser). */
const DEEPEST = 250;
const BINARY: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['<', '<=', '>=', '>', '==', '!=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
];

/**
 * Parses an expression of CEL with the optional syntax, as Kubernetes accepts it.
 *
 * @see https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax
 * @throws CelSyntaxError
 */
export function parseCel(text: string): Expression {
  return new Parser(text).parse();
}

class Parser {
  private readonly tokens: readonly Token[];
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    this.tokens = [...tokensOf(text)];
  }

  parse(): Expression {
    const expression = this.expression();
    if (this.next.is !== 'end') this.fail();
    return expression;
  }

  private get next(): Token {
    return this.tokens[this.at] ?? { is: 'end', text: '', at: 0 };
  }

  private fail(): never {
    const { is, text, at } = this.next;
    throw new CelSyntaxError(
      is === 'end' ? 'the expression ends too early' : `unexpected ${text} at offset ${at}`,
    );
  }

  private take(text: string): boolean {
    const { is, text: found } = this.next;
    const isFound = found === text && (is === 'operator' || (text === 'in' && is === 'name'));
    if (isFound) this.at += 1;
    return isFound;
  }

  private expect(text: string): void {
    if (!this.take(text)) this.fail();
  }

  private expression(): Expression {
    if (++this.depth > DEEPEST) throw new CelSyntaxError('the expression is nested too deeply');
    const condition = this.binary(0);
    let result = condition;
    if (this.take('?')) {
      const yes = this.binary(0);
      this.expect(':');
      result = { is: 'call', of: undefined, name: '?:', args: [condition, yes, this.expression()] };
    }
    this.depth -= 1;
    return result;
  }

  private binary(level: number): Expression {
    const operators = BINARY[level];
    if (operators === undefined) return this.unary();
    let left = this.binary(level + 1);
    for (;;) {
      const name = operators.find((one) => this.take(one));
      if (name === undefined) return left;
      left = { is: 'call', of: undefined, name, args: [left, this.binary(level + 1)] };
    }
  }

  private unary(): Expression {
    const { text, at } = this.next;
    if (this.take('!'))
      return { is: 'call', of: undefined, name: '!', args: [this.nested(() => this.unary())] };
    if (!this.take('-')) return this.member(this.primary());
    const { value, at: start } = this.next;
    // A negative number is one literal, so that the smallest int can be written.
    if ((typeof value === 'bigint' || typeof value === 'number') && start === at + text.length) {
      this.at += 1;
      return this.member({ is: 'literal', value: typeof value === 'bigint' ? inRange(-value) : -value });
    }
    return { is: 'call', of: undefined, name: '-', args: [this.nested(() => this.unary())] };
  }

  private nested<T>(parse: () => T): T {
    if (++this.depth > DEEPEST) throw new CelSyntaxError('the expression is nested too deeply');
    const result = parse();
    this.depth -= 1;
    return result;
  }

  private member(of: Expression): Expression {
    let expression = of;
    for (;;) {
      if (this.take('.')) {
        const isOptional = this.take('?');
        const { is, text } = this.next;
        if (is !== 'name') this.fail();
        this.at += 1;
        const field = text.replaceAll('`', '');
        if (!isOptional && this.take('('))
          expression = { is: 'call', of: expression, name: field, args: this.list(')') };
        else expression = { is: 'select', of: expression, field, isOptional };
      } else if (this.take('[')) {
        const isOptional = this.take('?');
        const key = this.expression();
        this.expect(']');
        expression = { is: 'index', of: expression, key, isOptional };
      } else return expression;
    }
  }

  private primary(): Expression {
    const { is, text, value } = this.next;
    if (is === 'literal') {
      this.at += 1;
      if (typeof value === 'bigint') return { is: 'literal', value: inRange(value) };
      return { is: 'literal', value: value ?? null };
    }
    if (this.take('(')) {
      const inner = this.expression();
      this.expect(')');
      return inner;
    }
    if (this.take('[')) return { is: 'list', items: this.items() };
    if (this.take('{')) return { is: 'map', entries: this.entries() };
    // A leading dot names something of the root, which everything is here.
    this.take('.');
    const name = this.next;
    if (name.is !== 'name' || RESERVED.has(name.text) || name.text === 'in') this.fail();
    this.at += 1;
    if (text !== '.' && ['true', 'false', 'null'].includes(text))
      return { is: 'literal', value: text === 'null' ? null : text === 'true' };
    if (this.take('(')) return { is: 'call', of: undefined, name: name.text, args: this.list(')') };
    return { is: 'name', name: name.text };
  }

  private list(end: string): Expression[] {
    const args: Expression[] = [];
    while (!this.take(end)) {
      args.push(this.expression());
      if (!this.take(',') && this.next.text !== end) this.fail();
    }
    return args;
  }

  private items(): ListItem[] {
    const items: ListItem[] = [];
    while (!this.take(']')) {
      const isOptional = this.take('?');
      items.push({ value: this.expression(), isOptional });
      if (!this.take(',') && this.next.text !== ']') this.fail();
    }
    return items;
  }

  private entries(): MapEntry[] {
    const entries: MapEntry[] = [];
    while (!this.take('}')) {
      const isOptional = this.take('?');
      const key = this.expression();
      this.expect(':');
      entries.push({ key, value: this.expression(), isOptional });
      if (!this.take(',') && this.next.text !== '}') this.fail();
    }
    return entries;
  }
}

function inRange(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new CelSyntaxError(`${value} is not a 64-bit integer`);
  return value;
}
