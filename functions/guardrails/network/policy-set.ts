import { type IpAddress, contains } from './ip-range';
import { append } from './multimap';
import type { Direction, IpBlock, Peer, Policy, PolicyPort, PolicyRule } from './policy';
import { selects } from './selector';
import { type Endpoint, type PodEndpoint, type Traffic, isPod } from './traffic';

/**
 * What NetworkPolicies do together. Policies add up: an end is open if no policy isolates it in this direction, or if
 * a policy that isolates it allows the traffic. Both ends must be open. Traffic of a pod with itself or with its own node
 * is always allowed; this class does not know these cases. No policy applies to a pod with hostNetwork, and none selects it
 * as a peer.
 * https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
export class PolicySet {
  /** By namespace and the first label that a policy requires. */
  private readonly byLabel = new Map<string, Policy[]>();
  private readonly positions: ReadonlyMap<Policy, number>;
  private readonly byPod = new Map<PodEndpoint, readonly Policy[]>();

  constructor(readonly policies: readonly Policy[]) {
    this.positions = new Map(policies.map((policy, i) => [policy, i]));
    for (const policy of policies) {
      const [label = []] = Object.entries(policy.podSelector.matchLabels);
      append(this.byLabel, JSON.stringify([policy.namespace, ...label]), policy);
    }
  }

  /** The policies that apply to a pod in a direction, in the order of the set. */
  isolating(pod: PodEndpoint, direction: Direction): readonly Policy[] {
    const applying = this.byPod.get(pod) ?? this.applyingTo(pod);
    this.byPod.set(pod, applying);
    return applying.filter((policy) => policy[direction] !== undefined);
  }

  private applyingTo(pod: PodEndpoint): readonly Policy[] {
    if (pod.usesHostNetwork === true) return [];
    const position = (policy: Policy) => this.positions.get(policy) ?? 0;
    return [[], ...Object.entries(pod.labels)]
      .flatMap((label) => this.byLabel.get(JSON.stringify([pod.namespace, ...label])) ?? [])
      .filter(({ podSelector }) => selects(podSelector, pod.labels))
      .sort((a, b) => position(a) - position(b));
  }

  /** The policies that isolate one end of traffic, where none of them allows it; empty where that end is open. */
  denying(direction: Direction, traffic: Traffic): readonly Policy[] {
    const end = direction === 'ingress' ? traffic.to : traffic.from;
    const isolating = isPod(end) ? this.isolating(end, direction) : [];
    return isolating.some((policy) => allows(policy, direction, traffic)) ? [] : isolating;
  }

  allows(traffic: Traffic): boolean {
    return this.denying('egress', traffic).length === 0 && this.denying('ingress', traffic).length === 0;
  }

  /** Whether traffic is allowed, and the policies that deny it at either end. */
  verdict(traffic: Traffic) {
    const deniedAtSource = this.denying('egress', traffic);
    const deniedAtDestination = this.denying('ingress', traffic);
    return { allowed: this.allows(traffic), deniedAtSource, deniedAtDestination };
  }
}

/** Whether a policy applies to a pod in a direction. */
export function isolates(policy: Policy, pod: PodEndpoint, direction: Direction): boolean {
  const { namespace, labels, usesHostNetwork = false } = pod;
  if (policy[direction] === undefined || usesHostNetwork) return false;
  return policy.namespace === namespace && selects(policy.podSelector, labels);
}

/** Whether one policy, which applies, allows traffic at its end. */
export function allows(policy: Policy, direction: Direction, traffic: Traffic): boolean {
  const other = direction === 'ingress' ? traffic.from : traffic.to;
  return (policy[direction] ?? []).some((rule) => allowsByRule(rule, policy.namespace, other, traffic));
}

/** Whether a rule of a policy in the namespace `home` allows traffic from or to its other end. */
export function allowsByRule(rule: PolicyRule, home: string, other: Endpoint, traffic: Traffic): boolean {
  const { peers, ports } = rule;
  return (
    (peers === undefined || peers.some((peer) => isPeer(peer, other, home))) &&
    (ports === undefined || ports.some((port) => isPort(port, traffic)))
  );
}

/** Whether a peer of a policy in the namespace `home` matches one end of traffic. */
export function isPeer(peer: Peer, other: Endpoint, home: string): boolean {
  if ('ipBlock' in peer) return other.ip !== undefined && isInBlock(peer.ipBlock, other.ip);
  if (!isPod(other) || other.usesHostNetwork === true) return false;
  const { namespaceSelector, podSelector } = peer;
  if (namespaceSelector === undefined && other.namespace !== home) return false;
  if (namespaceSelector !== undefined && !selects(namespaceSelector, other.namespaceLabels)) return false;
  return podSelector === undefined || selects(podSelector, other.labels);
}

/** Whether an address is in the range and in no excepted one. */
export function isInBlock({ range, except }: IpBlock, ip: IpAddress): boolean {
  return contains(range, ip) && !except.some((one) => contains(one, ip));
}

function isPort({ protocol, port, endPort }: PolicyPort, traffic: Traffic): boolean {
  if (protocol !== traffic.protocol) return false;
  if (port === undefined) return true;
  if (typeof port === 'number') return traffic.port >= port && traffic.port <= (endPort ?? port);
  // A name is that of a container port of the destination.
  const ports = isPod(traffic.to) ? traffic.to.ports : [];
  return ports.some((one) => one.name === port && one.protocol === protocol && one.port === traffic.port);
}
