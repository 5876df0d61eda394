import type { Layout } from './layout';
import { newlineOf } from './text';
import {
  type YamlMapping,
  type YamlNode,
  type YamlScalar,
  type YamlSequence,
  type YamlValue,
  isObject,
  scalarValue,
} from './yaml';

/** What is written: a value of ours, or a stretch of the document's own text, taken over as it stands. */
export type Written = YamlValue | Verbatim | WrittenMapping | Written[];
export class Verbatim {
  constructor(readonly text: string) {}
}
export class WrittenMapping {
  constructor(readonly entries: readonly (readonly [string, Written])[]) {}
}

/** How a flow collection is written. */
export interface FlowStyle {
  /** Every string in double quotes. */
  readonly json: boolean;
  /** Behind a comma and a colon. */
  readonly gap: string;
  /** Set where every entry has a line of its own: what stands before the closing bracket, and what an entry adds to it. */
  readonly lines?: { readonly indent: string; readonly step: string };
}

/** The first of each that the document shows. */
interface BlockStyle {
  step?: number;
  /** How far a list stands to the right of its key. */
  listIndent?: number;
  quote?: string;
}

/** Writes values in the style of a document. */
export class Writer {
  readonly newline: string;
  private readonly style: BlockStyle;
  private readonly isJson: boolean;
  /** Whitespace behind a comma or colon; JSON may do without. */
  private readonly gap: string;

  constructor(
    private readonly text: string,
    root: YamlMapping,
    private readonly layout: Layout,
  ) {
    this.newline = newlineOf(text);
    this.style = this.styleOf(root);
    const firstKey = root.entries[0]?.key;
    this.isJson = root.flow && firstKey !== undefined && text[firstKey.start] === '"';
    this.gap = this.isJson && /\S/.test(text[layout.tokenAfter(firstKey?.end ?? 0) + 1] ?? '') ? '' : ' ';
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
      const childColumn = column + (Array.isArray(child) ? this.listIndent : this.step);
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

  flowStyle(collection: YamlMapping | YamlSequence): FlowStyle {
    const first = collection.kind === 'mapping' ? collection.entries[0]?.key : collection.items[0];
    if (!collection.flow || first === undefined) return this.oneLine(this.isJson);
    const json = this.isJson || (collection.kind === 'mapping' && this.text[first.start] === '"');
    const style = this.oneLine(json);
    const entry = this.layout.indentBefore(first.start);
    if (entry === undefined || this.layout.lineIndent(collection.start).length > entry.length) return style;
    const indent = this.layout.lineIndent(collection.start);
    return { ...style, lines: { indent, step: entry.slice(indent.length) } };
  }

  oneLine(json: boolean): FlowStyle {
    return { json, gap: json ? this.gap : ' ' };
  }

  private enclosed(brackets: string, parts: readonly string[], { gap, lines }: FlowStyle): string {
    const [opening = '', closing = ''] = brackets;
    if (lines === undefined || parts.length === 0) return opening + parts.join(`,${gap}`) + closing;
    const outer = this.newline + lines.indent;
    return opening + parts.map((part) => outer + lines.step + part).join(',') + outer + closing;
  }

  private scalar(value: string | number | boolean | null, json: boolean): string {
    if (typeof value !== 'string') return String(value);
    if (json || this.isJson) return doubleQuoted(value);
    const plain: YamlScalar = { kind: 'scalar', start: 0, end: 0, text: value, plain: true, tag: undefined };
    if (/^[A-Za-z0-9./][-A-Za-z0-9./_]*$/.test(value) && scalarValue(plain) === value) return value;
    return this.style.quote !== '"' && /^[\x20-\x7e]*$/.test(value)
      ? `'${value.replaceAll("'", "''")}'`
      : doubleQuoted(value);
  }

  get step(): number {
    return this.style.step ?? 2;
  }

  get listIndent(): number {
    return this.style.listIndent ?? 0;
  }

  private styleOf(root: YamlNode): BlockStyle {
    const style: BlockStyle = {};
    const look = (node: YamlNode): void => {
      if (node.kind === 'scalar') {
        const first = this.text[node.start] ?? '';
        if (!node.plain && /['"]/.test(first)) style.quote ??= first;
      }
      if (node.kind === 'sequence') node.items.forEach(look);
      if (node.kind !== 'mapping') return;
      for (const { value } of node.entries) {
        if (!node.flow && (value.kind === 'mapping' || value.kind === 'sequence') && !value.flow) {
          const name = value.kind === 'mapping' ? 'step' : 'listIndent';
          style[name] ??= this.layout.columnOf(value) - this.layout.columnOf(node);
        }
        look(value);
      }
    };
    look(root);
    return style;
  }
}

/** The style of what stands in a collection. */
export function nested(style: FlowStyle): FlowStyle {
  if (style.lines === undefined) return style;
  const { indent, step } = style.lines;
  return { ...style, lines: { indent: indent + step, step } };
}

/** JSON, with what YAML readers take for line breaks escaped. */
function doubleQuoted(value: string): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function entriesOf(value: Written): readonly (readonly [string, Written])[] {
  if (value instanceof WrittenMapping) return value.entries;
  return isObject(value) ? Object.entries(value) : [];
}

/** What block style writes on lines of its own. */
export function isCollection(value: Written): value is WrittenMapping | Written[] {
  if (value instanceof Verbatim) return false;
  if (Array.isArray(value)) return value.length > 0;
  return entriesOf(value).length > 0;
}
