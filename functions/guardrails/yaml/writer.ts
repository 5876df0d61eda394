import type { Layout } from './layout';
import type { YamlMapping, YamlNode } from './nodes';
import { type StringStyle, printString, safeJson } from './scalar';
import { newlineOf } from './text';
import { type YamlObject, type YamlValue, isObject } from './value';

/** What a writer writes: a value, or a text of the document as it is. */
export type Written = YamlValue | Verbatim | Commented | Written[] | Map<string, Written>;
/** An item of a list in block style, after lines of a comment. */
export class Commented {
  /** @param lines without `#`, and without line breaks */
  constructor(
    readonly lines: readonly string[],
    readonly value: Written,
  ) {}
}
export class Verbatim {
  constructor(readonly text: string) {}
}

/** The style of a document. */
export interface DocumentStyle {
  readonly newline: string;
  /** Columns from a mapping to a mapping in it. */
  readonly step: number;
  /** Columns from a mapping to a list in it. */
  readonly listIndent: number;
  readonly string: StringStyle;
  /** Whether the document is JSON. */
  readonly json: boolean;
  /** The whitespace after a comma or a colon in flow style; may be empty in JSON. */
  readonly gap: string;
}

/** The style of a flow collection. */
export interface FlowStyle {
  /** Whether every string is in double quotes. */
  readonly json: boolean;
  /** The whitespace after a comma or a colon. */
  readonly gap: string;
  /** Set if every entry has its own line: the indentation of the closing bracket, and what an entry adds to it. */
  readonly lines?: { readonly indent: string; readonly step: string };
}

export const ONE_LINE: FlowStyle = { json: false, gap: ' ' };

/** The style of a collection in another. */
export function nested(style: FlowStyle): FlowStyle {
  if (style.lines === undefined) return style;
  const { indent, step } = style.lines;
  return { ...style, lines: { indent: indent + step, step } };
}

/** Writes values in the style of a document. */
export class Writer {
  constructor(readonly style: DocumentStyle) {}

  /** Lines of block style, without line ends. */
  block(value: Written, column: number): string[] {
    const indent = ' '.repeat(column);
    if (Array.isArray(value))
      return value.flatMap((item): string[] => {
        if (item instanceof Commented)
          return [...item.lines.map((line) => `${indent}# ${line}`), ...this.block([item.value], column)];
        if (!isCollection(item)) return [`${indent}- ${this.flow(item, ONE_LINE)}`];
        const [first = '', ...rest] = this.block(item, column + 2);
        return [`${indent}- ${first.slice(column + 2)}`, ...rest];
      });
    return fieldsIn(value).flatMap(([key, child]) => {
      const name = `${indent}${this.scalar(key, false)}:`;
      if (!isCollection(child)) return [`${name} ${this.flow(child, ONE_LINE)}`];
      const childColumn = column + (Array.isArray(child) ? this.style.listIndent : this.style.step);
      return [name, ...this.block(child, childColumn)];
    });
  }

  /** A value in flow style. */
  flow(value: Written, style: FlowStyle): string {
    if (value instanceof Verbatim) return value.text;
    if (value instanceof Commented) return this.flow(value.value, style);
    if (typeof value !== 'object' || value === null) return this.scalar(value, style.json);
    const entries = this.flowEntries(value, nested(style));
    const [opening, closing] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
    const joined = entries.join(this.separator(style));
    if (style.lines === undefined || entries.length === 0) return opening + joined + closing;
    const outer = this.style.newline + style.lines.indent;
    return opening + outer + style.lines.step + joined + outer + closing;
  }

  /** The entries of a flow collection. */
  flowEntries(value: Written, style: FlowStyle): string[] {
    if (Array.isArray(value)) return value.map((item) => this.flow(item, style));
    return fieldsIn(value).map(
      ([key, child]) => `${this.scalar(key, style.json)}:${style.gap}${this.flow(child, style)}`,
    );
  }

  /** What separates the entries of a flow collection. */
  separator({ gap, lines }: FlowStyle): string {
    return lines === undefined ? `,${gap}` : `,${this.style.newline}${lines.indent}${lines.step}`;
  }

  private scalar(value: string | number | boolean | null, json: boolean): string {
    if (typeof value !== 'string') return String(value);
    return json || this.style.json ? safeJson(value) : printString(value, this.style.string);
  }
}

/** The style that a document shows first, for each part of it. */
export function styleOf(text: string, root: YamlMapping, layout: Layout): DocumentStyle {
  let step: number | undefined;
  let listIndent: number | undefined;
  let quote: StringStyle['quote'] | undefined;
  const look = (node: YamlNode): void => {
    const first = text[node.start];
    if (node.kind === 'scalar' && !node.plain && (first === '"' || first === "'")) quote ??= first;
    if (node.kind === 'sequence') node.items.forEach(look);
    if (node.kind !== 'mapping') return;
    for (const { value } of node.entries) {
      if (value.kind === 'mapping' && !value.flow) step ??= layout.columnOf(value) - layout.columnOf(node);
      if (value.kind === 'sequence' && !value.flow)
        listIndent ??= layout.columnOf(value) - layout.columnOf(node);
      look(value);
    }
  };
  look(root);
  const firstKey = root.entries[0]?.key;
  const json = root.flow && firstKey !== undefined && text[firstKey.start] === '"';
  const isCompact = json && /\S/.test(text[layout.tokenAfter(firstKey.end) + 1] ?? '');
  return {
    newline: newlineOf(text),
    step: step ?? 2,
    listIndent: listIndent ?? 0,
    string: { quote: quote ?? "'", plainColon: false },
    json,
    gap: isCompact ? '' : ' ',
  };
}

const KPT_STYLE = {
  newline: '\n',
  step: 2,
  listIndent: 2,
  string: { quote: "'", plainColon: true },
  json: false,
  gap: ' ',
} as const;

/** A mapping as a YAML document in the block style in which kpt writes a new file. */
export function printYaml(mapping: YamlObject | Map<string, Written>): string {
  const lines = new Writer(KPT_STYLE).block(mapping, 0);
  return lines.map((line) => `${line}\n`).join('');
}

function fieldsIn(value: Written): (readonly [string, Written])[] {
  if (value instanceof Map) return [...value];
  const isText = value instanceof Verbatim || value instanceof Commented;
  return isObject(value) && !isText ? Object.entries(value) : [];
}

/** Whether block style writes a value on its own lines. */
export function isCollection(value: Written): boolean {
  return Array.isArray(value) ? value.length > 0 : fieldsIn(value).length > 0;
}
