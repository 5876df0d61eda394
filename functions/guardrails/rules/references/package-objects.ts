import { expandLists, resourceRef } from '../../krm/resource';
import type { OverlayBuild } from '../../kustomize/build-overlays';
import { reachableFrom } from '../../kustomize/graph';
import type { Package } from '../../kustomize/package';
import type { FindElsewhere, NamedObject } from '../rule';
import { BuiltObjects } from './built-objects';

/** The objects of a package that a build of an overlay may not have. Nothing is read before it is asked for. */
export class PackageObjects {
  private readonly built = new Map<string, BuiltObjects>();
  private readonly reached = new Map<string, ReadonlySet<string>>();
  /** From `kind/name` to a file that no kustomization lists. */
  private files: ReadonlyMap<string, string> | undefined;

  constructor(
    private readonly pkg: Package,
    private readonly builds: readonly OverlayBuild[],
  ) {}

  /** Where the package has what the build of an overlay does not have. */
  outsideOf(overlay: string): FindElsewhere {
    return (object) => ({
      overlays: this.builds
        .filter((one) => this.isIndependent(one.overlay, overlay) && this.builtBy(one, object))
        .map((one) => one.overlay),
      unlisted: this.unlisted().get(`${object.kind}/${object.name}`),
    });
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

  private unlisted(): ReadonlyMap<string, string> {
    if (this.files !== undefined) return this.files;
    const listed = new Set(
      [...this.pkg.graph.values()].flatMap(({ file, resources, patches, others }) => [
        file,
        ...resources,
        ...patches,
        ...others,
      ]),
    );
    const files = new Map<string, string>();
    for (const [file, items] of this.pkg.files) {
      if (listed.has(file)) continue;
      for (const { resource } of items.flatMap((item) => expandLists(item.value))) {
        const { kind, name } = resourceRef(resource);
        files.set(`${kind}/${name}`, file);
      }
    }
    this.files = files;
    return files;
  }
}
