import { availableParallelism } from 'node:os';
import type { Item } from '../krm/item';
import { type Message, message, words } from '../message';
import { joinDocuments } from '../yaml/text';
import { type Build, BuildError, PackageCopy } from './copy';
import { type Graph, type PackageDirectory, policiesFile, reachableFrom } from './graph';
import { type OverlaySettings, type Overlays, checkConfiguredOverlays, overlaysOf } from './overlays';
import type { Package } from './package';
import type { Kustomize } from './program';

/** Returns the kustomize to build with. Throws GuardrailsError if none is found. */
export type FindKustomize = () => Promise<Kustomize>;

/** What one overlay builds. */
export interface OverlayBuild extends Build {
  /** The overlay's folder. */
  readonly overlay: string;
  /** Its kustomization file. */
  readonly kustomization: string | undefined;
  /** The documents of the file that it was read from, if kustomize did not build it here. */
  readonly given?: readonly Item[];
}

/** A build that was made elsewhere: the documents of its file. */
export interface GivenBuild {
  readonly text: string;
  readonly items: readonly Item[];
}

/** An overlay without a build. */
export interface FailedBuild {
  readonly overlay: string;
  /** `info`: there is nothing to build. */
  readonly severity: 'error' | 'info';
  readonly problem: Message;
  readonly remedy?: Message | undefined;
}

/** The builds of all overlays of a package, and the copy that they were built in, which `remove` deletes. */
export interface BuiltPackage {
  readonly pkg: Package;
  readonly copy: PackageCopy;
  readonly overlays: Overlays;
  readonly builds: readonly OverlayBuild[];
  readonly failures: readonly FailedBuild[];
  readonly kustomize: Kustomize;
  readonly remove: () => void;
}

export interface BuildOptions {
  readonly settings: OverlaySettings;
  readonly findKustomize: FindKustomize;
  /** Overlay to the build to judge in place of one that kustomize makes here. */
  readonly given?: ReadonlyMap<string, GivenBuild> | undefined;
}

/** Where no overlay can be built, none is looked for. */
const NOT_STARTED: Kustomize = { command: '', args: [], description: 'no kustomize' };

/**
 * Builds every overlay of a package with kustomize, concurrently, in a temporary copy. An overlay that cannot be built
 * does not stop the others.
 *
 * @param mayLackPolicies builds with an empty file for generated policies that do not exist yet
 * @throws ConfigError a configured overlay that does not exist; GuardrailsError kustomize cannot run
 */
export async function buildOverlays(
  pkg: Package,
  { settings, findKustomize, given = new Map() }: BuildOptions,
  mayLackPolicies = false,
): Promise<BuiltPackage> {
  const { graph } = pkg;
  checkConfiguredOverlays(graph, settings.configured);
  const { judged, ...rest } = overlaysOf(graph, settings);
  const overlays = { judged: [...new Set([...judged, ...given.keys()])].sort(), ...rest };
  const problems = new Map(
    overlays.judged.map((one) => [one, problemsOf(one, graph, mayLackPolicies)] as const),
  );
  const canBuild = overlays.judged.some((one) => !given.has(one) && problems.get(one)?.length === 0);
  const kustomize = canBuild ? await findKustomize() : NOT_STARTED;
  const copy = new PackageCopy(filesToBuild(pkg), kustomize);
  try {
    const results = await mapConcurrently(overlays.judged, async (one) => {
      const file = given.get(one);
      if (file !== undefined) return givenBuild(one, graph, file);
      const own = problems.get(one) ?? [];
      return own.length > 0 ? own : buildOverlay(one, graph, copy);
    });
    const builds = results.flatMap((one) => ('stdout' in one ? [one] : []));
    const failures = results.flatMap((one) => ('stdout' in one ? [] : one));
    return { pkg, copy, overlays, builds, failures, kustomize, remove: copy.remove.bind(copy) };
  } catch (error) {
    copy.remove();
    throw error;
  }
}

function filesToBuild({ files, graph, others, directory }: Package): Map<string, string | Uint8Array> {
  const kustomizations = [...graph.values()];
  const texts = new Map<string, string | Uint8Array>(kustomizations.flatMap((one) => [...one.placeholders]));
  for (const { dir, lacksPolicies } of kustomizations) if (lacksPolicies) texts.set(policiesFile(dir), '');
  for (const [file, documents] of files) texts.set(file, contentOf(documents, file, directory));
  for (const [file, content] of others) texts.set(file, content);
  for (const { file, value, overrides } of kustomizations)
    if (overrides.length > 0) texts.set(file, JSON.stringify(value));
  return texts;
}

/** The bytes of a file whose documents have not changed; otherwise its documents, with a last line like that of the file. */
function contentOf(
  documents: readonly Item[],
  file: string,
  directory: PackageDirectory | undefined,
): string | Uint8Array {
  const content = directory?.read(file);
  const bytes = content instanceof Uint8Array ? content : undefined;
  const originals = bytes === undefined ? [] : (directory?.documentsOf(file) ?? []);
  const isUnchanged =
    originals.length === documents.length && documents.every((one, i) => one === originals[i]);
  if (bytes !== undefined && isUnchanged) return bytes;
  const joined = joinDocuments(documents.map(({ text }) => text));
  return bytes === undefined || bytes.at(-1) === 0x0a ? joined : joined.replace(/\n$/, '');
}

function givenBuild(overlay: string, graph: Graph, { text, items }: GivenBuild): OverlayBuild {
  const resources = items.map(({ value }) => value);
  return {
    overlay,
    kustomization: graph.get(overlay)?.file,
    stdout: text,
    stderr: '',
    resources,
    given: items,
  };
}

/** Why kustomize must not be started on an overlay. */
function problemsOf(overlay: string, graph: Graph, mayLackPolicies: boolean): FailedBuild[] {
  const failures: FailedBuild[] = [];
  for (const dir of reachableFrom(graph, [overlay])) {
    const { file = dir, problems = [], lacksPolicies = false } = graph.get(dir) ?? {};
    for (const problem of problems) failures.push({ overlay, severity: 'error', problem });
    if (lacksPolicies && !mayLackPolicies)
      failures.push({
        overlay,
        severity: 'error',
        problem: message`${file}: resources names ${policiesFile(dir)}, which is not in the package`,
        remedy: words('remove the entry'),
      });
  }
  return failures;
}

async function buildOverlay(
  overlay: string,
  graph: Graph,
  copy: PackageCopy,
): Promise<OverlayBuild | FailedBuild> {
  const kustomization = graph.get(overlay)?.file;
  try {
    const build = await copy.build(overlay);
    if (build.resources.length > 0) return { ...build, overlay, kustomization };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return { overlay, severity: 'error', problem: error.text, remedy: error.remedy };
  }
  const isEmpty = [...reachableFrom(graph, [overlay])].every((dir) => graph.get(dir)?.isEmpty === true);
  if (isEmpty)
    return {
      overlay,
      severity: 'info',
      problem: words('the build has no resources, because none of its kustomizations has any'),
    };
  return {
    overlay,
    severity: 'error',
    problem: words('the build has no resources, although its kustomizations have some'),
    remedy: message`remove the entries of ${kustomization ?? overlay} that delete them`,
  };
}

/** At most one task for each CPU at a time; results in the order of the tasks. */
async function mapConcurrently<T, R>(tasks: readonly T[], run: (task: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  const queue = tasks.entries(); // shared, so that each task is taken once
  const worker = async () => {
    for (const [i, task] of queue) done[i] = await run(task);
  };
  // Await all of them even if one fails, so that no build is running when the copy is deleted.
  const workers = await Promise.allSettled(Array.from({ length: availableParallelism() }, worker));
  for (const worker of workers) if (worker.status === 'rejected') throw worker.reason;
  return done;
}
