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
import { Staging } from './staging';
import { type Message, joinMessages, message, words } from '../message';

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
  /** It holds a Secret: only the owner may read it, and a new folder for it. */
  readonly isPrivate?: boolean;
}

/** A write in progress. */
interface Pending {
  readonly write: FileWrite;
  readonly target: string;
  /** undefined: the file is deleted. */
  temporary?: string;
  /** A second name of the original; undefined before there is one, and for a new file. */
  backup?: string;
  isRenamed: boolean;
}

/**
 * Writes all files or none: first temporary files, then a comparison of the originals with what was read, then renames. If
 * a step fails, or another program changes a file meanwhile, renamed files are restored.
 *
 * @param root the folder of the package
 * @throws GuardrailsError with the file and how to fix it; every file is then as it was, or the message says where it is
 */
export async function writeFiles(root: string, writes: readonly FileWrite[]): Promise<void> {
  const top = realpathSync(root);
  const staging = new Staging(top);
  const pending: Pending[] = [];
  let problem: GuardrailsError | undefined;
  try {
    for (const write of writes) {
      const one = { write, target: path.join(top, write.path), isRenamed: false };
      pending.push(one);
      writeTemporary(one, staging);
      // A signal may end the process here, but not below, where nothing is awaited.
      await setImmediate();
    }
    for (const one of pending) compare(one);
    rename(top, pending, staging);
  } catch (error) {
    if (!(error instanceof GuardrailsError)) throw error;
    problem = error;
  } finally {
    const left = pending
      .flatMap(({ temporary, backup }) => [temporary, backup])
      .filter((file) => file !== undefined)
      .filter((file) => !remove(file))
      .map((file) => path.relative(top, file));
    staging.remove();
    if (left.length > 0) {
      const what = problem?.text ?? words('all files were written');
      problem = new GuardrailsError(
        message`${what}; temporary files are left, remove them: ${joinMessages(left, ', ')}`,
      );
    }
  }
  if (problem !== undefined) throw problem;
  await setImmediate();
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

function writeTemporary(one: Pending, staging: Staging): void {
  const { write, target } = one;
  const folder = path.dirname(target);
  try {
    if (!(write.original instanceof Uint8Array))
      mkdirSync(folder, { recursive: true, mode: write.isPrivate === true ? 0o700 : 0o777 });
    if (realpathSync(folder) === folder) {
      if (write.content === undefined) return;
      const found = lstatSync(target, { throwIfNoEntry: false });
      const replaced = found?.isFile() === true ? found : undefined;
      one.temporary = staging.pathFor(target, 'tmp');
      pathsToDelete.add(one.temporary);
      writeNew(one.temporary, write, replaced);
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
function writeNew(
  file: string,
  { content = '', isPrivate = false }: FileWrite,
  replaced: Stats | undefined,
): void {
  const isNew = replaced === undefined && !isPrivate;
  const fd = openSync(file, 'wx', isNew ? 0o666 : 0o600); // private until it has the right mode
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
  chmodSync(file, replaced.mode & (isPrivate ? 0o700 : 0o7777));
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
  if (!isSame) throw changedMeanwhile(file);
}

function changedMeanwhile(file: string): GuardrailsError {
  return new GuardrailsError(
    message`${file}: another program changed this file during the run; no file was written; run again`,
  );
}

function rename(top: string, pending: readonly Pending[], staging: Staging): void {
  let current = '';
  try {
    for (const one of pending) {
      current = one.write.path;
      keepOriginal(one, staging);
      // An editor may have saved the file since it was compared.
      compare(one);
      if (one.temporary === undefined) unlinkSync(one.target);
      else renameSync(one.temporary, one.target);
      one.isRenamed = true;
      compareBackup(one);
    }
  } catch (error) {
    const lost = rollBack(top, pending);
    const isKnown = error instanceof GuardrailsError;
    if (lost.length === 0) throw isKnown ? error : failure(current, words('cannot be replaced'), error);
    staging.keep();
    const what = isKnown ? error.text : message`${current} cannot be replaced (${codeOf(error)})`;
    throw new GuardrailsError(
      message`${what}, and other files cannot be restored: ${joinMessages(lost, '; ')}`,
    );
  }
}

function keepOriginal(one: Pending, staging: Staging): void {
  const { target, write } = one;
  const mayBeNew = write.original === undefined || write.original === NO_FILE;
  if (mayBeNew && lstatSync(target, { throwIfNoEntry: false }) === undefined) return;
  const backup = staging.pathFor(target, 'original');
  try {
    linkSync(target, backup);
  } catch {
    // Not every file system has links. Any other fault shows again in the copy.
    copyFileSync(target, backup, constants.COPYFILE_EXCL);
  }
  one.backup = backup;
  pathsToDelete.add(backup);
}

/** The backup is what is replaced; as a link, it shows what another program writes to the file even after that. */
function compareBackup({ write: { path: file, original }, backup }: Pending): void {
  if (!(original instanceof Uint8Array) || backup === undefined) return;
  if (!lstatSync(backup).isFile() || !readFileSync(backup).equals(original)) throw changedMeanwhile(file);
}

/** Restores what was renamed, and returns what cannot be restored. */
function rollBack(top: string, pending: readonly Pending[]): Message[] {
  const lost: Message[] = [];
  for (const one of pending.toReversed()) {
    if (!one.isRenamed) continue;
    const { backup, target, write } = one;
    try {
      if (backup === undefined) rmSync(target);
      else renameSync(backup, target);
    } catch {
      lost.push(
        backup === undefined
          ? message`${write.path}, which is new`
          : message`${write.path}, the original of which is ${path.relative(top, backup)}`,
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
