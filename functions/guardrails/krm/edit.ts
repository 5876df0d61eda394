import { InputError } from '../errors';
import { type Fix, withFixes } from './field-path';
import { type Splice, endOfLine, splice, startOfLine } from './text';
import {
  type YamlEntry,
  type YamlMapping,
  type YamlNode,
  type YamlObject,
  type YamlScalar,
  type YamlSequence,
  type YamlValue,
  isMergeKey,
  isObject,
  isSame,
  keyText,
  parseYaml,
  scalarValue,
  valueOf,
} from './yaml';

/**
 * The splices that put fixes into one YAML or JSON document. What stands in it stays, byte for byte; new keys go last in
 * their mapping, new entries last in their list, in the document's own style. Only where an alias or a merge key would
 * carry a fix to a place that is not meant, or away from one that is, its content is written out there.
 *
 * @param text the document; its root may stand indented
 * @throws InputError a document that cannot be edited so: the result is read again and compared before it is returned
 */
export function editDocument(text: string, fixes: readonly Fix[], where: string): Splice[] {
  const [root] = parseYaml(text, where);
  const value = root?.kind === 'mapping' ? valueOf(root) : null;
  const wanted = isObject(value) ? withFixes(value, fixes) : undefined;
  if (root?.kind !== 'mapping' || !isObject(value) || wanted === undefined)
    throw new InputError(`${where}: a fix has no place in it`);
  const splices = new Editor(text, root).edit(value, wanted);
  if (!isSame(reread(splice(text, splices), where), wanted))
    throw new InputError(
      `${where}: written in a way that cannot be edited without changing more; write it in plain block style`,
    );
  return splices;
}

function reread(text: string, where: string): YamlValue {
  try {
    const [root, ...more] = parseYaml(text, where);
    return root === undefined || more.length > 0 ? null : valueOf(root);
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

/** What is written: a value of ours, or a stretch of the document's own text, taken over as it stands. */
type Written = YamlValue | Verbatim | WrittenMapping | Written[];
class Verbatim {
  constructor(readonly text: string) {}
}
class WrittenMapping {
  constructor(readonly entries: readonly (readonly [string, Written])[]) {}
}

/** How a flow collection is written. */
interface FlowStyle {
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

interface CommentLines {
  readonly start: number;
  readonly end: number;
  readonly column: number;
  /** A comment on the token that follows at once. */
  readonly isAboveNext: boolean;
  /** Something further left follows at once. */
  readonly isAboveLower: boolean;
}

/** Anchor and tag. */
const PROPERTIES = /(?:[ \t]+(?:!<[^>\n]*>|[&!][^\s,{}[\]]*))*/y;
const ANCHOR = /(?<=\s)&\S+/;

class Editor {
  private readonly splices: Splice[] = [];
  /** Where an empty line is put in. */
  private readonly separated = new Set<number>();
  private readonly newline: string;
  private readonly style: BlockStyle;
  private readonly isJson: boolean;
  /** Whitespace behind a comma or colon; JSON may do without. */
  private readonly gap: string;
  /** What is wanted of each node at its own place, for the aliases that name it; undefined where there are none. */
  private readonly wantedAt: Map<YamlNode, YamlValue> | undefined;

  constructor(
    private readonly text: string,
    private readonly root: YamlMapping,
  ) {
    this.newline = text.includes('\r\n') ? '\r\n' : '\n';
    this.style = this.styleOf(root);
    const firstKey = root.entries[0]?.key;
    this.isJson = root.flow && firstKey !== undefined && text[firstKey.start] === '"';
    this.gap = this.isJson && /\S/.test(text[this.tokenAfter(firstKey?.end ?? 0) + 1] ?? '') ? '' : ' ';
    this.wantedAt = hasAlias(root) ? new Map() : undefined;
  }

  /**
   * @param value what the document holds
   * @param wanted the same with more in it; what is the same object in both is left alone
   */
  edit(value: YamlObject, wanted: YamlObject): Splice[] {
    if (this.wantedAt !== undefined) this.note(this.root, wanted, this.wantedAt);
    this.visit(this.root, value, wanted);
    return this.splices;
  }

  private note(node: YamlNode, wanted: YamlValue, wantedAt: Map<YamlNode, YamlValue>): void {
    wantedAt.set(node, wanted);
    if (node.kind === 'mapping' && isObject(wanted))
      for (const [name, field] of fieldsOf(node))
        if (field.own !== undefined) this.note(field.value, wanted[name] ?? null, wantedAt);
    if (node.kind === 'sequence' && Array.isArray(wanted))
      node.items.forEach((item, i) => {
        this.note(item, wanted[i] ?? null, wantedAt);
      });
  }

  /** What an alias of this node stands for once the document is edited. */
  private wantedOf(node: YamlNode): YamlValue {
    return this.wantedAt?.get(node) ?? valueOf(node);
  }

  private visit(node: YamlNode, value: YamlValue, wanted: YamlValue): void {
    if (value === wanted && this.wantedAt === undefined) return;
    switch (node.kind) {
      case 'alias':
        if (!isSame(this.wantedOf(node.target), wanted))
          this.replace(
            node.start,
            node.end,
            this.flow(this.expanded(node.target, wanted), this.oneLine(false)),
          );
        return;
      case 'scalar':
        return;
      case 'mapping':
        if (isObject(value) && isObject(wanted)) this.visitMapping(node, value, wanted);
        return;
      case 'sequence':
        if (Array.isArray(value) && Array.isArray(wanted)) this.visitSequence(node, value, wanted);
    }
  }

  private visitMapping(node: YamlMapping, value: YamlObject, wanted: YamlObject): void {
    const fields = fieldsOf(node);
    for (const [name, { own, value: child }] of fields) {
      if (own === undefined) continue;
      const childWanted = wanted[name] ?? null;
      if (isEmpty(child) && !isSame(value[name], childWanted)) this.fill(node, own, childWanted);
      else this.visit(child, value[name] ?? null, childWanted);
    }
    const merged = this.visitMerges(node, wanted);
    const added: (readonly [string, Written])[] = [];
    for (const [name, one] of Object.entries(wanted)) {
      const field = fields.get(name);
      if (field === undefined) {
        if (!isSame(merged[name], one)) added.push([name, one]);
      } else if (field.own === undefined && !isSame(merged[name], one))
        added.push([name, this.expanded(field.value, one)]);
    }
    if (added.length > 0) this.appendEntries(node, added);
  }

  /**
   * Writes out the sources of merge keys that are to bring more than is wanted here.
   *
   * @returns what the merge keys bring then
   */
  private visitMerges(node: YamlMapping, wanted: YamlObject): YamlObject {
    const merges = node.entries.filter(({ key }) => isMergeKey(key)).map(({ value }) => value);
    if (merges.length === 0) return {};
    const edited = this.mergedWith(merges, (source) => this.wantedOf(source));
    const isTooMuch = Object.keys(edited).some((name) => !(name in wanted));
    for (const merge of merges)
      for (const source of merge.kind === 'sequence' ? merge.items : [merge])
        if (isTooMuch || source.kind !== 'alias') this.visit(source, valueOf(source), valueOf(source));
    return isTooMuch ? this.mergedWith(merges, valueOf) : edited;
  }

  private mergedWith(merges: readonly YamlNode[], read: (source: YamlNode) => YamlValue): YamlObject {
    const merged = Object.create(null) as YamlObject;
    for (const merge of merges)
      for (const source of merge.kind === 'sequence' ? merge.items.toReversed() : [merge]) {
        const value = source.kind === 'alias' ? read(source.target) : valueOf(source);
        // An alias may name a list of sources.
        for (const one of Array.isArray(value) ? value.toReversed() : [value])
          if (isObject(one)) Object.assign(merged, one);
      }
    return merged;
  }

  private visitSequence(node: YamlSequence, value: readonly YamlValue[], wanted: readonly YamlValue[]): void {
    node.items.forEach((item, i) => {
      const itemWanted = wanted[i] ?? null;
      if (isEmpty(item) && !isSame(value[i], itemWanted)) this.fillItem(node, i, itemWanted);
      else this.visit(item, value[i] ?? null, itemWanted);
    });
    if (wanted.length > node.items.length) this.appendItems(node, wanted.slice(node.items.length));
  }

  /** A node's content, with what is wanted in it, to be written at another place. */
  private expanded(node: YamlNode, wanted: YamlValue): Written {
    switch (node.kind) {
      case 'alias':
        return this.expanded(node.target, wanted);
      case 'scalar':
        return isSame(scalarValue(node), wanted) ? this.verbatim(node) : wanted;
      case 'sequence':
        if (!Array.isArray(wanted)) return wanted;
        return wanted.map((one, i) => {
          const item = node.items[i];
          return item === undefined ? one : this.expanded(item, one);
        });
      case 'mapping': {
        if (!isObject(wanted)) return wanted;
        const fields = fieldsOf(node);
        return new WrittenMapping(
          Object.entries(wanted).map(([name, one]) => {
            const field = fields.get(name);
            return [name, field === undefined ? one : this.expanded(field.value, one)] as const;
          }),
        );
      }
    }
  }

  /** A scalar as it stands; what cannot stand in one line of flow style is quoted anew. */
  private verbatim(node: YamlScalar): Written {
    const source = this.text.slice(node.start, node.end);
    const isQuoted = !node.plain && /^['"]/.test(source);
    if (source === '' || source.includes('\n') || !(isQuoted || (node.plain && !/[,[\]{}]/.test(source))))
      return scalarValue(node);
    return new Verbatim(node.tag === undefined ? source : `${node.tag} ${source}`);
  }

  /** Puts a value where a key has none: nothing, `null`, `{}` or `[]`. */
  private fill(mapping: YamlMapping, { key, value }: YamlEntry, wanted: YamlValue): void {
    const colon = this.tokenAfter(key.end);
    if (this.text[colon] !== ':') {
      // `{a, b}` has keys without a colon.
      this.replace(key.end, key.end, `: ${this.flow(wanted, nested(this.flowStyle(mapping)))}`);
      return;
    }
    const behind = colon + 1;
    const indent = this.columnOf(mapping) + (Array.isArray(wanted) ? this.listIndent : this.step);
    // kpt knows a comment behind `{}` as that of the value, and behind a bare key as that of the key.
    const isCommented = !isMissing(value) && this.text[this.blanksFrom(value.end)] === '#';
    const isFlow = mapping.flow || isCommented || !isCollection(wanted);
    const block = isFlow ? undefined : this.block(wanted, indent);
    this.fillBehind(behind, value, wanted, nested(this.flowStyle(mapping)), block);
  }

  private fillItem(sequence: YamlSequence, i: number, wanted: YamlValue): void {
    const item = sequence.items[i];
    if (item === undefined) return;
    const style = nested(this.flowStyle(sequence));
    if (!isMissing(item)) {
      if (!isTagged(item)) this.fillBehind(item.start, item, wanted, style);
      return;
    }
    const dash = this.dashOf(sequence, i);
    if (this.text[dash] === '-') this.fillBehind(dash + 1, item, wanted, style);
  }

  /**
   * Writes a value in the place of an empty one.
   *
   * @param from behind the colon or dash
   * @param block the lines that go below instead; undefined where it is written in flow style
   */
  private fillBehind(
    from: number,
    value: YamlNode,
    wanted: YamlValue,
    style: FlowStyle,
    block?: readonly string[],
  ): void {
    const behind = this.behindProperties(from);
    const properties = this.text.slice(from, behind);
    const [start, end] = isMissing(value) ? [behind, behind] : [value.start, value.end];
    const anchor = ANCHOR.exec(properties)?.[0];
    const kept = anchor === undefined ? '' : ` ${anchor}`;
    // An empty collection over several lines, or below its key, may have comments around it: it stays where it is.
    if (this.text.slice(behind, end).includes('\n')) {
      if (value.kind !== 'scalar') this.visit(value, valueOf(value), wanted);
      else if (!isTagged(value)) this.replace(start, end, this.flow(wanted, style));
    } else if (block !== undefined) {
      if (end > from) this.replace(from, end, kept);
      this.insertLines(endOfLine(this.text, end), block);
    } else {
      const text = this.flow(wanted, style);
      if (properties === '' && end > start) this.replace(start, end, text);
      else this.replace(from, end, `${kept}${kept === '' ? style.gap : ' '}${text}`);
    }
  }

  private appendEntries(node: YamlMapping, added: readonly (readonly [string, Written])[]): void {
    if (node.flow) {
      const style = this.flowStyle(node);
      this.appendToFlow(
        node,
        added.map(([key, value]) => this.flowEntry(key, value, nested(style))),
      );
      return;
    }
    this.insertBehind(node, this.block(new WrittenMapping(added), this.columnOf(node)));
  }

  private appendItems(node: YamlSequence, added: readonly YamlValue[]): void {
    if (node.flow) {
      const style = nested(this.flowStyle(node));
      this.appendToFlow(
        node,
        added.map((value) => this.flow(value, style)),
      );
      return;
    }
    this.insertBehind(node, this.block([...added], this.columnOf(node)));
  }

  private appendToFlow(collection: YamlMapping | YamlSequence, added: readonly string[]): void {
    const { gap, lines } = this.flowStyle(collection);
    const end = collection.kind === 'mapping' ? collection.entries.at(-1) : collection.items.at(-1);
    if (end === undefined) {
      const inside = collection.start + 1;
      this.replace(inside, inside, added.join(`,${gap}`));
      return;
    }
    const last = 'key' in end ? end.value : end;
    const at = !isMissing(last) ? last.end : 'key' in end ? this.endOfBare(end) : collection.end - 1;
    const separator = lines === undefined ? `,${gap}` : `,${this.newline}${lines.indent}${lines.step}`;
    this.replace(at, at, added.map((one) => separator + one).join(''));
  }

  /** Where an entry of a flow mapping ends that has no value: before the comma or bracket, as in `{a: , }`. */
  private endOfBare({ key }: YamlEntry): number {
    const colon = this.tokenAfter(key.end);
    return this.text[colon] === ':' ? this.tokenAfter(this.behindProperties(colon + 1)) : colon;
  }

  /** Behind anchor and tag, where they stand between a colon or dash and its value. */
  private behindProperties(from: number): number {
    PROPERTIES.lastIndex = from;
    return from + (PROPERTIES.exec(this.text)?.[0].length ?? 0);
  }

  private replace(start: number, end: number, text: string): void {
    this.splices.push({ start, end, text });
  }

  private insertLines(at: number, lines: readonly string[]): void {
    const isLineStart = at === 0 || this.text[at - 1] === '\n';
    const text = lines.join(this.newline);
    this.replace(at, at, isLineStart ? text + this.newline : this.newline + text);
  }

  /**
   * Puts lines behind a block collection and the comments under it that are its own. kpt gives each node the comments
   * back that it came with, so that one which moves to another node is there twice. To its reader, yaml.v3, a comment
   * stays with the node above it where an empty line follows.
   */
  private insertBehind(node: YamlMapping | YamlSequence, lines: readonly string[]): void {
    const column = this.columnOf(node);
    const from = endOfLine(this.text, this.endOf(node));
    let at = from;
    for (let group = this.commentsAt(from); group !== undefined; group = this.commentsAt(group.end)) {
      const isOfLastValue = at === from && group.start === from && group.isAboveLower;
      if (group.isAboveNext || (group.column < column && !isOfLastValue)) break;
      at = group.end;
    }
    this.insertLines(at, at === from || this.separated.has(at) ? lines : ['', ...lines]);
    const rest = this.commentsAt(at);
    if (rest?.start === at && rest.isAboveLower && !this.separated.has(rest.end)) {
      this.separated.add(rest.end);
      this.replace(rest.end, rest.end, this.newline);
    }
  }

  /** The next comment lines, down to one further left, an empty line, or the next token. */
  private commentsAt(from: number): CommentLines | undefined {
    let start = from;
    while (start < this.text.length && this.lineColumn(start) === undefined)
      start = endOfLine(this.text, start + 1);
    const column = this.lineColumn(start);
    if (column === undefined || this.text[start + column] !== '#') return undefined;
    let end = start;
    let next: number | undefined = column;
    while (next !== undefined && next >= column && this.text[end + next] === '#') {
      end = endOfLine(this.text, end + 1);
      next = this.lineColumn(end);
    }
    return {
      start,
      end,
      column,
      isAboveNext: next !== undefined && next >= column,
      isAboveLower: next !== undefined && next < column,
    };
  }

  /** The column of the first character of a line; undefined for an empty one, and behind the last. */
  private lineColumn(start: number): number | undefined {
    const column = this.text.slice(start, endOfLine(this.text, start + 1)).search(/\S/);
    return column === -1 ? undefined : column;
  }

  private blanksFrom(offset: number): number {
    let at = offset;
    while (this.text[at] === ' ' || this.text[at] === '\t') at++;
    return at;
  }

  /** Where the next token starts: blanks and comments are none. */
  private tokenAfter(offset: number): number {
    let at = offset;
    for (; at < this.text.length; at++) {
      const c = this.text[at] ?? '';
      if (c === '#' && /\s/.test(this.text[at - 1] ?? ' ')) at = endOfLine(this.text, at) - 1;
      else if (!/\s/.test(c)) break;
    }
    return at;
  }

  private dashOf(sequence: YamlSequence, i: number): number {
    const before = sequence.items[i - 1];
    if (before === undefined) return sequence.start;
    return this.tokenAfter(isMissing(before) ? this.dashOf(sequence, i - 1) + 1 : this.endOf(before));
  }

  /** Where a node's text ends, also where its last value is missing. */
  private endOf(node: YamlNode): number {
    if (node.kind === 'scalar' || node.kind === 'alias' || node.flow) return node.end;
    if (node.kind === 'sequence') {
      const last = node.items.at(-1);
      if (last === undefined) return node.end;
      return isMissing(last) ? this.dashOf(node, node.items.length - 1) + 1 : this.endOf(last);
    }
    const last = node.entries.at(-1);
    if (last === undefined) return node.end;
    if (!isMissing(last.value)) return this.endOf(last.value);
    const colon = this.tokenAfter(last.key.end);
    return this.text[colon] === ':' ? colon + 1 : last.key.end;
  }

  /** Lines of block style, without line ends. */
  private block(value: Written, column: number): string[] {
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

  private flow(value: Written, style: FlowStyle): string {
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

  private flowEntry(key: string, value: Written, style: FlowStyle): string {
    return `${this.scalar(key, style.json)}:${style.gap}${this.flow(value, style)}`;
  }

  private enclosed(brackets: string, parts: readonly string[], { gap, lines }: FlowStyle): string {
    const [opening = '', closing = ''] = brackets;
    if (lines === undefined || parts.length === 0) return opening + parts.join(`,${gap}`) + closing;
    const outer = this.newline + lines.indent;
    return opening + parts.map((part) => outer + lines.step + part).join(',') + outer + closing;
  }

  private oneLine(json: boolean): FlowStyle {
    return { json, gap: json ? this.gap : ' ' };
  }

  private flowStyle(collection: YamlMapping | YamlSequence): FlowStyle {
    const first = collection.kind === 'mapping' ? collection.entries[0]?.key : collection.items[0];
    if (!collection.flow || first === undefined) return this.oneLine(this.isJson);
    const json = this.isJson || (collection.kind === 'mapping' && this.text[first.start] === '"');
    const style = this.oneLine(json);
    const entry = this.indentBefore(first.start);
    if (entry === undefined || this.lineIndent(collection.start).length > entry.length) return style;
    const indent = this.lineIndent(collection.start);
    return { ...style, lines: { indent, step: entry.slice(indent.length) } };
  }

  /** The whitespace before the first token of a line; undefined for another. */
  private indentBefore(offset: number): string | undefined {
    const indent = /[ \t]*$/.exec(this.text.slice(Math.max(0, offset - MAX_INDENT), offset))?.[0] ?? '';
    return this.text[offset - indent.length - 1] === '\n' ? indent : undefined;
  }

  private lineIndent(offset: number): string {
    const start = startOfLine(this.text, offset);
    return /^[ \t]*/.exec(this.text.slice(start, start + MAX_INDENT))?.[0] ?? '';
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

  private get step(): number {
    return this.style.step ?? 2;
  }

  private get listIndent(): number {
    return this.style.listIndent ?? 0;
  }

  /** The column of a block collection. */
  private columnOf({ start }: YamlMapping | YamlSequence): number {
    const before = this.text.slice(startOfLine(this.text, start), start);
    // Behind the anchor of a first key the parser starts its mapping at the tag.
    return before.replace(/(?<=^|\s)(?:[&!]\S*[ \t]+)+$/, '').length;
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
          style[name] ??= this.columnOf(value) - this.columnOf(node);
        }
        look(value);
      }
    };
    look(root);
    return style;
  }
}

/** Whitespace to look at before a token: deeper nesting than any reader allows. */
const MAX_INDENT = 4096;

/** The style of what stands in a collection. */
function nested(style: FlowStyle): FlowStyle {
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

/** Where a mapping has the value of a key from. */
interface Field {
  readonly value: YamlNode;
  /** Undefined where a merge key brings it. */
  readonly own: YamlEntry | undefined;
}

/** As `valueOf` reads them: of two equal keys the last wins, also where a merge key brings one of them. */
function fieldsOf(node: YamlMapping): Map<string, Field> {
  const fields = new Map<string, Field>();
  for (const entry of node.entries) {
    if (!isMergeKey(entry.key)) fields.set(keyText(entry.key), { value: entry.value, own: entry });
    else
      for (const source of sourcesOf(entry.value).toReversed())
        for (const [name, { value }] of fieldsOf(source)) fields.set(name, { value, own: undefined });
  }
  return fields;
}

function sourcesOf(node: YamlNode): YamlMapping[] {
  if (node.kind === 'alias') return sourcesOf(node.target);
  if (node.kind === 'sequence') return node.items.flatMap(sourcesOf);
  return node.kind === 'mapping' ? [node] : [];
}

function hasAlias(node: YamlNode): boolean {
  switch (node.kind) {
    case 'alias':
      return true;
    case 'scalar':
      return false;
    case 'mapping':
      return node.entries.some(({ value }) => hasAlias(value));
    case 'sequence':
      return node.items.some(hasAlias);
  }
}

function isEmpty(node: YamlNode): boolean {
  if (node.kind === 'mapping') return node.entries.length === 0;
  if (node.kind === 'sequence') return node.items.length === 0;
  return node.kind === 'scalar' && scalarValue(node) === null;
}

/** `!!null`, say, which nothing else may follow. */
function isTagged(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.tag !== undefined;
}

/** A value that no character stands for. */
function isMissing(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.plain && node.start === node.end;
}

function entriesOf(value: Written): readonly (readonly [string, Written])[] {
  if (value instanceof WrittenMapping) return value.entries;
  return isObject(value) ? Object.entries(value) : [];
}

/** What block style writes on lines of its own. */
function isCollection(value: Written): value is WrittenMapping | Written[] {
  if (value instanceof Verbatim) return false;
  if (Array.isArray(value)) return value.length > 0;
  return entriesOf(value).length > 0;
}
