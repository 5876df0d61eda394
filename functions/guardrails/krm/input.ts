import type { Splice } from '../yaml/text';
import type { YamlValue } from '../yaml/yaml';
import { type Edit, type Item, spliceItem } from './item';
import type { Result } from './result';

/** Changes of the items of an input. */
export interface Changes {
  readonly edits: ReadonlyMap<Item, Edit>;
  readonly removed: ReadonlySet<Item>;
  /** New documents of files, to be written last. */
  readonly added: readonly Item[];
}

export const NO_CHANGES: Changes = { edits: new Map(), removed: new Set(), added: [] };

/** The input of the function. */
export interface WireInput {
  readonly form: 'ResourceList' | 'documents';
  readonly items: readonly Item[];
  /** The functionConfig of a ResourceList; undefined if there is none. */
  readonly functionConfig: YamlValue | undefined;
  /**
   * The input with results and changes; every other byte stays. Plain YAML documents have no place for results.
   *
   * @throws InputError an item that cannot be edited
   */
  print(results: readonly Result[], changes?: Changes): string;
}

/** The splices of the edits of an input. */
export function editSplices(text: string, { edits }: Changes): Splice[] {
  return [...edits].flatMap(([item, edit]) => spliceItem(text, item, edit));
}
