import { InputError } from '../errors';
import { message } from '../message';
import { type Fix, withFixes } from './field-path';
import { Layout, isMissing } from './layout';
import { type Splice, endOfLine, splice } from './text';
import {
  type FlowStyle,
  Verbatim,
  Writer,
  type Written,
  WrittenMapping,
  isCollection,
  nested,
} from './writer';
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
    throw new InputError(message`${where}: a fix has no place in it`);
  const splices = new Editor(text, root).edit(value, wanted);
  if (!isSame(reread(splice(text, splices), where), wanted))
    throw new InputError(
      message`${where}: written in a way that cannot be edited without changing more; write it in plain block style`,
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

const ANCHOR = /(?<=\s)&\S+/;

class Editor {
  private readonly splices: Splice[] = [];
  /** Where an empty line is put in. */
  private readonly separated = new Set<number>();
  private readonly layout: Layout;
  private readonly writer: Writer;
  /** What is wanted of each node at its own place, for the aliases that name it; undefined where there are none. */
  private readonly wantedAt: Map<YamlNode, YamlValue> | undefined;

  constructor(
    private readonly text: string,
    private readonly root: YamlMapping,
  ) {
    this.layout = new Layout(text);
    this.writer = new Writer(text, root, this.layout);
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
            this.writer.flow(this.expanded(node.target, wanted), this.writer.oneLine(false)),
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
    const colon = this.layout.tokenAfter(key.end);
    if (this.text[colon] !== ':') {
      // `{a, b}` has keys without a colon.
      this.replace(key.end, key.end, `: ${this.writer.flow(wanted, nested(this.writer.flowStyle(mapping)))}`);
      return;
    }
    const behind = colon + 1;
    const indent =
      this.layout.columnOf(mapping) + (Array.isArray(wanted) ? this.writer.listIndent : this.writer.step);
    // kpt knows a comment behind `{}` as that of the value, and behind a bare key as that of the key.
    const isCommented = !isMissing(value) && this.text[this.layout.blanksFrom(value.end)] === '#';
    const isFlow = mapping.flow || isCommented || !isCollection(wanted);
    const block = isFlow ? undefined : this.writer.block(wanted, indent);
    this.fillBehind(behind, value, wanted, nested(this.writer.flowStyle(mapping)), block);
  }

  private fillItem(sequence: YamlSequence, i: number, wanted: YamlValue): void {
    const item = sequence.items[i];
    if (item === undefined) return;
    const style = nested(this.writer.flowStyle(sequence));
    if (!isMissing(item)) {
      if (!isTagged(item)) this.fillBehind(item.start, item, wanted, style);
      return;
    }
    const dash = this.layout.dashOf(sequence, i);
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
    const behind = this.layout.behindProperties(from);
    const properties = this.text.slice(from, behind);
    const [start, end] = isMissing(value) ? [behind, behind] : [value.start, value.end];
    const anchor = ANCHOR.exec(properties)?.[0];
    const kept = anchor === undefined ? '' : ` ${anchor}`;
    // An empty collection over several lines, or below its key, may have comments around it: it stays where it is.
    if (this.text.slice(behind, end).includes('\n')) {
      if (value.kind !== 'scalar') this.visit(value, valueOf(value), wanted);
      else if (!isTagged(value)) this.replace(start, end, this.writer.flow(wanted, style));
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
      const style = this.writer.flowStyle(node);
      this.appendToFlow(
        node,
        added.map(([key, value]) => this.writer.flowEntry(key, value, nested(style))),
      );
      return;
    }
    this.insertBehind(node, this.writer.block(new WrittenMapping(added), this.layout.columnOf(node)));
  }

  private appendItems(node: YamlSequence, added: readonly YamlValue[]): void {
    if (node.flow) {
      const style = nested(this.writer.flowStyle(node));
      this.appendToFlow(
        node,
        added.map((value) => this.writer.flow(value, style)),
      );
      return;
    }
    this.insertBehind(node, this.writer.block([...added], this.layout.columnOf(node)));
  }

  private appendToFlow(collection: YamlMapping | YamlSequence, added: readonly string[]): void {
    const { gap, lines } = this.writer.flowStyle(collection);
    const end = collection.kind === 'mapping' ? collection.entries.at(-1) : collection.items.at(-1);
    if (end === undefined) {
      const inside = collection.start + 1;
      this.replace(inside, inside, added.join(`,${gap}`));
      return;
    }
    const last = 'key' in end ? end.value : end;
    const at = !isMissing(last) ? last.end : 'key' in end ? this.layout.endOfBare(end) : collection.end - 1;
    const separator = lines === undefined ? `,${gap}` : `,${this.writer.newline}${lines.indent}${lines.step}`;
    this.replace(at, at, added.map((one) => separator + one).join(''));
  }

  private replace(start: number, end: number, text: string): void {
    this.splices.push({ start, end, text });
  }

  private insertLines(at: number, lines: readonly string[]): void {
    const isLineStart = at === 0 || this.text[at - 1] === '\n';
    const text = lines.join(this.writer.newline);
    this.replace(at, at, isLineStart ? text + this.writer.newline : this.writer.newline + text);
  }

  /**
   * Puts lines behind a block collection and the comments under it that are its own. kpt gives each node the comments
   * back that it came with, so that one which moves to another node is there twice. To its reader, yaml.v3, a comment
   * stays with the node above it where an empty line follows.
   */
  private insertBehind(node: YamlMapping | YamlSequence, lines: readonly string[]): void {
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
      this.replace(rest.end, rest.end, this.writer.newline);
    }
  }
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
