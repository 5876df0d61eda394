import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors';
import { TOO_MANY_OPEN } from '../findings/print';
import { type Message, message, words } from '../message';

/** Bytes of one file. A larger one is not a manifest, and would not fit into memory several times. */
const LARGEST = 256 * 1024 * 1024;
// The file may be a link or a FIFO, or become one after it was listed: do not follow, do not wait for a writer.
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** As `readRegularFile`; undefined for a file that is missing. */
export function readFileIfThere(top: string, path: string, remedy?: Message): Buffer | undefined {
  if (lstatSync(join(top, path), { throwIfNoEntry: false }) === undefined) return undefined;
  return readRegularFile(top, path, remedy);
}

/**
 * Reads a regular file of at most 256 MiB.
 *
 * @param top the folder of the package
 * @param path in the package
 * @param remedy for a file that is not a regular one
 * @throws InputError the file is missing, unreadable, too large, a link, or of another type; with the path and a remedy
 */
export function readRegularFile(
  top: string,
  path: string,
  remedy = words('remove it, or list it in .krmignore'),
): Buffer {
  try {
    const file = openSync(join(top, path), OPEN_FLAGS);
    try {
      const stat = fstatSync(file);
      if (!stat.isFile()) throw new InputError(message`${path} is not a regular file; ${remedy}`);
      if (stat.size > LARGEST)
        throw new InputError(message`${path} is larger than 256 MiB; list it in .krmignore`);
      return readDescriptor(file, stat.size);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw error instanceof InputError ? error : unreadable(path, error);
  }
}

/** At most the size that the file had when it was opened: it may grow without end. */
function readDescriptor(file: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  while (length < size) {
    const read = readSync(file, bytes, length, size - length, null);
    if (read === 0) break;
    length += read;
  }
  return bytes.subarray(0, length);
}

/** An error of the file system at a path of the package. */
export function unreadable(path: string, error: unknown): InputError {
  const code = codeOf(error);
  return new InputError(message`${path} cannot be read (${code}); ${remedyFor(code, path)}`);
}

function remedyFor(code: string, path: string): Message {
  // Node shows U+FFFD for bytes that are not UTF-8, and then finds no such file.
  if (code === 'ENOENT' && path.includes('\uFFFD')) return words('its name is not UTF-8; rename it');
  if (code === 'ENOENT') return words('it was deleted while the package was read; run again');
  if (code === 'EMFILE' || code === 'ENFILE') return words(TOO_MANY_OPEN);
  if (code === 'ELOOP') return words('it is a symbolic link; replace it with a copy of the file');
  return words('make it readable');
}

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
