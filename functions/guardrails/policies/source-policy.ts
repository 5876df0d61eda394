import type { WantedPolicy, WantedRule, WantedRules } from '../network/generate';
import { DIRECTIONS } from '../network/policy';
import { type Labels, hasLabels, stringsIn } from '../network/selector';
import { type YamlObject, type YamlValue, isObject, objectsIn } from '../yaml/yaml';
import type { Renaming } from './names';

/** A policy as a file holds it. */
export interface SourcePolicy {
  readonly name: string;
  /** The name of the policy of the same pods that overlays share: two with one subject belong together. */
  readonly subject: string;
  /** undefined: a kustomization sets it, or whoever applies the build does. */
  readonly namespace: string | undefined;
  readonly podSelector: WantedPolicy['podSelector'];
  readonly rules: WantedRules;
}

/** A policy as a file beside a kustomization must hold it for an overlay to build it; undefined where that is impossible. */
export function sourceForm(
  { namespace: stamp, sourceName }: Renaming,
  { name, namespace, podSelector, rules }: WantedPolicy,
): SourcePolicy | undefined {
  if (stamp !== undefined && stamp !== namespace) return undefined;
  const ownNamespace = stamp === undefined && namespace !== '' ? namespace : undefined;
  const subject = sourceName(name);
  return { name: subject, subject, namespace: ownNamespace, podSelector, rules };
}

/** What is for the same pods in the files of one place has the same. */
export function identityOf({ subject, namespace, podSelector }: SourcePolicy): string {
  return JSON.stringify([subject, namespace, podSelector]);
}

export function keyOf({ rule }: Pick<WantedRule, 'rule'>): string {
  return JSON.stringify(rule);
}

/** Whether a policy selects every pod of its namespace. */
export function isDefaultDeny({ podSelector }: Pick<SourcePolicy, 'podSelector'>): boolean {
  return Object.keys(podSelector).length === 0;
}

/** A policy with the labels that kustomize adds to its selectors: to that of its pods, and to each `matchLabels` of a peer. */
export function withLabels(policy: SourcePolicy, labels: Labels): SourcePolicy {
  if (Object.keys(labels).length === 0) return policy;
  const { podSelector, rules } = policy;
  const labelled = DIRECTIONS.flatMap((direction) => {
    const list = rules[direction];
    if (list === undefined) return [];
    return [[direction, list.map((one) => ({ ...one, rule: ruleWithLabels(one.rule, labels) }))] as const];
  });
  return {
    ...policy,
    podSelector: selectorWithLabels({ matchLabels: {}, ...podSelector }, labels),
    rules: Object.fromEntries(labelled),
  };
}

/**
 * A policy without the rules whose peers get other labels from kustomize than their pods have, such as those of the folder
 * of one workload; undefined if its own pods do.
 */
export function withoutChangedPeers(policy: SourcePolicy, labels: Labels): SourcePolicy | undefined {
  const built = withLabels(policy, labels);
  if (built === policy) return policy;
  if (!isDefaultDeny(policy) && identityOf(built) !== identityOf(policy)) return undefined;
  const kept = DIRECTIONS.flatMap((direction) => {
    const list = policy.rules[direction];
    if (list === undefined) return [];
    const keys = (built.rules[direction] ?? []).map(keyOf);
    return [[direction, list.filter((one, i) => keyOf(one) === keys[i])] as const];
  });
  return { ...policy, rules: Object.fromEntries(kept) };
}

function ruleWithLabels(rule: WantedRule['rule'], labels: Labels): WantedRule['rule'] {
  const peers = (value: YamlValue) =>
    objectsIn(value).map((peer) =>
      isObject(peer.podSelector)
        ? { ...peer, podSelector: selectorWithLabels(peer.podSelector, labels) }
        : peer,
    );
  const entries = Object.entries(rule);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, key === 'from' || key === 'to' ? peers(value) : value]),
  );
}

/** kustomize prints the labels by name. */
function selectorWithLabels(selector: YamlObject, labels: Labels): YamlObject {
  if (!isObject(selector.matchLabels)) return selector;
  const own = stringsIn(selector.matchLabels);
  if (hasLabels(own, labels)) return selector;
  const all = Object.entries({ ...own, ...labels }).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...selector, matchLabels: Object.fromEntries(all) };
}
