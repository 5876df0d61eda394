import type { Inspected, Source } from '../findings/finding';
import { type Item, lineOfItem } from '../krm/item';
import { type Placed, expandLists, resourceRef } from '../krm/resource';
import { type FieldPath, valueAt } from '../yaml/field-path';
import { placeOf } from '../yaml/place';
import { type YamlValue, isObject } from '../yaml/yaml';

/** Line and column, from 1, in a file. */
export type Place = Pick<Source, 'line' | 'column'>;

/** The resource that has a finding, not the List that it is in, and the field from its root. */
export function placedFinding({ finding: { field = [] }, root }: Inspected): Placed {
  const placed = expandLists(root).find(({ path }) => path.every((step, i) => step === field[i]));
  return { resource: placed?.resource ?? root, path: field.slice(placed?.path.length) };
}

/**
 * The place of a built finding in a file that has the resource or a patch to it: of its field, or of as much of the
 * field's path as the file has.
 */
export function placeOfFinding(documents: readonly Item[], one: Inspected): Place {
  const built = placedFinding(one);
  const { kind, name, namespace } = resourceRef(built.resource);
  // The longest name that the built name contains, because an overlay may add a prefix or a suffix; then the namespace.
  // The name in a patch with a target has no meaning, so that none has to match.
  const matchLength = ({ resource }: Placed) => {
    const ref = resourceRef(resource);
    return (name.includes(ref.name) ? 2 * ref.name.length : 0) + Number(ref.namespace === namespace);
  };
  const [best] = documents
    .flatMap((item) => expandLists(item.value).map((placed) => ({ item, placed })))
    .filter(({ placed }) => placed.resource.kind === kind)
    .sort((a, b) => matchLength(b.placed) - matchLength(a.placed));
  if (best === undefined) return placeInFile(documents, documents[0], []);
  const path = translate(built.path, built.resource, best.placed.resource);
  return placeInFile(documents, best.item, [...best.placed.path, ...path]);
}

/** The place of a path, or of as much of it as there is, in one document of a file. */
export function placeInFile(documents: readonly Item[], item: Item | undefined, path: FieldPath): Place {
  const place = item === undefined ? undefined : placeOf(item.text, path);
  if (item === undefined || place === undefined) return {};
  return { line: lineOfItem(item, documents) + place.line - 1, column: place.column };
}

/**
 * A path in a built resource as a path in its source, where lists may have another order: entries with a `name` are
 * found by name. The path ends where the source does not have such an entry.
 */
function translate(path: FieldPath, built: YamlValue, source: YamlValue): FieldPath {
  const translated: (string | number)[] = [];
  for (const [depth, step] of path.entries()) {
    const entry = valueAt(built, path.slice(0, depth + 1));
    const list = valueAt(source, translated);
    let own = step;
    if (isObject(entry) && entry.name !== undefined && Array.isArray(list))
      own = list.findIndex((other) => isObject(other) && other.name === entry.name);
    if (own === -1) break;
    translated.push(own);
  }
  return translated;
}
