import { type Config, type Levels, type Settings, overlaySettings, settingsFor } from './config/config';
import type { Counted, Finding, Revision, Source } from './findings/finding';
import { NO_CHANGES } from './krm/input';
import type { Item } from './krm/item';
import { type ResourceRef, expandLists, groupOf, resourceRef } from './krm/resource';
import { annotationNames } from './kubernetes/annotation-names';
import { NamespaceObjects } from './kubernetes/namespace-objects';
import { hasPods } from './kubernetes/workload';
import {
  type BuildOptions,
  type BuiltPackage,
  type FailedBuild,
  type FindKustomize,
  type GivenBuild,
  buildOverlays,
} from './kustomize/build-overlays';
import { requireCompleteResources } from './kustomize/complete-resources';
import { formerNamesIn } from './kustomize/former-names';
import { type PackageDirectory, type PackageItems, reachableFrom } from './kustomize/graph';
import { type Overlays, overlaysOf } from './kustomize/overlays';
import { patchTexts } from './kustomize/patch-texts';
import { type Package, packageOf } from './kustomize/package';
import { type Inspect, SourceFinder } from './kustomize/source-finder';
import { kustomizeVersion } from './kustomize/version';
import { ServiceIndex } from './network/service-index';
import { type Message, joinMessages, message, outputOf, words } from './message';
import { checkGeneratedAreKept } from './policies/kept-policies';
import { domainsOfGenerated, generatedItems, updatePolicies } from './policies/update-policies';
import { readExemptionsFile } from './config/exemptions-file';
import { type PolicyFiles, readPolicyFiles } from './config/policy-files';
import { readSchemas } from './config/schema-files';
import { Substitutions } from './config/substitutions';
import { RULES } from './rules';
import { deadKustomizeIn } from './rules/dead-kustomize';
import { apiSchema, kindsWithoutSchema } from './rules/api-schema';
import { type FileSettings, harden } from './rules/harden';
import { inspect } from './rules/inspect';
import { type CheckedEntry, type ListedExemptions, NamedResources } from './rules/listed-exemptions';
import { networkPolicy } from './rules/network-policy';
import { PackageObjects } from './rules/references/package-objects';
import type { YamlObject } from './yaml/yaml';

/** What one overlay builds, or what a stream holds. */
export interface JudgedBuild {
  /** The overlay's folder; undefined for a stream. */
  readonly overlay: string | undefined;
  /** What kustomize printed, byte for byte; empty for a stream. */
  readonly manifests: string;
  /** How many resources it has; undefined: it has no build. */
  readonly resources: number | undefined;
}

/** What the passes make of a package, or of a stream. */
export interface Judged {
  readonly revision: Revision;
  readonly builds: readonly JudgedBuild[];
  /** The findings of all builds, each once, with the overlays that have it. */
  readonly findings: readonly Finding[];
  /** What was judged, and by which kustomize; undefined for a stream. */
  readonly summary?: Message | undefined;
}

type Verified = Omit<Judged, 'revision'>;

/** How to judge. */
export interface JudgeOptions {
  readonly findKustomize: FindKustomize;
  /** Where the items come from, if that is known. */
  readonly directory?: PackageDirectory | undefined;
  /** Overlay to the build to judge in place of one that kustomize makes here. */
  readonly given?: ReadonlyMap<string, GivenBuild> | undefined;
  /** Judges the package as it is: adds nothing to it, and leaves the policies as they are. */
  readonly asIs?: boolean;
  /** The items are documents, of which each is judged as it is; a kustomization among them is not built. */
  readonly isStream?: boolean;
  /** The file of the Guardrails in use; undefined: there is none, or its file is not known. */
  readonly configFile?: string | undefined;
}

/**
 * The passes of the function: hardens complete resources, updates the network policies, and checks what every overlay
 * then builds against every rule; without a kustomization in the input, the resources as they are.
 *
 * @throws InputError, ConfigError, GuardrailsError
 */
export async function judge(
  items: readonly Item[],
  written: Config,
  { findKustomize, directory, given, asIs = false, isStream = false, configFile }: JudgeOptions,
): Promise<Judged> {
  const source = isStream ? undefined : packageOf(items, directory);
  const place = { isPackage: source !== undefined, configFile, directory };
  const exemptions = readExemptionsFile(items, written, place);
  const definitions = readSchemas(written.schemaFiles, items, directory, source !== undefined);
  const config = { ...withFormerDomains(written, source), listedExemptions: exemptions.listed, definitions };
  const policies = readPolicyFiles(config, items, directory, source === undefined);
  // A directory shows that there are no kustomizations.
  if (source === undefined && directory?.hidden.length !== 0) requireCompleteResources(items);
  const unchanged: Revision = { items, changes: NO_CHANGES, changed: [], effects: [], findings: [] };
  const { findings, ...rest } = asIs
    ? unchanged
    : harden(items, source?.graph, config, fileSettings(config, source));
  const placeless = source === undefined ? [] : items.filter(({ path }) => path === undefined);
  const hardened: Revision = {
    ...rest,
    // Items without a file are checked as a stream, even beside a kustomization.
    findings: [
      ...config.loosenings,
      ...findings,
      ...exemptions.findings,
      ...notBuilt(items, isStream),
      ...notJudged(source, config),
      ...verifyStream(placeless, written, { ...policies, check: () => [] }).findings,
    ],
  };
  const pkg = isStream || hardened.changes.edits.size === 0 ? source : packageOf(hardened.items, directory);
  if (source === undefined || pkg === undefined)
    return { revision: hardened, ...verifyStream(hardened.items, config, policies) };

  const options = { settings: overlaySettings(config), findKustomize, given };
  const variables = new Substitutions(config, pkg, directory);
  const draft = asIs ? await buildOverlays(pkg, options) : await buildDraft(pkg, options, directory);
  try {
    const settings = (overlay: string) => settingsFor(config, overlay);
    const isOff = (overlay: string) => settings(overlay).levels.get(networkPolicy.id) === 'off';
    const peersOf = (overlay: string) => settings(overlay).network;
    const withPods = draft.builds
      .filter((one) => one.given === undefined && hasPods(one.resources.flatMap((root) => expandLists(root))))
      .map((one) => ({ ...one, resources: variables.replace(one.overlay, one.resources) }));
    const revision = asIs
      ? hardened
      : updatePolicies(hardened, pkg, withPods, peersOf, isOff, config.annotations);
    if (draft.pkg === pkg && revision === hardened)
      return { revision, ...(await verifyBuilds(draft, config, variables, policies, source.files)) };
    return {
      revision,
      ...(await verify(revision.items, config, options, variables, policies, directory, source.files)),
    };
  } finally {
    draft.remove();
  }
}

/** A configuration that knows the domains of the generated policies of a package, which may be those of an earlier one. */
function withFormerDomains(config: Config, pkg: Package | undefined): Config {
  const domains = pkg === undefined ? [] : domainsOfGenerated(pkg);
  return { ...config, annotations: annotationNames(config.annotations.domain, domains) };
}

async function verify(
  items: readonly Item[],
  config: Config,
  options: BuildOptions,
  variables: Substitutions,
  policies: PolicyFiles,
  directory: PackageDirectory | undefined,
  shown: PackageItems,
): Promise<Verified> {
  const pkg = packageOf(items, directory);
  if (pkg === undefined) return { builds: [], findings: [] };
  const built = await buildOverlays(pkg, options);
  try {
    return await verifyBuilds(built, config, variables, policies, shown);
  } finally {
    built.remove();
  }
}

/** The kustomizations of a stream, in a line each. */
function notBuilt(items: readonly Item[], isStream: boolean): Finding[] {
  const kustomizations = items.filter(({ value }) => groupOf(value) === 'kustomize.config.k8s.io');
  return (isStream ? kustomizations : []).map(({ value, path: file }) => ({
    severity: 'warning',
    problem: words('is not built, because plain documents are checked as they are'),
    remedy: words('to check its build, pass the output of kustomize build'),
    resource: resourceRef(value),
    overlays: [],
    source: file === undefined ? undefined : { file },
  }));
}

/** What no build shows, in a line each. */
function notJudged(pkg: Package | undefined, config: Config): Finding[] {
  if (pkg === undefined) return [];
  return overlaysOf(pkg.graph, overlaySettings(config)).unused.map((dir) => ({
    severity: 'info',
    problem: words('a Component that no kustomization includes is not checked'),
    overlays: [],
    source: { file: pkg.graph.get(dir)?.file ?? dir },
  }));
}

/**
 * The settings that hold for a file when it is hardened: a rule is off only where every overlay that reaches it says so,
 * and what those overlays set differently is as the top has it.
 */
function fileSettings(config: Config, pkg: Package | undefined): (file: string | undefined) => FileSettings {
  if (pkg === undefined) return () => settingsFor(config, undefined);
  const overlays = overlaysOf(pkg.graph, overlaySettings(config)).judged.map((overlay) => {
    const dirs = [...reachableFrom(pkg.graph, [overlay])];
    const files = new Set(dirs.flatMap((dir) => pkg.graph.get(dir)?.resources ?? []));
    return { overlay, dirs, files };
  });
  const settingsOf = (reaching: typeof overlays): FileSettings => {
    const settings = commonSettings(
      config,
      reaching.map(({ overlay }) => settingsFor(config, overlay)),
    );
    if (!settings.probes.add) return settings;
    const files = new Set(reaching.flatMap((one) => [...one.files]));
    const items = [...files].flatMap((file) => pkg.files.get(file) ?? []);
    return {
      ...settings,
      ...probedIn(items, patchTexts(pkg, new Set(reaching.flatMap(({ dirs }) => dirs)))),
    };
  };
  // Few sets of overlays reach many files.
  const known = new Map<string, FileSettings>();
  return (file = '') => {
    const reached = overlays.filter(({ files }) => files.has(file));
    const key = reached.map(({ overlay }) => overlay).join('\n');
    const settings = known.get(key) ?? settingsOf(reached);
    known.set(key, settings);
    return settings;
  };
}

/** What decides about readiness probes: the Services of files that are built together, and the patches of these builds. */
function probedIn(
  items: readonly Item[],
  patches: readonly string[],
): Pick<FileSettings, 'services' | 'patchesProbeOf'> {
  const ofProbes = patches.filter((text) => text.includes('readinessProbe'));
  return {
    services: new ServiceIndex(items.flatMap(({ value }) => expandLists(value))),
    // A patch without a name selects by labels or by kind.
    patchesProbeOf: (name) => ofProbes.some((text) => text.includes(name) || !/\bname\b/.test(text)),
  };
}

function commonSettings(config: Config, reaching: readonly Settings[]): FileSettings {
  const all = reaching.length === 0 ? [config] : reaching;
  const isOff = (id: string) => all.every(({ levels }) => levels.get(id) === 'off');
  const common = <K extends keyof FileSettings & keyof Settings>(key: K): Settings[K] => {
    const [first = config, ...others] = all;
    const text = JSON.stringify(first[key]);
    return others.every((one) => JSON.stringify(one[key]) === text) ? first[key] : config[key];
  };
  return {
    levels: new Map(RULES.map(({ id }) => [id, isOff(id) ? 'off' : 'error'])),
    podSecurity: common('podSecurity'),
    resourceDefaults: common('resourceDefaults'),
    knownImages: common('knownImages'),
    images: common('images'),
    probes: { add: all.some(({ probes }) => probes.add) },
    harden: common('harden'),
  };
}

/**
 * The builds that show which policies are required: the package as it is or, where kustomize refuses that, without the
 * generated policies. One of them may conflict with what was written since.
 */
async function buildDraft(
  pkg: Package,
  options: BuildOptions,
  directory: PackageDirectory | undefined,
): Promise<BuiltPackage> {
  const draft = await buildOverlays(pkg, options, true);
  const generated = generatedItems(pkg);
  if (countErrors(draft) === 0 || generated.size === 0) return draft;
  const items = [...pkg.files.values()].flat().filter((item) => !generated.has(item));
  const bare = packageOf(items, directory);
  if (bare === undefined) return draft;
  const built = await buildOverlays(bare, options, true);
  const [better, worse] = countErrors(built) < countErrors(draft) ? [built, draft] : [draft, built];
  worse.remove();
  return better;
}

function countErrors({ failures }: BuiltPackage): number {
  return failures.filter(({ severity }) => severity === 'error').length;
}

async function verifyBuilds(
  { pkg, copy, builds, failures, overlays: all, kustomize }: BuiltPackage,
  config: Config,
  variables: Substitutions,
  { policies, check: checkPolicies }: PolicyFiles,
  shown: PackageItems,
): Promise<Verified> {
  const judged: JudgedBuild[] = [];
  const findings: Finding[][] = [failures.map(failureOf)];
  const objects = new PackageObjects(pkg, builds);
  const deadIn = deadKustomizeIn(pkg, builds, shown);
  // One after the other: to find a source, the copy is changed.
  for (const build of builds) {
    const { overlay, kustomization, stdout, stderr, resources } = build;
    const overlays = [overlay];
    const placed = resources.flatMap((root) => expandLists(root));
    const context = {
      ...config,
      ...settingsFor(config, overlay),
      policies,
      formerNames: formerNamesIn(pkg, overlay),
      besides: objects.besides(overlay),
      namespaceObjects: new NamespaceObjects(placed),
      services: new ServiceIndex(placed),
      kustomization,
    };
    const check: Inspect = (of, scope) =>
      variables.explain(overlay, inspect(variables.replace(overlay, of), { ...context, scope }));
    const found = check(resources, 'build');
    const finder = new SourceFinder(pkg, copy, check, shown);
    const sources =
      build.given === undefined ? await finder.find(overlay, found) : finder.findIn(build.given, found);
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
      found.map((one) => ({ ...withSource(one.finding, sources.get(one)), overlays })),
      checkGeneratedAreKept(pkg, build).flatMap((one) => atLevel(one, context.levels)),
      deadIn(overlay).map((one) => atMostLevel(one, context.levels)),
      [...unknown, ...printed].map((one) => ({ severity: 'info' as const, ...one, overlays })),
    );
    judged.push({ overlay, manifests: stdout, resources: resources.length });
  }
  const byOverlay = new Map(judged.map((one) => [one.overlay, one]));
  const { listedExemptions: listed } = config;
  const replaced = () => builds.flatMap((build) => variables.replace(build.overlay, build.resources));
  const entries = listed === undefined ? [] : checkEntries(listed, pkg, replaced(), failures);
  const withSchemaRule = builds.filter(
    ({ overlay }) => settingsFor(config, overlay).levels.get(apiSchema.id) !== 'off',
  );
  const version = builds.length === 0 ? 'of unknown version' : await kustomizeVersion(kustomize);
  return {
    builds: all.judged.map(
      (overlay) => byOverlay.get(overlay) ?? { overlay, manifests: '', resources: undefined },
    ),
    findings: [
      ...entries.flatMap(({ finding }) => finding ?? []),
      ...checkPolicies(builds.map(({ resources }) => resources)).map((one) =>
        atMostLevel(one, config.levels),
      ),
      ...merged(findings.flat()),
      ...checkKustomize(version, config),
      ...checkJudged(all),
      ...checkListed(all, pkg),
    ],
    summary: summaryOf(all, version, findings.flat(), kindsWithoutSchema(withSchemaRule, config.definitions)),
  };
}

/**
 * Checks the entries of the exemptions file against the resources of a package, at the source and in its builds. If an
 * overlay is not built, these are not all known.
 *
 * @param built the resources of all builds
 */
export function checkEntries(
  listed: ListedExemptions,
  { files }: Package,
  built: readonly YamlObject[],
  failures: readonly FailedBuild[],
): CheckedEntry[] {
  if (failures.some(({ severity }) => severity === 'error')) return listed.check(undefined);
  const atSource = [...files.values()].flat().map(({ value }) => value);
  return listed.check(new NamedResources([...atSource, ...built].flatMap((root) => expandLists(root))));
}

/** The rule of findings about builds themselves. No configuration changes its level. */
const BUILD = {
  rule: 'build',
  documentation: 'https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/',
};

/** An overlay without a build as a finding. */
export function failureOf({ overlay, ...failure }: FailedBuild): Finding {
  return { ...BUILD, ...failure, overlays: [overlay] };
}

function checkKustomize(version: string, { kustomizeVersion: wanted }: Config): Finding[] {
  if (wanted === undefined || withoutV(wanted) === withoutV(version)) return [];
  return [
    {
      ...BUILD,
      severity: 'error',
      problem: message`the builds are by kustomize ${version}, but spec.kustomizeVersion is ${wanted}`,
      remedy: words('install that version, or change spec.kustomizeVersion'),
      overlays: [],
    },
  ];
}

function withoutV(version: string): string {
  return version.replace(/^v/, '');
}

function checkJudged({ judged }: Overlays): Finding[] {
  if (judged.length > 0) return [];
  return [
    {
      ...BUILD,
      severity: 'error',
      problem: words('no kustomization of the package counts as an overlay, so nothing was judged'),
      remedy: words('name the overlays under spec.overlays'),
      overlays: [],
    },
  ];
}

function checkListed({ forgotten }: Overlays, { graph }: Package): Finding[] {
  const fileOf = (dir: string) => graph.get(dir)?.file ?? dir;
  return forgotten.map(({ dir, base }) => ({
    ...BUILD,
    severity: 'error',
    problem: message`${dir} is not listed by any kustomization, so no overlay builds it`,
    remedy: message`list ${dir} under resources in ${fileOf(base)}, or under spec.overlays if it is deployed by itself`,
    overlays: [],
    source: { file: fileOf(dir) },
  }));
}

/**
 * `judged: overlays/dev, overlays/prod; taken for a base: base; built by kustomize v5.8.1; 2 workloads not isolated`.
 *
 * @param unchecked the kinds whose fields no schema checks
 */
function summaryOf(
  { judged, bases }: Overlays,
  version: string,
  findings: readonly Finding[],
  unchecked: readonly string[],
): Message {
  const namesOf = (counted: Counted, nameOf: (resource: ResourceRef) => string) =>
    new Set(
      findings.flatMap(({ counts, resource }) => (counts === counted && resource ? nameOf(resource) : [])),
    );
  const open = namesOf('not isolated', ({ kind, name }) => `${kind}/${name}`).size;
  const unknown = namesOf('not understood', ({ apiVersion, kind }) => `${apiVersion} ${kind}`).size;
  const parts = [
    message`judged: ${joinMessages(judged, ', ')}`,
    ...(bases.length === 0 ? [] : [message`taken for a base: ${joinMessages(bases, ', ')}`]),
    message`built by kustomize ${version}`,
    ...(open === 0 ? [] : [message`${open} ${words(open === 1 ? 'workload' : 'workloads')} not isolated`]),
    ...(unknown === 0 ? [] : [message`${unknown} ${words(unknown === 1 ? 'kind' : 'kinds')} not understood`]),
    ...(unchecked.length === 0 ? [] : [withoutSchema(unchecked)]),
  ];
  return joinMessages(parts, '; ');
}

/** `2 kinds without a schema: cert-manager.io/v1 Certificate, cert-manager.io/v1 Issuer`; at most three by name. */
function withoutSchema(kinds: readonly string[]): Message {
  const names = joinMessages(kinds.slice(0, 3), ', ');
  const more = kinds.length > 3 ? message` and ${kinds.length - 3} more` : '';
  return message`${kinds.length} ${words(kinds.length === 1 ? 'kind' : 'kinds')} without a schema: ${names}${more}`;
}

/** A finding of the package, as the level of its rule in an overlay has it; none for a rule that is off. */
function atLevel(finding: Finding, levels: Levels): Finding[] {
  const level = levels.get(finding.rule ?? '') ?? 'error';
  return level === 'off' ? [] : [{ ...finding, severity: level }];
}

/** A finding with a severity of its own, as the level of its rule in an overlay has it. */
function atMostLevel(finding: Finding, levels: Levels): Finding {
  const level = levels.get(finding.rule ?? '') ?? 'error';
  if (level === 'off') return { ...finding, severity: 'info', suppression: { by: 'configuration' } };
  return level === 'warning' && finding.severity === 'error' ? { ...finding, severity: 'warning' } : finding;
}

function withSource(finding: Finding, source: Source | undefined): Finding {
  if (source === undefined) return finding;
  const remedy = RULES.find(({ id }) => id === finding.rule)?.remedyAt?.(source) ?? finding.remedy;
  return { ...finding, source, remedy };
}

/** Findings of several overlays that differ in nothing but overlay and namespace become one. */
export function merged(findings: readonly Finding[]): Finding[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const { resource, problem, remedy } = finding;
    const texts = {
      problem: problem.raw,
      remedy: remedy?.raw,
      resource: { ...resource, namespace: undefined },
    };
    const key = JSON.stringify({ ...finding, ...texts, overlays: undefined });
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(finding);
  }
  return [...groups.values()].flatMap(mergedGroup);
}

/** The n-th of each overlay become one: two in one overlay are two, as one base may be built into several namespaces. */
function mergedGroup(group: readonly Finding[]): Finding[] {
  const all: Finding[] = [];
  const next = new Map<string, number>();
  for (const finding of group) {
    const i = Math.max(0, ...finding.overlays.map((overlay) => next.get(overlay) ?? 0));
    for (const overlay of finding.overlays) next.set(overlay, i + 1);
    const other = all[i];
    if (other === undefined) {
      all.push(finding);
      continue;
    }
    const { resource, overlays } = other;
    const isSame = resource?.namespace === finding.resource?.namespace;
    const namespace = isSame ? resource?.namespace : undefined;
    all[i] = {
      ...other,
      resource: resource && { ...resource, namespace },
      overlays: [...overlays, ...finding.overlays],
    };
  }
  return all;
}

function verifyStream(items: readonly Item[], config: Config, files: PolicyFiles): Verified {
  const found = inspect(
    items.map(({ value }) => value),
    {
      ...config,
      ...settingsFor(config, undefined),
      scope: 'stream',
      policies: files.policies,
      kustomization: undefined,
    },
  );
  const sources = new Map(
    items.map(({ value, path: file }) => [value, file === undefined ? file : { file }]),
  );
  const { levels } = settingsFor(config, undefined);
  const values = items.map(({ value }) => value);
  const findings = [
    ...items.flatMap(repeatedKeysOf).flatMap((one) => atLevel(one, levels)),
    ...found.map(({ finding, root }) => ({ ...finding, source: sources.get(root) })),
    ...files.check([values]).map((one) => atMostLevel(one, config.levels)),
  ];
  const build = { overlay: undefined, manifests: '', resources: items.length };
  return { builds: [build], findings };
}

/** The keys that a document of a stream has twice. kustomize refuses them itself. */
function repeatedKeysOf({ value, path: file, repeatedKeys = [] }: Item): Finding[] {
  const { id: rule, documentation } = apiSchema;
  return repeatedKeys.map(({ name, line }) => {
    const at = line === undefined || file !== undefined ? '' : message`, again in line ${line}`;
    return {
      rule,
      documentation,
      severity: 'error',
      problem: message`has the key ${name} twice in one mapping${at}`,
      remedy: words('remove one of them; kubectl uses the last, and strict decoders refuse both'),
      resource: resourceRef(value),
      overlays: [],
      source: file === undefined ? undefined : { file, line },
    };
  });
}
