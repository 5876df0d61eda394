import { randomBytes } from 'node:crypto';
import {
  type Stats,
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  constants,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathsToDelete } from '../interruption';
import { GuardrailsError } from '../errors';
import { codeOf } from './regular-file';
import { type Message, message, words } from '../message';

/** The original of a file that did not exist. */
export const NO_FILE = Symbol('no file');

/** A file and its new content. */
export interface FileWrite {
  /** In the package. */
  readonly path: string;
  /** undefined: the file is deleted. */
  readonly content: string | undefined;
  /** What was read from it, and must still be there; undefined: anything is replaced. */
  readonly original?: Uint8Array | typeof NO_FILE;
}

/** A write in progress. */
interface Pending {
  readonly write: FileWrite;
  readonly target: string;
  readonly temporary: string;
  /** A second name of the original; undefined before there is one, and for a new file. */
  backup?: string;
  isRenamed: boolean;
}

/**
 * Writes all files or none: first temporary files beside each, then a comparison of the originals with what was read,
 * then renames. If a step fails, renamed files are restored.
 *
 * @param root the folder of the package
 * @throws GuardrailsError with the file and how to fix it; every file is then as it was, or the message says where it is
 */
export async function writeFiles(root: string, writes: readonly FileWrite[]): Promise<void> {
  const top = realpathSync(root);
  const pending: Pending[] = [];
  const left: string[] = [];
  try {
    for (const write of writes) {
      const target = path.join(top, write.path);
      const one = { write, target, temporary: nameBeside(target, 'tmp'), isRenamed: false };
      pending.push(one);
      writeTemporary(one);
      // A signal may end the process here, but not below, where nothing is awaited.
      await setImmediate();
    }
    for (const one of pending) compare(one);
    rename(pending);
  } finally {
    for (const { temporary, backup } of pending)
      for (const file of [temporary, backup])
        if (file !== undefined && !remove(file)) left.push(path.relative(top, file));
  }
  if (left.length > 0)
    throw new GuardrailsError(
      message`all files were written, but temporary files are left; remove them: ${left.join(', ')}`,
    );
  await setImmediate();
}

/** A name that kpt and kustomize do not read. */
function nameBeside(file: string, ending: string): string {
  return path.join(
    path.dirname(file),
    `.${path.basename(file)}.${randomBytes(6).toString('hex')}.guardrails-${ending}`,
  );
}

function remove(file: string): boolean {
  try {
    rmSync(file, { force: true });
  } catch {
    return false;
  }
  pathsToDelete.delete(file);
  return true;
}

function writeTemporary({ write, target, temporary }: Pending): void {
  const folder = path.dirname(target);
  try {
    if (!(write.original instanceof Uint8Array)) mkdirSync(folder, { recursive: true });
    if (realpathSync(folder) === folder) {
      if (write.content === undefined) return;
      const found = lstatSync(target, { throwIfNoEntry: false });
      const replaced = found?.isFile() === true ? found : undefined;
      pathsToDelete.add(temporary);
      writeNew(temporary, write.content, replaced);
      return;
    }
  } catch (error) {
    throw failure(write.path, words('cannot be written'), error);
  }
  throw new GuardrailsError(
    message`${write.path}: its folder was replaced by a symbolic link; nothing was changed; replace the link with the folder`,
  );
}

/** A file with the mode of the one that it replaces, and its owner where that is permitted. */
function writeNew(file: string, content: string, replaced: Stats | undefined): void {
  const fd = openSync(file, 'wx', replaced === undefined ? 0o666 : 0o600); // private until it has the right mode
  try {
    const bytes = Buffer.from(content);
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  if (replaced === undefined) return;
  const { uid, gid } = lstatSync(file);
  if (uid !== replaced.uid || gid !== replaced.gid)
    try {
      chownSync(file, replaced.uid, replaced.gid);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    }
  chmodSync(file, replaced.mode & 0o7777);
}

function compare({ write: { path: file, original }, target }: Pending): void {
  if (original === undefined) return;
  let isSame: boolean;
  try {
    isSame =
      original === NO_FILE
        ? lstatSync(target, { throwIfNoEntry: false }) === undefined
        : lstatSync(target).isFile() && readFileSync(target).equals(original);
  } catch (error) {
    throw failure(file, words('can no longer be read'), error);
  }
  if (!isSame)
    throw new GuardrailsError(
      message`${file}: another program changed this file during the run; no file was written; run again`,
    );
}

function rename(pending: readonly Pending[]): void {
  let current = '';
  try {
    for (const one of pending) {
      current = one.write.path;
      keepOriginal(one);
      if (one.write.content === undefined) unlinkSync(one.target);
      else renameSync(one.temporary, one.target);
      one.isRenamed = true;
    }
  } catch (error) {
    const lost = rollBack(pending);
    if (lost.length === 0) throw failure(current, words('cannot be replaced'), error);
    throw new GuardrailsError(
      message`${current} cannot be replaced (${codeOf(error)}), and other files cannot be restored: ${lost.join('; ')}`,
    );
  }
}

function keepOriginal(one: Pending): void {
  const { target, write } = one;
  const mayBeNew = write.original === undefined || write.original === NO_FILE;
  if (mayBeNew && lstatSync(target, { throwIfNoEntry: false }) === undefined) return;
  const backup = nameBeside(target, 'original');
  try {
    linkSync(target, backup);
  } catch {
    // Not every file system has links. Any other fault shows again in the copy.
    copyFileSync(target, backup, constants.COPYFILE_EXCL);
  }
  one.backup = backup;
  pathsToDelete.add(backup);
}

/** Restores what was renamed, and returns what cannot be restored. */
function rollBack(pending: readonly Pending[]): string[] {
  const lost: string[] = [];
  for (const one of pending.toReversed()) {
    if (!one.isRenamed) continue;
    const { backup, target, write } = one;
    try {
      if (backup === undefined) rmSync(target);
      else renameSync(backup, target);
    } catch {
      lost.push(
        backup === undefined
          ? `${write.path}, which is new`
          : `${write.path}, the original of which is ${path.join(path.dirname(write.path), path.basename(backup))}`,
      );
      if (backup !== undefined) pathsToDelete.delete(backup);
      delete one.backup;
    }
  }
  return lost;
}

const CHECK_FOLDER = words('check the permissions and the free space of its folder, and run again');

function failure(file: string, what: Message, error: unknown): GuardrailsError {
  return new GuardrailsError(
    message`${file} ${what} (${codeOf(error)}); nothing was changed; ${CHECK_FOLDER}`,
  );
}
