import { contains } from './ip-range';
import type { IpBlock, Peer, Policy, PolicyPort, PolicyRule, Protocol } from './policy';
import { type Labels, selects } from './selector';

/** One end of a connection: a pod, or an address outside the cluster. */
export type Endpoint = PodEndpoint | { readonly ip: string };

export interface PodEndpoint {
  readonly namespace: string;
  readonly labels: Labels;
  readonly namespaceLabels: Labels;
  /** Its container ports, which names are resolved with. */
  readonly ports: readonly ContainerPort[];
  /** Where it is known; an ipBlock matches no pod without. */
  readonly ip?: string;
}

export interface ContainerPort {
  readonly name: string | undefined;
  readonly port: number;
  readonly protocol: Protocol;
}

export interface Traffic {
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** Of the destination; never a Service's. */
  readonly port: number;
  readonly protocol: Protocol;
}

/** Which policies stop a connection, and at which end. */
export interface Verdict {
  readonly allowed: boolean;
  /** The policies that isolate the source, none of which lets the connection out. */
  readonly deniedAtSource: readonly Policy[];
  readonly deniedAtDestination: readonly Policy[];
}

export function isPod(endpoint: Endpoint): endpoint is PodEndpoint {
  return 'labels' in endpoint;
}

/** The label that the API server gives every namespace. */
export const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

/** The labels of a namespace: the one of its name is always there. */
export function namespaceLabels(name: string, labels: Labels = {}): Labels {
  return { ...labels, [NAMESPACE_NAME]: name };
}

/**
 * What NetworkPolicies make of a connection. Policies add up: an end is open when no policy isolates it in this
 * direction, or when one of those that do allows the connection; and both ends must be open. That a pod's own node, and
 * the pod itself, may always connect to it is not known here.
 * https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
export function evaluate(policies: readonly Policy[], traffic: Traffic): Verdict {
  const { from, to } = traffic;
  const deniedAtSource = isPod(from) ? deniedBy(policies, from, 'egress', traffic) : [];
  const deniedAtDestination = isPod(to) ? deniedBy(policies, to, 'ingress', traffic) : [];
  return {
    allowed: deniedAtSource.length === 0 && deniedAtDestination.length === 0,
    deniedAtSource,
    deniedAtDestination,
  };
}

type Direction = 'ingress' | 'egress';

function deniedBy(
  policies: readonly Policy[],
  pod: PodEndpoint,
  direction: Direction,
  traffic: Traffic,
): readonly Policy[] {
  const isolating = policies.filter((policy) => isolates(policy, pod, direction));
  return isolating.some((policy) => allows(policy, direction, traffic)) ? [] : isolating;
}

/** Whether a policy applies to a pod in a direction. */
export function isolates(policy: Policy, pod: PodEndpoint, direction: Direction): boolean {
  return (
    policy[direction] !== undefined &&
    policy.namespace === pod.namespace &&
    selects(policy.podSelector, pod.labels)
  );
}

/** Whether one policy, which applies, lets a connection pass at its end. */
export function allows(policy: Policy, direction: Direction, traffic: Traffic): boolean {
  const other = direction === 'ingress' ? traffic.from : traffic.to;
  return (policy[direction] ?? []).some(
    (rule) => matchesPeer(rule, other, policy.namespace) && matchesPort(rule, traffic),
  );
}

function matchesPeer({ peers }: PolicyRule, other: Endpoint, namespace: string): boolean {
  return peers === undefined || peers.some((peer) => isPeer(peer, other, namespace));
}

/** Whether a peer of a policy names one end of a connection. */
export function isPeer(peer: Peer, other: Endpoint, namespace: string): boolean {
  if ('ipBlock' in peer) return other.ip !== undefined && isInBlock(peer.ipBlock, other.ip);
  if (!isPod(other)) return false;
  const { namespaceSelector, podSelector } = peer;
  // Without a namespaceSelector: the policy's own namespace. Without a podSelector: every pod there.
  const inNamespace =
    namespaceSelector === undefined
      ? other.namespace === namespace
      : selects(namespaceSelector, other.namespaceLabels);
  return inNamespace && (podSelector === undefined || selects(podSelector, other.labels));
}

/** Whether an address is in the range and in no excepted one. */
export function isInBlock({ range, except }: IpBlock, ip: string): boolean {
  return contains(range, ip) && !except.some((one) => contains(one, ip));
}

function matchesPort({ ports }: PolicyRule, traffic: Traffic): boolean {
  return ports === undefined || ports.some((port) => isPort(port, traffic));
}

function isPort({ protocol, port, endPort }: PolicyPort, traffic: Traffic): boolean {
  if (protocol !== traffic.protocol) return false;
  if (port === undefined) return true;
  if (typeof port === 'number') return traffic.port >= port && traffic.port <= (endPort ?? port);
  // A name is that of a container port of the pod that is connected to.
  return (
    isPod(traffic.to) &&
    traffic.to.ports.some(
      (one) => one.name === port && one.protocol === protocol && one.port === traffic.port,
    )
  );
}
