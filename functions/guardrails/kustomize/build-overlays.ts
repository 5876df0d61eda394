import { availableParallelism } from 'node:os';
import { InputError } from '../errors';
import { joinMessages, message } from '../message';
import { joinDocuments } from '../yaml/text';
import { type Build, PackageCopy } from './copy';
import type { Kustomize } from './program';
import { type Graph, checkConfiguredOverlays, overlaysOf, policiesFile, reachableFrom } from './graph';
import type { Package } from './package';

/** Returns the kustomize to build with. Throws GuardrailsError if none is found. */
export type FindKustomize = () => Promise<Kustomize>;

/** What one overlay builds. */
export interface OverlayBuild extends Build {
  /** The overlay's folder. */
  readonly overlay: string;
  /** Its kustomization file. */
  readonly kustomization: string | undefined;
}

/** The builds of all overlays of a package, and the copy that they were built in, which `remove` deletes. */
export interface BuiltPackage {
  readonly pkg: Package;
  readonly copy: PackageCopy;
  readonly builds: readonly OverlayBuild[];
  readonly remove: () => void;
}

export interface BuildOptions {
  /** Folders of the overlays that the configuration names. */
  readonly configured: readonly string[];
  readonly findKustomize: FindKustomize;
  /** Files of the package that are not among its items, with their content. */
  readonly extraFiles?: ReadonlyMap<string, Uint8Array>;
}

/**
 * Builds every overlay of a package with kustomize, concurrently, in a temporary copy.
 *
 * @param mayLackPolicies builds with an empty file for generated policies that do not exist yet
 * @throws InputError a kustomization that kustomize must not be started on, or a build without resources; ConfigError a
 *   configured overlay that does not exist; GuardrailsError kustomize fails
 */
export async function buildOverlays(
  pkg: Package,
  { configured, findKustomize, extraFiles = new Map() }: BuildOptions,
  mayLackPolicies = false,
): Promise<BuiltPackage> {
  checkConfiguredOverlays(pkg.graph, configured);
  const overlays = overlaysOf(pkg.graph, configured);
  const used = reachableFrom(pkg.graph, overlays);
  const kustomizations = [...pkg.graph.values()].filter(({ dir }) => used.has(dir));
  const lacking = kustomizations.filter(({ lacksPolicies }) => lacksPolicies);
  const problems = [
    ...kustomizations.flatMap((one) => one.problems),
    ...(mayLackPolicies ? [] : lacking).map(
      ({ file, dir }) =>
        message`${file}: resources names ${policiesFile(dir)}, which is not in the package; remove the entry`,
    ),
  ];
  if (problems.length > 0) throw new InputError(joinMessages(problems, '\n'));

  const texts = new Map<string, string | Uint8Array>(kustomizations.flatMap((one) => [...one.placeholders]));
  for (const { dir } of lacking) texts.set(policiesFile(dir), '');
  for (const [file, documents] of pkg.files)
    texts.set(file, joinDocuments(documents.map(({ text }) => text)));
  for (const [file, bytes] of extraFiles) texts.set(file, bytes);
  const copy = new PackageCopy(texts, await findKustomize());
  try {
    const builds = await mapConcurrently(overlays, (one) => buildOverlay(one, pkg.graph, copy));
    return { pkg, copy, builds, remove: copy.remove.bind(copy) };
  } catch (error) {
    copy.remove();
    throw error;
  }
}

async function buildOverlay(overlay: string, graph: Graph, copy: PackageCopy): Promise<OverlayBuild> {
  const build = await copy.build(overlay);
  const kustomization = graph.get(overlay)?.file;
  if (build.resources.length === 0)
    throw new InputError(
      message`${overlay}: the build has no resources; add resources to ${kustomization ?? overlay}`,
    );
  return { ...build, overlay, kustomization };
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
