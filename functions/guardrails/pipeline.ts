import { type Config, type Levels, levelsOf } from './config/config';
import { GuardrailsError } from './errors';
import type { Finding, Inspected } from './findings/finding';
import type { Revision } from './findings/revision';
import type { Item } from './krm/item';
import {
  type BuildOptions,
  type BuiltPackage,
  type FindKustomize,
  buildOverlays,
} from './kustomize/build-overlays';
import { type PackageItems, overlaysOf, reachableFrom } from './kustomize/graph';
import { type Package, packageOf } from './kustomize/package';
import { type Inspect, SourceFinder } from './kustomize/source-finder';
import { message, outputOf, words } from './message';
import { generatedItems, updatePolicies } from './policies/update-policies';
import { RULES } from './rules';
import { harden } from './rules/harden';
import { inspect } from './rules/inspect';
import { networkPolicy } from './rules/network-policy';

/** What one overlay builds, or what a stream holds. */
export interface JudgedBuild {
  /** The overlay's folder; undefined for a stream. */
  readonly overlay: string | undefined;
  /** What kustomize printed, byte for byte; empty for a stream. */
  readonly manifests: string;
  /** How many resources it has. */
  readonly resources: number;
  /** Generator inputs that no item carries: the build has a placeholder for their content. */
  readonly placeholders: readonly string[];
}

/** What the passes make of a package, or of a stream. */
export interface Judged {
  readonly revision: Revision;
  readonly builds: readonly JudgedBuild[];
  /** The findings of all builds, each once, with the overlays that have it. */
  readonly findings: readonly Finding[];
}

/** What is known of the builds of a package. */
type Verified = Pick<Judged, 'builds' | 'findings'>;

/**
 * The passes of the function: hardens complete resources, updates the network policies, and checks what every overlay
 * then builds against every rule; without a kustomization in the input, the resources as they are.
 *
 * @throws InputError, ConfigError, GuardrailsError
 */
export async function judge(
  items: readonly Item[],
  config: Config,
  findKustomize: FindKustomize,
): Promise<Judged> {
  const before = packageOf(items);
  const hardened = harden(items, before?.graph, config, fileLevels(config, before));
  const pkg = hardened.changes.edits.size === 0 ? before : packageOf(hardened.items);
  if (pkg === undefined) return { revision: hardened, ...verifyStream(hardened.items, config) };
  const shown = before?.files ?? pkg.files;
  const options = buildOptions(config, findKustomize, new Map());
  const draft = await buildDraft(pkg, options);
  let revision: Revision;
  try {
    revision = updatePolicies(
      hardened,
      pkg,
      draft.builds,
      config.network,
      (overlay) => levelsOf(config, overlay).get(networkPolicy.id) === 'off',
    );
    if (draft.pkg === pkg && revision === hardened)
      return { revision, ...(await verifyBuilds(draft, config, shown)) };
  } finally {
    draft.remove();
  }
  return { revision, ...(await verifyPackage(revision.items, config, options, shown)) };
}

/**
 * Builds a package as it is and checks it against every rule.
 *
 * @param extraFiles files of the package that no item carries, with their content
 * @param shown the files as the user has them, in which lines are counted
 */
export function verify(
  items: readonly Item[],
  config: Config,
  findKustomize: FindKustomize,
  extraFiles: ReadonlyMap<string, Uint8Array>,
  shown?: PackageItems,
): Promise<Verified> {
  return verifyPackage(items, config, buildOptions(config, findKustomize, extraFiles), shown);
}

function buildOptions(
  config: Config,
  findKustomize: FindKustomize,
  extraFiles: ReadonlyMap<string, Uint8Array>,
): BuildOptions {
  return { configured: [...config.environments.keys()], findKustomize, extraFiles };
}

/** The levels that hold for a file when it is hardened: a rule is off only where every overlay that reaches it says so. */
function fileLevels(config: Config, pkg: Package | undefined): (file: string | undefined) => Levels {
  if (pkg === undefined) return () => levelsOf(config, undefined);
  const overlays = overlaysOf(pkg.graph, [...config.environments.keys()]);
  const byFile = new Map<string, Levels[]>();
  for (const overlay of overlays) {
    const levels = levelsOf(config, overlay);
    for (const dir of reachableFrom(pkg.graph, [overlay]))
      for (const file of pkg.graph.get(dir)?.resources ?? [])
        byFile.set(file, [...(byFile.get(file) ?? []), levels]);
  }
  return (file) => {
    const all = byFile.get(file ?? '') ?? [config.levels];
    return new Map(
      RULES.map(({ id }) => [id, all.every((levels) => levels.get(id) === 'off') ? 'off' : 'error']),
    );
  };
}

async function verifyPackage(
  items: readonly Item[],
  config: Config,
  options: BuildOptions,
  shown?: PackageItems,
): Promise<Verified> {
  const pkg = packageOf(items);
  if (pkg === undefined) return { builds: [], findings: [] };
  const built = await buildOverlays(pkg, options);
  try {
    return await verifyBuilds(built, config, shown);
  } finally {
    built.remove();
  }
}

/**
 * The builds that show which policies are required: the package as it is or, where kustomize refuses that, without the
 * generated policies. One of them may conflict with what was written since.
 */
async function buildDraft(pkg: Package, options: BuildOptions): Promise<BuiltPackage> {
  try {
    return await buildOverlays(pkg, options, true);
  } catch (error) {
    const generated = generatedItems(pkg);
    if (!(error instanceof GuardrailsError) || generated.size === 0) throw error;
    const others = [...pkg.files.values()].flat().filter((item) => !generated.has(item));
    const bare = packageOf(others);
    if (bare === undefined) throw error;
    try {
      return await buildOverlays(bare, options, true);
    } catch {
      throw error;
    }
  }
}

async function verifyBuilds(
  { pkg, copy, kustomize, builds }: BuiltPackage,
  config: Config,
  shown?: PackageItems,
): Promise<Verified> {
  const judged: JudgedBuild[] = [];
  const findings: Finding[] = [];
  // One after the other: to find a source, the copy is changed.
  for (const { overlay, kustomization, stdout, stderr, resources } of builds) {
    const context = { ...config, levels: levelsOf(config, overlay), kustomization };
    const check: Inspect = (all, scope) => inspect(all, { ...context, scope });
    const found = check(resources, 'build');
    const finder = new SourceFinder(pkg, copy, kustomize, check, shown);
    const sources = await finder.find(overlay, found);
    const placeholders = [...reachableFrom(pkg.graph, [overlay])].flatMap((dir) => [
      ...(pkg.graph.get(dir)?.placeholders.keys() ?? []),
    ]);
    findings.push(
      ...found.map((one) => ({ ...withSource(one, sources), overlays: [overlay] })),
      ...placeholders.map((file) => unknownContent(overlay, file)),
      ...(stderr.trim() === '' ? [] : [kustomizeWarning(overlay, stderr.trim())]),
    );
    judged.push({ overlay, manifests: stdout, resources: resources.length, placeholders });
  }
  return { builds: judged, findings: merged(findings) };
}

function withSource(
  one: Inspected,
  sources: ReadonlyMap<Inspected, NonNullable<Finding['source']>>,
): Finding {
  const { finding } = one;
  const source = sources.get(one);
  if (source === undefined) return finding;
  const remedy = RULES.find(({ id }) => id === finding.rule)?.remedyAt?.(source) ?? finding.remedy;
  return { ...finding, source, remedy };
}

function unknownContent(overlay: string, file: string): Finding {
  return {
    severity: 'info',
    problem: words(
      'the content of a generator input that is not YAML is unknown; a placeholder takes its place',
    ),
    overlays: [overlay],
    source: { file },
  };
}

function kustomizeWarning(overlay: string, text: string): Finding {
  return { severity: 'info', problem: message`kustomize reports: ${outputOf(text)}`, overlays: [overlay] };
}

/** Findings that differ in nothing but overlay and namespace become one. */
function merged(findings: readonly Finding[]): Finding[] {
  const byIdentity = new Map<string, Finding>();
  for (const finding of findings) {
    const { overlays, resource, problem, remedy, ...rest } = finding;
    const { namespace, ...ref } = resource ?? {};
    const key = JSON.stringify([ref, problem.raw, remedy?.raw, rest]);
    const other = byIdentity.get(key);
    byIdentity.set(
      key,
      other === undefined ? finding : { ...other, overlays: [...other.overlays, ...overlays] },
    );
    if (other?.resource !== undefined && other.resource.namespace !== namespace) {
      const { namespace: _, ...shared } = other.resource;
      byIdentity.set(key, { ...other, resource: shared, overlays: [...other.overlays, ...overlays] });
    }
  }
  return [...byIdentity.values()];
}

function verifyStream(items: readonly Item[], config: Config): Verified {
  const found = inspect(
    items.map(({ value }) => value),
    { ...config, levels: levelsOf(config, undefined), scope: 'stream', kustomization: undefined },
  );
  const fileOf = new Map(items.map(({ value, path }) => [value, path]));
  const findings = found.map(({ finding, root }) => {
    const file = fileOf.get(root);
    return file === undefined ? finding : { ...finding, source: { file } };
  });
  return {
    builds: [{ overlay: undefined, manifests: '', resources: items.length, placeholders: [] }],
    findings,
  };
}
