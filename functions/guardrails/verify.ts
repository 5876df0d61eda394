import { availableParallelism } from 'node:os';
import path from 'node:path/posix';
import { type Config, allowedRules } from './config';
import { ConfigError, GuardrailsError, InputError } from './errors';
import { expandLists, resourceRef } from './kubernetes/resource';
import type { Item } from './krm/item';
import type { Result } from './krm/result';
import { type YamlObject, isObject, parseYaml, valueOf } from './krm/yaml';
import { PackageCopy, keyOf } from './kustomize/copy';
import type { Kustomize } from './kustomize/find';
import {
  type Graph,
  type PackageItems,
  isKustomizationFile,
  overlaysOf,
  reachableFrom,
  readGraph,
} from './kustomize/graph';
import { redactor } from './kustomize/redact';
import { RULES } from './rules';
import type { Finding, Rule } from './rules/rule';

/** What one overlay builds, or what a stream holds, and what the rules say of it. */
export interface Verdict {
  /** The overlay's folder; undefined for a stream. */
  readonly overlay: string | undefined;
  /** What kustomize printed, byte for byte; empty for a stream. */
  readonly manifests: string;
  readonly resources: number;
  readonly results: readonly Result[];
}

/** The kustomize to build with, or why there is none. */
export type FindKustomize = () => Promise<Kustomize>;

/**
 * Holds every rule against what every overlay really builds or, without a kustomization in the input, against the
 * resources as they stand.
 *
 * @throws InputError, ConfigError, GuardrailsError
 */
export async function verify(
  items: readonly Item[],
  config: Config,
  findKustomize: FindKustomize,
  extraFiles: ReadonlyMap<string, Uint8Array> = new Map(),
): Promise<Verdict[]> {
  const files = filesOf(items);
  if (![...files.keys()].some(isKustomizationFile)) return [verifyStream(items, config)];
  const redact = redactor(items);
  const graph = readGraph(files);
  const overlays = overlaysOf(graph, configuredOverlays(graph, config));
  const used = reachableFrom(graph, overlays);
  const kustomizations = [...graph.values()].filter(({ dir }) => used.has(dir));
  const problems = kustomizations.flatMap(({ problems }) => problems);
  if (problems.length > 0) throw new InputError(redact(problems.join('\n')));
  const standIns = new Map(kustomizations.flatMap(({ standIns }) => [...standIns]));

  const kustomize = await findKustomize();
  const texts = new Map<string, string | Uint8Array>(standIns);
  for (const [file, documents] of files)
    texts.set(file, documents.map(({ text }) => withNewline(text)).join('---\n'));
  for (const [file, bytes] of extraFiles) texts.set(file, bytes);
  const copy = new PackageCopy(texts);
  try {
    return await inTurn(overlays, async (overlay) => {
      try {
        return await verifyOverlay(overlay, { copy, kustomize, graph, files, config });
      } catch (error) {
        if (error instanceof GuardrailsError)
          throw new GuardrailsError(redact(error.message), error.exitCode);
        throw error;
      }
    });
  } finally {
    copy.remove();
  }
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

/** Checks every path, since what is written and built must lie in the package. */
function filesOf(items: readonly Item[]): PackageItems {
  const files = new Map<string, Item[]>();
  for (const item of items) {
    if (item.path === undefined) continue;
    if (
      path.isAbsolute(item.path) ||
      path.normalize(item.path) !== item.path ||
      /^\.\.(\/|$)|\0/.test(item.path)
    )
      throw new InputError(
        `${JSON.stringify(item.path)}: a path annotation that leaves the package, or is not in its shortest form`,
      );
    files.set(item.path, [...(files.get(item.path) ?? []), item]);
  }
  for (const [file, documents] of files) {
    for (let dir = path.dirname(file); dir !== '.'; dir = path.dirname(dir))
      if (files.has(dir)) throw new InputError(`${file}: ${dir} is a file and a folder in this input`);
    documents.sort((a, b) => a.index - b.index);
  }
  return files;
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

interface Surroundings {
  readonly copy: PackageCopy;
  readonly kustomize: Kustomize;
  readonly graph: Graph;
  readonly files: PackageItems;
  readonly config: Config;
}

async function verifyOverlay(overlay: string, around: Surroundings): Promise<Verdict> {
  const { copy, kustomize, graph, config } = around;
  const { stdout, stderr } = await copy.build(overlay, kustomize);
  const resources = parseYaml(stdout, `what ${overlay} builds`).map(valueOf).filter(isObject);
  if (resources.length === 0)
    throw new InputError(
      `${overlay}: builds to nothing; name resources in ${graph.get(overlay)?.file ?? overlay}`,
    );
  const found = findingsIn(resources, graph.get(overlay)?.file);
  const origins = found.length === 0 ? new Map<string, string>() : await copy.origins(overlay, kustomize);
  const allowed = allowedRules(config, overlay);
  const results = found.map(({ rule, finding, resource, whole }) => {
    const source = sourceOf(finding, origins.get(keyOf(whole)), overlay, around);
    return toResult(rule, finding, resource, { overlay, file: source, isAllowed: allowed.has(rule.id) });
  });
  const unknown = [...reachableFrom(graph, [overlay])].flatMap((dir) => [
    ...(graph.get(dir)?.standIns.keys() ?? []),
  ]);
  for (const file of unknown)
    results.push({
      severity: 'info',
      message: `${overlay}: ${file} is no YAML; what a generator makes of it is verified with its content unknown`,
      file: { path: file },
    });
  if (stderr.trim() !== '')
    results.push({
      severity: 'info',
      message: `${overlay}: kustomize says: ${redactor([...around.files.values()].flat())(stderr.trim())}`,
    });
  return { overlay, manifests: stdout, resources: resources.length, results };
}

function verifyStream(items: readonly Item[], config: Config): Verdict {
  const resources = items.map(({ value }) => value);
  const allowed = allowedRules(config, undefined);
  const results = findingsIn(resources, undefined).map(({ rule, finding, resource, whole }) => {
    const file = items.find(({ value }) => value === whole)?.path;
    return toResult(rule, finding, resource, { overlay: undefined, file, isAllowed: allowed.has(rule.id) });
  });
  return { overlay: undefined, manifests: '', resources: resources.length, results };
}

interface Found {
  readonly rule: Rule;
  readonly finding: Finding;
  readonly resource: YamlObject;
  /** The resource, or the List around it. */
  readonly whole: YamlObject;
}

function findingsIn(resources: readonly YamlObject[], kustomization: string | undefined): Found[] {
  return RULES.flatMap((rule) =>
    resources.flatMap((whole) =>
      expandLists(whole).flatMap((resource) =>
        rule.check(resource, { kustomization }).map((finding) => ({ rule, finding, resource, whole })),
      ),
    ),
  );
}

/**
 * The file to look at: the outermost patch or kustomization in which the value that was found stands, else the file
 * that kustomize read the resource from.
 */
function sourceOf(
  finding: Finding,
  origin: string | undefined,
  overlay: string,
  { graph, files }: Surroundings,
): string | undefined {
  const value = finding.currentValue;
  if (typeof value !== 'string' || value === '') return origin ?? graph.get(overlay)?.file;
  const tag = /:([^/:@]+)$/.exec(value)?.[1];
  for (const dir of reachableFrom(graph, [overlay])) {
    const kustomization = graph.get(dir);
    if (kustomization === undefined) continue;
    const { images } = kustomization.value;
    const name = tag === undefined ? value : value.slice(0, -tag.length - 1);
    if (
      Array.isArray(images) &&
      images
        .filter(isObject)
        .some((image) => image.newTag === tag && tag !== undefined && (image.newName ?? image.name) === name)
    )
      return kustomization.file;
    const holder = [...kustomization.patches, kustomization.file].find((file) =>
      (files.get(file) ?? []).some(({ text }) => text.includes(value)),
    );
    if (holder !== undefined) return holder;
  }
  const stands = origin !== undefined && (files.get(origin) ?? []).some(({ text }) => text.includes(value));
  if (stands) return origin;
  const replacing = [...reachableFrom(graph, [overlay])]
    .map((dir) => graph.get(dir))
    .find((one) => Array.isArray(one?.value.replacements));
  return replacing?.file ?? origin ?? graph.get(overlay)?.file;
}

function toResult(
  rule: Rule,
  { what, mend, field, currentValue }: Finding,
  resource: YamlObject,
  { overlay, file, isAllowed }: { overlay: string | undefined; file: string | undefined; isAllowed: boolean },
): Result {
  const ref = resourceRef(resource);
  const where = overlay === undefined ? '' : `${overlay}: `;
  const source = file === undefined ? '' : ` (${file})`;
  const name = ref.name === '' ? ref.kind : `${ref.kind}/${ref.name}`;
  return {
    message: `${where}${name} ${what}${source}; ${isAllowed ? 'the configuration allows it here' : mend}`,
    severity: isAllowed ? 'info' : 'error',
    resourceRef: ref,
    field: { path: field, ...(currentValue === undefined ? {} : { currentValue }) },
    ...(file === undefined ? {} : { file: { path: file } }),
    tags: { rule: rule.id, ...(overlay === undefined ? {} : { overlay }) },
  };
}
