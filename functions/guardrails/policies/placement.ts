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

/** Why no policy is placed. */
type Refusal = Pick<Finding, 'problem' | 'remedy'>;

/** Folder of a kustomization to the policies beside it, for the shared one and each overlay; a list may be empty. */
export type Places = ReadonlyMap<string, readonly SourcePolicy[]>;

/**
 * Decides which file holds which policy. A policy that all overlays require goes beside the kustomization that they
 * share. Any other, and one that would get another namespace there, goes beside its overlay.
 *
 * @param without overlays that get no policies; the kustomizations that they build on get none either
 * @param handWritten names of other policies, which no generated policy may take
 */
export function placePolicies(
  graph: Graph,
  required: readonly RequiredPolicies[],
  without: readonly string[],
  handWritten: ReadonlySet<string>,
): Places | Refusal {
  const overlays = required.map(({ overlay }) => overlay);
  const shared = sharedKustomization(graph, overlays, without);
  if (typeof shared === 'object') return shared;
  const places = new Map<string, SourcePolicy[]>();
  if (shared !== undefined) places.set(shared, requiredByAll(graph, required, shared));

  const reach = new Map(overlays.map((overlay) => [overlay, reachableFrom(graph, [overlay])]));
  const reachSize = ({ overlay }: RequiredPolicies) => reach.get(overlay)?.size ?? 0;
  // An overlay that another builds on comes first.
  for (const { overlay, policies } of [...required].sort((a, b) => reachSize(a) - reachSize(b))) {
    const inherited = [...places]
      .filter(([place]) => reach.get(overlay)?.has(place))
      .map(([place, sources]) => [place, new Set(sources.map(keyOf))] as const);
    const missing = policies.filter((policy) =>
      inherited.every(([place, keys]) => {
        const source = sourceForm(graph, overlay, place, policy);
        return source === undefined || !keys.has(keyOf(source));
      }),
    );
    const own = missing.flatMap((policy) => sourceForm(graph, overlay, overlay, policy) ?? []);
    places.set(overlay, [...(places.get(overlay) ?? []), ...own]);
  }
  return withFreeNames(places, reach, handWritten);
}

/** The policies that every overlay requires in the same form, seen from a place. */
function requiredByAll(graph: Graph, required: readonly RequiredPolicies[], place: string): SourcePolicy[] {
  const [first = [], ...others] = required.map(({ overlay, policies }) =>
    policies.flatMap((policy) => sourceForm(graph, overlay, place, policy) ?? []),
  );
  const keys = others.map((sources) => new Set(sources.map(keyOf)));
  return first.filter((source) => keys.every((one) => one.has(keyOf(source))));
}

/**
 * The topmost kustomization that every overlay builds on and no overlay without policies does, or else an overlay that
 * all others build on; undefined where the overlays without policies leave none.
 */
function sharedKustomization(
  graph: Graph,
  overlays: readonly string[],
  without: readonly string[],
): string | Refusal | undefined {
  const reached = overlays.map((overlay) => reachableFrom(graph, [overlay]));
  const ofAll = [...(reached[0] ?? [])].filter(
    (dir) => reached.every((one) => one.has(dir)) && graph.get(dir)?.isComponent === false,
  );
  const closed = reachableFrom(graph, without);
  const common = ofAll.filter((dir) => !closed.has(dir));
  if (overlays.length === 0 || (common.length === 0 && ofAll.length > 0)) return undefined;
  const bases = common.filter((dir) => !overlays.includes(dir));
  const unique = [bases, common].map((dirs) => topmost(graph, dirs)).find(({ length }) => length === 1);
  if (unique !== undefined) return unique[0];
  const names = overlays.join(', ');
  if (common.length === 0)
    return {
      problem: message`the overlays ${names} do not share a kustomization, so no network policies are written`,
      remedy: words('list a common base under resources in each overlay'),
    };
  const shared = topmost(graph, common).join(' and ');
  return {
    problem: message`the overlays ${names} share several kustomizations (${shared}), so no network policies are written`,
    remedy: words('list these in one kustomization, and only that one in each overlay in their place'),
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

/** No two policies of one build may have the same name. `places` has a place before the overlays that build on it. */
function withFreeNames(
  places: Places,
  reach: ReadonlyMap<string, ReadonlySet<string>>,
  handWritten: ReadonlySet<string>,
): Places {
  const named = new Map<string, readonly SourcePolicy[]>();
  for (const [place, policies] of places) {
    const inherited = [...named].filter(([other]) => reach.get(place)?.has(other));
    const taken = new Set([
      ...handWritten,
      ...inherited.flatMap(([, others]) => others.map((one) => one.name)),
    ]);
    const own = new Set<string>();
    const withName = (policy: SourcePolicy) => {
      const key = (name: string) => JSON.stringify([policy.namespace, name]);
      const name = freeName(policy.name, (one) => taken.has(one) || own.has(key(one)));
      own.add(key(name));
      return { ...policy, name };
    };
    named.set(place, policies.map(withName));
  }
  return named;
}
