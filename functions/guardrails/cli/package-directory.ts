import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors';
import { isKustomizationFile } from '../krm/item';
import { message, words } from '../message';
import { IGNORE_NOTHING, type KrmIgnore, parseKrmIgnore } from './krmignore';
import { ifValid } from '../yaml/yaml';
import { codeOf, readRegularFile, unreadable } from './regular-file';

/** The folder of the package that the builds are written to, and the list of the files there. */
export const OUTPUT = 'dist';
export const OUTPUT_LIST = '.guardrails-files';

/** One file of the package as kpt would read it. path: relative to the package, '/'-separated. */
export interface PackageFile {
  readonly path: string;
  readonly bytes: Buffer;
}

/** The files of a package, and what is not looked at. */
export interface PackageListing {
  /** The package's folder, without links. */
  readonly top: string;
  /** Whether it is a package of kpt: a Kptfile is at its top. */
  readonly isKptPackage: boolean;
  readonly files: readonly PackageFile[];
  /** Kustomization files that `.krmignore` hides, in order. */
  readonly hidden: readonly string[];
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
 * It differs from kpt on purpose: it does not read the package's own `dist/`, where the builds are written, nor any
 * `.git`, which no commit can hold; it reads a file named `Kustomization`, as kustomize does; and a `.krmignore` must be a
 * plain file. In a package of kpt, symbolic links and other special files that kpt would read are refused, as are links to
 * folders (kustomize follows them and kpt does not). In any other package links are left alone, and `node_modules` is not
 * read.
 *
 * @throws InputError with the path, relative to the package, and how to fix it
 */
export async function readPackageDirectory(root: string): Promise<PackageListing> {
  const top = await resolveRoot(root);
  // Synchronous from here on: several times as fast for a thousand small files.
  const names = new Set(listEntries(top, '').map(({ name }) => name));
  const isKptPackage = names.has(PACKAGE_FILE);
  const walk = new Walk(top);
  const files = Array.from(walk.listFolder('', NO_SCOPE), (path) => ({
    path,
    bytes: readRegularFile(top, path),
  }));
  return { top, isKptPackage, files, hidden: walk.hidden };
}

/** The `.krmignore` that applies, and its folder ('' is the root). */
interface Scope {
  readonly folder: string;
  readonly patterns: KrmIgnore;
  /** Whether it is in a package of kpt. */
  readonly isKptPackage: boolean;
}

const NO_SCOPE: Scope = { folder: '', patterns: IGNORE_NOTHING, isKptPackage: false };
const IGNORE_FILE = '.krmignore';
const PACKAGE_FILE = 'Kptfile';

/** Whether kpt reads a file of this name. */
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

/** A walk through the folders of a package. */
class Walk {
  readonly hidden: string[] = [];

  constructor(private readonly top: string) {}

  /** The paths to read, in order. `outer` is the scope of the folder above. */
  *listFolder(folder: string, outer: Scope): Generator<string> {
    const entries = listEntries(this.top, folder);
    const scope = this.scopeOf(folder, entries, outer);
    for (const entry of entries) {
      const path = within(folder, entry.name);
      if (this.isNeverRead(path, entry, scope)) continue;
      const ignored = isIgnored(scope, path, entry.isDirectory());
      if (entry.isSymbolicLink()) {
        if (!ignored && scope.isKptPackage) refuseLink(this.top, path, entry.name, scope);
      } else if (ignored) {
        this.hide(path, entry);
      } else if (entry.isDirectory()) {
        yield* this.listFolder(path, scope);
      } else if (isReadByKpt(entry.name) || isKustomizationFile(entry.name)) {
        yield path;
      }
    }
  }

  private scopeOf(folder: string, entries: readonly Dirent[], outer: Scope): Scope {
    const names = new Set(entries.map(({ name }) => name));
    if (folder !== '' && !names.has(PACKAGE_FILE)) return outer;
    const patterns = names.has(IGNORE_FILE) ? readPatterns(this.top, folder) : IGNORE_NOTHING;
    return { folder, patterns, isKptPackage: names.has(PACKAGE_FILE) };
  }

  private isNeverRead(path: string, entry: Dirent, { isKptPackage }: Scope): boolean {
    if (entry.name === '.git') return true;
    if (path === OUTPUT) return isKptPackage || existsSync(join(this.top, OUTPUT, OUTPUT_LIST));
    return !isKptPackage && entry.name === 'node_modules';
  }

  /** Looks for kustomizations in what `.krmignore` hides. */
  private hide(path: string, entry: Dirent): void {
    if (isKustomizationFile(entry.name) && entry.isFile()) this.hidden.push(path);
    if (!entry.isDirectory() || ['node_modules', '.git'].includes(entry.name)) return;
    for (const below of listIfReadable(this.top, path))
      if (!below.isSymbolicLink()) this.hide(within(path, below.name), below);
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

/** The same of an ignored folder, which the user may not be able to read. */
function listIfReadable(top: string, folder: string): Dirent[] {
  return ifValid(() => listEntries(top, folder)) ?? [];
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
