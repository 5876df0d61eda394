import path from 'node:path/posix';
import type { Item } from '../../krm/item';
import { expandLists, resourceRef } from '../../krm/resource';
import type { OverlayBuild } from '../../kustomize/build-overlays';
import { reachableFrom } from '../../kustomize/graph';
import type { Package } from '../../kustomize/package';
import { podSpecOf } from '../../kubernetes/workload';
import { type Selector, selects, stringsIn } from '../../network/selector';
import { ifValid } from '../../yaml/yaml';
import type { Besides, NamedObject } from '../rule';
import { BuiltObjects } from './built-objects';

/** The objects of a package that a build of an overlay may not have. Nothing is read before it is asked for. */
export class PackageObjects {
  private readonly built = new Map<string, BuiltObjects>();
  private readonly reached = new Map<string, ReadonlySet<string>>();
  private named: ReadonlySet<string> | undefined;

  constructor(
    private readonly pkg: Package,
    private readonly builds: readonly OverlayBuild[],
  ) {}

  /** What the package has besides the build of an overlay. */
  besides(overlay: string): Besides {
    const others = () => this.builds.filter((one) => this.isIndependent(one.overlay, overlay));
    return {
      find: (object) => ({
        overlays: others()
          .filter((one) => this.builtBy(one, object))
          .map((one) => one.overlay),
        unlisted: this.unlisted(overlay, object),
      }),
      hasPods: (selector, namespace) => others().some((one) => hasPods(one, selector, namespace)),
    };
  }

  private builtBy(build: OverlayBuild, { kind, name, namespace }: NamedObject): boolean {
    const { overlay, resources } = build;
    const objects =
      this.built.get(overlay) ?? new BuiltObjects(resources.flatMap((root) => expandLists(root)));
    this.built.set(overlay, objects);
    return objects.find(kind, name, namespace).length > 0;
  }

  /** Whether two overlays have no kustomization in common but Components: they are not variants of one application. */
  private isIndependent(one: string, other: string): boolean {
    const others = this.foldersOf(other);
    return [...this.foldersOf(one)].every((dir) => !others.has(dir));
  }

  private foldersOf(overlay: string): ReadonlySet<string> {
    const { graph } = this.pkg;
    const isKustomization = (dir: string) => dir === overlay || graph.get(dir)?.isComponent !== true;
    const folders =
      this.reached.get(overlay) ?? new Set([...reachableFrom(graph, [overlay])].filter(isKustomization));
    this.reached.set(overlay, folders);
    return folders;
  }

  /** A file with an object, beside those of the overlay, that no kustomization names. */
  private unlisted(overlay: string, { kind, name }: NamedObject): string | undefined {
    const { graph, files, directory } = this.pkg;
    this.named ??= new Set(
      [...graph.values()].flatMap(({ file, resources, patches, others }) => [
        file,
        ...resources,
        ...patches,
        ...others,
      ]),
    );
    const reached = [...reachableFrom(graph, [overlay])];
    const named = reached.flatMap((dir) => graph.get(dir)?.resources ?? []);
    const folders = new Set([...reached, ...named.map((file) => path.dirname(file))]);
    const all = directory?.files ?? [...files.keys()];
    return all.find((file) => {
      if (!/\.ya?ml$/.test(file) || this.named?.has(file) === true) return false;
      if (!folders.has(path.dirname(file))) return false;
      const items = files.get(file) ?? this.documentsIn(file, name);
      return items
        .flatMap((item) => expandLists(item.value))
        .some(({ resource }) => resource.kind === kind && resourceRef(resource).name === name);
    });
  }

  /** The documents of a file that is not an item; none without a name in it. */
  private documentsIn(file: string, name: string): readonly Item[] {
    const content = this.pkg.directory?.read(file);
    if (!(content instanceof Uint8Array) || !Buffer.from(content).includes(name)) return [];
    return ifValid(() => this.pkg.directory?.documentsOf(file)) ?? [];
  }
}

function hasPods({ resources }: OverlayBuild, selector: Selector, namespace: string): boolean {
  return resources
    .flatMap((root) => expandLists(root))
    .some(({ resource }) => {
      const pod = podSpecOf(resource);
      const { namespace: own = '' } = resourceRef(resource);
      const isSame = own === namespace || own === '' || namespace === '';
      return pod !== undefined && isSame && selects(selector, stringsIn(pod.metadata.labels));
    });
}
