import path from 'node:path/posix';
import { InputError } from '../errors';
import { message } from '../message';
import { type Item, isKustomizationFile } from '../krm/item';
import type { YamlObject } from '../yaml/yaml';
import { pluginReferences, referencesOf } from './references';

/** The files of a package: path with `/` to its documents, in order. */
export type PackageItems = ReadonlyMap<string, readonly Item[]>;

/** One kustomization file, and what it names: paths in the package. */
export interface Kustomization {
  /** Its folder; `.` for the package's own. */
  readonly dir: string;
  readonly file: string;
  readonly isComponent: boolean;
  readonly value: YamlObject;
  /** Folders of the kustomizations and Components that it builds on. */
  readonly folders: readonly string[];
  /** Files of whole resources. */
  readonly resources: readonly string[];
  /** Patch files, in order. */
  readonly patches: readonly string[];
  /** Every other file in the package that it names. */
  readonly others: readonly string[];
  /** Generator inputs that a ResourceList does not carry, with the text that stands in for them. */
  readonly standIns: ReadonlyMap<string, string>;
  /** It names the file of generated policies beside it, which is not there. */
  readonly lacksPolicies: boolean;
  /** Why kustomize must not be started on it. */
  readonly problems: readonly string[];
}

/** Folder to kustomization. */
export type Graph = ReadonlyMap<string, Kustomization>;

/** What kustomize takes for a URL or a repository, also when a folder of that name is there (internal/git/repospec.go). */
const REMOTE = /^([a-z][a-z0-9+.-]*:|[^/]*@|(www\.)?github\.com([/:]|$))/i;

/** The file beside a kustomization that the function writes network policies into. */
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
      throw new InputError(message`${dir}: two kustomization files, ${other.file} and ${file}; keep one`);
    const [item] = items;
    if (item === undefined || items.length > 1)
      throw new InputError(message`${file}: ${items.length} documents where kustomize reads one`);
    graph.set(dir, readKustomization(dir, file, item.value, files));
  }
  return graph;
}

function readKustomization(dir: string, file: string, value: YamlObject, files: PackageItems): Kustomization {
  const folders: string[] = [];
  const resources: string[] = [];
  const patches: string[] = [];
  const others: string[] = [];
  const standIns = new Map<string, string>();
  let lacksPolicies = false;
  const { references, problems: own } = referencesOf(value);
  const problems = [...own];

  for (const reference of references) visit(reference, true);
  return {
    dir,
    file,
    isComponent: value.kind === 'Component',
    value,
    folders,
    resources,
    patches,
    others,
    standIns,
    lacksPolicies,
    problems: problems.map((problem) => `${file} names ${problem}`),
  };

  function isInTheWay(target: string): boolean {
    if ([...files.keys()].some((one) => one.startsWith(`${target}/`))) return true;
    for (let above = path.dirname(target); above !== '.'; above = path.dirname(above))
      if (files.has(above)) return true;
    return target === '.';
  }

  function visit({ role, path: written }: (typeof references)[number], follow: boolean): void {
    if (REMOTE.test(written)) {
      problems.push(
        `${written}, which is not in the package: a build must not reach for the network; vendor it`,
      );
      return;
    }
    const target = path.join(dir, written).replace(/\/$/, '');
    if (path.isAbsolute(written) || target === '..' || target.startsWith('../') || written.includes('\0')) {
      problems.push(`${written}, which lies outside the package; move it inside`);
      return;
    }
    const isFile = files.has(target);
    if (isFile && role !== 'resource' && role !== 'patch') others.push(target);
    const isFolder = ['kustomization.yaml', 'kustomization.yml'].some((name) =>
      files.has(path.join(target, name)),
    );
    if (isFolder && (role === 'resource' || role === 'component')) folders.push(target);
    else if (isFile && role === 'resource') resources.push(target);
    else if (isFile && role === 'patch') patches.push(target);
    else if (isFile && role === 'plugin' && follow) {
      for (const { value: config } of files.get(target) ?? []) {
        const plugin = pluginReferences(config);
        problems.push(...plugin.problems);
        for (const reference of plugin.references) visit(reference, false);
      }
    } else if (isFolder && role === 'plugin')
      problems.push(`the folder ${written} for plugins; name the files themselves`);
    else if (role.startsWith('generator') && !isFile && isInTheWay(target))
      problems.push(
        `${written} (${target}), which is a folder of the package, or lies below a file of it; name a file`,
      );
    else if (!isFile && (role === 'generator file' || role === 'generator env') && !/\.ya?ml$/.test(target))
      standIns.set(target, standInFor(target, role));
    else if (!isFile && role === 'resource' && target === policiesFile(dir)) {
      resources.push(target);
      lacksPolicies = true;
    } else if (!isFile || role === 'component')
      problems.push(`${written}, which is not in the package (${target}); ${missingHint(role)}`);
  }
}

function missingHint(role: string): string {
  switch (role) {
    case 'resource':
    case 'component':
      return 'add the file or the folder with its kustomization.yaml, or see that .krmignore does not name it';
    case 'patch':
      return 'add it; a JSON 6902 patch, which kpt does not carry as a file, is written inline';
    case 'generator file':
    case 'generator env':
      return 'kpt carries only Kubernetes resources as YAML: give a generator input another ending';
    default:
      return 'add it, or see that .krmignore does not name it';
  }
}

/** No piece of it is a valid image reference, tag, name or number: it passes for nothing that it is not. */
const UNKNOWN = '<?>';

function standInFor(file: string, role: 'generator file' | 'generator env'): string {
  if (role === 'generator file') return UNKNOWN;
  // A key of its own: one generator may read several.
  return `GUARDRAILS_STAND_IN_${Buffer.from(file).toString('hex')}=${UNKNOWN}\n`;
}

/**
 * The overlays of a package: every Kustomization under a folder `overlays`, every root of the graph and every one that
 * the configuration names, also when another builds on it. Never a Component.
 *
 * @param configured folders of the configuration's environments, each of which is in the graph
 */
export function overlaysOf(graph: Graph, configured: readonly string[]): string[] {
  const candidates = [...graph.values()].filter(({ isComponent }) => !isComponent).map(({ dir }) => dir);
  const builtOn = new Set([...graph.values()].flatMap(({ folders }) => folders));
  const overlays = new Set(
    candidates.filter(
      (dir) => `/${dir}`.includes('/overlays/') || !builtOn.has(dir) || configured.includes(dir),
    ),
  );
  // What only a circle of kustomizations reaches is no root; kustomize says what is wrong with it.
  for (const dir of candidates) if (!reachableFrom(graph, [...overlays]).has(dir)) overlays.add(dir);
  return [...overlays].sort();
}

/** The folders of everything that the kustomizations of some folders build on, themselves included. */
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
