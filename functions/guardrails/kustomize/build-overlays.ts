import { availableParallelism } from 'node:os';
import type { Config } from '../config/config';
import { ConfigError, GuardrailsError, InputError } from '../errors';
import { message } from '../message';
import { joinDocuments } from '../yaml/text';
import { type YamlObject, isObject, parseYaml, valueOf } from '../yaml/yaml';
import { type Build, PackageCopy } from './copy';
import type { Kustomize } from './find';
import { type Graph, overlaysOf, policiesFile, reachableFrom } from './graph';
import type { Package } from './package';

/** The kustomize to build with, or why there is none. */
export type FindKustomize = () => Promise<Kustomize>;

/** What one overlay builds. */
export interface OverlayBuild extends Build {
  /** The overlay's folder. */
  readonly overlay: string;
  /** Its kustomization file. */
  readonly kustomization: string | undefined;
  readonly resources: readonly YamlObject[];
}

/** Every overlay of a package, built, and the copy that they were built in. `remove` takes that away. */
export interface BuiltPackage {
  readonly pkg: Package;
  readonly copy: PackageCopy;
  readonly kustomize: Kustomize;
  readonly builds: readonly OverlayBuild[];
  readonly remove: () => void;
}

export interface BuildOptions {
  readonly config: Config;
  readonly findKustomize: FindKustomize;
  /** Files of the package that no item carries, with their content. */
  readonly extraFiles: ReadonlyMap<string, Uint8Array>;
  readonly redact: (text: string) => string;
}

/**
 * Builds every overlay of a package with the real kustomize, side by side, in a temporary copy.
 *
 * @param mayLackPolicies an empty file stands in for generated policies that are not there yet
 * @throws InputError what kustomize must not be started on; ConfigError; GuardrailsError kustomize fails
 */
export async function buildOverlays(
  pkg: Package,
  { config, findKustomize, extraFiles, redact }: BuildOptions,
  mayLackPolicies = false,
): Promise<BuiltPackage> {
  const overlays = overlaysOf(pkg.graph, configuredOverlays(pkg.graph, config));
  const used = reachableFrom(pkg.graph, overlays);
  const kustomizations = [...pkg.graph.values()].filter(({ dir }) => used.has(dir));
  const lacking = kustomizations.filter(({ lacksPolicies }) => lacksPolicies);
  const problems = [
    ...kustomizations.flatMap((one) => one.problems),
    ...(mayLackPolicies ? [] : lacking).map(
      ({ file, dir }) => `${file} names ${policiesFile(dir)}, which is not in the package; take its line out`,
    ),
  ];
  if (problems.length > 0) throw new InputError(redact(problems.join('\n')));

  const texts = new Map<string, string | Uint8Array>(kustomizations.flatMap(({ standIns }) => [...standIns]));
  for (const { dir } of lacking) texts.set(policiesFile(dir), '');
  for (const [file, documents] of pkg.files)
    texts.set(file, joinDocuments(documents.map(({ text }) => text)));
  for (const [file, bytes] of extraFiles) texts.set(file, bytes);
  const kustomize = await findKustomize();
  const copy = new PackageCopy(texts);
  try {
    const builds = await inTurn(overlays, (overlay) => buildOverlay(overlay, pkg.graph, copy, kustomize));
    return { pkg, copy, kustomize, builds, remove: copy.remove.bind(copy) };
  } catch (error) {
    copy.remove();
    throw redacted(error, redact);
  }
}

/** An error whose message shows no Secret. */
export function redacted(error: unknown, redact: (text: string) => string): unknown {
  return error instanceof GuardrailsError
    ? new GuardrailsError(redact(error.message), error.exitCode)
    : error;
}

async function buildOverlay(
  overlay: string,
  graph: Graph,
  copy: PackageCopy,
  kustomize: Kustomize,
): Promise<OverlayBuild> {
  const build = await copy.build(overlay, kustomize);
  const resources = parseYaml(build.stdout, `what ${overlay} builds`).map(valueOf).filter(isObject);
  const kustomization = graph.get(overlay)?.file;
  if (resources.length === 0)
    throw new InputError(
      message`${overlay}: builds to nothing; name resources in ${kustomization ?? overlay}`,
    );
  return { ...build, overlay, kustomization, resources };
}

function configuredOverlays(graph: Graph, config: Config): string[] {
  const configured = [...config.environments.keys()];
  for (const name of configured) {
    const kustomization = graph.get(name);
    if (kustomization !== undefined && !kustomization.isComponent) continue;
    const known = [...graph.values()].filter(({ isComponent }) => !isComponent).map(({ dir }) => dir);
    throw new ConfigError(
      message`configuration: environments names ${name}, which is no overlay of this package; there are: ${known.sort().join(', ')}`,
    );
  }
  return configured;
}

async function inTurn<T, R>(tasks: readonly T[], run: (task: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < tasks.length; i = next++) done[i] = await run(tasks[i] as T);
  };
  // All are awaited, also when one fails: none may build on in a folder that is being removed.
  const workers = await Promise.allSettled(Array.from({ length: availableParallelism() }, worker));
  for (const worker of workers) if (worker.status === 'rejected') throw worker.reason;
  return done;
}
