import { type Graph, reachableFrom } from '../kustomize/graph';
import { type WantedPolicy, freeName } from '../network/generate';

/** What one overlay needs, as it builds. */
export interface OverlayNeeds {
  /** The overlay's folder. */
  readonly overlay: string;
  readonly policies: readonly WantedPolicy[];
}

/** A policy as it stands in a file. */
export interface SourcePolicy {
  readonly name: string;
  /** undefined: a kustomization stamps it, or whoever applies it says it. */
  readonly namespace: string | undefined;
  readonly spec: WantedPolicy['spec'];
}

export interface Placement {
  /** Folder of a kustomization to the policies beside it: the shared one and each overlay, also where that is none. */
  readonly places: ReadonlyMap<string, readonly SourcePolicy[]>;
  /** Why nothing is placed. */
  readonly problem?: string;
}

/**
 * Lays out who keeps which policy: what all overlays need beside the kustomization that they share, what one alone
 * needs, or what its namespace keeps out of there, beside that overlay.
 *
 * @param exempt overlays that get none: what they build on keeps none either
 * @param handWritten names of policies that are not ours, which no policy of ours may take
 */
export function placePolicies(
  graph: Graph,
  needs: readonly OverlayNeeds[],
  exempt: readonly string[],
  handWritten: ReadonlySet<string>,
): Placement {
  const overlays = needs.map(({ overlay }) => overlay);
  const shared = sharedKustomization(graph, overlays, exempt);
  if (typeof shared === 'object') return { places: new Map(), problem: shared.problem };
  const all = shared === undefined ? overlays : [shared, ...overlays];
  const places = new Map<string, SourcePolicy[]>(all.map((place) => [place, []]));
  const reach = new Map(overlays.map((overlay) => [overlay, reachableFrom(graph, [overlay])]));

  if (shared !== undefined) places.set(shared, neededByAll(graph, needs, shared));

  // An overlay that another builds on comes first.
  const inOrder = [...needs].sort(
    (a, b) => (reach.get(a.overlay)?.size ?? 0) - (reach.get(b.overlay)?.size ?? 0),
  );
  for (const { overlay, policies } of inOrder) {
    const inherited = [...places]
      .filter(([place]) => reach.get(overlay)?.has(place))
      .map(([place, sources]) => [place, new Set(sources.map(keyOf))] as const);
    for (const policy of policies) {
      const isThere = inherited.some(([place, keys]) => {
        const source = sourceForm(graph, overlay, place, policy);
        return source !== undefined && keys.has(keyOf(source));
      });
      const source = isThere ? undefined : sourceForm(graph, overlay, overlay, policy);
      if (source !== undefined) places.get(overlay)?.push(source);
    }
  }
  return { places: withFreeNames(places, inOrder, reach, handWritten) };
}

/** What every overlay needs in the same words, seen from a place. */
function neededByAll(graph: Graph, needs: readonly OverlayNeeds[], place: string): SourcePolicy[] {
  const [first, ...others] = needs.map(
    ({ overlay, policies }) =>
      new Map(
        policies.flatMap((policy) => {
          const source = sourceForm(graph, overlay, place, policy);
          return source === undefined ? [] : [[keyOf(source), source] as const];
        }),
      ),
  );
  const shared = [...(first ?? [])].filter(([key]) => others.every((other) => other.has(key)));
  return shared.map(([, source]) => source);
}

/**
 * The topmost kustomization that every overlay builds on and no exempt one does, or an overlay itself where there is no
 * such one; undefined where the exempt ones leave none; or why there is not exactly one.
 */
function sharedKustomization(
  graph: Graph,
  overlays: readonly string[],
  exempt: readonly string[],
): string | undefined | { problem: string } {
  const reached = overlays.map((overlay) => reachableFrom(graph, [overlay]));
  const ofAll = [...(reached[0] ?? [])].filter(
    (dir) => reached.every((one) => one.has(dir)) && graph.get(dir)?.isComponent === false,
  );
  const closed = reachableFrom(graph, exempt);
  const common = ofAll.filter((dir) => !closed.has(dir));
  if (overlays.length === 0 || (common.length === 0 && ofAll.length > 0)) return undefined;
  const below = topmost(
    graph,
    common.filter((dir) => !overlays.includes(dir)),
  );
  const all = topmost(graph, common);
  const [shared] = below.length === 1 ? below : all;
  if (shared !== undefined && (below.length === 1 || all.length === 1)) return shared;
  const what =
    common.length === 0
      ? `no kustomization is shared by ${overlays.join(', ')}`
      : `${overlays.join(', ')} share several kustomizations, ${all.join(' and ')}`;
  return { problem: `${what}: no network policies are written; let all overlays build on one kustomization` };
}

function topmost(graph: Graph, dirs: readonly string[]): readonly string[] {
  return dirs.filter((dir) => !dirs.some((other) => other !== dir && reachableFrom(graph, [other]).has(dir)));
}

/** A policy as it has to stand beside a kustomization for an overlay to build it; undefined where that cannot be. */
function sourceForm(
  graph: Graph,
  overlay: string,
  place: string,
  { name, namespace, spec }: WantedPolicy,
): SourcePolicy | undefined {
  const stamp = stampOf(graph, overlay, place);
  if (stamp === undefined) return { name, spec, namespace: namespace === '' ? undefined : namespace };
  return stamp === namespace ? { name, spec, namespace: undefined } : undefined;
}

/** The namespace that the kustomizations from an overlay down to a place give to what stands there: the outermost wins. */
function stampOf(graph: Graph, overlay: string, place: string): string | undefined {
  const own = graph.get(overlay);
  const components = (own?.folders ?? []).filter((folder) => graph.get(folder)?.isComponent);
  for (const dir of [overlay, ...components.toReversed()]) {
    const namespace = graph.get(dir)?.value.namespace;
    if (typeof namespace === 'string' && namespace !== '') return namespace;
  }
  if (overlay === place) return undefined;
  const next = own?.folders.find((folder) => reachableFrom(graph, [folder]).has(place));
  return next === undefined ? undefined : stampOf(graph, next, place);
}

function keyOf({ name, namespace, spec }: SourcePolicy): string {
  return JSON.stringify([name, namespace, spec]);
}

/** Of policies that meet in one build, none may have the name of another. */
function withFreeNames(
  places: ReadonlyMap<string, readonly SourcePolicy[]>,
  needs: readonly OverlayNeeds[],
  reach: ReadonlyMap<string, ReadonlySet<string>>,
  handWritten: ReadonlySet<string>,
): Map<string, readonly SourcePolicy[]> {
  const named = new Map<string, readonly SourcePolicy[]>();
  const overlays = needs.map(({ overlay }) => overlay);
  const shared = [...places.keys()].filter((place) => !overlays.includes(place));
  for (const place of [...shared, ...overlays]) {
    const around = new Set(handWritten);
    for (const [other, policies] of named)
      if (other !== place && reach.get(place)?.has(other)) for (const { name } of policies) around.add(name);
    const own = new Set<string>();
    named.set(
      place,
      (places.get(place) ?? []).map((policy) => {
        const key = (name: string) => JSON.stringify([policy.namespace, name]);
        const name = freeName(policy.name, (one) => around.has(one) || own.has(key(one)));
        own.add(key(name));
        return { ...policy, name };
      }),
    );
  }
  return named;
}
