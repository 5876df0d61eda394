import type { Placed } from '../krm/resource';
import type { PlacedFinding } from '../rules/rule';
import { type Endpoint, type Traffic, allows, isPod, isolates, namespaceLabels } from './evaluate';
import { isGenerated, wantedPolicies } from './generate';
import { type IpRange, representatives } from './ip-range';
import { RequiredTraffic, isInternet, outsideRanges, rangesOf } from './required-traffic';
import { ACME_SOLVER_LABELS, type ExternalPeers } from './external-peers';
import { type End, type Pod, PodIndex, append } from './pods';
import {
  PROTOCOLS,
  type Policy,
  type PolicyPort,
  type PolicyRule,
  type Protocol,
  isNetworkPolicy,
  rangesOfBlock,
  readPolicy,
} from './policy';
import { ELSEWHERE, RepresentativePods } from './representative-pods';
import { type Connection, type Party, type Topology, type Workload, readTopology } from './topology';

type Direction = 'ingress' | 'egress';
const DIRECTIONS = ['ingress', 'egress'] as const;

/**
 * Holds the NetworkPolicies of a build against what its workloads need: a needed connection that is blocked, a pod that
 * nothing isolates and a key that the API does not know are errors, and so is a generated policy that allows what nobody
 * needs; of a hand-written one that is an info.
 *
 * @param resources all of the build, Lists taken apart
 */
export function checkPolicies(resources: readonly Placed[], peers: ExternalPeers): PlacedFinding[] {
  return new PolicyCheck(resources, peers).findings();
}

/** A policy, and where it stands. */
interface PlacedPolicy {
  readonly policy: Policy;
  readonly at: Placed;
  readonly isGenerated: boolean;
}

class PolicyCheck {
  private readonly topology: Topology;
  private readonly policies: PlacedPolicy[] = [];
  private readonly problems: PlacedFinding[] = [];
  private readonly surroundings: RepresentativePods;
  private readonly pods = new Map<Workload, Pod>();
  private readonly index: PodIndex;
  /** The policies that isolate a pod, by direction. */
  private readonly isolating = {
    ingress: new Map<Pod, PlacedPolicy[]>(),
    egress: new Map<Pod, PlacedPolicy[]>(),
  };
  private readonly needs: RequiredTraffic;
  private readonly addressesOf = new Map<string, readonly { readonly ip: string }[]>();
  private wantedHere: readonly Policy[] | undefined;
  /** What the addresses outside are told apart by. */
  private readonly outside: readonly IpRange[];

  constructor(
    resources: readonly Placed[],
    private readonly peers: ExternalPeers,
  ) {
    this.topology = readTopology(resources);
    this.surroundings = new RepresentativePods(resources);
    for (const at of resources) if (isNetworkPolicy(at.resource)) this.read(at);
    for (const workload of this.topology.workloads)
      this.pods.set(workload, this.surroundings.podOf(workload));
    this.index = new PodIndex([...this.pods.values()]);
    for (const placed of this.policies)
      for (const pod of this.index.selectedBy(placed.policy.podSelector, placed.policy.namespace))
        for (const direction of DIRECTIONS)
          if (isolates(placed.policy, pod, direction)) append(this.isolating[direction], pod, placed);
    this.outside = outsideRanges(peers);
    this.needs = new RequiredTraffic(this.topology.connections, peers);
  }

  findings(): PlacedFinding[] {
    return [
      ...this.notes(),
      ...this.problems,
      ...this.open(),
      ...this.blocked(),
      ...this.unreachable(),
      ...this.excess(),
    ];
  }

  private read(at: Placed): void {
    const { policy, problems } = readPolicy(at.resource);
    this.policies.push({ policy, at, isGenerated: isGenerated(at.resource) });
    for (const what of new Set(problems))
      this.problems.push({
        at,
        finding: { what, mend: 'mend it, or what it means does not hold', field: 'spec' },
      });
  }

  private notes(): PlacedFinding[] {
    return this.topology.notes.map(({ what, mend, isBroken, ...at }) => ({
      at,
      finding: { what, mend, field: 'spec', ...(isBroken ? {} : { severity: 'info' }) },
    }));
  }

  /** Pods that no policy isolates. */
  private open(): PlacedFinding[] {
    return [...this.pods].flatMap(([workload, pod]) => {
      const open = DIRECTIONS.filter((direction) => !this.isolating[direction].has(pod));
      if (open.length === 0) return [];
      const what = `has pods that no NetworkPolicy isolates for ${open.join(' and ')}`;
      return [
        { at: workload, finding: { what, mend: 'add a policy that denies by default', field: 'spec' } },
      ];
    });
  }

  /** Needed connections that the policies do not let pass. */
  private blocked(): PlacedFinding[] {
    if (this.policies.length === 0) return []; // nothing is closed
    const found = new Map<string, PlacedFinding>();
    for (const connection of this.topology.connections)
      for (const from of this.endpointsOf(connection.from, connection))
        for (const to of this.endpointsOf(connection.to, connection))
          for (const { port, protocol } of connection.ports) {
            const traffic = { from, to, port, protocol };
            for (const direction of DIRECTIONS) {
              const culprit = this.culprit(direction, traffic);
              if (culprit === undefined) continue;
              const finding = blockedFinding(connection, traffic, direction, culprit);
              found.set(JSON.stringify([finding.what, culprit.policy.name]), { at: culprit.at, finding });
            }
          }
    return [...found.values()];
  }

  /** Ports that are open to the outside by their kind, and to no address by any policy. */
  private unreachable(): PlacedFinding[] {
    return this.topology.exposures.flatMap(({ what, workload, ports, ...at }) => {
      const to = this.pods.get(workload);
      if (to === undefined || ports.length === 0) return [];
      const rules = this.policiesAt(to, 'ingress').flatMap(({ policy }) => policy.ingress ?? []);
      const isReached = this.addresses(rules.flatMap(rangesOfRule)).some((from) =>
        ports.some((port) => this.culprit('ingress', { from, to, ...port }) === undefined),
      );
      if (isReached) return [];
      return [
        {
          at,
          finding: {
            what: `${what}, and no policy lets anybody in from outside to ${workload.kind}/${workload.name}`,
            mend: 'add a policy of your own that says who may come in',
            field: 'spec',
            severity: 'warning' as const,
          },
        },
      ];
    });
  }

  /** The policy to mend where one end of a connection is closed. */
  private culprit(direction: Direction, traffic: Traffic): PlacedPolicy | undefined {
    const end = direction === 'ingress' ? traffic.to : traffic.from;
    if (!isPod(end)) return undefined;
    const isolating = this.policiesAt(end, direction);
    const isOpen = isolating.some(({ policy }) => allows(policy, direction, traffic));
    if (isOpen || isolating.length === 0) return undefined;
    const names = this.wanted()
      .filter((policy) => isolates(policy, end, direction) && allows(policy, direction, traffic))
      .map(({ name }) => name);
    const namesake = this.policies.find(
      ({ policy, isGenerated }) =>
        isGenerated && policy.namespace === end.namespace && names.includes(policy.name),
    );
    if (namesake !== undefined) return namesake;
    const score = ({ policy }: PlacedPolicy) => {
      const speaksOf = (part: Partial<PolicyRule>) =>
        (policy[direction] ?? []).some((rule) =>
          allows({ ...policy, [direction]: [{ ...rule, ...part }] }, direction, traffic),
        );
      if (speaksOf({ ports: undefined })) return 3;
      if (speaksOf({ peers: undefined })) return 2;
      return isOfEveryPod(policy) ? 1 : 0;
    };
    return isolating.reduce((best, one) => (score(one) > score(best) ? one : best));
  }

  /** What the function would write for this build. */
  private wanted(): readonly Policy[] {
    this.wantedHere ??= wantedPolicies(this.topology, this.peers).map(
      ({ name, namespace, spec }) => readPolicy({ metadata: { name, namespace }, spec }).policy,
    );
    return this.wantedHere;
  }

  private policiesAt(pod: Pod, direction: Direction): readonly PlacedPolicy[] {
    const known = this.isolating[direction].get(pod);
    if (known !== undefined || this.index.has(pod)) return known ?? [];
    const found = this.policies.filter(({ policy }) => isolates(policy, pod, direction));
    this.isolating[direction].set(pod, found);
    return found;
  }

  /** Who a party is, as far as a policy can tell them apart. */
  private endpointsOf(party: Party, { from }: Connection): readonly End[] {
    switch (party.is) {
      case 'workload':
        return [this.pods.get(party.workload) ?? this.surroundings.podOf(party.workload)];
      case 'ingress-controller':
        return [this.surroundings.foreign(this.peers.ingressController)];
      case 'gateway':
        return [this.surroundings.foreign(this.peers.gateways)];
      case 'acme-solver':
        return [this.surroundings.stranger(party.namespace, ACME_SOLVER_LABELS)];
      case 'dns':
        return [
          this.surroundings.foreign(this.peers.dns),
          ...representatives(rangesOf(this.peers.dns.addresses))
            .filter((ip) => this.needs.isDns(ip))
            .map((ip) => ({ ip })),
        ];
      case 'internet': {
        const client = from.is === 'workload' ? this.pods.get(from.workload) : undefined;
        const policies = client === undefined ? [] : this.policiesAt(client, 'egress');
        const ranges = policies.flatMap(({ policy }) => policy.egress ?? []).flatMap(rangesOfRule);
        return this.addresses(ranges).filter(({ ip }) => isInternet(ip));
      }
    }
  }

  /** Addresses outside by which some ranges and what is needed are told apart. */
  private addresses(ranges: readonly IpRange[]): readonly { readonly ip: string }[] {
    const key = ranges.join();
    const known = this.addressesOf.get(key);
    if (known !== undefined) return known;
    const found = representatives([...this.outside, ...ranges]).map((ip) => ({ ip }));
    this.addressesOf.set(key, found);
    return found;
  }

  /** Policies that allow what nobody needs, each once. */
  private excess(): PlacedFinding[] {
    return this.policies.flatMap(({ policy, at, isGenerated }) => {
      for (const direction of DIRECTIONS) {
        const traffic = this.excessOf(policy, direction);
        if (traffic === undefined) continue;
        const what = `lets ${nameOf(traffic.from)} reach ${nameOf(traffic.to)} on ${traffic.protocol} ${traffic.port}, which nothing here needs`;
        return [
          isGenerated
            ? { at, finding: { what, mend: EXCESS_MEND, field: `spec.${direction}` } }
            : {
                at,
                finding: {
                  what,
                  mend: 'it is written by hand, and stays',
                  field: `spec.${direction}`,
                  severity: 'info' as const,
                },
              },
        ];
      }
      return [];
    });
  }

  private excessOf(policy: Policy, direction: Direction): Traffic | undefined {
    const rules = policy[direction];
    if (rules === undefined || rules.length === 0) return undefined;
    const known = this.index.selectedBy(policy.podSelector, policy.namespace);
    const own = known.length > 0 ? known : this.surroundings.podsLike(policy.podSelector, policy.namespace);
    for (const rule of rules) {
      const others = this.othersOf(rule, policy.namespace);
      for (const pod of own)
        for (const other of others) {
          const [from, to] = direction === 'ingress' ? [other, pod] : [pod, other];
          for (const { protocol, port } of this.portsOf(rule, to)) {
            const traffic = { from, to, port, protocol };
            const isAllowed = allows({ ...policy, [direction]: [rule] }, direction, traffic);
            if (isAllowed && !this.needs.includes(traffic)) return traffic;
          }
        }
    }
    return undefined;
  }

  /** Everyone whom the peers of a rule may mean: the pods that are known, and one made up of each peer. */
  private othersOf({ peers }: PolicyRule, home: string): readonly End[] {
    if (peers === undefined) return [ANYONE];
    return peers.flatMap((peer): readonly End[] => {
      if ('ipBlock' in peer) return this.addresses(rangesOfBlock(peer.ipBlock));
      return [...this.index.matching(peer, home), ...this.surroundings.podsOfPeer(peer, home)];
    });
  }

  private portsOf({ ports }: PolicyRule, to: Endpoint): readonly { protocol: Protocol; port: number }[] {
    if (ports === undefined) return PROTOCOLS.map((protocol) => ({ protocol, port: this.needs.otherPort }));
    return ports.flatMap((port) => probesOf(port, to, this.needs));
  }
}

const EXCESS_MEND =
  'it is generated: take out the patch, or the label, that makes it another than the function writes; or give pods of other workloads labels of their own';
const ANYONE: Pod = {
  namespace: ELSEWHERE,
  labels: {},
  namespaceLabels: namespaceLabels(ELSEWHERE),
  ports: [],
};

/** The ports at which what a rule allows may begin to be more than what is needed. */
function probesOf(
  { protocol, port, endPort }: PolicyPort,
  to: Endpoint,
  { ports, otherPort }: RequiredTraffic,
): readonly { protocol: Protocol; port: number }[] {
  if (port === undefined) return [{ protocol, port: otherPort }];
  if (typeof port === 'string')
    return isPod(to)
      ? to.ports
          .filter(({ name }) => name === port)
          .map((one) => ({ protocol: one.protocol, port: one.port }))
      : [];
  const last = endPort ?? port;
  const needed = [...ports].filter((one) => one >= port && one <= last);
  let other = port;
  while (ports.has(other)) other++;
  return [...(other <= last ? [other] : []), ...needed].map((one) => ({ protocol, port: one }));
}

function rangesOfRule({ peers }: PolicyRule): IpRange[] {
  return (peers ?? []).flatMap((peer) => ('ipBlock' in peer ? rangesOfBlock(peer.ipBlock) : []));
}

function blockedFinding(
  { from, to, reason }: Connection,
  { port, protocol, ...ends }: Traffic,
  direction: Direction,
  { policy }: PlacedPolicy,
): PlacedFinding['finding'] {
  const address = [ends.from, ends.to].flatMap((end) => (isPod(end) ? [] : [` (${end.ip})`])).join('');
  const end = direction === 'ingress' ? 'where it comes in' : 'where it goes out';
  return {
    what: `blocks ${partyName(from)} -> ${partyName(to)}${address} on ${protocol} ${port} ${end}, which is needed (${reason})`,
    mend: isOfEveryPod(policy)
      ? 'add a policy that allows it; `npm run render` writes one'
      : 'allow it in this policy, or take out the patch that changed it',
    field: `spec.${direction}`,
  };
}

function isOfEveryPod({ podSelector: { matchLabels, matchExpressions } }: Policy): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length === 0;
}

/** For messages. */
function partyName(party: Party): string {
  switch (party.is) {
    case 'workload':
      return `${party.workload.kind}/${party.workload.name}`;
    case 'ingress-controller':
      return 'the ingress controller';
    case 'gateway':
      return 'the gateway';
    case 'acme-solver':
      return 'an ACME solver';
    case 'dns':
      return 'DNS';
    case 'internet':
      return 'the internet';
  }
}

function nameOf(end: End): string {
  if (!isPod(end)) return end.ip;
  if (end.workload !== undefined) return `${end.workload.kind}/${end.workload.name}`;
  if (end === ANYONE) return 'anyone';
  const labels = Object.entries(end.labels).map(([key, value]) => `${key}=${value}`);
  const pods = labels.length === 0 ? 'any pod' : `pods with ${labels.join(', ')}`;
  return end.namespace === ''
    ? pods
    : `${pods} in ${end.namespace === ELSEWHERE ? end.namespace : `namespace ${end.namespace}`}`;
}
