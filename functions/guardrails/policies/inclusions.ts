import { expandLists, resourceRef } from '../krm/resource';
import { podSpecOf } from '../kubernetes/workload';
import { type Graph, type Kustomization, reachableFrom } from '../kustomize/graph';
import type { Package } from '../kustomize/package';
import { append } from '../network/multimap';
import type { WantedPolicy } from '../network/generate';
import { type Renaming, renamingsOf } from './names';

/** The policies that one overlay requires, as it builds them. */
export interface RequiredPolicies {
  /** The overlay's folder. */
  readonly overlay: string;
  readonly policies: readonly WantedPolicy[];
}

/** A kustomization in the build of an overlay, which may include it more than once. */
export interface Inclusion {
  readonly overlay: string;
  /** The folder of the kustomization. */
  readonly place: string;
  readonly renaming: Renaming;
}

/** What overlays include, by overlay and by included folder. */
export class Inclusions {
  private readonly byOverlay = new Map<string, Inclusion[]>();
  private readonly byPlace = new Map<string, Inclusion[]>();

  constructor(graph: Graph, overlays: readonly string[]) {
    for (const overlay of overlays)
      for (const [place, renamings] of renamingsOf(graph, overlay))
        for (const renaming of renamings) {
          const inclusion = { overlay, place, renaming };
          append(this.byOverlay, overlay, inclusion);
          append(this.byPlace, place, inclusion);
        }
  }

  /** What an overlay includes, itself first. */
  in(overlay: string): readonly Inclusion[] {
    return this.byOverlay.get(overlay) ?? [];
  }

  /** In which overlays a kustomization is. */
  of(place: string): readonly Inclusion[] {
    return this.byPlace.get(place) ?? [];
  }
}

/**
 * Finds the kustomization that can hold each policy for several overlays: the topmost that all overlays share or, where
 * there is none or several, the one that lists the workload of the policy. A policy without one belongs beside overlays.
 *
 * @param closed folders that overlays without policies build on
 */
export function sharedPlaces(
  pkg: Package,
  required: readonly RequiredPolicies[],
  inclusions: Inclusions,
  closed: ReadonlySet<string>,
): ReadonlyMap<WantedPolicy, readonly Inclusion[]> {
  const overlays = required.map(({ overlay }) => overlay);
  const shared = sharedKustomization(pkg.graph, overlays, closed);
  if (shared === undefined) return workloadPlaces(pkg, required, inclusions, closed);
  return new Map(
    required.flatMap(({ overlay, policies }) => {
      const included = inclusions.in(overlay).filter(({ place }) => place === shared);
      return policies.map((policy) => [policy, included] as const);
    }),
  );
}

/** The topmost kustomization that every overlay builds on, or else an overlay that all others build on. */
function sharedKustomization(
  graph: Graph,
  overlays: readonly string[],
  closed: ReadonlySet<string>,
): string | undefined {
  const reached = overlays.map((overlay) => reachableFrom(graph, [overlay]));
  const common = [...(reached[0] ?? [])].filter(
    (dir) =>
      reached.every((one) => one.has(dir)) && graph.get(dir)?.isComponent === false && !closed.has(dir),
  );
  const bases = common.filter((dir) => !overlays.includes(dir));
  return [bases, common].map((dirs) => topmost(graph, dirs)).find(({ length }) => length === 1)?.[0];
}

function topmost(graph: Graph, dirs: readonly string[]): readonly string[] {
  const below = reachableFrom(
    graph,
    dirs.flatMap((dir) => graph.get(dir)?.folders ?? []),
  );
  return dirs.filter((dir) => !below.has(dir));
}

/** The kustomizations that list the workloads, those of overlays, of Components and of closed folders apart. */
function workloadPlaces(
  pkg: Package,
  required: readonly RequiredPolicies[],
  inclusions: Inclusions,
  closed: ReadonlySet<string>,
): ReadonlyMap<WantedPolicy, readonly Inclusion[]> {
  const overlays = new Set(required.map(({ overlay }) => overlay));
  const workloads = workloadsOf(pkg);
  const canHold = (place: string) =>
    !overlays.has(place) && !closed.has(place) && pkg.graph.get(place)?.isComponent === false;
  const places = new Map<WantedPolicy, readonly Inclusion[]>();
  for (const { overlay, policies } of required) {
    const listing = listingInclusions(inclusions.in(overlay), workloads);
    for (const policy of policies) {
      const [first, ...others] = listing.get(keyOfWorkload(policy)) ?? [];
      if (first !== undefined && others.length === 0 && canHold(first.place)) places.set(policy, [first]);
    }
  }
  return places;
}

interface SourceWorkload {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string | undefined;
}

/** Folder to the workloads in the files that its kustomization lists. */
function workloadsOf({ graph, files }: Package): ReadonlyMap<string, readonly SourceWorkload[]> {
  const listed = ({ resources }: Kustomization) =>
    resources
      .flatMap((file) => files.get(file) ?? [])
      .flatMap(({ value }) => expandLists(value))
      .filter(({ resource }) => podSpecOf(resource) !== undefined)
      .map(({ resource }) => resourceRef(resource));
  return new Map([...graph].map(([dir, kustomization]) => [dir, listed(kustomization)]));
}

/** Workloads of the build of an overlay, by `keyOfWorkload`, to the kustomizations that list one that becomes it. */
function listingInclusions(
  inclusions: readonly Inclusion[],
  workloads: ReadonlyMap<string, readonly SourceWorkload[]>,
): ReadonlyMap<string, readonly Inclusion[]> {
  const listing = new Map<string, Inclusion[]>();
  for (const inclusion of inclusions)
    for (const { kind, name, namespace: own = '' } of workloads.get(inclusion.place) ?? []) {
      const { builtName, namespace = own } = inclusion.renaming;
      append(listing, keyOfWorkload({ namespace, workload: { kind, name: builtName(name) } }), inclusion);
    }
  return listing;
}

function keyOfWorkload({ namespace, workload }: Pick<WantedPolicy, 'namespace' | 'workload'>): string {
  return JSON.stringify([namespace, workload?.kind, workload?.name]);
}
