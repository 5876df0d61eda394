import path from 'node:path/posix';
import type { Finding } from '../findings/finding';
import { type Graph, reachableFrom } from '../kustomize/graph';
import { message, words } from '../message';
import { type WantedPolicy, type WantedRule, type WantedRules, freeName } from '../network/generate';
import { append } from '../network/multimap';
import { DIRECTIONS, type Direction } from '../network/policy';
import { type Renaming, renamingOf } from './names';

/** The policies that one overlay requires, as it builds them. */
export interface RequiredPolicies {
  /** The overlay's folder. */
  readonly overlay: string;
  readonly policies: readonly WantedPolicy[];
}

/** A policy as a file holds it. */
export interface SourcePolicy {
  readonly name: string;
  /** The name of the policy of the same pods that all overlays share: two with one subject belong together. */
  readonly subject: string;
  /** undefined: a kustomization sets it, or whoever applies the build does. */
  readonly namespace: string | undefined;
  readonly podSelector: WantedPolicy['podSelector'];
  readonly rules: WantedRules;
}

/** Why no policy is placed. */
type Refusal = Pick<Finding, 'problem' | 'remedy'>;

/** Folder of a kustomization to the policies beside it, for the shared one and each overlay; a list may be empty. */
export type Places = ReadonlyMap<string, readonly SourcePolicy[]>;

/**
 * Decides which file holds which policy. What all overlays require of a policy goes beside the kustomization that they
 * share. What only one requires, and a policy that would get another namespace there, goes beside its overlay.
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
      .map(([place, sources]) => ({
        renaming: renamingOf(graph, overlay, place),
        bySubject: groupedBySubject(sources),
      }));
    const here = renamingOf(graph, overlay, overlay);
    const added = policies.flatMap((policy) => {
      const given = inherited.flatMap(({ renaming, bySubject }) => {
        const source = sourceForm(renaming, policy);
        return (source && bySubject.get(identityOf(source))) ?? [];
      });
      const rules = withoutRules(policy.rules, given);
      if (Object.keys(rules).length === 0) return [];
      const own = sourceForm(here, { ...policy, rules });
      if (own === undefined) return [];
      return [given.length === 0 ? own : { ...own, name: `${own.name}-${suffixOf(overlay)}` }];
    });
    places.set(overlay, [...(places.get(overlay) ?? []), ...added]);
  }
  return withFreeNames(places, reach, handWritten);
}

/** The name of an overlay's folder as a part of a DNS subdomain (RFC 1123). */
function suffixOf(overlay: string): string {
  const folder = path.basename(overlay).toLowerCase();
  return folder.replace(/[^a-z0-9]/g, '-').replace(/^-*/, '') || 'overlay';
}

/** What every overlay requires of each policy, seen from a place. */
function requiredByAll(graph: Graph, required: readonly RequiredPolicies[], place: string): SourcePolicy[] {
  const [first = [], ...others] = required.map(({ overlay, policies }) => {
    const renaming = renamingOf(graph, overlay, place);
    return policies.flatMap((policy) => sourceForm(renaming, policy) ?? []);
  });
  const byIdentity = others.map((sources) => new Map(sources.map((one) => [identityOf(one), one])));
  return first.flatMap((source) => {
    const same = byIdentity.map((one) => one.get(identityOf(source)));
    if (!same.every((one) => one !== undefined)) return [];
    const rules = commonRules([source, ...same].map((one) => one.rules));
    return Object.keys(rules).length === 0 ? [] : [{ ...source, rules }];
  });
}

/** The directions in which all isolate, and the rules there that all have, with the reasons that all have. */
function commonRules(all: readonly WantedRules[]): WantedRules {
  const [first = {}, ...others] = all;
  const rules = DIRECTIONS.flatMap((direction): [Direction, WantedRule[]][] => {
    const list = first[direction];
    const lists = others.map((one) => one[direction]);
    if (list === undefined || !lists.every((one) => one !== undefined)) return [];
    const byKey = lists.map((one) => new Map(one.map((other) => [keyOf(other), other])));
    const common = list.flatMap(({ rule, reasons }) => {
      const key = keyOf({ rule });
      const same = byKey.map((one) => one.get(key));
      if (!same.every((one) => one !== undefined)) return [];
      const shared = reasons.filter((reason) => same.every((one) => one.reasons.includes(reason)));
      const all = [...new Set([...reasons, ...same.flatMap((one) => one.reasons)])];
      return [{ rule, reasons: shared.length === 0 ? all : shared }];
    });
    return [[direction, common]];
  });
  return Object.fromEntries(rules);
}

/** What is left of the rules of a policy if others of the same pods hold a part of them. */
function withoutRules(rules: WantedRules, given: readonly SourcePolicy[]): WantedRules {
  const left = DIRECTIONS.flatMap((direction): [Direction, WantedRule[]][] => {
    const list = rules[direction];
    if (list === undefined) return [];
    const lists = given.flatMap((one) => one.rules[direction] ?? []);
    const known = new Set(lists.map(keyOf));
    const missing = list.filter((one) => !known.has(keyOf(one)));
    const isIsolated = given.some((one) => one.rules[direction] !== undefined);
    return missing.length === 0 && isIsolated ? [] : [[direction, missing]];
  });
  return Object.fromEntries(left);
}

function keyOf({ rule }: Pick<WantedRule, 'rule'>): string {
  return JSON.stringify(rule);
}

/** Policies of a file by the pods that they are for. */
function groupedBySubject(sources: readonly SourcePolicy[]): ReadonlyMap<string, readonly SourcePolicy[]> {
  const groups = new Map<string, SourcePolicy[]>();
  for (const source of sources) append(groups, identityOf(source), source);
  return groups;
}

function identityOf({ subject, namespace, podSelector }: SourcePolicy): string {
  return JSON.stringify([subject, namespace, podSelector]);
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
  { namespace: stamp, sourceName }: Renaming,
  { name, namespace, podSelector, rules }: WantedPolicy,
): SourcePolicy | undefined {
  if (stamp !== undefined && stamp !== namespace) return undefined;
  const ownNamespace = stamp === undefined && namespace !== '' ? namespace : undefined;
  const subject = sourceName(name);
  return { name: subject, subject, namespace: ownNamespace, podSelector, rules };
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
