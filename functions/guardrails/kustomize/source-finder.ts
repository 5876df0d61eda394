import path from 'node:path/posix';
import { GuardrailsError } from '../errors';
import { formatPath } from '../yaml/field-path';
import { isKustomizationFile } from '../krm/item';
import { type YamlObject, type YamlValue, isObject, parseYaml, valueOf, objectsIn } from '../yaml/yaml';
import { type PackageCopy, keyOf } from './copy';
import type { Kustomize } from './find';
import { type Kustomization, reachableFrom } from './graph';
import type { Package } from './package';
import { resourceRef } from '../krm/resource';
import { type InspectContext, type Inspected, inspect } from '../rules/inspect';

/** Where to look for what was found. */
export interface Source {
  /** Path in the package. */
  readonly file: string;
  /** The file, and which part of it where that is known. */
  readonly label: string;
  /** What it sets no entry of `images` in the same kustomization changes: that comes before it. */
  readonly isBehindImages?: boolean;
}

/** The fields whose entries change what others bring, in the order in which kustomize works through them (runTransformers). */
const CHANGING_FIELDS = [
  'patchesStrategicMerge',
  'patches',
  'patchesJson6902',
  'replacements',
  'transformers',
] as const;
const BEHIND_IMAGES: ReadonlySet<string> = new Set(['replacements', 'transformers']);

/** An entry of a kustomization, and the kustomization as it would be had it ended before that entry. */
interface Step {
  readonly kustomization: Kustomization;
  readonly source: Source;
  readonly before: YamlObject;
}

/**
 * Names the file that a finding in a build comes from: the resource's own, when the same is found in there; else the
 * kustomization whose `images` name the image; else the first entry without which, and without all that come after it,
 * the overlay builds without the finding.
 */
export class SourceFinder {
  /** File to what is found in it: the finding's key to the names of the resources. */
  private readonly foundInFiles = new Map<string, ReadonlyMap<string, readonly string[]>>();

  constructor(
    private readonly pkg: Package,
    private readonly copy: PackageCopy,
    private readonly kustomize: Kustomize,
  ) {}

  /** The sources of what one overlay's build has. The copy is changed meanwhile, and then as it was. */
  async find(
    overlay: string,
    found: readonly Inspected[],
    context: InspectContext,
  ): Promise<Map<Inspected, Source>> {
    const sources = new Map<Inspected, Source>();
    if (found.length === 0) return sources;
    const origins = await this.copy.origins(overlay, this.kustomize);
    const open: Inspected[] = [];
    for (const one of found) {
      const origin = origins.get(keyOf(one.whole));
      const file = this.isFoundIn(origin, one, context) ? origin : this.imagesFileOf(one, overlay);
      if (file === undefined) open.push(one);
      else sources.set(one, { file, label: file });
    }
    await this.goBack(overlay, open, context, sources);
    for (const one of found) {
      if (sources.has(one)) continue;
      const file = origins.get(keyOf(one.whole)) ?? this.pkg.graph.get(overlay)?.file;
      if (file !== undefined) sources.set(one, { file, label: file });
    }
    return sources;
  }

  /** Whether the file that brings the resource has the finding in it; what a kustomization generates it brings whole. */
  private isFoundIn(file: string | undefined, one: Inspected, context: InspectContext): boolean {
    if (file === undefined) return false;
    if (isKustomizationFile(file)) return true;
    const name = resourceRef(one.resource).name;
    // An overlay may put something before and behind a name.
    return (this.foundInFile(file, context).get(kindKey(one)) ?? []).some((own) => name.includes(own));
  }

  private foundInFile(file: string, context: InspectContext): ReadonlyMap<string, readonly string[]> {
    const known = this.foundInFiles.get(file);
    if (known !== undefined) return known;
    const names = new Map<string, string[]>();
    const resources = (this.pkg.files.get(file) ?? []).map(({ value }) => value);
    for (const one of inspect(resources, { ...context, scope: 'source' })) {
      const own = names.get(kindKey(one)) ?? [];
      own.push(resourceRef(one.resource).name);
      names.set(kindKey(one), own);
    }
    this.foundInFiles.set(file, names);
    return names;
  }

  /** The outermost kustomization whose `images` make the image that was found. */
  private imagesFileOf({ finding: { currentValue } }: Inspected, overlay: string): string | undefined {
    if (typeof currentValue !== 'string') return undefined;
    return [...reachableFrom(this.pkg.graph, [overlay])]
      .flatMap((dir) => this.pkg.graph.get(dir) ?? [])
      .find((one) => bringsImage(one, currentValue))?.file;
  }

  /** Takes the last entry away, builds, takes the one before it away, and so on, until everything has a source. */
  private async goBack(
    overlay: string,
    found: readonly Inspected[],
    context: InspectContext,
    sources: Map<Inspected, Source>,
  ): Promise<void> {
    const originals = new Map<string, Uint8Array>();
    let open = found;
    try {
      for (const { kustomization, source, before } of this.stepsBack(overlay)) {
        if (open.length === 0) return;
        const { file } = kustomization;
        if (!originals.has(file)) originals.set(file, this.copy.read(file));
        this.copy.write(file, JSON.stringify(before));
        const there = await this.foundNow(overlay, context);
        if (there === undefined) continue;
        for (const one of open) if (!there.has(resourceKey(one))) sources.set(one, source);
        open = open.filter((one) => !sources.has(one));
      }
    } finally {
      for (const [file, original] of originals) this.copy.write(file, original);
    }
  }

  /** What is found in the copy as it is; undefined where nothing can be built of it. */
  private async foundNow(overlay: string, context: InspectContext): Promise<Set<string> | undefined> {
    try {
      const { stdout } = await this.copy.build(overlay, this.kustomize);
      const resources = parseYaml(stdout, overlay).map(valueOf).filter(isObject);
      return new Set(inspect(resources, context).map(resourceKey));
    } catch (error) {
      if (error instanceof GuardrailsError) return undefined;
      throw error;
    }
  }

  /** Every entry that an overlay's build works through, the last first: Components come behind resources. */
  private stepsBack(dir: string, seen = new Set<string>()): Step[] {
    const kustomization = this.pkg.graph.get(dir);
    if (kustomization === undefined || seen.has(dir)) return [];
    seen.add(dir);
    const below = kustomization.folders.toReversed().flatMap((folder) => this.stepsBack(folder, seen));
    return [...this.ownStepsBack(kustomization), ...below];
  }

  private ownStepsBack(kustomization: Kustomization): Step[] {
    let left = kustomization.value;
    return CHANGING_FIELDS.toReversed().flatMap((field) => {
      const value = left;
      const entries = value[field];
      if (!Array.isArray(entries)) return [];
      left = { ...value, [field]: [] };
      return entries
        .map((entry, i) => ({
          kustomization,
          source: {
            ...this.sourceOf(entry, `${field}[${i}]`, kustomization),
            isBehindImages: BEHIND_IMAGES.has(field),
          },
          before: { ...value, [field]: entries.slice(0, i) },
        }))
        .toReversed();
    });
  }

  private sourceOf(entry: YamlValue, where: string, { dir, file }: Kustomization): Source {
    const named = isObject(entry) ? entry.path : entry;
    const target = typeof named === 'string' ? path.join(dir, named) : '';
    if (this.pkg.files.has(target)) return { file: target, label: target };
    return { file, label: `${file}, ${where}` };
  }
}

function bringsImage({ value }: Kustomization, image: string): boolean {
  const tag = /:([^/:@]+)$/.exec(image)?.[1];
  if (tag === undefined) return false;
  const name = image.slice(0, -tag.length - 1);
  return objectsIn(value.images).some((one) => one.newTag === tag && (one.newName ?? one.name) === name);
}

/** The same finding in a resource of the same kind. Places in lists shift: a patch puts its containers first. */
function kindKey({ rule, finding, resource, path: at }: Inspected): string {
  const { apiVersion, kind } = resourceRef(resource);
  const field = [formatPath(at), finding.field].join('.').replace(/\[\d+\]/g, '[]');
  return JSON.stringify([rule, finding.what, field, apiVersion, kind]);
}

/** The same finding in the same resource. */
function resourceKey(one: Inspected): string {
  const { name, namespace } = resourceRef(one.resource);
  return JSON.stringify([kindKey(one), name, namespace]);
}
