import type { Item } from '../krm/item';
import type { Result } from '../krm/result';
import type { Changes } from '../krm/wire';

/** A package between two passes: its items as they are to be, and what became of those that came in. */
export interface Revision {
  readonly items: readonly Item[];
  readonly changes: Changes;
  /** One info for each change. */
  readonly told: readonly Result[];
  /** Warnings and errors about the source itself. */
  readonly findings: readonly Result[];
}
