import {
  COLLECTION_STYLE,
  EVENT_ID,
  SCALAR_STYLE,
  YAMLException,
  getScalarValue,
  parseEvents,
} from 'js-yaml';
import { InputError } from '../errors';
import { message } from '../message';
import { readWithAnyIndentation } from './indentation';
import type { YamlMapping, YamlNode, YamlScalar, YamlSequence } from './nodes';
import { parsePlainYaml } from './plain-yaml';

/** Deeper than any manifest that kubectl accepts. The parser is recursive, so it needs a limit. */
const MAX_DEPTH = 500;
/** Nodes of a document after its aliases are expanded: the limit for alias bombs. */
const MAX_EXPANDED_NODES = 1_000_000;

type ParserEvent = ReturnType<typeof parseEvents>[number];
type ScalarEvent = Parameters<typeof getScalarValue>[1];

/** A node whose end is not reached yet. */
class OpenNode {
  readonly children: YamlNode[] = [];
  /** The number of nodes of it, aliases expanded. */
  size = 1;
  /** The number of those that come from aliases. */
  aliased = 0;

  constructor(
    readonly kind: 'document' | 'mapping' | 'sequence',
    readonly start: number,
    readonly flow: boolean,
    readonly anchor: string,
  ) {}
}

/**
 * Parses every document of a YAML (or JSON) text into nodes that know their source offsets.
 * An empty document is `null`.
 *
 * @param where the name of the text in messages: a path, or `standard input`
 * @param firstLine the line of that file at which the text starts, from 1
 * @throws InputError invalid YAML, an alias without its anchor, a mapping that contains itself. The message has the
 *   line, but not the text, which may be the value of a Secret.
 */
export function parseYaml(text: string, where: string, firstLine = 1): (YamlNode | null)[] {
  return parsePlainYaml(text) ?? parseAnyYaml(text, where, firstLine);
}

/** Like `parseYaml`, without its fast path. */
export function parseAnyYaml(text: string, where: string, firstLine = 1): (YamlNode | null)[] {
  const failure = (offset: number, reason: string) =>
    new InputError(
      message`${where}:${lineOf(text, offset) + firstLine - 1}: invalid YAML: ${reason}; fix the syntax`,
    );
  try {
    return readWithAnyIndentation(text, (source, move) => {
      const builder = new NodeBuilder(text, failure);
      for (const event of parseEvents(source, { maxDepth: MAX_DEPTH })) builder.add(move(event));
      return builder.documents;
    });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    // The reason quotes the text around the error, which may be the value of a Secret.
    throw failure(error.mark?.position ?? 0, error.reason.split(/["'<:!]/)[0]?.trim() ?? '');
  }
}

/** What a function returns; undefined if it throws an InputError. */
export function ifValid<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** The line, from 1, of an offset. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** Builds nodes from the events of the parser. */
class NodeBuilder {
  readonly documents: (YamlNode | null)[] = [];
  private readonly open: OpenNode[] = [];
  private anchors = new Map<string, { readonly node: YamlNode; readonly size: number }>();

  constructor(
    private readonly text: string,
    private readonly failure: (offset: number, reason: string) => InputError,
  ) {}

  add(event: ParserEvent): void {
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        this.anchors = new Map();
        this.open.push(new OpenNode('document', 0, false, ''));
        return;
      case EVENT_ID.MAPPING:
      case EVENT_ID.SEQUENCE: {
        const kind = event.type === EVENT_ID.MAPPING ? 'mapping' : 'sequence';
        const isFlow = event.style === COLLECTION_STYLE.FLOW;
        const anchor = this.slice(event.anchorStart, event.anchorEnd);
        this.open.push(new OpenNode(kind, event.start, isFlow, anchor));
        return;
      }
      case EVENT_ID.SCALAR:
        this.push(this.scalar(event), 1, 0, this.slice(event.anchorStart, event.anchorEnd));
        return;
      case EVENT_ID.ALIAS: {
        const { anchorStart, anchorEnd } = event;
        const anchored = this.anchors.get(this.slice(anchorStart, anchorEnd));
        if (anchored === undefined)
          throw this.failure(anchorStart, 'the anchor of an alias is not in the same document or item');
        const { node: target, size } = anchored;
        this.push({ kind: 'alias', start: anchorStart - 1, end: anchorEnd, target }, size, size, '');
        return;
      }
      case EVENT_ID.POP: {
        const node = this.open.pop();
        if (node?.kind === 'document') this.documents.push(node.children[0] ?? null);
        else if (node !== undefined) this.push(this.closed(node), node.size, node.aliased, node.anchor);
      }
    }
  }

  private push(node: YamlNode, size: number, aliased: number, anchor: string): void {
    if (anchor !== '') this.anchors.set(anchor, { node, size });
    const parent = this.open.at(-1);
    if (parent === undefined) return;
    parent.children.push(node);
    parent.size += size;
    parent.aliased += aliased;
    if (aliased > 0 && parent.aliased > MAX_EXPANDED_NODES)
      throw this.failure(node.start, 'its aliases expand to too many nodes');
  }

  private scalar(event: ScalarEvent): YamlScalar {
    const plain = event.style === SCALAR_STYLE.PLAIN;
    const tag = this.slice(event.tagStart, event.tagEnd) || undefined;
    if (event.valueStart === -1) {
      const parent = this.open.at(-1);
      const at = parent?.children.at(-1)?.end ?? parent?.start ?? 0;
      return { kind: 'scalar', start: at, end: at, text: '', plain, tag };
    }
    const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
    const quote = isQuoted ? 1 : 0;
    const text = isQuoted ? this.quotedText(event) : getScalarValue(this.text, event);
    return { kind: 'scalar', start: event.valueStart - quote, end: event.valueEnd + quote, text, plain, tag };
  }

  private quotedText(event: ScalarEvent): string {
    // In YAML 1.1, U+0085 in quotes is a line break, which is read as a space.
    const lines = this.slice(event.valueStart, event.valueEnd).split('\u0085');
    const folded = lines.map((line, i) => withoutBlanks(line, i > 0, i < lines.length - 1)).join(' ');
    const text = getScalarValue(folded, { ...event, valueStart: 0, valueEnd: folded.length });
    // Go's JSON reader decodes the escape of a lone surrogate to U+FFFD; its YAML reader refuses it.
    return text.replace(/\p{Surrogate}/gu, '\ufffd');
  }

  private closed({ kind, start, flow, children }: OpenNode): YamlMapping | YamlSequence {
    const last = children.at(-1)?.end ?? start;
    const end = flow && !this.isPair(start, children) ? this.closingBracket(Math.max(last, start + 1)) : last;
    if (kind === 'sequence') return { kind, start, end, flow, items: children };
    const entries = children.flatMap((key, i) => {
      const value = i % 2 === 0 ? children[i + 1] : undefined;
      return value === undefined ? [] : [{ key, value }];
    });
    return { kind: 'mapping', start, end, flow, entries };
  }

  /** Whether a flow collection is a mapping without braces: an entry `key: value` of a list. */
  private isPair(start: number, [first]: readonly YamlNode[]): boolean {
    return !'[{'.includes(this.text.charAt(start)) || (first?.start === start && first.kind !== 'scalar');
  }

  /** The offset after the bracket that closes a flow collection whose last child ends at `from`. */
  private closingBracket(from: number): number {
    for (const { index, 0: found } of this.text.slice(from).matchAll(/[\]}]|#[^\n]*/g))
      if (!found.startsWith('#')) return from + index + 1;
    return this.text.length;
  }

  private slice(start: number, end: number): string {
    return start === -1 ? '' : this.text.slice(start, end);
  }
}

/** A text without the spaces and tabs at its start, at its end, or both. */
function withoutBlanks(text: string, atStart: boolean, atEnd: boolean): string {
  const isBlank = (at: number) => ' \t'.includes(text.charAt(at));
  let [start, end] = [0, text.length];
  while (atStart && start < end && isBlank(start)) start++;
  while (atEnd && end > start && isBlank(end - 1)) end--;
  return text.slice(start, end);
}
