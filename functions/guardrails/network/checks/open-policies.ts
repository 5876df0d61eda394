import { type Message, joinMessages, message, words } from '../../message';
import type { Workload } from '../connection';
import { isGenerated } from '../generate';
import {
  DIRECTIONS,
  type Direction,
  type Peer,
  type Policy,
  type PolicyPort,
  type PolicyRule,
} from '../policy';
import type { Selector } from '../selector';
import type { CheckedBuild, PolicyCheck } from './checked-build';

/** What a hand-written policy opens pods to: every peer of a sort, on ports that are not those of DNS alone. */
export interface Opening {
  readonly direction: Direction;
  /** `every pod of every namespace`. */
  readonly peers: string;
  readonly workloads: readonly Workload[];
}

/** Hand-written policies that let every pod, every namespace or every address in or out. */
export const openPolicies: PolicyCheck = (build) =>
  build.policies.policies.flatMap((policy) => {
    const opening = openingOf(policy, build);
    if (opening === undefined) return [];
    const { direction, peers, workloads } = opening;
    const pods = podsOf(workloads);
    const problem =
      direction === 'ingress'
        ? message`lets ${words(peers)} connect to ${pods}`
        : message`lets ${pods} connect to ${words(peers)}`;
    const remedy = words('name the peers and the ports that are needed');
    return [
      {
        at: build.placeOf(policy),
        report: { problem, remedy, field: ['spec', direction], severity: 'warning' as const },
      },
    ];
  });

/** undefined: the policy opens no pods of the build, or is generated. */
export function openingOf(policy: Policy, build: CheckedBuild): Opening | undefined {
  if (isGenerated(policy.resource, build.annotations)) return undefined;
  for (const direction of DIRECTIONS)
    for (const rule of policy[direction] ?? []) {
      const peers = isForDns(rule, build) ? undefined : everyPeerOf(rule, direction);
      if (peers === undefined) continue;
      const workloads = workloadsOf(policy, build);
      if (workloads.length === 0) return undefined;
      if (direction === 'ingress' && isExposed(rule, workloads, build)) continue;
      return { direction, peers, workloads };
    }
  return undefined;
}

/** The workloads of the build to whose pods a policy applies. */
function workloadsOf({ podSelector, namespace }: Policy, { index }: CheckedBuild): Workload[] {
  const pods = index.matching({ podSelector, namespaceSelector: undefined }, namespace);
  return pods.flatMap(({ workload }) => workload ?? []);
}

function everyPeerOf({ peers }: PolicyRule, direction: Direction): string | undefined {
  if (peers === undefined) return direction === 'ingress' ? 'every source' : 'every destination';
  return peers.map(everyOf).find((one) => one !== undefined);
}

function everyOf(peer: Peer): string | undefined {
  if ('ipBlock' in peer) {
    const { range, except } = peer.ipBlock;
    return range.length === 0 && except.length === 0 ? 'every address' : undefined;
  }
  const { namespaceSelector, podSelector } = peer;
  if (podSelector !== undefined && !isEmpty(podSelector)) return undefined;
  if (namespaceSelector === undefined) return 'every pod of its namespace';
  return isEmpty(namespaceSelector) ? 'every pod of every namespace' : undefined;
}

function isEmpty({ matchLabels, matchExpressions }: Selector): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length === 0;
}

/** Every namespace may have the resolver, so policies for DNS often name no peer. */
function isForDns({ ports }: PolicyRule, { peers }: CheckedBuild): boolean {
  const known: readonly PolicyPort['port'][] = [53, ...peers.dns.ports];
  return (
    ports !== undefined &&
    ports.length > 0 &&
    ports.every(({ port, endPort }) => port !== undefined && known.includes(port) && endPort === undefined)
  );
}

/** Whether all pods have a load balancer, a NodePort or a hostPort on all ports of the rule, which everyone may use. */
function isExposed({ ports }: PolicyRule, workloads: readonly Workload[], build: CheckedBuild): boolean {
  if (ports === undefined) return false;
  return workloads.every((workload) => {
    const exposed = build.topology.exposures
      .filter((one) => one.workload === workload)
      .flatMap((one) => one.ports);
    return ports.every(({ protocol, port, endPort }) =>
      exposed.some(
        (one) =>
          one.protocol === protocol &&
          endPort === undefined &&
          (one.port === port ||
            workload.ports.some(({ name, ...own }) => name === port && own.port === one.port)),
      ),
    );
  });
}

/** Up to three, and how many more there are. */
function podsOf(workloads: readonly Workload[]): Message {
  const names = workloads.slice(0, 3).map(({ kind, name }) => message`${kind}/${name}`);
  const rest = workloads.length > 3 ? message` and ${workloads.length - 3} more` : words('');
  return message`${joinMessages(names, ', ')}${rest}`;
}
