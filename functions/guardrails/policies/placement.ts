import type { Finding } from '../findings/finding';
import { type Graph, reachableFrom } from '../kustomize/graph';
import { message, words } from '../message';
import { type WantedPolicy, freeName } from '../network/generate';

/** The policies that one overlay requires, as it builds them. */
export interface RequiredPolicies {
  /** The overlay's folder. */
  readonly overlay: string;
  readonly policies: readonly WantedPolicy[];
}

/** A policy as a file holds it. */
export interface SourcePolicy {
  readonly name: string;
  /** undefined: a kustomization sets it, or whoever applies the build does. */
  readonly namespace: string | undefined;
  readonly spec: WantedPolicy['spec'];
}

export interface Placement {
  /** Folder of a kustomization to the policies beside it, for the shared one and each overlay; a list may be empty. */
  readonly places: ReadonlyMap<string, readonly SourcePolicy[]>;
  /** Why nothing is placed. */
  readonly problem?: Pick<Finding, 'problem' | 'remedy'>;
}

/**
 * Decides which file holds which policy: one that all overlays require goes beside the kustomization that they share,
 * any other, and one that would get another namespace there, beside its overlay.
 *
 * @param without overlays that get no policies; what they build on holds none either
 * @param handWritten names of other policies, which no generated policy may take
 */
export function placePolicies(
  graph: Graph,
  required: readonly RequiredPolicies[],
  without: readonly string[],
  handWritten: ReadonlySet<string>,
): Placement {
  const overlays = required.map(({ overlay }) => overlay);
  const shared = sharedKustomization(graph, overlays, without);
  if (typeof shared === 'object') return { places: new Map(), problem: shared.problem };
  const all = shared === undefined ? overlays : [shared, ...overlays];
  const places = new Map<string, SourcePolicy[]>(all.map((place) => [place, []]));
  const reach = new Map(overlays.map((overlay) => [overlay, reachableFrom(graph, [overlay])]));

  if (shared !== undefined) places.set(shared, requiredByAll(graph, required, shared));

  // An overlay that another builds on comes first.
  const inOrder = [...required].sort(
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

/** The policies that every overlay requires in the same form, seen from a place. */
function requiredByAll(graph: Graph, required: readonly RequiredPolicies[], place: string): SourcePolicy[] {
  const [first, ...others] = required.map(
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
 * The topmost kustomization that every overlay builds on and no overlay without policies does, or else an overlay that
 * all others build on; undefined where the overlays without policies leave none; or why there is not exactly one.
 */
function sharedKustomization(
  graph: Graph,
  overlays: readonly string[],
  without: readonly string[],
): string | undefined | { readonly problem: Pick<Finding, 'problem' | 'remedy'> } {
  const reached = overlays.map((overlay) => reachableFrom(graph, [overlay]));
  const ofAll = [...(reached[0] ?? [])].filter(
    (dir) => reached.every((one) => one.has(dir)) && graph.get(dir)?.isComponent === false,
  );
  const closed = reachableFrom(graph, without);
  const common = ofAll.filter((dir) => !closed.has(dir));
  if (overlays.length === 0 || (common.length === 0 && ofAll.length > 0)) return undefined;
  const below = topmost(
    graph,
    common.filter((dir) => !overlays.includes(dir)),
  );
  const all = topmost(graph, common);
  const [shared] = below.length === 1 ? below : all;
  if (shared !== undefined && (below.length === 1 || all.length === 1)) return shared;
  const reason =
    common.length === 0
      ? message`the overlays ${overlays.join(', ')} do not share a kustomization`
      : message`the overlays ${overlays.join(', ')} share several kustomizations: ${all.join(' and ')}`;
  return {
    problem: {
      problem: message`${reason}, so no network policies are written`,
      remedy: words('let all overlays build on one kustomization'),
    },
  };
}

function topmost(graph: Graph, dirs: readonly string[]): readonly string[] {
  return dirs.filter((dir) => !dirs.some((other) => other !== dir && reachableFrom(graph, [other]).has(dir)));
}

/** A policy as a file beside a kustomization must hold it for an overlay to build it; undefined where that is impossible. */
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

/** The namespace that the kustomizations from an overlay down to a place set on its resources: the outermost wins. */
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

/** No two policies of one build may have the same name. */
function withFreeNames(
  places: ReadonlyMap<string, readonly SourcePolicy[]>,
  required: readonly RequiredPolicies[],
  reach: ReadonlyMap<string, ReadonlySet<string>>,
  handWritten: ReadonlySet<string>,
): Map<string, readonly SourcePolicy[]> {
  const named = new Map<string, readonly SourcePolicy[]>();
  const overlays = required.map(({ overlay }) => overlay);
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
