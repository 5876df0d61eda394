import { type Config, type Levels, levelsOf } from './config/config';
import { GuardrailsError } from './errors';
import type { Finding, Revision, Source } from './findings/finding';
import type { Item } from './krm/item';
import {
  type BuildOptions,
  type BuiltPackage,
  type FindKustomize,
  buildOverlays,
} from './kustomize/build-overlays';
import { type PackageItems, overlaysOf, reachableFrom, unusedComponents } from './kustomize/graph';
import { type Package, packageOf } from './kustomize/package';
import { type Inspect, SourceFinder } from './kustomize/source-finder';
import { message, outputOf, words } from './message';
import { checkGeneratedAreKept } from './policies/kept-policies';
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
  const source = packageOf(items);
  const { findings, ...rest } = harden(items, source?.graph, config, fileLevels(config, source));
  const hardened: Revision = { ...rest, findings: [...findings, ...notJudged(source)] };
  const pkg = hardened.changes.edits.size === 0 ? source : packageOf(hardened.items);
  if (source === undefined || pkg === undefined)
    return { revision: hardened, ...verifyStream(hardened.items, config) };

  const draft = await buildDraft(pkg, { configured: [...config.environments.keys()], findKustomize });
  try {
    const isOff = (overlay: string) => levelsOf(config, overlay).get(networkPolicy.id) === 'off';
    const revision = updatePolicies(hardened, pkg, draft.builds, config.network, isOff);
    const verified =
      draft.pkg === pkg && revision === hardened
        ? await verifyBuilds(draft, config, source.files)
        : await verify(revision.items, config, findKustomize, new Map(), source.files);
    return { revision, ...verified };
  } finally {
    draft.remove();
  }
}

/**
 * Builds a package as it is and checks it against every rule.
 *
 * @param extraFiles files of the package that are not among its items, with their content
 * @param shown the files as the user has them, in which lines are counted
 */
export async function verify(
  items: readonly Item[],
  config: Config,
  findKustomize: FindKustomize,
  extraFiles: ReadonlyMap<string, Uint8Array>,
  shown?: PackageItems,
): Promise<Verified> {
  const pkg = packageOf(items);
  if (pkg === undefined) return { builds: [], findings: [] };
  const configured = [...config.environments.keys()];
  const built = await buildOverlays(pkg, { configured, findKustomize, extraFiles });
  try {
    return await verifyBuilds(built, config, shown);
  } finally {
    built.remove();
  }
}

/** What no build shows, in a line each. */
function notJudged(pkg: Package | undefined): Finding[] {
  return (pkg === undefined ? [] : unusedComponents(pkg.graph)).map(({ file }) => ({
    severity: 'info',
    problem: words('a Component that no kustomization includes is not checked'),
    overlays: [],
    source: { file },
  }));
}

/** The levels that hold for a file when it is hardened: a rule is off only where every overlay that reaches it says so. */
function fileLevels(config: Config, pkg: Package | undefined): (file: string | undefined) => Levels {
  if (pkg === undefined) return () => levelsOf(config, undefined);
  const overlays = overlaysOf(pkg.graph, [...config.environments.keys()]).map((overlay) => {
    const kustomizations = [...reachableFrom(pkg.graph, [overlay])].map((dir) => pkg.graph.get(dir));
    const files = new Set(kustomizations.flatMap((one) => one?.resources ?? []));
    return { files, levels: levelsOf(config, overlay) };
  });
  return (file = '') => {
    const reaching = overlays.filter(({ files }) => files.has(file)).map(({ levels }) => levels);
    const all = reaching.length === 0 ? [config.levels] : reaching;
    const isOff = (id: string) => all.every((levels) => levels.get(id) === 'off');
    return new Map(RULES.map(({ id }) => [id, isOff(id) ? 'off' : 'error']));
  };
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
    const bare = packageOf([...pkg.files.values()].flat().filter((item) => !generated.has(item)));
    const draft = bare && (await buildOverlays(bare, options, true).catch(() => undefined));
    if (draft === undefined) throw error;
    return draft;
  }
}

async function verifyBuilds(
  { pkg, copy, builds }: BuiltPackage,
  config: Config,
  shown?: PackageItems,
): Promise<Verified> {
  const judged: JudgedBuild[] = [];
  const findings: Finding[] = [];
  // One after the other: to find a source, the copy is changed.
  for (const build of builds) {
    const { overlay, kustomization, stdout, stderr, resources } = build;
    const overlays = [overlay];
    const context = { ...config, levels: levelsOf(config, overlay), kustomization };
    const check: Inspect = (all, scope) => inspect(all, { ...context, scope });
    const found = check(resources, 'build');
    const sources = await new SourceFinder(pkg, copy, check, shown).find(overlay, found);
    const placeholders = [...reachableFrom(pkg.graph, overlays)].flatMap((dir) => [
      ...(pkg.graph.get(dir)?.placeholders.keys() ?? []),
    ]);
    const unknown = placeholders.map((file) => ({
      problem: words(
        'the content of a generator input that is not YAML is unknown; a placeholder takes its place',
      ),
      source: { file },
    }));
    const printed =
      stderr.trim() === '' ? [] : [{ problem: message`kustomize reports: ${outputOf(stderr)}` }];
    findings.push(
      ...found.map((one) => ({ ...withSource(one.finding, sources.get(one)), overlays })),
      ...checkGeneratedAreKept(pkg, build).flatMap((one) => atLevel(one, context.levels)),
      ...[...unknown, ...printed].map((one) => ({ severity: 'info' as const, ...one, overlays })),
    );
    judged.push({ overlay, manifests: stdout, resources: resources.length, placeholders });
  }
  return { builds: judged, findings: merged(findings) };
}

/** A finding of the package, as the level of its rule in an overlay has it; none for a rule that is off. */
function atLevel(finding: Finding, levels: Levels): Finding[] {
  const level = levels.get(finding.rule ?? '') ?? 'error';
  return level === 'off' ? [] : [{ ...finding, severity: level }];
}

function withSource(finding: Finding, source: Source | undefined): Finding {
  if (source === undefined) return finding;
  const remedy = RULES.find(({ id }) => id === finding.rule)?.remedyAt?.(source) ?? finding.remedy;
  return { ...finding, source, remedy };
}

/** Findings of several overlays that differ in nothing but overlay and namespace become one. */
function merged(findings: readonly Finding[]): Finding[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const { overlays, resource, problem, remedy, ...rest } = finding;
    const key = JSON.stringify([{ ...resource, namespace: undefined }, problem.raw, remedy?.raw, rest]);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    // Two in one overlay are two: one base may be built into several namespaces.
    const i = group.findIndex((one) => !overlays.some((overlay) => one.overlays.includes(overlay)));
    const other = group[i];
    if (other === undefined) group.push(finding);
    else {
      const namespace = other.resource?.namespace === resource?.namespace ? resource?.namespace : undefined;
      const all = [...other.overlays, ...overlays];
      group[i] = { ...other, resource: resource && { ...resource, namespace }, overlays: all };
    }
  }
  return [...groups.values()].flat();
}

function verifyStream(items: readonly Item[], config: Config): Verified {
  const found = inspect(
    items.map(({ value }) => value),
    { ...config, levels: levelsOf(config, undefined), scope: 'stream', kustomization: undefined },
  );
  const sources = new Map(
    items.map(({ value, path: file }) => [value, file === undefined ? file : { file }]),
  );
  const findings = found.map(({ finding, root }) => ({ ...finding, source: sources.get(root) }));
  const build = { overlay: undefined, manifests: '', resources: items.length, placeholders: [] };
  return { builds: [build], findings };
}
