import path from 'node:path/posix';
import { InputError } from '../errors';
import { Message, joinMessages, message, words } from '../message';
import { type Item, isKustomizationFile } from '../krm/item';
import { UNKNOWN_CONTENT, unknownKeyOf } from '../krm/unknown-content';
import { decodeText } from '../yaml/text';
import { type YamlObject, ifValid, isObject, parseYaml, valueOf } from '../yaml/yaml';
import { applyArgoCdSource, argoCdSourceFiles, readArgoCdSource } from './argocd-source';
import { GENERATORS } from './generators';
import { type Reference, type Role, isEmpty, pluginReferences, referencesOf } from './references';

/** The files of a package: path with `/` to its documents, in order. */
export type PackageItems = ReadonlyMap<string, readonly Item[]>;

/** The directory that a package is read from. A ResourceList has none: what is not an item is unknown there. */
export interface PackageDirectory {
  /** Its kustomization files, those that cannot be read included. */
  readonly kustomizations: readonly string[];
  /** Kustomization files that `.krmignore` hides. */
  readonly hidden: readonly string[];
  /** Its other files; undefined: not known. */
  readonly files?: readonly string[];
  /** The names of the files of a folder that Argo CD applies to its build. */
  argoCdSourcesIn(dir: string): readonly string[];
  /** The content of a file; a message says why it must not be read; undefined: there is no such file. */
  read(file: string): Uint8Array | Message | undefined;
  /**
   * The documents of a file that is not among the items.
   *
   * @throws InputError a file that cannot be read as resources
   */
  documentsOf(file: string): readonly Item[];
}

/** Folder to kustomization. */
export type Graph = ReadonlyMap<string, Kustomization>;

/** What kustomize reads as a URL or a repository, even if a folder of that name exists (internal/git/repospec.go). */
const REMOTE = /^([a-z][a-z0-9+.-]*:|[^/]*@|(www\.)?g[iİ]thub\.com([/:]|$))/i;
/** The same of inline YAML, where `kind:` is no scheme. */
const REMOTE_TEXT = /^(git::)?((https?|ssh|file):\/\/|[a-z][a-z0-9-]*@|(www\.)?g[iİ]thub\.com[/:])/i;

/** In the order in which kustomize looks for them. */
const KUSTOMIZATION_FILES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** The file in a kustomization's folder that the function writes network policies to. */
export function policiesFile(dir: string): string {
  return path.join(dir, 'network-policies.yaml');
}

/**
 * Reads every kustomization among the items of a package, and those of its directory that they build on.
 *
 * @param others takes the files of the directory that kustomizations name, with their content
 */
export function readGraph(
  items: PackageItems,
  directory: PackageDirectory | undefined,
  others: Map<string, Uint8Array>,
): Graph {
  const graph = new Map<string, Kustomization>();
  const files = new PackageFiles(items, directory, others);
  const kustomizations = [...items.keys(), ...(directory?.kustomizations ?? [])].filter(isKustomizationFile);
  const queue = kustomizations.map((file) => path.dirname(file));
  for (const dir of queue) {
    if (graph.has(dir)) continue;
    const kustomization = new Kustomization(dir, files);
    graph.set(dir, kustomization);
    queue.push(...kustomization.folders);
  }
  for (const { folders } of graph.values()) for (const folder of folders) graph.get(folder)?.refuseOverride();
  return graph;
}

/** The files that a kustomization may name: the items, and what the directory has besides. */
class PackageFiles {
  constructor(
    readonly items: PackageItems,
    private readonly directory: PackageDirectory | undefined,
    private readonly others: Map<string, Uint8Array>,
  ) {}

  /** The kustomization files of a folder. */
  kustomizationsIn(dir: string): string[] {
    return KUSTOMIZATION_FILES.map((name) => path.join(dir, name)).filter(
      (file) => this.items.has(file) || this.directory?.read(file) !== undefined,
    );
  }

  /** The documents of a file; of one that is not an item, for reading alone. @throws InputError */
  documentsOf(file: string): readonly Item[] {
    return this.items.get(file) ?? this.directory?.documentsOf(file) ?? [];
  }

  argoCdSourcesIn(dir: string): readonly string[] {
    return argoCdSourceFiles(this.directory?.argoCdSourcesIn(dir) ?? []).map((name) => path.join(dir, name));
  }

  /** A mapping in a file of the directory that is not a resource. */
  mappingIn(file: string): YamlObject | Message {
    const content = this.directory?.read(file) ?? new Uint8Array();
    if (content instanceof Message) return message`${file} ${content}`;
    const documents = ifValid(() => parseYaml(decodeText(content, file), file).map(valueOf));
    if (documents === undefined) return message`${file} is not valid YAML; fix the syntax`;
    const [value] = documents;
    return isObject(value) ? value : message`${file} has no mapping; write one, or delete the file`;
  }

  get hasDirectory(): boolean {
    return this.directory !== undefined;
  }

  /** Whether the directory has a file that is not an item; if so, a build gets it. A message says why it does not. */
  take(file: string): boolean | Message {
    const content = this.directory?.read(file);
    if (content instanceof Message) return content;
    if (content === undefined) return false;
    this.others.set(file, content);
    return true;
  }

  isFolderOrBelowFile(target: string): boolean {
    if ([...this.items.keys()].some((one) => one.startsWith(`${target}/`))) return true;
    for (let above = path.dirname(target); above !== '.'; above = path.dirname(above))
      if (this.items.has(above)) return true;
    return target === '.';
  }
}

const ADD = 'add it, and check that .krmignore does not exclude it';
const ADD_ANY =
  'add the file, or the folder with its kustomization.yaml, and check that .krmignore does not exclude it';
const ADD_PATCH =
  'add it; kpt does not pass a file that is not a Kubernetes resource: write a JSON 6902 patch inline there';
const RENAME =
  'add it; kpt passes YAML files only if they are Kubernetes resources: rename the file to another extension there';
const IS_REMOTE =
  'is remote, and a build must not use the network; vendor it with `kustomize localize`, or check what CI built with --built';
const IS_OUTSIDE =
  'is outside the package; move it into the package, or run on the folder that contains both';
type FileList = 'resources' | 'patches' | 'others';
/** Role to the list of its files, if it takes files, and how to fix a path that is not in the package. */
const ROLES: Readonly<Record<Role, { readonly list?: FileList; readonly remedy: string }>> = {
  resource: { list: 'resources', remedy: ADD_ANY },
  component: { remedy: ADD_ANY },
  patch: { list: 'patches', remedy: ADD_PATCH },
  plugin: { list: 'others', remedy: ADD },
  'inline plugin': { remedy: ADD },
  'generator file': { list: 'others', remedy: RENAME },
  'generator env': { list: 'others', remedy: RENAME },
  other: { list: 'others', remedy: ADD },
};

/** One kustomization file, and what it and the plugin configurations in its files name: paths in the package. */
export class Kustomization {
  /** Folders of the kustomizations and Components that it builds on. */
  readonly folders: string[] = [];
  /** Files of complete resources. */
  readonly resources: string[] = [];
  /** Patch files, in order. */
  readonly patches: string[] = [];
  /** Every other file in the package that it names. */
  readonly others: string[] = [];
  /** Files that a secretGenerator or a SecretGenerator plugin reads, in the package or not. */
  readonly secretInputs: string[] = [];
  /** Patch files that are not items, which may be patches to Secrets. */
  readonly otherPatches: string[] = [];
  /** Generator inputs that are not in a ResourceList, with the text to build with in their place. */
  readonly placeholders = new Map<string, string>();
  /** Why kustomize must not be started on it. */
  readonly problems: Message[] = [];
  readonly file: string;
  readonly value: YamlObject;
  readonly isComponent: boolean;
  /** It names the file of generated policies in its folder, which does not exist. */
  lacksPolicies = false;
  /** It names a file of resources that is not among the items. */
  hasOtherResources = false;
  /** Files of Argo CD that are applied to it: `value` is not what its file holds. */
  readonly overrides: string[] = [];

  /** @param dir its folder; `.` for the package's own */
  constructor(
    readonly dir: string,
    private readonly files: PackageFiles,
  ) {
    const [file = '', ...more] = files.kustomizationsIn(dir);
    this.file = file;
    if (more.length > 0)
      this.problems.push(
        message`${dir} has several kustomization files, ${joinMessages([file, ...more], ' and ')}; keep one`,
      );
    this.value = this.overridden(this.readValue() ?? {});
    this.isComponent = this.value.kind === 'Component';
    this.add(file, referencesOf(this.value));
  }

  /** Whether it has no resources of its own to build. */
  get isEmpty(): boolean {
    const generators = [...GENERATORS.map(([field]) => field), 'generators'];
    const hasGenerator = generators.some((field) => !isEmpty(this.value[field]));
    return this.resources.length === 0 && !this.hasOtherResources && !hasGenerator;
  }

  private readValue(): YamlObject | undefined {
    const { file, files } = this;
    const isItem = files.items.has(file);
    const refusal = isItem ? undefined : files.take(file);
    if (refusal instanceof Message) this.problems.push(message`${file} ${refusal}`);
    const documents = this.documentsOf(file);
    if (documents === undefined || refusal instanceof Message) return undefined;
    if (documents.length !== 1)
      this.problems.push(
        message`${file} has ${documents.length} documents, but kustomize reads one; keep one`,
      );
    return documents[0]?.value;
  }

  /** The kustomization as Argo CD edits it before the build. */
  private overridden(value: YamlObject): YamlObject {
    const files = this.files.argoCdSourcesIn(this.dir);
    const [first] = files;
    if (first === undefined) return value;
    this.overrides.push(first);
    const override = readArgoCdSource(this.dir, files, (file) => this.files.mappingIn(file));
    const result = override instanceof Message ? override : applyArgoCdSource(value, override, first);
    if (!(result instanceof Message)) return result;
    this.problems.push(result);
    return value;
  }

  /** Argo CD applies the file to the build of this folder alone, and not to one that includes it. */
  refuseOverride(): void {
    const [file] = this.overrides.splice(0);
    if (file !== undefined)
      this.problems.push(
        message`${file}: Argo CD applies this file to the build of ${this.dir}, which other kustomizations include; write it into the kustomization`,
      );
  }

  /** The documents of a file; undefined, with a problem, for one that cannot be read. */
  private documentsOf(file: string): readonly Item[] | undefined {
    try {
      return this.files.documentsOf(file);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.problems.push(error.text);
      return undefined;
    }
  }

  /** @param file the file that the references are written in */
  private add(file: string, references: readonly (Reference | Message)[]): void {
    for (const one of references) {
      const reason = one instanceof Message ? undefined : this.visit(one);
      if (one instanceof Message) this.problems.push(message`${file}: ${one}`);
      else if (reason !== undefined)
        this.problems.push(message`${file}: ${one.field} names ${one.path}, which ${reason}`);
    }
  }

  /** Lists the file or folder, or returns why it is refused. */
  private visit({ role, field, path: written }: Reference): Message | undefined {
    if ((role === 'inline plugin' ? REMOTE_TEXT : REMOTE).test(written)) return words(IS_REMOTE);
    const target = path.join(this.dir, written).replace(/\/$/, '');
    if (path.isAbsolute(written) || target === '..' || target.startsWith('../') || written.includes('\0'))
      return words(IS_OUTSIDE);
    if (role === 'inline plugin') return this.visitInline(target);
    // Files whose content goes into a Secret.
    if (field === 'secretGenerator' || field === 'SecretGenerator') this.secretInputs.push(target);
    const isFolder = this.files.kustomizationsIn(target).length > 0;
    if (isFolder && (role === 'resource' || role === 'component')) this.folders.push(target);
    else if (isFolder && role === 'plugin') return words('is a folder; name the files in it');
    else return this.visitFile(target, role);
    return undefined;
  }

  private visitFile(target: string, role: Role): Message | undefined {
    const { items } = this.files;
    const { list } = ROLES[role];
    if (list === undefined) return this.visitMissing(target, role);
    // A generator takes the bytes of the file, which kpt may print in another form.
    const isInput = role === 'generator file' || role === 'generator env';
    const taken = isInput || !items.has(target) ? this.files.take(target) : false;
    if (taken instanceof Message) return taken;
    if (items.has(target)) this[list].push(target);
    else if (!taken) return this.visitMissing(target, role);
    else if (role === 'patch') this.otherPatches.push(target);
    else if (role === 'resource' && this.documentsOf(target)?.length !== 0) this.hasOtherResources = true;
    if (role !== 'plugin') return undefined;
    for (const { value, text } of this.documentsOf(target) ?? [])
      this.add(target, pluginReferences(value, text));
    return undefined;
  }

  /** kustomize reads it as a path where there is one. */
  private visitInline(target: string): Message | undefined {
    if (
      this.files.take(target) === false &&
      !this.files.items.has(target) &&
      !this.files.isFolderOrBelowFile(target)
    )
      return undefined;
    return words('is also the name of a file or folder; rename that');
  }

  private visitMissing(target: string, role: Role): Message | undefined {
    const isGeneratorInput = role === 'generator file' || role === 'generator env';
    if (isGeneratorInput && this.files.isFolderOrBelowFile(target))
      return message`is a folder of the package, or has a file as its folder (${target}); name a file`;
    if (isGeneratorInput && !this.files.hasDirectory && !/\.ya?ml$/.test(target)) {
      const line = `${unknownKeyOf(target)}=${UNKNOWN_CONTENT}\n`;
      this.placeholders.set(target, role === 'generator file' ? UNKNOWN_CONTENT : line);
    } else if (role === 'resource' && target === policiesFile(this.dir)) {
      this.resources.push(target);
      this.lacksPolicies = true;
    } else return message`is not in the package (${target}); ${words(ROLES[role].remedy)}`;
    return undefined;
  }
}

/** The folders that the kustomizations of some folders build on, and these folders themselves. */
export function reachableFrom(graph: Graph, dirs: readonly string[]): Set<string> {
  const reached = new Set<string>();
  const visit = (dir: string) => {
    if (reached.has(dir)) return;
    reached.add(dir);
    for (const folder of graph.get(dir)?.folders ?? []) visit(folder);
  };
  for (const dir of dirs) visit(dir);
  return reached;
}
