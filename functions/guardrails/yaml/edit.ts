import { InputError } from '../errors';
import { message } from '../message';
import { type Fix, byFirstStep, formatPath, withFixes } from './field-path';
import { type Collection, Layout, appendToFlow, insertLines, isMissing, removeEntries } from './layout';
import type { YamlMapping, YamlNode, YamlScalar, YamlSequence } from './nodes';
import { ifValid, parseYaml } from './parse';
import { type Splice, endOfLine, isLineStart, splice } from './text';
import type { YamlObject, YamlValue } from './value';
import { fieldsOf, isMergeKey, isObject, isSame, mappingOf, scalarValue, valueOf } from './value';
import type { FlowStyle, Written } from './writer';
import { ONE_LINE, Verbatim, Writer, isCollection, nested, styleOf } from './writer';

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
  if (root?.kind !== 'mapping' || !isObject(value))
    throw new InputError(message`${where}: the document is not a mapping; write it as keys with values`);
  const wanted = withEdit(value, edit);
  if (wanted === undefined) {
    const fields = 'list' in edit ? edit.list : edit.map(({ path }) => formatPath(path)).join(', ');
    throw new InputError(
      message`${where}: ${fields} cannot be set without replacing an existing value; set the fields by hand`,
    );
  }
  const splices = 'list' in edit ? removal(text, root, edit) : new Editor(text, root).edit(wanted, edit);
  if (isSame(reread(splice(text, splices)), wanted)) return splices;
  throw new InputError(
    'list' in edit
      ? message`${where}: entry ${edit.index + 1} of ${edit.list} is obsolete and cannot be removed automatically; remove it by hand`
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
  return mappingOf(Object.fromEntries(fields));
}

function removal(text: string, root: YamlMapping, { list, index }: Removal): Splice[] {
  const entry = fieldsOf(root).get(list)?.own;
  if (entry?.value.kind !== 'sequence') return [];
  const { items } = entry.value;
  return items.length > 1
    ? removeEntries(text, entry.value, items.slice(index, index + 1))
    : removeEntries(text, root, [entry]);
}

/** The value of an edited document; undefined if the edit made it invalid, or more than one document. */
function reread(text: string): YamlValue | undefined {
  const values = ifValid(() => parseYaml(text, '').map(valueOf)) ?? [];
  return values.length === 1 ? values[0] : undefined;
}

/** A node without entries, or a null. */
type EmptyNode = YamlMapping | YamlSequence | YamlScalar;

class Editor {
  private readonly splices: Splice[] = [];
  /** Offsets at which an empty line is inserted. */
  private readonly separated = new Set<number>();
  private readonly layout: Layout;
  private readonly writer: Writer;
  /** The wanted value of each node, for the aliases of it. Empty in a document without aliases. */
  private readonly wantedAt = new Map<YamlNode, YamlValue>();

  constructor(
    private readonly text: string,
    private readonly root: YamlMapping,
  ) {
    this.layout = new Layout(text);
    this.writer = new Writer(styleOf(text, root, this.layout));
  }

  /** @param wanted the value of the document with the fixes */
  edit(wanted: YamlObject, fixes: readonly Fix[]): Splice[] {
    if (this.text.includes('*')) this.note(this.root, wanted);
    this.visit(this.root, wanted, fixes);
    return this.splices;
  }

  private note(node: YamlNode, wanted: YamlValue): void {
    this.wantedAt.set(node, wanted);
    if (node.kind === 'mapping' && isObject(wanted))
      for (const [name, field] of fieldsOf(node))
        if (field.own !== undefined) this.note(field.value, wanted[name] ?? null);
    if (node.kind === 'sequence' && Array.isArray(wanted))
      for (const [i, item] of node.items.entries()) this.note(item, wanted[i] ?? null);
  }

  /** The value of an alias of this node after the edit. */
  private wantedOf(node: YamlNode): YamlValue {
    return this.wantedAt.get(node) ?? valueOf(node);
  }

  /** @param fixes those of this node; with aliases in the document, nodes without fixes may change too */
  private visit(node: YamlNode, wanted: YamlValue, fixes: readonly Fix[] = []): void {
    if (fixes.length === 0 && this.wantedAt.size === 0) return;
    if (node.kind === 'alias' && !isSame(this.wantedOf(node.target), wanted))
      this.replace(node.start, node.end, this.writer.flow(this.expanded(node.target, wanted), ONE_LINE));
    if (node.kind === 'mapping' && isObject(wanted)) this.visitMapping(node, wanted, fixes);
    if (node.kind === 'sequence' && Array.isArray(wanted)) this.visitSequence(node, wanted, fixes);
  }

  private visitMapping(node: YamlMapping, wanted: YamlObject, fixes: readonly Fix[]): void {
    const fields = fieldsOf(node);
    const fixesBelow = byFirstStep(fixes);
    for (const [name, { own, value }] of fields) {
      if (own === undefined) continue;
      const child = wanted[name] ?? null;
      if (isEmpty(value) && !isSame(valueOf(value), child)) this.fill(node, own.key, value, child);
      else this.visit(value, child, fixesBelow.get(name));
    }
    const merged = this.visitMerges(node, wanted);
    const added = Object.entries(wanted).flatMap(([name, child]): [string, Written][] => {
      const field = fields.get(name);
      if (field?.own !== undefined || isSame(merged[name], child)) return [];
      return [[name, this.expanded(field?.value, child)]];
    });
    if (added.length > 0) this.append(node, new Map(added));
  }

  /**
   * Replaces the sources of merge keys with their content if they would add more than is wanted here.
   *
   * @returns what the merge keys add after that
   */
  private visitMerges(node: YamlMapping, wanted: YamlObject): YamlObject {
    const merges = node.entries.filter(({ key }) => isMergeKey(key)).map(({ value }) => value);
    if (merges.length === 0) return {};
    const edited = mergedWith(merges, (source) => this.wantedOf(source));
    const isTooMuch = Object.keys(edited).some((name) => !(name in wanted));
    for (const merge of merges)
      for (const source of merge.kind === 'sequence' ? merge.items : [merge])
        if (isTooMuch || source.kind !== 'alias') this.visit(source, valueOf(source));
    return isTooMuch ? mergedWith(merges, valueOf) : edited;
  }

  private visitSequence(node: YamlSequence, wanted: readonly YamlValue[], fixes: readonly Fix[]): void {
    const fixesBelow = byFirstStep(fixes);
    for (const [i, item] of node.items.entries()) {
      const child = wanted[i] ?? null;
      if (isEmpty(item) && !isSame(valueOf(item), child)) this.fillItem(node, i, item, child);
      else this.visit(item, child, fixesBelow.get(i));
    }
    if (wanted.length > node.items.length) this.append(node, wanted.slice(node.items.length));
  }

  /** The content of a node with its wanted value, for another place. */
  private expanded(node: YamlNode | undefined, wanted: YamlValue): Written {
    if (node?.kind === 'alias') return this.expanded(node.target, wanted);
    if (node?.kind === 'scalar' && isSame(scalarValue(node), wanted)) return this.verbatim(node);
    if (node?.kind === 'sequence' && Array.isArray(wanted))
      return wanted.map((one, i) => this.expanded(node.items[i], one));
    if (node?.kind !== 'mapping' || !isObject(wanted)) return wanted;
    const fields = fieldsOf(node);
    const entries = Object.entries(wanted);
    return new Map(entries.map(([name, one]) => [name, this.expanded(fields.get(name)?.value, one)]));
  }

  /** The text of a scalar; its value if the text is not allowed on one line of flow style. */
  private verbatim(node: YamlScalar): Written {
    const source = this.text.slice(node.start, node.end);
    const isAllowed = node.plain ? !/[,[\]{}]/.test(source) : /^['"]/.test(source);
    if (source === '' || source.includes('\n') || !isAllowed) return scalarValue(node);
    return new Verbatim(node.tag === undefined ? source : `${node.tag} ${source}`);
  }

  /** Sets the value of a key whose value is missing, `null`, `{}` or `[]`. */
  private fill(mapping: YamlMapping, key: YamlNode, value: EmptyNode, wanted: YamlValue): void {
    const colon = this.layout.tokenAfter(key.end);
    if (this.text[colon] !== ':') {
      // `{a, b}` has keys without a colon.
      this.replace(key.end, key.end, `: ${this.writer.flow(wanted, nested(this.flowStyle(mapping)))}`);
      return;
    }
    // To kpt, a comment after `{}` belongs to the value, and a comment after a bare key to the key.
    const isCommented = !isMissing(value) && /^[ \t]*#/.test(this.text.slice(value.end));
    const isFlow = mapping.flow || isCommented || !isCollection(wanted);
    const { listIndent, step } = this.writer.style;
    const indent = Array.isArray(wanted) ? listIndent : step;
    const block = isFlow ? undefined : this.writer.block(wanted, this.layout.columnOf(mapping) + indent);
    this.fillAfter(colon + 1, value, wanted, nested(this.flowStyle(mapping)), block);
  }

  /** Sets an empty item. One with a tag stays: a tag such as `!!null` is wrong for another value. */
  private fillItem(sequence: YamlSequence, i: number, item: EmptyNode, wanted: YamlValue): void {
    const from = isMissing(item) ? this.layout.startOfEntry(sequence, i) + 1 : item.start;
    const isFillable = isMissing(item) ? this.text[from - 1] === '-' : item.kind !== 'scalar' || !item.tag;
    if (isFillable) this.fillAfter(from, item, wanted, nested(this.flowStyle(sequence)));
  }

  /**
   * Replaces an empty value.
   *
   * @param from the offset after the colon or dash
   * @param block the lines to write below instead; undefined for flow style
   */
  private fillAfter(
    from: number,
    value: EmptyNode,
    wanted: YamlValue,
    style: FlowStyle,
    block?: readonly string[],
  ): void {
    const after = this.layout.afterProperties(from);
    const [start, end] = isMissing(value) ? [after, after] : [value.start, value.end];
    const properties = this.text.slice(from, after);
    const anchor = /(?<=\s)&\S+/.exec(properties)?.[0];
    const kept = anchor === undefined ? '' : ` ${anchor}`;
    // An empty collection on several lines, or below its key, may have comments around it: keep its place.
    if (this.text.slice(after, end).includes('\n')) {
      if (value.kind !== 'scalar') this.append(value, wanted);
      else if (!value.tag) this.replace(start, end, this.writer.flow(wanted, style));
    } else if (block !== undefined) {
      if (end > from) this.replace(from, end, kept);
      this.insertLines(endOfLine(this.text, end), block);
    } else {
      const text = this.writer.flow(wanted, style);
      if (properties === '' && end > start) this.replace(start, end, text);
      else this.replace(from, end, `${kept}${kept === '' ? style.gap : ' '}${text}`);
    }
  }

  /** Adds entries at the end of a collection. */
  private append(node: Collection, added: Written): void {
    if (!node.flow) {
      this.insertAfter(node, this.writer.block(added, this.layout.columnOf(node)));
      return;
    }
    const style = this.flowStyle(node);
    const entries = this.writer.flowEntries(added, nested(style));
    this.splices.push(appendToFlow(this.text, node, entries, this.writer.separator(style)));
  }

  /** The style of a collection in flow style, or of the first entry of one that is empty. */
  private flowStyle(collection: Collection): FlowStyle {
    const { json, gap } = this.writer.style;
    const first = collection.kind === 'mapping' ? collection.entries[0]?.key : collection.items[0];
    if (!collection.flow || first === undefined) return { json, gap };
    const isJson = json || (collection.kind === 'mapping' && this.text[first.start] === '"');
    const before = this.layout.lineBefore(first.start);
    const [indent] = /^[ \t]*/.exec(this.layout.lineBefore(collection.start)) ?? [''];
    // In a block, Go's reader refuses a plain scalar before a line that starts with a tab.
    const allowed = this.root.flow ? /^[ \t]*$/ : /^ *$/;
    if (!allowed.test(before) || indent.length > before.length) return { json: isJson, gap };
    return { json: isJson, gap, lines: { indent, step: before.slice(indent.length) } };
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
  private insertAfter(node: Collection, lines: readonly string[]): void {
    const column = this.layout.columnOf(node);
    const from = endOfLine(this.text, this.layout.endOf(node));
    let at = from;
    let next = this.layout.commentsAt(from);
    while (next !== undefined && !next.isAboveNext) {
      const isOfLastValue = at === from && next.start === from && next.isAboveLower;
      if (next.column < column && !isOfLastValue) break;
      at = next.end;
      next = this.layout.commentsAt(at);
    }
    this.insertLines(at, at === from || this.separated.has(at) ? lines : ['', ...lines]);
    if (next?.start === at && next.isAboveLower && !this.separated.has(next.end)) {
      this.separated.add(next.end);
      this.replace(next.end, next.end, this.writer.style.newline);
    }
  }
}

/** What the sources of merge keys add. */
function mergedWith(merges: readonly YamlNode[], read: (source: YamlNode) => YamlValue): YamlObject {
  const merged = mappingOf();
  for (const merge of merges)
    for (const source of merge.kind === 'sequence' ? merge.items.toReversed() : [merge]) {
      const value = source.kind === 'alias' ? read(source.target) : valueOf(source);
      // An alias may name a list of sources.
      for (const one of Array.isArray(value) ? value.toReversed() : [value]) Object.assign(merged, one);
    }
  return merged;
}

function isEmpty(node: YamlNode): node is EmptyNode {
  if (node.kind === 'mapping') return node.entries.length === 0;
  if (node.kind === 'sequence') return node.items.length === 0;
  return node.kind === 'scalar' && scalarValue(node) === null;
}
