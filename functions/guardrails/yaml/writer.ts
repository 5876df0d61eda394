import type { Layout } from './layout';
import type { YamlMapping, YamlNode, YamlSequence } from './nodes';
import { type StringStyle, printString, safeJson } from './scalar';
import { newlineOf } from './text';
import { type YamlValue, isObject } from './value';

/** What is written: a value, or text of the document as it is. */
export type Written = YamlValue | Verbatim | WrittenMapping | Written[];
export class Verbatim {
  constructor(readonly text: string) {}
}
export class WrittenMapping {
  constructor(readonly entries: readonly (readonly [string, Written])[]) {}
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

/** Writes values in the style of a document. */
export class Writer {
  constructor(readonly style: DocumentStyle) {}

  /** The lines of a document, without line ends. */
  lines(value: Written): string[] {
    return isCollection(value) ? this.block(value, 0) : [this.flow(value, this.oneLine(false))];
  }

  /** Lines of block style, without line ends. */
  block(value: Written, column: number): string[] {
    const indent = ' '.repeat(column);
    const style = this.oneLine(false);
    if (Array.isArray(value))
      return value.flatMap((item) => {
        if (!isCollection(item)) return [`${indent}- ${this.flow(item, style)}`];
        const lines = this.block(item, column + 2);
        return lines.map((line, i) => (i === 0 ? `${indent}- ${line.slice(column + 2)}` : line));
      });
    return entriesOf(value).flatMap(([key, child]) => {
      if (!isCollection(child)) return [indent + this.flowEntry(key, child, style)];
      const childColumn = column + (Array.isArray(child) ? this.style.listIndent : this.style.step);
      return [`${indent}${this.scalar(key, false)}:`, ...this.block(child, childColumn)];
    });
  }

  flow(value: Written, style: FlowStyle): string {
    if (value instanceof Verbatim) return value.text;
    const inner = nested(style);
    if (Array.isArray(value))
      return this.enclosed(
        '[]',
        value.map((item) => this.flow(item, inner)),
        style,
      );
    if (value instanceof WrittenMapping || isObject(value))
      return this.enclosed(
        '{}',
        entriesOf(value).map(([key, child]) => this.flowEntry(key, child, inner)),
        style,
      );
    return this.scalar(value, style.json);
  }

  flowEntry(key: string, value: Written, style: FlowStyle): string {
    return `${this.scalar(key, style.json)}:${style.gap}${this.flow(value, style)}`;
  }

  oneLine(json: boolean): FlowStyle {
    return { json, gap: json ? this.style.gap : ' ' };
  }

  private enclosed(brackets: string, parts: readonly string[], { gap, lines }: FlowStyle): string {
    const [opening = '', closing = ''] = brackets;
    if (lines === undefined || parts.length === 0) return opening + parts.join(`,${gap}`) + closing;
    const outer = this.style.newline + lines.indent;
    return opening + parts.map((part) => outer + lines.step + part).join(',') + outer + closing;
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
    if (node.kind === 'scalar') {
      const first = text[node.start];
      if (!node.plain && (first === '"' || first === "'")) quote ??= first;
    }
    if (node.kind === 'sequence') node.items.forEach(look);
    if (node.kind !== 'mapping') return;
    for (const { value } of node.entries) {
      if (!node.flow && value.kind === 'mapping' && !value.flow)
        step ??= layout.columnOf(value) - layout.columnOf(node);
      if (!node.flow && value.kind === 'sequence' && !value.flow)
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

/** The style of a collection in flow style, or of the first entry of one that is empty. */
export function flowStyleOf(
  text: string,
  collection: YamlMapping | YamlSequence,
  layout: Layout,
  writer: Writer,
): FlowStyle {
  const isJson = writer.style.json;
  const first = collection.kind === 'mapping' ? collection.entries[0]?.key : collection.items[0];
  if (!collection.flow || first === undefined) return writer.oneLine(isJson);
  const json = isJson || (collection.kind === 'mapping' && text[first.start] === '"');
  const style = writer.oneLine(json);
  const entry = layout.indentBefore(first.start);
  const indent = layout.lineIndent(collection.start);
  if (entry === undefined || indent.length > entry.length) return style;
  return { ...style, lines: { indent, step: entry.slice(indent.length) } };
}

/** The style of a collection in another. */
export function nested(style: FlowStyle): FlowStyle {
  if (style.lines === undefined) return style;
  const { indent, step } = style.lines;
  return { ...style, lines: { indent: indent + step, step } };
}

function entriesOf(value: Written): readonly (readonly [string, Written])[] {
  if (value instanceof WrittenMapping) return value.entries;
  return isObject(value) ? Object.entries(value) : [];
}

/** Whether block style writes a value on its own lines. */
export function isCollection(value: Written): value is WrittenMapping | Written[] {
  if (value instanceof Verbatim) return false;
  if (Array.isArray(value)) return value.length > 0;
  return entriesOf(value).length > 0;
}
