import { InputError } from '../errors';
import { message } from '../message';
import { splice, splitDocuments, withNewline } from '../yaml/text';
import { parseYaml } from '../yaml/yaml';
import { NO_CHANGES, type WireInput, editSplices } from './input';
import { type Item, STANDARD_INPUT, readItem, requireResource } from './item';
import { KptPackages } from './kpt-packages';
import { LIST_KIND, isResourceList, readAnyList, readBlockList } from './resource-list';

export type { Changes, WireInput } from './input';

/**
 * Reads a ResourceList (KRM Functions Specification v1) in any form of YAML or JSON, or plain YAML documents.
 *
 * @throws InputError input that is neither, or a ResourceList without items
 */
export function readWire(text: string): WireInput {
  if (text.trim() === '')
    throw new InputError(message`${STANDARD_INPUT} is empty; send a ResourceList or YAML documents`);
  const list = readBlockList(text);
  if (list !== undefined) return list;
  // The kind may be written with escapes.
  const items = text.includes(LIST_KIND) ? undefined : readDocuments(text);
  if (items?.some(({ value }) => value.kind === LIST_KIND) === false) return inputOf(text, items);
  const roots = parseYaml(text, STANDARD_INPUT).filter((root) => root !== null);
  const root = roots.find(isResourceList);
  if (root === undefined) return inputOf(text, items ?? readDocuments(text));
  if (roots.length > 1)
    throw new InputError(
      message`${STANDARD_INPUT}: a ResourceList must be the only document; send it without other documents`,
    );
  return readAnyList(text, root);
}

function readDocuments(text: string): Item[] {
  return splitDocuments(text).flatMap(({ text: document, start, line }) => {
    const range = { start, end: start + document.length, column: 0, line };
    return readItem(document, STANDARD_INPUT, range) ?? [];
  });
}

function inputOf(text: string, items: readonly Item[]): WireInput {
  for (const item of items) requireResource(item, () => message`${STANDARD_INPUT}:${item.range.line ?? 1}`);
  if (items.length === 0)
    throw new InputError(message`${STANDARD_INPUT}: no resources; send a ResourceList or YAML documents`);
  const packages = new KptPackages(items, undefined);
  return {
    form: 'documents',
    items: packages.items,
    functionConfig: undefined,
    print: (_, changes = NO_CHANGES) => {
      const documents = splice(text, [
        ...editSplices(text, changes),
        ...[...changes.removed].map(({ range: { start, end } }) => ({ start, end, text: '\n' })),
      ]);
      return [withNewline(documents), ...changes.added.map((item) => packages.print(item))].join('---\n');
    },
  };
}
