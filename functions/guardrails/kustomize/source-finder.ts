import path from 'node:path/posix';
import { GuardrailsError } from '../errors';
import type { Inspected, Source } from '../findings/finding';
import { type Item, isKustomizationFile } from '../krm/item';
import type { FieldPath } from '../yaml/field-path';
import { type YamlObject, type YamlValue, entriesIn, isObject, textOf } from '../yaml/yaml';
import { type PackageCopy, keyOf } from './copy';
import { GENERATORS } from './generators';
import { type Kustomization, type PackageItems, reachableFrom } from './graph';
import type { Package } from './package';
import { placeInFile, placeOfFinding, placedFinding } from './source-place';

/** Checks the resources of a file (`source`) or of a build against the rules. */
export type Inspect = (resources: readonly YamlObject[], scope: 'source' | 'build') => readonly Inspected[];

/** The fields whose entries change other resources, in the order in which kustomize applies them (runTransformers). */
const CHANGING_FIELDS = [
  'patchesStrategicMerge',
  'patches',
  'patchesJson6902',
  'replacements',
  'transformers',
] as const;

/** An entry of a kustomization, and the kustomization without it and without all entries that are applied later. */
interface Step {
  readonly kustomization: Kustomization;
  readonly path: FieldPath;
  readonly entry: YamlValue;
  readonly before: YamlObject;
}

/**
 * Finds the source of a finding in a build: the file of the resource, if that has the finding too; else the entry of
 * `images` that sets the image; else the first entry of a kustomization without which, and without all entries that are
 * applied later, the build does not have the finding.
 */
export class SourceFinder {
  private readonly foundInFiles = new Map<string, readonly Inspected[]>();

  /** @param shown the files in which to count lines, if those are not the files that are built */
  constructor(
    private readonly pkg: Package,
    private readonly copy: PackageCopy,
    private readonly inspect: Inspect,
    private readonly shown: PackageItems = pkg.files,
  ) {}

  /** The sources of the findings in the build of one overlay. Changes the copy for that time. */
  async find(overlay: string, found: readonly Inspected[]): Promise<Map<Inspected, Source>> {
    if (found.length === 0) return new Map();
    const sources = new Map<Inspected, Source>();
    const isComponent = this.pkg.graph.get(overlay)?.isComponent === true;
    const origins = await this.copy.origins(overlay, isComponent);
    const open = found.filter((one) => {
      const origin = origins.get(keyOf(one.root));
      const isInOrigin = origin !== undefined && this.isFoundIn(origin, one);
      const source = isInOrigin ? this.sourceInFile(origin, one) : this.imagesEntryOf(one, overlay);
      if (source !== undefined) sources.set(one, source);
      return source === undefined;
    });
    await this.goBack(overlay, open, sources);
    for (const one of open.filter((other) => !sources.has(other))) {
      const file = origins.get(keyOf(one.root)) ?? this.pkg.graph.get(overlay)?.file;
      if (file !== undefined) sources.set(one, this.sourceInFile(file, one));
    }
    return sources;
  }

  /** The places in a file that has the build itself. */
  findIn(documents: readonly Item[], found: readonly Inspected[]): Map<Inspected, Source> {
    const [{ path: file = '' } = {}] = documents;
    return new Map(found.map((one) => [one, { file, ...placeOfFinding(documents, one) }]));
  }

  /** Whether the file of the resource has the finding. The source of a generated resource is its kustomization. */
  private isFoundIn(file: string, one: Inspected): boolean {
    if (isKustomizationFile(file)) return true;
    const resources = (this.pkg.files.get(file) ?? []).map(({ value }) => value);
    const inFile = this.foundInFiles.get(file) ?? this.inspect(resources, 'source');
    this.foundInFiles.set(file, inFile);
    const key = kindKey(one);
    // An overlay may add a prefix or a suffix to a name.
    return inFile.some((other) => nameOf(one).includes(nameOf(other)) && kindKey(other) === key);
  }

  private sourceInFile(file: string, one: Inspected): Source {
    if (!isKustomizationFile(file)) return { file, ...placeOfFinding(this.shown.get(file) ?? [], one) };
    const [field = ''] = GENERATORS.find(([, kind]) => kind === one.finding.resource?.kind) ?? [];
    const generators = entriesIn(this.pkg.graph.get(path.dirname(file))?.value[field]);
    const i = generators.findIndex(({ name }) => typeof name === 'string' && nameOf(one).includes(name));
    return this.sourceInKustomization(file, i === -1 ? undefined : [field, i]);
  }

  private sourceInKustomization(file: string, entry: FieldPath | undefined): Source {
    const documents = this.shown.get(file) ?? [];
    return { file, ...placeInFile(documents, documents[0], entry ?? []), entry };
  }

  /** The entry of `images`, in the outermost kustomization that has one, that sets the image of the finding. */
  private imagesEntryOf({ finding: { currentValue } }: Inspected, overlay: string): Source | undefined {
    const [image, name, newTag] = /^(.+):([^/:@]+)$/.exec(textOf(currentValue)) ?? [];
    if (image === undefined) return undefined;
    for (const dir of reachableFrom(this.pkg.graph, [overlay])) {
      const { file = '', value } = this.pkg.graph.get(dir) ?? {};
      const i = entriesIn(value?.images).findIndex(
        (one) => one.newTag === newTag && (one.newName ?? one.name) === name,
      );
      if (i !== -1) return this.sourceInKustomization(file, ['images', i]);
    }
    return undefined;
  }

  /**
   * For every finding, the number of entries to remove, from the last one on, until the build does not have it; found by
   * bisection, because every step is a build.
   */
  private async goBack(
    overlay: string,
    found: readonly Inspected[],
    sources: Map<Inspected, Source>,
  ): Promise<void> {
    if (found.length === 0) return;
    const steps = this.stepsBack(overlay);
    const originals = new Map(
      steps.map(({ kustomization: { file } }) => [file, this.copy.read(file)] as const),
    );
    const builds = new Map<number, Promise<ReadonlySet<string> | undefined>>();
    const foundWithout = (n: number) => {
      const build = builds.get(n) ?? this.foundAfter(overlay, steps.slice(0, n), originals);
      builds.set(n, build);
      return build;
    };
    try {
      for (const one of found) {
        const isGone = async (n: number) => (await foundWithout(n))?.has(resourceKey(one)) === false;
        const step = steps[(await firstOf(steps.length, isGone)) - 1];
        if (step !== undefined) sources.set(one, this.sourceOf(step, one));
      }
    } finally {
      for (const [file, original] of originals) this.copy.write(file, original);
    }
  }

  /** The findings in a build without some entries; undefined if it does not build. */
  private async foundAfter(
    overlay: string,
    removed: readonly Step[],
    originals: ReadonlyMap<string, Uint8Array>,
  ): Promise<ReadonlySet<string> | undefined> {
    for (const [file, original] of originals) this.copy.write(file, original);
    for (const { kustomization, before } of removed)
      this.copy.write(kustomization.file, JSON.stringify(before));
    return this.foundNow(overlay);
  }

  /** The findings in a build of the copy as it is now; undefined if it does not build. */
  private async foundNow(overlay: string): Promise<Set<string> | undefined> {
    try {
      const { resources } = await this.copy.build(overlay);
      return new Set(this.inspect(resources, 'build').map(resourceKey));
    } catch (error) {
      if (error instanceof GuardrailsError) return undefined;
      throw error;
    }
  }

  /** Every entry that the build of a folder applies, the last first. kustomize applies Components after resources. */
  private stepsBack(dir: string, seen = new Set<string>()): Step[] {
    const kustomization = this.pkg.graph.get(dir);
    if (kustomization === undefined || seen.has(dir)) return [];
    seen.add(dir);
    const below = kustomization.folders.toReversed().flatMap((folder) => this.stepsBack(folder, seen));
    return [...ownStepsBack(kustomization), ...below];
  }

  private sourceOf({ kustomization: { dir, file }, path: entryPath, entry }: Step, one: Inspected): Source {
    const named = isObject(entry) ? entry.path : entry;
    const target = typeof named === 'string' ? path.join(dir, named) : '';
    return this.pkg.files.has(target)
      ? { ...this.sourceInFile(target, one), entry: entryPath }
      : this.sourceInKustomization(file, entryPath);
  }
}

/** The least number from 1 to `last` for which a test holds that holds for all greater ones, too; 0: for none. */
async function firstOf(last: number, holds: (n: number) => Promise<boolean>): Promise<number> {
  if (last === 0 || !(await holds(last))) return 0;
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function ownStepsBack(kustomization: Kustomization): Step[] {
  let left = kustomization.value;
  return CHANGING_FIELDS.toReversed().flatMap((field) => {
    const value = left;
    const entries = value[field];
    if (!Array.isArray(entries)) return [];
    left = { ...value, [field]: [] };
    return entries
      .map((entry, i) => ({
        kustomization,
        path: [field, i],
        entry,
        before: { ...value, [field]: entries.slice(0, i) },
      }))
      .toReversed();
  });
}

function nameOf({ finding: { resource } }: Inspected): string {
  return resource?.name ?? '';
}

/** The same for the same finding in resources of one kind. Without indices, because a patch may insert list entries. */
function kindKey(one: Inspected): string {
  const { rule, problem, resource } = one.finding;
  const keys = placedFinding(one).path.filter((step) => typeof step === 'string');
  return JSON.stringify([rule, problem.raw, keys, resource?.apiVersion, resource?.kind]);
}

/** The same for the same finding in the same resource. */
function resourceKey(one: Inspected): string {
  return JSON.stringify([kindKey(one), one.finding.resource]);
}
