import { InputError } from '../errors';
import { message } from '../message';
import { type Splice, endOfLine, splice, startOfLine } from './text';
import {
  type YamlMapping,
  type YamlObject,
  type YamlSequence,
  isObject,
  isSame,
  keyText,
  parseYaml,
  valueOf,
} from './yaml';

/** An entry to take out of a list that stands under a key of a resource's root. */
export interface Removal {
  readonly list: string;
  readonly index: number;
}

/**
 * The splice that takes an entry out of a list; the key with the list, where nothing else is in it.
 *
 * @throws InputError a document in which that cannot be done by taking text out alone: the result is read again
 */
export function removeEntry(text: string, { list, index }: Removal, where: string): Splice[] {
  const [root] = parseYaml(text, where);
  const entry =
    root?.kind === 'mapping' ? root.entries.findLast(({ key }) => keyText(key) === list) : undefined;
  const value = valueOf(root ?? null);
  const old = isObject(value) ? value[list] : undefined;
  if (root?.kind === 'mapping' && entry?.value.kind === 'sequence' && isObject(value) && Array.isArray(old)) {
    const gone =
      old.length > 1
        ? stretchOf(text, entry.value, entry.value.items, index)
        : stretchOf(text, root, root.entries.map(rangeOf), root.entries.indexOf(entry));
    const wanted = withoutEntry(value, { list, index });
    const splices = [{ ...gone, text: '' }];
    const [left = null] = parseYaml(splice(text, splices), where);
    if (isSame(valueOf(left), wanted)) return splices;
  }
  throw new InputError(
    message`${where}: take entry ${index + 1} of ${list} out by hand; it is no longer needed`,
  );
}

/** The same on a value. */
export function withoutEntry(value: YamlObject, { list, index }: Removal): YamlObject {
  const fields = Object.entries(value).flatMap(([key, field]) => {
    if (key !== list || !Array.isArray(field)) return [[key, field] as const];
    return field.length > 1 ? [[key, field.toSpliced(index, 1)] as const] : [];
  });
  return Object.assign(Object.create(null) as YamlObject, Object.fromEntries(fields));
}

function rangeOf({ key, value }: YamlMapping['entries'][number]): { start: number; end: number } {
  return { start: key.start, end: Math.max(key.end, value.end) };
}

/** What to cut so that a collection is without one of its parts: whole lines of a block, up to a neighbour in flow style. */
function stretchOf(
  text: string,
  { flow }: YamlMapping | YamlSequence,
  parts: readonly { readonly start: number; readonly end: number }[],
  index: number,
): { start: number; end: number } {
  const { start = 0, end = 0 } = parts[index] ?? {};
  if (!flow) return { start: startOfLine(text, start), end: endOfLine(text, end) };
  const before = parts[index - 1];
  return before === undefined ? { start, end: parts[index + 1]?.start ?? end } : { start: before.end, end };
}
