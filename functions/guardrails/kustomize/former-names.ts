import { expandLists, resourceRef } from '../krm/resource';
import { type YamlObject, type YamlValue, isObject, objectAt, objectsIn, textOf } from '../yaml/yaml';
import { generatedObjects } from './generators';
import type { Kustomization } from './graph';
import type { Package } from './package';
import { documentsAt, documentsIn } from './patch-documents';

/** An object of a kustomization: its name in the end, without a hash, and the names that it had before. */
interface NamedObject {
  readonly kind: string;
  readonly name: string;
  readonly former: readonly string[];
}

/** A patch that gives an object another name. */
interface Renaming {
  readonly kind: string | undefined;
  readonly from: string;
  readonly to: string;
}

const PATCHES = ['patches', 'patchesJson6902'] as const;
/** Diamonds of kustomizations multiply objects. */
const MOST_OBJECTS = 50_000;

/**
 * From the kind of an object and its name in a file of the package to the names, without hashes, that an overlay's build
 * gives it: by namePrefix, nameSuffix, and patches that change a name. It is what the files say; a build may have others.
 */
export function formerNamesIn(
  pkg: Package,
  overlay: string,
): (kind: string, name: string) => readonly string[] {
  const names = new FormerNames(pkg, overlay);
  return (kind, name) => names.of(kind, name);
}

class FormerNames {
  /** From `kind/former name` to the names in the build; undefined until it is asked for: few builds need it. */
  private names: ReadonlyMap<string, readonly string[]> | undefined;
  private readonly known = new Map<string, readonly NamedObject[]>();

  constructor(
    private readonly pkg: Package,
    private readonly overlay: string,
  ) {}

  of(kind: string, name: string): readonly string[] {
    this.names ??= this.read();
    return this.names.get(`${kind}/${name}`) ?? [];
  }

  private read(): Map<string, readonly string[]> {
    const names = new Map<string, readonly string[]>();
    for (const { kind, name, former } of this.objectsOf(this.overlay, new Set()))
      for (const one of former) {
        const key = `${kind}/${one}`;
        const list = names.get(key) ?? [];
        if (one !== name && !list.includes(name)) names.set(key, [...list, name]);
      }
    return names;
  }

  /** @param within the kustomizations that are being read: those that include each other have no build */
  private objectsOf(dir: string, within: ReadonlySet<string>): readonly NamedObject[] {
    const known = this.known.get(dir);
    if (known !== undefined) return known;
    const kustomization = this.pkg.graph.get(dir);
    if (kustomization === undefined || within.has(dir)) return [];
    const inside = new Set([...within, dir]);
    const included = kustomization.folders.filter((one) => this.pkg.graph.get(one)?.isComponent !== true);
    const own = [...included.flatMap((one) => this.objectsOf(one, inside)), ...this.ownOf(kustomization)];
    const objects = this.renamed(own.slice(0, MOST_OBJECTS), kustomization, inside);
    this.known.set(dir, objects);
    return objects;
  }

  /** What the Components of a kustomization, and then its own patches, prefix and suffix, make of names. */
  private renamed(
    objects: readonly NamedObject[],
    kustomization: Kustomization,
    within: ReadonlySet<string>,
  ): readonly NamedObject[] {
    let all = objects;
    for (const folder of kustomization.folders) {
      const component = this.pkg.graph.get(folder);
      if (component?.isComponent !== true || within.has(folder)) continue;
      const own = [...all, ...this.ownOf(component)].slice(0, MOST_OBJECTS);
      all = this.renamed(own, component, new Set([...within, folder]));
    }
    const { namePrefix, nameSuffix } = kustomization.value;
    const [prefix, suffix] = [textOf(namePrefix ?? ''), textOf(nameSuffix ?? '')];
    const renamings = this.renamingsOf(kustomization);
    if (prefix + suffix === '' && renamings.length === 0) return all;
    return all.map((one) => {
      const patched =
        renamings.find(({ kind = one.kind, from }) => kind === one.kind && from === one.name)?.to ?? one.name;
      const name = prefix + patched + suffix;
      return name === one.name ? one : { ...one, name, former: [...one.former, one.name] };
    });
  }

  /** The objects of its files and generators. */
  private ownOf({ resources, value }: Kustomization): NamedObject[] {
    const inFiles = resources
      .flatMap((file) => this.pkg.files.get(file) ?? [])
      .flatMap((item) => expandLists(item.value))
      .map(({ resource }) => resourceRef(resource));
    return [...inFiles, ...generatedObjects(value)].map(({ kind, name }) => ({ kind, name, former: [] }));
  }

  private renamingsOf({ dir, value }: Kustomization): Renaming[] {
    return PATCHES.flatMap((field) => objectsIn(value[field])).flatMap((entry) => {
      const target = objectAt(entry, 'target');
      if (typeof target.name !== 'string') return [];
      const kind = typeof target.kind === 'string' ? target.kind : undefined;
      const documents = documentsIn(entry.patch) ?? documentsAt(this.pkg, dir, entry.path) ?? [];
      const to = documents.flatMap((patch) => newNameIn(patch, entry)).at(-1);
      return to === undefined ? [] : [{ kind, from: target.name, to }];
    });
  }
}

/** The name that a patch gives: an operation on `/metadata/name`, or its own name with `allowNameChange`. */
function newNameIn(patch: YamlValue, { options }: YamlObject): string[] {
  if (isObject(patch)) {
    const allows = isObject(options) && options.allowNameChange === true;
    return allows ? [resourceRef(patch).name] : [];
  }
  return objectsIn(patch).flatMap(({ op, path: field, value }) =>
    (op === 'replace' || op === 'add') && field === '/metadata/name' && typeof value === 'string'
      ? [value]
      : [],
  );
}
