import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Files by their path from a folder. */
export type Tree = Record<string, string>;

/** Writes files below a folder, and the folders that they lie in. */
export function writeTree(root: string, files: Readonly<Tree>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
}

/** Every regular file below a folder, but those that are not wanted. */
export function readTree(root: string, isWanted: (file: string) => boolean = () => true): Tree {
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .filter(isWanted)
    .sort();
  return Object.fromEntries(files.map((file) => [file, readFileSync(path.join(root, file), 'utf8')]));
}

/** Replaces a text in a file. @throws Error the file does not contain it */
export function editFile(root: string, file: string, from: string | RegExp, to: string): void {
  const text = readFileSync(path.join(root, file), 'utf8');
  const holds = typeof from === 'string' ? text.includes(from) : from.test(text);
  if (!holds) throw new Error(`${file} does not hold ${String(from)}`);
  writeFileSync(
    path.join(root, file),
    text.replace(from, () => to),
  );
}

/** A new temporary folder for each test of a file or of a describe block, without links in its path. */
export function useFolder(prefix: string): () => string {
  let folder = '';
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), prefix)));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  return () => folder;
}
