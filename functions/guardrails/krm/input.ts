import { InputError } from '../errors';
import { type Message, message, words } from '../message';
import type { Splice } from '../yaml/text';
import type { YamlValue } from '../yaml/yaml';
import { type Edit, type Item, isKustomizationFile, spliceItem } from './item';
import type { Result } from './result';

/** The name of the input in messages. */
export const STANDARD_INPUT = 'standard input';

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

/**
 * Refuses an item that is not a Kubernetes resource. A kustomization may omit apiVersion and kind.
 *
 * @throws InputError
 */
export function requireResource(item: Item, where: () => string | Message): void {
  if (item.path !== undefined && isKustomizationFile(item.path)) return;
  for (const field of ['apiVersion', 'kind'] as const) {
    const value = item.value[field];
    if (typeof value !== 'string' || value === '')
      throw new InputError(
        message`${where()}: not a Kubernetes resource: ${words(field)} is missing or not a string; set it`,
      );
  }
}
