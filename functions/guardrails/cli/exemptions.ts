import { type Config, overlaySettings } from '../config/config';
import { EXEMPTIONS_FILE, readExemptionsFile } from '../config/exemptions-file';
import { Substitutions } from '../config/substitutions';
import { type Finding, bySeverity, hasError } from '../findings/finding';
import { messageOf } from '../findings/print';
import { type ExemptionRow, printExemptions } from '../formats/exemption-table';
import { isKustomizationFile } from '../krm/item';
import { annotationsOf, expandLists } from '../krm/resource';
import { type BuiltPackage, type OverlayBuild, buildOverlays } from '../kustomize/build-overlays';
import { keyOf } from '../kustomize/copy';
import type { Package } from '../kustomize/package';
import { message, words } from '../message';
import { checkEntries, failureOf, merged } from '../pipeline';
import type { Exemption } from '../rules/exemptions';
import { annotatedExemptions } from '../rules/inspect';
import { type ListedExemptions, NamedResources } from '../rules/listed-exemptions';
import type { YamlObject } from '../yaml/yaml';
import { type Call, type CommandLine, withProgress } from './command-line';
import { FLOOR, openPackage } from './session';

export const exemptions: CommandLine = {
  name: 'exemptions',
  description: `list every exemption, from annotations and from ${EXEMPTIONS_FILE}; write nothing; exit 1 if one is invalid`,
  options: FLOOR,
  async run(call) {
    const { output } = call;
    const { rows, findings } = await withProgress('building the overlays', () => listExemptions(call));
    for (const finding of bySeverity(findings))
      output.print(message`[${words(finding.severity)}] ${messageOf(finding)}`);
    if (rows.length > 0) output.printText(printExemptions(rows, output.redact));
    else if (!hasError(findings)) output.print(words('no exemptions'));
    return hasError(findings) ? 1 : 0;
  },
};

/** The valid exemptions of a package, and what is wrong with the others. */
interface Listing {
  readonly rows: readonly ExemptionRow[];
  readonly findings: readonly Finding[];
}

async function listExemptions(call: Call): Promise<Listing> {
  const { pkg, source, config, configFile } = await openPackage(call);
  const { items, directory } = pkg;
  const place = { isPackage: source !== undefined, configFile, directory };
  const file = readExemptionsFile(items, config, place);
  const annotated = new AnnotatedInPackage(config);
  if (source === undefined) {
    for (const { value, path } of items) annotated.add(value, path, undefined);
    return { rows: annotated.rows, findings: [...file.findings, ...annotated.findings] };
  }
  const settings = overlaySettings(config);
  const built = await buildOverlays(source, { settings, findKustomize: call.findKustomize });
  try {
    const variables = new Substitutions(config, source, directory);
    for (const build of built.builds) await addBuild(annotated, build, variables, built);
    addSource(annotated, source);
    const listed = file.listed === undefined ? NO_LISTING : listEntries(file.listed, variables, built);
    return {
      rows: [...annotated.rows, ...listed.rows],
      findings: [
        ...built.failures.map(failureOf),
        ...file.findings,
        ...listed.findings,
        ...annotated.findings,
      ],
    };
  } finally {
    built.remove();
  }
}

const NO_LISTING: Listing = { rows: [], findings: [] };

/** The exemptions in the annotations of a package, each once, with the overlays that have it. */
class AnnotatedInPackage {
  private readonly found = new Map<string, ExemptionRow>();
  private readonly problems: Finding[] = [];
  /** What builds have from a file, with the names of the resources there, so that the file does not add it again. */
  private readonly known = new Map<string, Set<string>>();

  constructor(readonly config: Config) {}

  /** @param overlay undefined: at the source */
  add(root: YamlObject, file: string | undefined, overlay: string | undefined): void {
    const overlays = overlay === undefined ? [] : [overlay];
    for (const { ref, exemptions: all, findings } of annotatedExemptions(root, this.config)) {
      for (const one of all)
        if (this.isNew([file, ref.kind, partsOf(one)], ref.name, overlay))
          this.addRow({ ...one, resource: `${ref.kind}/${ref.name}`, overlays, file });
      for (const one of findings)
        if (this.isNew([file, ref.kind, one.problem.raw], ref.name, overlay))
          this.problems.push({ ...one, overlays, source: file === undefined ? undefined : { file } });
    }
  }

  get rows(): ExemptionRow[] {
    return [...this.found.values()];
  }

  get findings(): Finding[] {
    return merged(this.problems);
  }

  private isNew(what: readonly unknown[], name: string, overlay: string | undefined): boolean {
    const key = JSON.stringify(what);
    const names = this.known.get(key) ?? new Set();
    // An overlay may add a prefix or a suffix to a name.
    if (overlay === undefined) return !names.has(name) && ![...names].some((one) => one.includes(name));
    this.known.set(key, names.add(name));
    return true;
  }

  private addRow(row: ExemptionRow): void {
    const { resource, overlays, file } = row;
    const key = JSON.stringify([resource, file, partsOf(row)]);
    const other = this.found.get(key);
    const all = new Set([...(other?.overlays ?? []), ...overlays]);
    this.found.set(key, { ...row, overlays: [...all] });
  }
}

function partsOf({ rule, container, reason, end }: Exemption) {
  return { rule, container, reason, end };
}

async function addBuild(
  annotated: AnnotatedInPackage,
  { overlay, resources }: OverlayBuild,
  variables: Substitutions,
  { copy, pkg }: BuiltPackage,
): Promise<void> {
  const replaced = variables.replace(overlay, resources);
  // Where nothing is exempt, no second build is needed.
  const isExempt = (root: YamlObject) =>
    expandLists(root).some(({ resource }) =>
      Object.keys(annotationsOf(resource)).some((key) =>
        key.startsWith(annotated.config.annotations.exemptionPrefix),
      ),
    );
  if (!replaced.some(isExempt)) return;
  const origins = await copy.origins(overlay, pkg.graph.get(overlay)?.isComponent === true);
  for (const [i, resource] of resources.entries())
    annotated.add(replaced[i] ?? resource, origins.get(keyOf(resource)), overlay);
}

/** Adds what no build has: of files that are no patches. */
function addSource(annotated: AnnotatedInPackage, { files, graph }: Package): void {
  const patches = new Set([...graph.values()].flatMap(({ patches, others }) => [...patches, ...others]));
  for (const [file, documents] of files)
    if (!patches.has(file) && !isKustomizationFile(file))
      for (const { value } of documents) annotated.add(value, file, undefined);
}

function listEntries(
  listed: ListedExemptions,
  variables: Substitutions,
  { pkg, builds: asBuilt, failures }: BuiltPackage,
): Listing {
  const builds = asBuilt.map(({ overlay, resources }) => ({
    overlay,
    resources: variables.replace(overlay, resources),
  }));
  const byOverlay = builds.map(({ overlay, resources }) => ({
    overlay,
    named: new NamedResources(resources.flatMap((root) => expandLists(root))),
  }));
  const built = builds.flatMap(({ resources }) => resources);
  const checked = checkEntries(listed, pkg, built, failures);
  const valid = checked.filter(({ finding }) => finding?.severity !== 'error');
  return {
    rows: valid.map(({ entry }) => {
      const { kind, name, namespace, source } = entry;
      const overlays = byOverlay
        .filter(({ named }) => named.containersOf(entry) !== undefined)
        .map(({ overlay }) => overlay);
      return { ...partsOf(entry), resource: `${kind}/${name}`, namespace, overlays, ...source };
    }),
    findings: checked.flatMap(({ finding }) => finding ?? []),
  };
}
