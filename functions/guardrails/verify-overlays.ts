import { availableParallelism } from 'node:os';
import { type Config, allowedRules } from './config';
import { ConfigError, GuardrailsError, InputError } from './errors';
import { type YamlObject, isObject, parseYaml, valueOf } from './krm/yaml';
import { type Build, PackageCopy } from './kustomize/copy';
import type { Kustomize } from './kustomize/find';
import { type Graph, overlaysOf, reachableFrom } from './kustomize/graph';
import type { Package } from './kustomize/package';
import { type InspectContext, type Inspected, inspect } from './rules/inspect';
import { SourceFinder } from './source-finder';
import { toResult } from './report';
import type { FindKustomize, Verdict } from './verify';

/**
 * Builds every overlay of a package with the real kustomize, and holds every rule against what comes out.
 *
 * @throws InputError, ConfigError, GuardrailsError
 */
export async function verifyOverlays(
  pkg: Package,
  config: Config,
  findKustomize: FindKustomize,
  extraFiles: ReadonlyMap<string, Uint8Array>,
  redact: (text: string) => string,
): Promise<Verdict[]> {
  const overlays = overlaysOf(pkg.graph, configuredOverlays(pkg.graph, config));
  const used = reachableFrom(pkg.graph, overlays);
  const kustomizations = [...pkg.graph.values()].filter(({ dir }) => used.has(dir));
  const problems = kustomizations.flatMap(({ problems }) => problems);
  if (problems.length > 0) throw new InputError(redact(problems.join('\n')));

  const texts = new Map<string, string | Uint8Array>(kustomizations.flatMap(({ standIns }) => [...standIns]));
  for (const [file, documents] of pkg.files)
    texts.set(file, documents.map(({ text }) => withNewline(text)).join('---\n'));
  for (const [file, bytes] of extraFiles) texts.set(file, bytes);
  const kustomize = await findKustomize();
  const copy = new PackageCopy(texts);
  try {
    const builds = await inTurn(overlays, (overlay) => inspectOverlay(overlay, pkg, copy, kustomize, config));
    const finder = new SourceFinder(pkg, copy, kustomize);
    const verdicts: Verdict[] = [];
    // One after the other: to find a source, the copy is changed.
    for (const built of builds) verdicts.push(await verdictOf(built, pkg, finder, config, redact));
    return verdicts;
  } catch (error) {
    if (error instanceof GuardrailsError) throw new GuardrailsError(redact(error.message), error.exitCode);
    throw error;
  } finally {
    copy.remove();
  }
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

function configuredOverlays(graph: Graph, config: Config): string[] {
  const configured = [...config.environments.keys()];
  for (const name of configured) {
    const kustomization = graph.get(name);
    if (kustomization !== undefined && !kustomization.isComponent) continue;
    const known = [...graph.values()].filter(({ isComponent }) => !isComponent).map(({ dir }) => dir);
    throw new ConfigError(
      `configuration: environments names ${name}, which is no overlay of this package; there are: ${known.sort().join(', ')}`,
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

/** One overlay, built, and what was found in it. */
interface InspectedBuild extends Build {
  readonly overlay: string;
  readonly resources: readonly YamlObject[];
  readonly found: readonly Inspected[];
  readonly context: InspectContext;
}

async function inspectOverlay(
  overlay: string,
  { graph }: Package,
  copy: PackageCopy,
  kustomize: Kustomize,
  config: Config,
): Promise<InspectedBuild> {
  const build = await copy.build(overlay, kustomize);
  const resources = parseYaml(build.stdout, `what ${overlay} builds`).map(valueOf).filter(isObject);
  const kustomization = graph.get(overlay)?.file;
  if (resources.length === 0)
    throw new InputError(`${overlay}: builds to nothing; name resources in ${kustomization ?? overlay}`);
  const context = { kustomization, ...config };
  return { ...build, overlay, resources, found: inspect(resources, context), context };
}

async function verdictOf(
  { overlay, stdout, stderr, resources, found, context }: InspectedBuild,
  { graph }: Package,
  finder: SourceFinder,
  config: Config,
  redact: (text: string) => string,
): Promise<Verdict> {
  const sources = await finder.find(overlay, found, context);
  const allowed = allowedRules(config, overlay);
  const results = found.map((one) => toResult(one, overlay, sources.get(one), allowed, redact));
  const standIns = [...reachableFrom(graph, [overlay])].flatMap((dir) => [
    ...(graph.get(dir)?.standIns.keys() ?? []),
  ]);
  for (const file of standIns)
    results.push({
      severity: 'info',
      message: `${overlay}: ${file} is no YAML; what a generator makes of it is verified with its content unknown`,
      file: { path: file },
    });
  if (stderr.trim() !== '')
    results.push({ severity: 'info', message: `${overlay}: kustomize says: ${redact(stderr.trim())}` });
  return { overlay, manifests: stdout, resources: resources.length, results, standIns };
}
