import { type Dirent, readdirSync, statSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors';
import { message, words } from '../message';
import { IGNORE_NOTHING, type KrmIgnore, parseKrmIgnore } from './krmignore';
import { codeOf, readRegularFile, unreadable } from './regular-file';

/** One file of the package as kpt would read it. path: relative to the package, '/'-separated. */
export interface PackageFile {
  readonly path: string;
  readonly bytes: Buffer;
}

/**
 * Reads the files of a package that kpt would read, in the order of `kpt fn source`: by name within each folder, a
 * folder's files in the place of the folder.
 *
 * The rules are those of kyaml's kio.LocalPackageReader as kpt 1.0.0-beta.56 sets it up: `*.yaml`, `*.yml`, `*.json` and
 * `Kptfile` at every level, hidden and git-ignored ones too, except what `.krmignore` names. A `.krmignore` counts at the
 * root and beside a `Kptfile`; a folder with a `Kptfile` is a subpackage, for which the patterns above it do not hold.
 *
 * Where `kpt fn source` and `kpt fn render` differ, this reader does what is safe in both: like source it never reads an
 * ignored folder (render finds subpackages even there), and like render it applies the `.krmignore` of the subpackage
 * `sub` to that folder alone (source applies it to `sub2` too).
 *
 * It differs from kpt on purpose: it does not read the package's own `dist/`, where `npm run render` writes, nor any
 * `.git`, which no commit can hold. Symbolic links and other special files that kpt would read are refused, as
 * are links to folders (kustomize follows them and kpt does not), a file named `Kustomization` (kustomize reads it and
 * kpt does not) and a `.krmignore` that is not a plain file.
 *
 * @throws InputError with the path, relative to the package, and how to fix it
 */
export async function readPackageDirectory(root: string): Promise<PackageFile[]> {
  const top = await resolveRoot(root);
  // Synchronous from here on: several times as fast for a thousand small files.
  return Array.from(listFolder(top, '', NO_SCOPE), (path) => ({ path, bytes: readRegularFile(top, path) }));
}

/** The `.krmignore` that applies, and its folder ('' is the root). */
interface Scope {
  readonly folder: string;
  readonly patterns: KrmIgnore;
}

const NO_SCOPE: Scope = { folder: '', patterns: IGNORE_NOTHING };
const IGNORE_FILE = '.krmignore';
const PACKAGE_FILE = 'Kptfile';

function isReadByKpt(name: string): boolean {
  return name === PACKAGE_FILE || /\.(yaml|yml|json)$/.test(name);
}

async function resolveRoot(root: string): Promise<string> {
  const hint = words('specify the folder that contains the package');
  let top: string;
  let isDirectory: boolean;
  try {
    top = await realpath(root);
    isDirectory = (await stat(top)).isDirectory();
  } catch (error) {
    throw new InputError(message`${root} cannot be opened (${codeOf(error)}); ${hint}`);
  }
  if (!isDirectory) throw new InputError(message`${root} is not a folder; ${hint}`);
  return top;
}

/** The paths to read, in order. `outer` is the scope of the folder above. */
function* listFolder(top: string, folder: string, outer: Scope): Generator<string> {
  const entries = listEntries(top, folder);
  const names = new Set(entries.map(({ name }) => name));
  let scope = outer;
  if (folder === '' || names.has(PACKAGE_FILE)) {
    const patterns = names.has(IGNORE_FILE) ? readPatterns(top, folder) : IGNORE_NOTHING;
    scope = { folder, patterns };
  }
  for (const entry of entries) {
    const path = within(folder, entry.name);
    if (entry.name === '.git' || path === 'dist') continue;
    const ignored = isIgnored(scope, path, entry.isDirectory());
    if (entry.isSymbolicLink()) {
      if (!ignored) refuseLink(top, path, entry.name, scope);
    } else if (ignored) {
      continue;
    } else if (entry.isDirectory()) {
      yield* listFolder(top, path, scope);
    } else if (entry.name === 'Kustomization') {
      throw new InputError(
        message`${path}: kustomize reads a file of this name and kpt does not; rename it to kustomization.yaml`,
      );
    } else if (isReadByKpt(entry.name)) {
      yield path;
    }
  }
}

function listEntries(top: string, folder: string): Dirent[] {
  try {
    const entries = readdirSync(join(top, folder), { withFileTypes: true });
    // Go compares bytes; JavaScript's own order differs above U+FFFF.
    return entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  } catch (error) {
    throw unreadable(folder === '' ? '.' : folder, error);
  }
}

function readPatterns(top: string, folder: string): KrmIgnore {
  const file = within(folder, IGNORE_FILE);
  return parseKrmIgnore(readRegularFile(top, file).toString(), file);
}

function isIgnored(scope: Scope, path: string, isDirectory: boolean): boolean {
  const inScope = scope.folder === '' ? path : path.slice(scope.folder.length + 1);
  return scope.patterns.ignores(inScope, isDirectory);
}

/** Refuses a link that kpt would read, or that kustomize would follow into a folder; skips any other. */
function refuseLink(top: string, path: string, name: string, scope: Scope): void {
  const ignoreFile = within(scope.folder, IGNORE_FILE);
  if (leadsToDirectory(join(top, path))) {
    // kpt never enters a linked folder, so the pattern `node_modules/` may name a linked one as well.
    if (isIgnored(scope, path, true)) return;
    throw new InputError(
      message`${path} is a symbolic link to a folder, which kustomize follows and kpt does not; replace it with the folder, or list the link in ${ignoreFile}`,
    );
  }
  if (isReadByKpt(name) || name === 'Kustomization') {
    throw new InputError(
      message`${path} is a symbolic link; replace it with a copy of the file, or list the link in ${ignoreFile}`,
    );
  }
}

function leadsToDirectory(link: string): boolean {
  try {
    return statSync(link).isDirectory();
  } catch {
    return false;
  }
}

function within(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
