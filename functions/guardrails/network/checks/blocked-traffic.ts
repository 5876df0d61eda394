import type { PlacedReport, Report } from '../../findings/finding';
import { type Message, message, words } from '../../message';
import type { Connection, ConnectionEnd } from '../connection';
import { isGenerated, namesOf } from '../generate';
import { DIRECTIONS, type Direction, type Policy, type PolicyRule } from '../policy';
import { allowsByRule } from '../policy-set';
import { type Endpoint, type Traffic, isPod } from '../traffic';
import type { CheckedBuild, PolicyCheck } from './checked-build';

/** Required traffic that the policies deny. Each report is about the policy to change. */
export const blockedTraffic: PolicyCheck = (build) => {
  if (build.policies.policies.length === 0) return []; // every end is open
  const found = new Map<string, PlacedReport>();
  const policyToFix = policyToFixIn(build);
  for (const connection of build.topology.connections)
    for (const traffic of trafficOf(connection, build))
      for (const direction of DIRECTIONS) {
        const policy = policyToFix(direction, traffic);
        if (policy === undefined) continue;
        const key = keyOf(connection, traffic, direction, policy);
        if (found.has(key)) continue;
        found.set(key, {
          at: build.placeOf(policy),
          report: reportOf(connection, traffic, direction, policy),
        });
      }
  return [...found.values()];
};

/** One report for a port of a connection and a policy; of the addresses of the internet, for the first alone. */
function keyOf(connection: Connection, traffic: Traffic, direction: Direction, policy: Policy): string {
  const { from, to, reason } = connection;
  const ends = [nameOf(from, traffic.from).raw, to.is === 'internet' ? to.is : nameOf(to, traffic.to).raw];
  return JSON.stringify([policy.name, direction, ...ends, traffic.protocol, traffic.port, reason.raw]);
}

function trafficOf(connection: Connection, build: CheckedBuild): Traffic[] {
  const destinations = build.endpointsOf(connection.to, connection);
  return build
    .endpointsOf(connection.from, connection)
    .flatMap((from) => destinations.flatMap((to) => connection.ports.map((port) => ({ from, to, ...port }))));
}

/**
 * The policy to change where one end of required traffic is closed: the generated one of these pods, by their labels or
 * by the name of their workload, where it is in the build; else the one that comes closest to allowing the traffic.
 */
function policyToFixIn({ policies, annotations, topology }: CheckedBuild) {
  const names = namesOf(topology.workloads);
  return (direction: Direction, traffic: Traffic): Policy | undefined => {
    const denying = policies.denying(direction, traffic);
    const end = direction === 'ingress' ? traffic.to : traffic.from;
    if (denying.length === 0 || !isPod(end)) return undefined;
    const isOwn = (one: Policy) => isGenerated(one.resource, annotations) && !selectsEveryPod(one);
    const ofPods = denying.filter(isOwn);
    if (ofPods.length > 0) return closestTo(direction, traffic, ofPods);
    const name = end.workload && names.get(end.workload);
    const namesake = policies.policies.find(
      (one) => one.name === name && one.namespace === end.namespace && isOwn(one),
    );
    return namesake ?? closestTo(direction, traffic, denying);
  };
}

/** The first policy with a rule for the peer, else one for the port, else the first that selects every pod. */
function closestTo(direction: Direction, traffic: Traffic, policies: readonly Policy[]): Policy {
  const other = direction === 'ingress' ? traffic.from : traffic.to;
  const score = (policy: Policy) => {
    const matches = (part: Partial<PolicyRule>) =>
      policy[direction]?.some((rule) => allowsByRule({ ...rule, ...part }, policy.namespace, other, traffic));
    if (matches({ ports: undefined })) return 3;
    if (matches({ peers: undefined })) return 2;
    return selectsEveryPod(policy) ? 1 : 0;
  };
  return policies.reduce((best, one) => (score(one) > score(best) ? one : best));
}

function reportOf(connection: Connection, traffic: Traffic, direction: Direction, policy: Policy): Report {
  const { port, protocol } = traffic;
  const source = nameOf(connection.from, traffic.from);
  const destination = nameOf(connection.to, traffic.to);
  return {
    problem: message`blocks required ${words(direction)} traffic from ${source} to ${destination} on ${words(protocol)} port ${port}: ${connection.reason}`,
    remedy: words(
      selectsEveryPod(policy)
        ? 'add a policy that allows it; in a package, `guardrails fix` writes one'
        : 'allow it in this policy, or remove the patch that changes the policy',
    ),
    field: ['spec', direction],
  };
}

function selectsEveryPod({ podSelector: { matchLabels, matchExpressions } }: Policy): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length === 0;
}

const NAMES = {
  'ingress-controller': 'the ingress controller',
  gateway: 'the gateway',
  'acme-solver': 'the ACME solver',
  dns: 'DNS',
  internet: 'the internet',
} as const;

function nameOf(end: ConnectionEnd, endpoint: Endpoint): Message {
  if (end.is === 'workload') return message`${end.workload.kind}/${end.workload.name}`;
  const name = end.is === 'pods' || end.is === 'addresses' ? end.name : words(NAMES[end.is]);
  return isPod(endpoint) ? name : message`${name} (${endpoint.ip.text})`;
}
