import type { Item } from '../krm/item';
import type { Changes } from '../krm/wire';
import type { Finding } from './finding';

/** A package between two passes: its items with all changes so far, and the changes. */
export interface Revision {
  readonly items: readonly Item[];
  readonly changes: Changes;
  /** One info for each change. */
  readonly changed: readonly Finding[];
  /** Warnings and errors about the source itself. */
  readonly findings: readonly Finding[];
}
