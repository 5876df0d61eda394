import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathsToDelete } from '../interruption';
import { KEEP, ownFolderPrefix, removeLeftovers } from '../leftovers';
import { codeOf } from './regular-file';

const PREFIX = '.guardrails-work';

/** Deletes what a run that was killed left in a package. */
export function removeStaged(top: string): void {
  removeLeftovers(top, PREFIX);
}

/**
 * A folder in the package for files that are then renamed into place. Git ignores it, kpt and kustomize read nothing in
 * it, and the next run deletes it if this one is killed.
 */
export class Staging {
  private folder: string | undefined;

  /** @param top the folder of the package, absolute and resolved */
  constructor(private readonly top: string) {}

  /**
   * A path for a file that is to be renamed to `target`: beside it, where the folder cannot be made or is on another file
   * system.
   *
   * @throws an error of the file system
   */
  pathFor(target: string, ending: 'tmp' | 'original'): string {
    const name = `.${path.basename(target)}.${randomBytes(6).toString('hex')}.guardrails-${ending}`;
    const folder = this.make();
    const beside = path.dirname(target);
    const isUsable = folder !== undefined && statSync(folder).dev === statSync(beside).dev;
    return path.join(isUsable ? folder : beside, name);
  }

  /** Lets no later run delete the folder: originals in it could not be restored. */
  keep(): void {
    if (this.folder !== undefined) writeFileSync(path.join(this.folder, KEEP), '');
  }

  /** Deletes the folder if no file is left in it. */
  remove(): void {
    const { folder } = this;
    if (folder === undefined) return;
    pathsToDelete.delete(folder);
    const isEmpty = readdirSync(folder).every((name) => name === '.gitignore');
    if (isEmpty) rmSync(folder, { recursive: true, force: true });
    this.folder = undefined;
  }

  private make(): string | undefined {
    if (this.folder !== undefined) return this.folder;
    let folder: string;
    try {
      folder = mkdtempSync(path.join(this.top, ownFolderPrefix(PREFIX)));
    } catch (error) {
      if (['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error))) return undefined;
      throw error;
    }
    pathsToDelete.add(folder);
    try {
      writeFileSync(path.join(folder, '.gitignore'), '*\n');
    } catch (error) {
      rmSync(folder, { recursive: true });
      pathsToDelete.delete(folder);
      throw error;
    }
    this.folder = folder;
    return folder;
  }
}
