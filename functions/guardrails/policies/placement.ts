import path from 'node:path/posix';
import { reachableFrom } from '../kustomize/graph';
import type { Package } from '../kustomize/package';
import { type WantedPolicy, type WantedRule, type WantedRules, freeName } from '../network/generate';
import { append } from '../network/multimap';
import { DIRECTIONS, type Direction } from '../network/policy';
import { DefaultDenials } from './default-denials';
import { type Inclusion, Inclusions, type RequiredPolicies, sharedPlaces } from './inclusions';
import {
  type SourcePolicy,
  identityOf,
  keyOf,
  sourceForm,
  withLabels,
  withoutChangedPeers,
} from './source-policy';

/** Folder of a kustomization to the policies beside it, for each shared one and each overlay; a list may be empty. */
export type Places = ReadonlyMap<string, readonly SourcePolicy[]>;

/**
 * Decides which file holds which policy. What all overlays require of a policy goes beside the kustomization that they
 * share. Where they share none, or several, what all overlays that build a workload require of its policy goes beside the
 * kustomization that lists the workload. Everything else goes beside the overlays.
 *
 * @param without overlays that get no policies; the kustomizations that they build on get none either
 * @param handWritten names of other policies, which no generated policy may take
 */
export function placePolicies(
  pkg: Package,
  required: readonly RequiredPolicies[],
  without: readonly string[],
  handWritten: ReadonlySet<string>,
): Places {
  const inclusions = new Inclusions(
    pkg.graph,
    required.map(({ overlay }) => overlay),
  );
  const closed = reachableFrom(pkg.graph, without);
  const denials = new DefaultDenials(required, inclusions, closed);
  const shared = sharedPlaces(pkg, required, inclusions, closed);
  const places = new Map<string, SourcePolicy[]>();
  for (const [place, policies] of groupedByPlace(shared))
    places.set(
      place,
      requiredByAll(inclusions.of(place), policies).filter((one) => denials.take(place, one)),
    );

  const overlays = new Set(required.map(({ overlay }) => overlay));
  const size = ({ overlay }: RequiredPolicies) => inclusions.in(overlay).length;
  // An overlay that another builds on comes first.
  for (const { overlay, policies } of [...required].sort((a, b) => size(a) - size(b))) {
    const [here, ...included] = inclusions.in(overlay);
    if (here === undefined) continue;
    const given = new GivenPolicies(
      places,
      shared,
      included.filter(({ place }) => overlays.has(place)),
    );
    const own = policies
      .flatMap((policy) => ownPolicy(here, policy, given.like(policy)))
      .filter((one) => denials.take(overlay, one));
    places.set(overlay, [...(places.get(overlay) ?? []), ...own]);
  }
  return withFreeNames(places, inclusions, handWritten);
}

/** Shared folder to the policies that may be there, by the inclusion through which an overlay builds them. */
function groupedByPlace(
  shared: ReadonlyMap<WantedPolicy, readonly Inclusion[]>,
): ReadonlyMap<string, ReadonlyMap<Inclusion, readonly WantedPolicy[]>> {
  const groups = new Map<string, Map<Inclusion, WantedPolicy[]>>();
  for (const [policy, included] of shared)
    for (const inclusion of included) {
      const group = groups.get(inclusion.place) ?? new Map<Inclusion, WantedPolicy[]>();
      groups.set(inclusion.place, group);
      append(group, inclusion, policy);
    }
  return groups;
}

/** What every overlay that includes a place requires of each policy, seen from there. */
function requiredByAll(
  inclusions: readonly Inclusion[],
  policies: ReadonlyMap<Inclusion, readonly WantedPolicy[]>,
): SourcePolicy[] {
  const [first = [], ...others] = inclusions.map((inclusion) => {
    const { renaming } = inclusion;
    return (policies.get(inclusion) ?? []).flatMap((policy) => {
      const source = sourceForm(renaming, policy);
      return source === undefined ? [] : (withoutChangedPeers(source, renaming.labels) ?? []);
    });
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
      return [{ rule, reasons: shared.length === 0 ? all.sort() : shared }];
    });
    return [[direction, common]];
  });
  return Object.fromEntries(rules);
}

/** What an overlay requires of a policy and does not get from others of the same pods. */
function ownPolicy(here: Inclusion, policy: WantedPolicy, given: readonly SourcePolicy[]): SourcePolicy[] {
  const rules = withoutRules(policy.rules, given);
  if (Object.keys(rules).length === 0) return [];
  const own = sourceForm(here.renaming, { ...policy, rules });
  if (own === undefined) return [];
  return [given.length === 0 ? own : { ...own, name: `${own.name}-${suffixOf(here.overlay)}` }];
}

/** The name of an overlay's folder as a part of a DNS subdomain (RFC 1123). */
function suffixOf(overlay: string): string {
  const folder = path.basename(overlay).toLowerCase();
  return folder.replace(/[^a-z0-9]/g, '-').replace(/^-*/, '') || 'overlay';
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

/** What an overlay gets from the places that it includes. */
class GivenPolicies {
  /** An inclusion to the policies of the place as they are in the build, by the pods that they are for. */
  private readonly byInclusion = new Map<Inclusion, ReadonlyMap<string, readonly SourcePolicy[]>>();

  /** @param overlays the other overlays that the overlay includes */
  constructor(
    private readonly places: Places,
    private readonly shared: ReadonlyMap<WantedPolicy, readonly Inclusion[]>,
    private readonly overlays: readonly Inclusion[],
  ) {}

  /** Those of the same pods as a policy of the overlay. */
  like(policy: WantedPolicy): SourcePolicy[] {
    const inclusions = new Set([...(this.shared.get(policy) ?? []), ...this.overlays]);
    return [...inclusions].flatMap((inclusion) => {
      const source = sourceForm(inclusion.renaming, policy);
      return (source && this.through(inclusion).get(identityOf(source))) ?? [];
    });
  }

  private through(inclusion: Inclusion): ReadonlyMap<string, readonly SourcePolicy[]> {
    const known = this.byInclusion.get(inclusion);
    if (known !== undefined) return known;
    const groups = new Map<string, SourcePolicy[]>();
    for (const source of this.places.get(inclusion.place) ?? []) {
      const built = withLabels(source, inclusion.renaming.labels);
      append(groups, identityOf(built), built);
    }
    this.byInclusion.set(inclusion, groups);
    return groups;
  }
}

/** No two policies of one build may have the same name. */
function withFreeNames(places: Places, inclusions: Inclusions, handWritten: ReadonlySet<string>): Places {
  const taken = new Set<string>();
  const named = new Map<string, readonly SourcePolicy[]>();
  for (const [place, policies] of places) {
    const builtKeys = ({ namespace = '' }: SourcePolicy, name: string) =>
      inclusions
        .of(place)
        .map(({ overlay, renaming }) =>
          JSON.stringify([overlay, renaming.namespace ?? namespace, renaming.builtName(name)]),
        );
    const withName = (policy: SourcePolicy) => {
      const isTaken = (name: string) =>
        handWritten.has(name) || builtKeys(policy, name).some((key) => taken.has(key));
      const name = freeName(policy.name, isTaken);
      for (const key of builtKeys(policy, name)) taken.add(key);
      return { ...policy, name };
    };
    named.set(place, policies.map(withName));
  }
  return named;
}
