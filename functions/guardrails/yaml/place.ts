import { InputError } from '../errors';
import type { FieldPath } from './field-path';
import type { YamlNode } from './nodes';
import { lineOf, parseYaml } from './parse';
import { startOfLine } from './text';
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
  const root = rootOf(text);
  if (root === null) return undefined;
  let place = root;
  let node = root;
  for (const step of path) {
    const child = childAt(node, step);
    if (child === undefined) break;
    place = child.key ?? child.value;
    node = child.value;
  }
  const lineStart = startOfLine(text, place.start);
  // Editors do not count a byte order mark.
  const byteOrderMark = text.startsWith('\ufeff') && lineStart === 0 ? 1 : 0;
  return { line: lineOf(text, place.start), column: place.start - lineStart - byteOrderMark + 1 };
}

function rootOf(text: string): YamlNode | null {
  try {
    return parseYaml(text, '')[0] ?? null;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

function childAt(
  node: YamlNode,
  step: string | number,
): { readonly key?: YamlNode; readonly value: YamlNode } | undefined {
  if (node.kind === 'alias') return childAt(node.target, step);
  if (node.kind === 'mapping' && typeof step === 'string') return fieldsOf(node).get(step);
  const item = node.kind === 'sequence' && typeof step === 'number' ? node.items[step] : undefined;
  return item === undefined ? undefined : { value: item };
}
