import path from 'node:path/posix';
import { ConfigError, InputError } from '../errors';
import { Message, joinMessages, message, words } from '../message';
import { type Item, isKustomizationFile } from '../krm/item';
import type { YamlObject } from '../yaml/yaml';
import { type Reference, type Role, pluginReferences, referencesOf } from './references';

/** The files of a package: path with `/` to its documents, in order. */
export type PackageItems = ReadonlyMap<string, readonly Item[]>;

/** Folder to kustomization. */
export type Graph = ReadonlyMap<string, Kustomization>;

/** What kustomize reads as a URL or a repository, even if a folder of that name exists (internal/git/repospec.go). */
const REMOTE = /^([a-z][a-z0-9+.-]*:|[^/]*@|(www\.)?g[iİ]thub\.com([/:]|$))/i;
/** The same of inline YAML, where `kind:` is no scheme. */
const REMOTE_TEXT = /^(git::)?((https?|ssh|file):\/\/|[a-z][a-z0-9-]*@|(www\.)?g[iİ]thub\.com[/:])/i;

const KUSTOMIZATION_FILES = ['kustomization.yaml', 'kustomization.yml'];

/** The file in a kustomization's folder that the function writes network policies to. */
export function policiesFile(dir: string): string {
  return path.join(dir, 'network-policies.yaml');
}

/** Reads every kustomization of a package. */
export function readGraph(files: PackageItems): Graph {
  const graph = new Map<string, Kustomization>();
  for (const [file, items] of files) {
    if (!isKustomizationFile(file)) continue;
    const dir = path.dirname(file);
    const other = graph.get(dir);
    if (other !== undefined)
      throw new InputError(message`${dir} has two kustomization files, ${other.file} and ${file}; keep one`);
    const [item] = items;
    if (item === undefined || items.length > 1)
      throw new InputError(message`${file} has ${items.length} documents, but kustomize reads one; keep one`);
    graph.set(dir, new Kustomization(dir, file, item.value, files));
  }
  return graph;
}

/** Not a valid image reference, tag, name or number, so that no check takes a placeholder for a real value. */
const UNKNOWN = '<?>';

const ADD = 'add it, and check that .krmignore does not exclude it';
const ADD_ANY =
  'add the file, or the folder with its kustomization.yaml, and check that .krmignore does not exclude it';
const ADD_PATCH = 'add it; write a JSON 6902 patch inline, because kpt does not pass its file';
const RENAME =
  'kpt passes YAML files only if they are Kubernetes resources: rename the file to another extension';
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
  /** Generator inputs that are not in a ResourceList, with the text to build with in their place. */
  readonly placeholders = new Map<string, string>();
  /** Why kustomize must not be started on it. */
  readonly problems: Message[] = [];
  readonly isComponent: boolean;
  /** It names the file of generated policies in its folder, which does not exist. */
  lacksPolicies = false;

  /** @param dir its folder; `.` for the package's own */
  constructor(
    readonly dir: string,
    readonly file: string,
    readonly value: YamlObject,
    private readonly files: PackageItems,
  ) {
    this.isComponent = value.kind === 'Component';
    this.add(file, referencesOf(value));
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
    if ((role === 'inline plugin' ? REMOTE_TEXT : REMOTE).test(written))
      return words('is remote; vendor it in the package, because a build must not use the network');
    const target = path.join(this.dir, written).replace(/\/$/, '');
    if (path.isAbsolute(written) || target === '..' || target.startsWith('../') || written.includes('\0'))
      return words('is outside the package; move it into the package');
    if (role === 'inline plugin') return this.visitInline(target);
    // Files whose content goes into a Secret.
    if (field === 'secretGenerator' || field === 'SecretGenerator') this.secretInputs.push(target);
    const { list } = ROLES[role];
    const isFolder = KUSTOMIZATION_FILES.some((name) => this.files.has(path.join(target, name)));
    if (isFolder && (role === 'resource' || role === 'component')) this.folders.push(target);
    else if (isFolder && role === 'plugin') return words('is a folder; name the files in it');
    else if (list !== undefined && this.files.has(target)) this[list].push(target);
    else return this.visitMissing(target, role);
    if (role === 'plugin')
      for (const { value, text } of this.files.get(target) ?? [])
        this.add(target, pluginReferences(value, text));
    return undefined;
  }

  /** kustomize reads it as a path where there is one. */
  private visitInline(target: string): Message | undefined {
    if (!this.files.has(target) && !this.isFolderOrBelowFile(target)) return undefined;
    return words('is also the name of a file or folder; rename that');
  }

  private visitMissing(target: string, role: Role): Message | undefined {
    const isGeneratorInput = role === 'generator file' || role === 'generator env';
    if (isGeneratorInput && this.isFolderOrBelowFile(target))
      return message`is a folder of the package, or has a file as its folder (${target}); name a file`;
    if (isGeneratorInput && !/\.ya?ml$/.test(target)) {
      // A key of its own for each file, because one generator may read several.
      const key = `GUARDRAILS_PLACEHOLDER_${Buffer.from(target).toString('hex')}`;
      this.placeholders.set(target, role === 'generator file' ? UNKNOWN : `${key}=${UNKNOWN}\n`);
    } else if (role === 'resource' && target === policiesFile(this.dir)) {
      this.resources.push(target);
      this.lacksPolicies = true;
    } else return message`is not in the package (${target}); ${words(ROLES[role].remedy)}`;
    return undefined;
  }

  private isFolderOrBelowFile(target: string): boolean {
    if ([...this.files.keys()].some((one) => one.startsWith(`${target}/`))) return true;
    for (let above = path.dirname(target); above !== '.'; above = path.dirname(above))
      if (this.files.has(above)) return true;
    return target === '.';
  }
}

/** Checks that each folder that the configuration names is an overlay. @throws ConfigError with all overlays */
export function checkConfiguredOverlays(graph: Graph, configured: readonly string[]): void {
  const known = kustomizationFolders(graph);
  const unknown = configured.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new ConfigError(
    message`configuration: environments names the overlay "${unknown}", which does not exist; use one of ${joinMessages(known.sort(), ', ')}`,
  );
}

/**
 * The overlays of a package: every Kustomization in a folder `overlays`, every Kustomization that no other builds on,
 * and every one that the configuration names. A Component counts if no other kustomization builds on it and it is not
 * below a folder `components`, because kustomize and Argo CD build it like a Kustomization.
 */
export function overlaysOf(graph: Graph, configured: readonly string[]): string[] {
  const candidates = kustomizationFolders(graph);
  const builtOn = foldersBuiltOn(graph);
  const overlays = new Set(
    candidates.filter(
      (dir) => `/${dir}`.includes('/overlays/') || !builtOn.has(dir) || configured.includes(dir),
    ),
  );
  for (const { dir, isComponent } of graph.values())
    if (isComponent && !builtOn.has(dir) && !isOptional(dir)) overlays.add(dir);
  // Kustomizations that build on each other have no root; kustomize reports the cycle.
  for (const dir of candidates) if (!reachableFrom(graph, [...overlays]).has(dir)) overlays.add(dir);
  return [...overlays].sort();
}

/** Components that no kustomization builds on, and that are not judged by themselves. */
export function unusedComponents(graph: Graph): Kustomization[] {
  const builtOn = foldersBuiltOn(graph);
  return [...graph.values()].filter(
    ({ dir, isComponent }) => isComponent && !builtOn.has(dir) && isOptional(dir),
  );
}

/** Whether a Component is one of the optional parts, which are kept in a folder `components`. */
function isOptional(dir: string): boolean {
  return dir.split('/').includes('components');
}

function foldersBuiltOn(graph: Graph): ReadonlySet<string> {
  return new Set([...graph.values()].flatMap(({ folders }) => folders));
}

/** Folders of Kustomizations, as opposed to Components. */
function kustomizationFolders(graph: Graph): string[] {
  return [...graph.values()].filter(({ isComponent }) => !isComponent).map(({ dir }) => dir);
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
