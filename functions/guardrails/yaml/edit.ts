import { InputError } from '../errors';
import { message } from '../message';
import { appendToFlow, insertLines, removeEntries } from './entries';
import { type Fix, byFirstStep, withFixes } from './field-path';
import { Layout, isMissing } from './layout';
import type { YamlEntry, YamlMapping, YamlNode, YamlScalar, YamlSequence } from './nodes';
import { parseYaml } from './parse';
import { type Splice, endOfLine, isLineStart, splice } from './text';
import {
  type YamlObject,
  type YamlValue,
  fieldsOf,
  isMergeKey,
  isObject,
  isSame,
  scalarValue,
  valueOf,
} from './value';
import {
  type FlowStyle,
  Verbatim,
  Writer,
  type Written,
  WrittenMapping,
  flowStyleOf,
  isCollection,
  nested,
  styleOf,
} from './writer';

/** An entry to remove from the list at a key of the root. */
export interface Removal {
  readonly list: string;
  readonly index: number;
}

/** A change of one document. */
export type Edit = readonly Fix[] | Removal;

/**
 * The splices that edit one YAML or JSON document. Its other bytes stay. New keys go last in their mapping, new entries
 * last in their list, in the style of the document. An alias or a merge key is replaced with its content only if the
 * edit would otherwise change a place that it must not change, or miss one that it must change. A list whose only
 * entry is removed goes with its key.
 *
 * @param text the document; its root may be indented
 * @throws InputError a document that cannot be edited in this way: the result is parsed again and compared
 */
export function editDocument(text: string, edit: Edit, where: string): Splice[] {
  const [root] = parseYaml(text, where);
  const value = root?.kind === 'mapping' ? valueOf(root) : null;
  if (root?.kind !== 'mapping' || !isObject(value)) throw new InputError(message`${where}: not a mapping`);
  const wanted = withEdit(value, edit);
  if (wanted === undefined)
    throw new InputError(message`${where}: a fix would replace a value; edit the file by hand`);
  const splices =
    'list' in edit ? removal(text, root, edit) : new Editor(text, root).edit(value, wanted, edit);
  if (isSame(reread(splice(text, splices), where), wanted)) return splices;
  throw new InputError(
    'list' in edit
      ? message`${where}: entry ${edit.index + 1} of ${edit.list} is no longer needed, but cannot be removed automatically; remove it by hand`
      : message`${where}: the document cannot be edited without changing other parts of it; write it in plain block style`,
  );
}

/** The value of a document after an edit; undefined if a fix would replace a value. */
export function withEdit(value: YamlObject, edit: Edit): YamlObject | undefined {
  if (!('list' in edit)) return withFixes(value, edit);
  const fields = Object.entries(value).flatMap(([key, field]) => {
    if (key !== edit.list || !Array.isArray(field)) return [[key, field] as const];
    return field.length > 1 ? [[key, field.toSpliced(edit.index, 1)] as const] : [];
  });
  return Object.assign(Object.create(null) as YamlObject, Object.fromEntries(fields));
}

function removal(text: string, root: YamlMapping, { list, index }: Removal): Splice[] {
  const entry = fieldsOf(root).get(list)?.own;
  if (entry?.value.kind !== 'sequence') return [];
  return entry.value.items.length > 1
    ? removeEntries(text, entry.value, new Set([index]))
    : removeEntries(text, root, new Set([root.entries.indexOf(entry)]));
}

function reread(text: string, where: string): YamlValue {
  try {
    const [root = null, ...more] = parseYaml(text, where);
    return more.length > 0 ? null : valueOf(root);
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

const ANCHOR = /(?<=\s)&\S+/;

class Editor {
  private readonly splices: Splice[] = [];
  /** Offsets at which an empty line is inserted. */
  private readonly separated = new Set<number>();
  private readonly layout: Layout;
  private readonly writer: Writer;
  /** The wanted value of each node, for the aliases of it; undefined in a document without aliases. */
  private readonly wantedAt: Map<YamlNode, YamlValue> | undefined;

  constructor(
    private readonly text: string,
    private readonly root: YamlMapping,
  ) {
    this.layout = new Layout(text);
    this.writer = new Writer(styleOf(text, root, this.layout));
    this.wantedAt = hasAlias(root) ? new Map() : undefined;
  }

  /**
   * @param value the value of the document
   * @param wanted the value with the fixes
   */
  edit(value: YamlObject, wanted: YamlObject, fixes: readonly Fix[]): Splice[] {
    if (this.wantedAt !== undefined) this.note(this.root, wanted, this.wantedAt);
    this.visit(this.root, value, wanted, fixes);
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

  /** The value of an alias of this node after the edit. */
  private wantedOf(node: YamlNode): YamlValue {
    return this.wantedAt?.get(node) ?? valueOf(node);
  }

  /** @param fixes those of this node; with aliases in the document, nodes without fixes may change too */
  private visit(node: YamlNode, value: YamlValue, wanted: YamlValue, fixes: readonly Fix[] = []): void {
    if (fixes.length === 0 && this.wantedAt === undefined) return;
    switch (node.kind) {
      case 'alias':
        if (!isSame(this.wantedOf(node.target), wanted))
          this.replace(
            node.start,
            node.end,
            this.writer.flow(this.expanded(node.target, wanted), this.writer.oneLine(false)),
          );
        return;
      case 'scalar':
        return;
      case 'mapping':
        if (isObject(value) && isObject(wanted)) this.visitMapping(node, value, wanted, byFirstStep(fixes));
        return;
      case 'sequence':
        if (Array.isArray(value) && Array.isArray(wanted))
          this.visitSequence(node, value, wanted, byFirstStep(fixes));
    }
  }

  private visitMapping(
    node: YamlMapping,
    value: YamlObject,
    wanted: YamlObject,
    fixes: ReadonlyMap<string | number, readonly Fix[]>,
  ): void {
    const fields = fieldsOf(node);
    for (const [name, { own, value: child }] of fields) {
      if (own === undefined) continue;
      const childWanted = wanted[name] ?? null;
      if (isEmpty(child) && !isSame(value[name], childWanted)) this.fill(node, own, childWanted);
      else this.visit(child, value[name] ?? null, childWanted, fixes.get(name));
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
   * Replaces the sources of merge keys with their content if they would add more than is wanted here.
   *
   * @returns what the merge keys add after that
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

  private visitSequence(
    node: YamlSequence,
    value: readonly YamlValue[],
    wanted: readonly YamlValue[],
    fixes: ReadonlyMap<string | number, readonly Fix[]>,
  ): void {
    node.items.forEach((item, i) => {
      const itemWanted = wanted[i] ?? null;
      if (isEmpty(item) && !isSame(value[i], itemWanted)) this.fillItem(node, i, itemWanted);
      else this.visit(item, value[i] ?? null, itemWanted, fixes.get(i));
    });
    if (wanted.length > node.items.length) this.appendItems(node, wanted.slice(node.items.length));
  }

  /** The content of a node with its wanted value, for another place. */
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

  /** The text of a scalar; its value if the text is not allowed on one line of flow style. */
  private verbatim(node: YamlScalar): Written {
    const source = this.text.slice(node.start, node.end);
    const isQuoted = !node.plain && /^['"]/.test(source);
    if (source === '' || source.includes('\n') || !(isQuoted || (node.plain && !/[,[\]{}]/.test(source))))
      return scalarValue(node);
    return new Verbatim(node.tag === undefined ? source : `${node.tag} ${source}`);
  }

  /** Sets the value of a key that has none: nothing, `null`, `{}` or `[]`. */
  private fill(mapping: YamlMapping, { key, value }: YamlEntry, wanted: YamlValue): void {
    const colon = this.layout.tokenAfter(key.end);
    if (this.text[colon] !== ':') {
      // `{a, b}` has keys without a colon.
      this.replace(key.end, key.end, `: ${this.writer.flow(wanted, nested(this.flowStyle(mapping)))}`);
      return;
    }
    const indent =
      this.layout.columnOf(mapping) +
      (Array.isArray(wanted) ? this.writer.style.listIndent : this.writer.style.step);
    // To kpt, a comment after `{}` belongs to the value, and a comment after a bare key to the key.
    const isCommented = !isMissing(value) && this.text[this.layout.blanksFrom(value.end)] === '#';
    const isFlow = mapping.flow || isCommented || !isCollection(wanted);
    const block = isFlow ? undefined : this.writer.block(wanted, indent);
    this.fillAfter(colon + 1, value, wanted, nested(this.flowStyle(mapping)), block);
  }

  private fillItem(sequence: YamlSequence, i: number, wanted: YamlValue): void {
    const item = sequence.items[i];
    if (item === undefined) return;
    const style = nested(this.flowStyle(sequence));
    if (!isMissing(item)) {
      if (!isTagged(item)) this.fillAfter(item.start, item, wanted, style);
      return;
    }
    const dash = this.layout.startOfEntry(sequence, i);
    if (this.text[dash] === '-') this.fillAfter(dash + 1, item, wanted, style);
  }

  /**
   * Replaces an empty value.
   *
   * @param from the offset after the colon or dash
   * @param block the lines to write below instead; undefined for flow style
   */
  private fillAfter(
    from: number,
    value: YamlNode,
    wanted: YamlValue,
    style: FlowStyle,
    block?: readonly string[],
  ): void {
    const after = this.layout.afterProperties(from);
    const properties = this.text.slice(from, after);
    const [start, end] = isMissing(value) ? [after, after] : [value.start, value.end];
    const anchor = ANCHOR.exec(properties)?.[0];
    const kept = anchor === undefined ? '' : ` ${anchor}`;
    // An empty collection on several lines, or below its key, may have comments around it: keep its place.
    if (this.text.slice(after, end).includes('\n')) {
      if (value.kind === 'mapping' && isObject(wanted)) this.appendEntries(value, Object.entries(wanted));
      if (value.kind === 'sequence' && Array.isArray(wanted)) this.appendItems(value, wanted);
      if (value.kind === 'scalar' && !isTagged(value))
        this.replace(start, end, this.writer.flow(wanted, style));
    } else if (block !== undefined) {
      if (end > from) this.replace(from, end, kept);
      this.insertLines(endOfLine(this.text, end), block);
    } else {
      const text = this.writer.flow(wanted, style);
      if (properties === '' && end > start) this.replace(start, end, text);
      else this.replace(from, end, `${kept}${kept === '' ? style.gap : ' '}${text}`);
    }
  }

  private appendEntries(node: YamlMapping, added: readonly (readonly [string, Written])[]): void {
    if (node.flow) {
      const style = this.flowStyle(node);
      this.appendToFlow(
        node,
        added.map(([key, value]) => this.writer.flowEntry(key, value, nested(style))),
      );
      return;
    }
    this.insertAfter(node, this.writer.block(new WrittenMapping(added), this.layout.columnOf(node)));
  }

  private appendItems(node: YamlSequence, added: readonly YamlValue[]): void {
    if (node.flow) {
      const style = nested(this.flowStyle(node));
      this.appendToFlow(
        node,
        added.map((value) => this.writer.flow(value, style)),
      );
      return;
    }
    this.insertAfter(node, this.writer.block([...added], this.layout.columnOf(node)));
  }

  private appendToFlow(collection: YamlMapping | YamlSequence, added: readonly string[]): void {
    const { gap, lines } = this.flowStyle(collection);
    const separator =
      lines === undefined ? `,${gap}` : `,${this.writer.style.newline}${lines.indent}${lines.step}`;
    this.splices.push(appendToFlow(this.text, collection, added, separator));
  }

  private flowStyle(collection: YamlMapping | YamlSequence): FlowStyle {
    return flowStyleOf(this.text, collection, this.layout, this.writer);
  }

  private replace(start: number, end: number, text: string): void {
    this.splices.push({ start, end, text });
  }

  private insertLines(at: number, lines: readonly string[]): void {
    const { newline } = this.writer.style;
    // A text without a line end at its end gets none.
    const end = isLineStart(this.text, at) ? newline : '';
    this.splices.push(insertLines(this.text, at, lines.join(newline) + end, newline));
  }

  /**
   * Inserts lines after a block collection and the comments that belong to it. kpt restores the comments of each node,
   * so that a comment that moves to another node would appear twice. To its reader, yaml.v3, a comment belongs to the
   * node above it if an empty line follows.
   */
  private insertAfter(node: YamlMapping | YamlSequence, lines: readonly string[]): void {
    const column = this.layout.columnOf(node);
    const from = endOfLine(this.text, this.layout.endOf(node));
    let at = from;
    for (
      let group = this.layout.commentsAt(from);
      group !== undefined;
      group = this.layout.commentsAt(group.end)
    ) {
      const isOfLastValue = at === from && group.start === from && group.isAboveLower;
      if (group.isAboveNext || (group.column < column && !isOfLastValue)) break;
      at = group.end;
    }
    this.insertLines(at, at === from || this.separated.has(at) ? lines : ['', ...lines]);
    const rest = this.layout.commentsAt(at);
    if (rest?.start === at && rest.isAboveLower && !this.separated.has(rest.end)) {
      this.separated.add(rest.end);
      this.replace(rest.end, rest.end, this.writer.style.newline);
    }
  }
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

/** Whether a scalar has a tag, such as `!!null`, which is wrong for another value. */
function isTagged(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.tag !== undefined;
}
