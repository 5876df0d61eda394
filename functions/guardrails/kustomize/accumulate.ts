import { expandLists, groupOf, resourceRef } from '../krm/resource';
import {
  type YamlObject,
  type YamlValue,
  entriesIn,
  isObject,
  objectAt,
  objectsIn,
  textOf,
} from '../yaml/yaml';
import { generatedObjects } from './generators';
import type { Kustomization } from './graph';
import {
  type ImagesEntry,
  applyEntry,
  imagesEntry,
  imagesInPatch,
  matcherOf,
  nameOfImage,
  visitedImages,
} from './image-entries';
import type { Package } from './package';
import { documentsAt, documentsIn } from './patch-documents';
import { isEmpty } from './references';

/** A resource that a kustomization accumulates. */
export interface NamedResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** The name at the source, and every name that prefixes and suffixes give it. */
  readonly names: readonly string[];
}

/** An image to the names that it had before an inner kustomization renamed it. */
export type Images = ReadonlyMap<string, readonly string[]>;

/** What is accumulated; each is undefined if it is not known. It is never less than what kustomize accumulates. */
export interface Accumulated {
  readonly images: Images | undefined;
  readonly resources: readonly NamedResource[] | undefined;
}

/** What the entries of a kustomization apply to, once for each time that it is included. */
export interface Application {
  readonly kustomization: Kustomization;
  /** The images that each entry of `images` applies to, after the entries before it. */
  readonly images: readonly (Images | undefined)[];
  /** The resources that its patches and replacements may select. */
  readonly resources: readonly NamedResource[] | undefined;
}

const NOTHING: Accumulated = { images: new Map(), resources: [] };
const UNKNOWN: Accumulated = { images: undefined, resources: undefined };
const PATCHES = ['patches', 'patchesJson6902', 'patchesStrategicMerge'];
/** Fields with which a kustomization adds or changes what its files do not show. */
const OPAQUE = ['generators', 'helmCharts', 'helmChartInflationGenerator'];
/** Fields of a transformer configuration that decide where images and names are. */
const CONFIGURED = ['images', 'namePrefix', 'nameSuffix'];
/** Components are applied again for each kustomization that includes them; no real package has so many. */
const MOST_APPLICATIONS = 10_000;

/**
 * What every kustomization of a package applies its entries to, by what its files say; undefined for a package that
 * includes Components too often. kustomize accumulates resources, generators, then Components, and applies patches,
 * prefixes, images, replacements and other transformers in this order.
 */
export function applicationsOf(pkg: Package): readonly Application[] | undefined {
  const accumulation = new Accumulation(pkg);
  for (const { dir, isComponent } of pkg.graph.values()) if (!isComponent) accumulation.of(dir);
  const { applications } = accumulation;
  return applications.length > MOST_APPLICATIONS ? undefined : applications;
}

class Accumulation {
  readonly applications: Application[] = [];
  /** undefined while it is made: kustomizations that include each other are refused by kustomize. */
  private readonly known = new Map<string, Accumulated | undefined>();

  constructor(private readonly pkg: Package) {}

  of(dir: string): Accumulated {
    if (this.known.has(dir)) return this.known.get(dir) ?? UNKNOWN;
    this.known.set(dir, undefined);
    const accumulated = this.apply(dir, NOTHING, new Set());
    this.known.set(dir, accumulated);
    return accumulated;
  }

  /** @param within the Components that are being applied */
  private apply(dir: string, incoming: Accumulated, within: ReadonlySet<string>): Accumulated {
    const { graph } = this.pkg;
    const kustomization = graph.get(dir);
    if (kustomization === undefined || within.has(dir) || this.applications.length > MOST_APPLICATIONS)
      return UNKNOWN;
    const components = kustomization.folders.filter((one) => graph.get(one)?.isComponent);
    const included = kustomization.folders.filter((one) => !components.includes(one));
    let state = join([incoming, this.ownOf(kustomization), ...included.map((one) => this.of(one))]);
    for (const component of components) state = this.apply(component, state, new Set([...within, dir]));
    if (this.isOpaque(kustomization)) state = UNKNOWN;
    return this.transform(kustomization, state);
  }

  /** The resources of its files and generators. */
  private ownOf(kustomization: Kustomization): Accumulated {
    if (kustomization.hasOtherResources) return UNKNOWN;
    const files = kustomization.resources.flatMap((file) => this.pkg.files.get(file) ?? []);
    const resources = files.flatMap(({ value }) => expandLists(value)).map(({ resource }) => resource);
    const generated = generatedObjects(kustomization.value);
    return {
      images: new Map(resources.flatMap(visitedImages).map((image) => [image, []])),
      resources: [
        ...resources.map(namedResource),
        ...generated.map(({ kind, name }) => ({ group: '', version: 'v1', kind, names: [name] })),
      ],
    };
  }

  private transform(kustomization: Kustomization, { images, resources }: Accumulated): Accumulated {
    const { value } = kustomization;
    const patches = this.patchesOf(kustomization);
    const isRenamed = patches === undefined || patches.some(isRenaming);
    const named = isRenamed ? undefined : resources?.map((one) => withAffixes(one, value));
    const patched = images && patches && new Map([...images, ...imagesOf(patches)]);
    let current: Images | undefined = patched;
    const applied = entriesIn(value.images).map((written) => {
      const before = current;
      const entry = imagesEntry(written);
      if (entry !== undefined) current = before && applyToAll(before, entry);
      return before;
    });
    this.applications.push({ kustomization, images: applied, resources: named });
    // What comes after the images is seen by outer kustomizations alone.
    if (!isEmpty(value.transformers)) return UNKNOWN;
    const replacements = objectsIn(value.replacements);
    const targets = JSON.stringify(replacements.map((one) => one.targets ?? null));
    const isFromFile = replacements.some((one) => one.path !== undefined);
    return {
      images: isFromFile || /image/i.test(targets) ? undefined : current,
      resources:
        isFromFile || /metadata\.name"|kind"/.test(targets.replaceAll('"kind":', '')) ? undefined : named,
    };
  }

  /** The documents of all patches of a kustomization; undefined if one cannot be read. */
  private patchesOf({ dir, value }: Kustomization): YamlValue[] | undefined {
    const documents: YamlValue[] = [];
    for (const field of PATCHES) {
      const entries = value[field] ?? [];
      if (!Array.isArray(entries)) return undefined;
      for (const entry of entries) {
        if (isObject(entry) && Object.values(objectAt(entry, 'options')).includes(true)) return undefined;
        const file = isObject(entry) ? entry.path : entry;
        const inline = isObject(entry) ? entry.patch : entry;
        const read = documentsAt(this.pkg, dir, file) ?? documentsIn(inline);
        if (read === undefined) return undefined;
        documents.push(...read);
      }
    }
    return documents;
  }

  private isOpaque({ dir, value, problems }: Kustomization): boolean {
    if (problems.length > 0 || OPAQUE.some((field) => !isEmpty(value[field]))) return true;
    const { configurations = [] } = value;
    if (!Array.isArray(configurations)) return true;
    const isKnown = (document: YamlValue) =>
      isObject(document) && CONFIGURED.every((field) => isEmpty(document[field]));
    return configurations.some((file) => documentsAt(this.pkg, dir, file)?.every(isKnown) !== true);
  }
}

function join(all: readonly Accumulated[]): Accumulated {
  const isKnown = <T>(value: T | undefined): value is T => value !== undefined;
  const images = all.map((one) => one.images).filter(isKnown);
  const resources = all.map((one) => one.resources).filter(isKnown);
  return {
    images: images.length < all.length ? undefined : new Map(images.flatMap((one) => [...one])),
    resources: resources.length < all.length ? undefined : resources.flat(),
  };
}

function namedResource(resource: YamlObject): NamedResource {
  const { kind, name } = resourceRef(resource);
  const version = textOf(resource.apiVersion).split('/').at(-1) ?? '';
  return { group: groupOf(resource), version, kind, names: [name] };
}

function withAffixes(one: NamedResource, { namePrefix, nameSuffix }: YamlObject): NamedResource {
  const name = `${textOf(namePrefix ?? '')}${one.names.at(-1) ?? ''}${textOf(nameSuffix ?? '')}`;
  return one.names.includes(name) ? one : { ...one, names: [...one.names, name] };
}

function applyToAll(images: Images, entry: ImagesEntry): Images | undefined {
  const isMatch = matcherOf(entry);
  if (isMatch === undefined) return undefined;
  return new Map(
    [...images].map(([image, former]): [string, readonly string[]] => {
      if (!isMatch(image)) return [image, former];
      const changed = applyEntry(image, entry);
      const name = nameOfImage(image);
      return [changed, name === nameOfImage(changed) ? former : [...former, name]];
    }),
  );
}

/** The operations of a JSON 6902 patch, or else none. */
function operationsOf(patch: YamlValue): YamlObject[] {
  return objectsIn(patch).filter((one) => typeof one.path === 'string');
}

function imagesOf(patches: readonly YamlValue[]): [string, readonly string[]][] {
  const images = patches.flatMap((patch) => [
    ...imagesInPatch(patch),
    ...operationsOf(patch).flatMap(({ path: field, value }) =>
      typeof value === 'string' && /image|reference/.test(textOf(field)) ? [value] : [],
    ),
  ]);
  return images.map((image) => [image, []]);
}

/** Whether a patch may change a kind or a name, or copies what is not read here. */
function isRenaming(patch: YamlValue): boolean {
  return operationsOf(patch).some(
    ({ op, path: field }) =>
      op === 'copy' || op === 'move' || /^\/(metadata(\/name)?|kind)?$/.test(textOf(field)),
  );
}
