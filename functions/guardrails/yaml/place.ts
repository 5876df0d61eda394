import type { FieldPath } from './field-path';
import type { YamlNode } from './nodes';
import { ifValid, parseYaml } from './parse';
import { lineBefore, startOfLine } from './text';
import { fieldsOf } from './value';

/** A place in a text: line and column from 1, the column in UTF-16 units. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * The place of the deepest node on a path that one document has: of its key in a mapping, of the item itself in a list.
 * Aliases and merge keys are followed. Of equal keys the last counts.
 *
 * @returns undefined for an empty or invalid document
 */
export function placeOf(text: string, path: FieldPath): Place | undefined {
  return placesIn(text)(path);
}

/** `placeOf` for many paths of one document, which is parsed once. */
export function placesIn(text: string): (path: FieldPath) => Place | undefined {
  const root = ifValid(() => parseYaml(text, ''))?.[0];
  if (root === undefined || root === null) return () => undefined;
  const lines = new LineNumbers(text);
  const children = new Map<YamlNode, ReturnType<typeof fieldsOf>>();
  return (path) => {
    let place = root;
    let node = root;
    for (const step of path) {
      const child = childAt(node, step, children);
      if (child === undefined) break;
      place = child.key ?? child.value;
      node = child.value;
    }
    const start = startOf(place, text);
    // Editors do not count a byte order mark.
    return { line: lines.at(start), column: lineBefore(text, start).replace(/^\ufeff/, '').length + 1 };
  };
}

/** The numbers, from 1, of the lines of offsets. */
class LineNumbers {
  private readonly newlines: number[] = [];

  constructor(text: string) {
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.newlines.push(at);
  }

  at(offset: number): number {
    let [low, high] = [0, this.newlines.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.newlines[middle] ?? Infinity) < offset) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  }
}

/** @param known the fields of mappings that were asked for before */
function childAt(
  node: YamlNode,
  step: string | number,
  known: Map<YamlNode, ReturnType<typeof fieldsOf>>,
): { readonly key?: YamlNode; readonly value: YamlNode } | undefined {
  if (node.kind === 'alias') return childAt(node.target, step, known);
  if (node.kind === 'mapping' && typeof step === 'string') {
    const fields = known.get(node) ?? fieldsOf(node);
    known.set(node, fields);
    return fields.get(step);
  }
  const item = node.kind === 'sequence' && typeof step === 'number' ? node.items[step] : undefined;
  return item && { value: item };
}

/** Where a node starts. A block scalar starts at its header, such as `|-`, on the line before its content. */
function startOf(node: YamlNode, text: string): number {
  const isBlock = node.kind === 'scalar' && !node.plain && !/["']/.test(text.charAt(node.start));
  if (!isBlock) return node.start;
  const lineStart = startOfLine(text, node.start - 1);
  const header = /(?<=^|\s)[|>][-+\d]*(?:[ \t]+#[^\n]*|[ \t\r]*)(?:\n\s*)?$/.exec(
    text.slice(lineStart, node.start),
  );
  return header === null ? node.start : lineStart + header.index;
}
