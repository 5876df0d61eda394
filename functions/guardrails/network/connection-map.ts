import { type Placed, groupOf } from '../krm/resource';
import { type YamlObject, objectAt, objectsIn } from '../yaml/yaml';
import { type Traffic, allows, isInBlock, isPeer, isPod, isolates } from './evaluate';
import { type IpRange, contains, printIpRange, representatives } from './ip-range';
import { isInternet, outsideRanges, rangesOf } from './required-traffic';
import { ACME_SOLVER_LABELS, type ExternalPods, type ExternalPeers } from './external-peers';
import { type End, type Pod, type SelectorPeer, append } from './pods';
import {
  type IpBlock,
  PROTOCOLS,
  type Peer,
  type Policy,
  type Protocol,
  isNetworkPolicy,
  rangesOfBlock,
  readPolicy,
} from './policy';
import { type Labels, type Selector, hasLabels } from './selector';
import { ELSEWHERE, RepresentativePods } from './representative-pods';
import { type Workload, readTopology } from './topology';

const LAST_PORT = 65535;

/** Somebody in the picture: the pods of a workload, or who is around them. */
export interface Actor {
  readonly name: string;
  /** Where its pods are, if the build has workloads or policies there; undefined for who is outside. */
  readonly namespace: string | undefined;
  /** Who it is to a policy: where these are told apart, what is allowed to one of them is told. */
  readonly ends: readonly End[];
}

/** Ports of a protocol, both ends included. */
export interface PortRange {
  readonly protocol: Protocol;
  readonly first: number;
  readonly last: number;
}

/** What is let pass from one to another: by the policies of both ends. */
export interface AllowedConnection {
  readonly from: Actor;
  readonly to: Actor;
  /** By protocol, ascending, none next to another. */
  readonly ports: readonly PortRange[];
}

/** How the outside world comes in, which no policy decides: at a name, through an Ingress or a Gateway. */
export interface Entrance {
  readonly through: Actor;
  /** `todo.example.com`; `*` where none is given. */
  readonly hosts: readonly string[];
  /** Of the controller's Service. */
  readonly ports: readonly PortRange[];
}

export interface ConnectionMap {
  readonly entrances: readonly Entrance[];
  readonly connections: readonly AllowedConnection[];
}

/**
 * Who may talk to whom in a build, by its NetworkPolicies: what they let pass, be it needed or not. Of the connections
 * between two who are both outside, its policies say nothing: none of them is in a namespace of theirs.
 *
 * @param resources all of the build, Lists taken apart
 */
export function readConnectionMap(resources: readonly Placed[], peers: ExternalPeers): ConnectionMap {
  const policies = resources
    .filter(({ resource }) => isNetworkPolicy(resource))
    .map(({ resource }) => readPolicy(resource).policy);
  const actors = new Actors(resources, policies, peers);
  const evaluator = new PortEvaluator(policies);
  const pairs = actors.all.flatMap((from) => actors.all.map((to) => [from, to] as const));
  const connections = pairs.flatMap(([from, to]) => {
    if (from.namespace === undefined && to.namespace === undefined) return [];
    const ports = evaluator.ports(from, to);
    return ports.length === 0 ? [] : [{ from, to, ports }];
  });
  return { entrances: entrancesOf(resources, actors), connections };
}

class Actors {
  readonly ingressController: Actor;
  readonly gateway: Actor;
  /** In the order of a picture: who comes in, who is there, where it goes. */
  readonly all: readonly Actor[];
  private readonly surroundings: RepresentativePods;
  private readonly workloads: readonly Workload[];
  private readonly namespaces: readonly string[];
  private readonly blocks: readonly IpBlock[];

  constructor(
    resources: readonly Placed[],
    private readonly policies: readonly Policy[],
    peers: ExternalPeers,
  ) {
    this.surroundings = new RepresentativePods(resources);
    this.workloads = readTopology(resources).workloads;
    const namespaces = [...this.workloads, ...policies].map(({ namespace }) => namespace);
    this.namespaces = [...new Set(namespaces)].sort();
    this.blocks = policies.flatMap(peersOf).flatMap((peer) => ('ipBlock' in peer ? [peer.ipBlock] : []));
    this.ingressController = this.foreign('ingress controller', peers.ingressController);
    this.gateway = this.foreign('gateway', peers.gateways);
    const dns = this.foreign('DNS', peers.dns);
    const dnsRanges = rangesOf(peers.dns.addresses);
    const isDns = (ip: string) => dnsRanges.some((range) => contains(range, ip));
    const addresses = this.addresses(peers);
    const nodeLocal = addresses.filter(isDns).map((ip) => ({ ip }));
    const known = [
      this.ingressController,
      this.gateway,
      ...this.ownActors(),
      { ...dns, ends: [...dns.ends, ...nodeLocal] },
    ];
    const outside = this.addressActors(addresses.filter((ip) => !isDns(ip)));
    this.all = [...known, ...this.others(known), ...outside];
  }

  private foreign(name: string, pods: ExternalPods): Actor {
    return { name, namespace: this.homeOf(pods), ends: [this.surroundings.foreign(pods)] };
  }

  private homeOf({ namespace }: { readonly namespace: string }): string | undefined {
    return this.namespaces.includes(namespace) ? namespace : undefined;
  }

  private ownActors(): Actor[] {
    const names = this.workloads.map(({ name }) => name);
    const isShared = (name: string) => names.filter((one) => one === name).length > 1;
    return [
      ...this.workloads.map((workload) => ({
        name: isShared(workload.name) ? `${workload.kind}/${workload.name}` : workload.name,
        namespace: workload.namespace,
        ends: [this.surroundings.podOf(workload)],
      })),
      ...this.namespaces.map((namespace) => ({
        name: 'ACME solver',
        namespace,
        ends: [this.surroundings.stranger(namespace, ACME_SOLVER_LABELS)],
      })),
    ];
  }

  /** Pods that nobody knows: those that a policy describes, and any other. */
  private others(known: readonly Actor[]): Actor[] {
    const strangers: Actor[] = [
      ...this.namespaces.map((namespace) => ({
        name: 'any other pod',
        namespace,
        ends: [this.surroundings.stranger(namespace, {})],
      })),
      {
        name: 'any pod in another namespace',
        namespace: undefined,
        ends: [this.surroundings.stranger(ELSEWHERE, {})],
      },
    ];
    const knownPods = [...known, ...strangers].flatMap(({ ends }) => ends).filter(isPod);
    const byName = new Map(
      this.policies
        .flatMap((policy) => this.podsIn(policy))
        .map((pod) => ({ name: describe(pod, this.homeOf(pod)), namespace: this.homeOf(pod), pod }))
        .map((described) => [JSON.stringify([described.namespace, described.name]), described]),
    );
    const described = [...byName.values()]
      .filter(({ pod }) => !knownPods.some((one) => this.standsFor(one, pod)))
      .map(({ name, namespace, pod }) => ({ name, namespace, ends: [pod] }));
    return [...described, ...strangers];
  }

  /** The pods that a policy describes: those that it is for, those that it excepts, and its peers. */
  private podsIn(policy: Policy): readonly Pod[] {
    const { podSelector, namespace: home } = policy;
    const peers = peersOf(policy).filter((peer): peer is SelectorPeer => !('ipBlock' in peer));
    return [
      ...[podSelector, ...exceptionsOf(podSelector)].flatMap((one) => this.surroundings.podsLike(one, home)),
      ...peers.flatMap((peer) => [
        ...this.surroundings.podsOfPeer(peer, home).filter((pod) => this.homeOf(pod) === undefined),
        // A namespace of the picture has the labels that the build gives it: none are made up.
        ...this.namespaces
          .flatMap((namespace) => this.surroundings.podsLike(peer.podSelector, namespace))
          .filter((pod) => isPeer(peer, pod, home)),
      ]),
    ];
  }

  /** Whether a pod is one of those that a known one stands for, and no policy tells it from them. */
  private standsFor(known: Pod, pod: Pod): boolean {
    if (pod.namespace !== known.namespace) return false;
    if (!hasLabels(pod.labels, known.workload?.selector ?? known.labels)) return false;
    // A pod of a workload has all of its labels, also where a policy names a few of them.
    const { namespaceLabels } = pod;
    const whole = { ...known, namespaceLabels, labels: { ...known.labels, ...pod.labels } };
    return !this.policies.some((policy) => tellsApart(policy, whole, known));
  }

  /** One address of every stretch that the policies, the configuration or the internet's bounds tell from others. */
  private addresses(peers: ExternalPeers): readonly string[] {
    return representatives([...this.blocks.flatMap(rangesOfBlock), ...outsideRanges(peers)]);
  }

  private addressActors(addresses: readonly string[]): Actor[] {
    const groups = new Map<string, End[]>([
      ['internet', []],
      ['private addresses', []],
    ]);
    for (const ip of addresses) append(groups, this.nameOf(ip), { ip });
    return [...groups].map(([name, ends]) => ({ name, namespace: undefined, ends }));
  }

  /** By the smallest range of a policy around it, where one names a part of all addresses: no two share that. */
  private nameOf(ip: string): string {
    const isNamed = this.blocks.some((block) => !isEveryAddress(block.range) && isInBlock(block, ip));
    if (!isNamed) return isInternet(ip) ? 'internet' : 'private addresses';
    const around = this.blocks.flatMap(rangesOfBlock).filter((range) => contains(range, ip));
    return printIpRange(around.reduce((a, b) => (b.length > a.length ? b : a)));
  }
}

function peersOf({ ingress = [], egress = [] }: Policy): readonly Peer[] {
  return [...ingress, ...egress].flatMap(({ peers = [] }) => peers);
}

/** Selectors of what a selector names only to leave it out: where it isolates the others, these are open. */
function exceptionsOf({ matchLabels, matchExpressions }: Selector): readonly Selector[] {
  return matchExpressions.flatMap(({ key, operator, values }, i) => {
    if (operator !== 'NotIn' && operator !== 'DoesNotExist') return [];
    const opposite = { key, operator: operator === 'NotIn' ? 'In' : 'Exists', values } as const;
    return [{ matchLabels, matchExpressions: matchExpressions.with(i, opposite) }];
  });
}

/** `0.0.0.0/0` or `::/0`. */
function isEveryAddress(range: IpRange): boolean {
  return range.length === 1;
}

/** Whether a policy is for one of two pods and not for the other, or names only one of them as a peer. */
function tellsApart(policy: Policy, a: Pod, b: Pod): boolean {
  return (
    isolates(policy, a, 'ingress') !== isolates(policy, b, 'ingress') ||
    isolates(policy, a, 'egress') !== isolates(policy, b, 'egress') ||
    peersOf(policy).some((peer) => isPeer(peer, a, policy.namespace) !== isPeer(peer, b, policy.namespace))
  );
}

function describe({ labels, namespace, namespaceLabels }: Pod, home: string | undefined): string {
  const pods = Object.keys(labels).length === 0 ? 'any pod' : `pods with ${labelText(labels)}`;
  if (home !== undefined) return pods;
  if (namespace !== ELSEWHERE) return `${pods} in ${namespace}`;
  const ofNamespace = Object.entries(namespaceLabels).filter(([, value]) => value !== ELSEWHERE);
  return `${pods} in ${ofNamespace.length === 0 ? 'any namespace' : `namespaces with ${labelText(Object.fromEntries(ofNamespace))}`}`;
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(', ');
}

/** Which ports policies let pass: asked at one port of every stretch into which theirs cut the ports. */
class PortEvaluator {
  private readonly isolating = new Map<string, Map<End, readonly Policy[]>>();
  private readonly starts: readonly number[];

  constructor(private readonly policies: readonly Policy[]) {
    const ports = policies
      .flatMap(({ ingress = [], egress = [] }) => [...ingress, ...egress])
      .flatMap(({ ports: ofRule = [] }) => ofRule);
    this.starts = ports.flatMap(({ port, endPort }) =>
      typeof port === 'number' ? [port, (endPort ?? port) + 1] : [],
    );
  }

  ports(from: Actor, to: Actor): PortRange[] {
    const ofPods = to.ends.flatMap((end) => (isPod(end) ? end.ports.map(({ port }) => port) : []));
    const starts = [...new Set([1, ...this.starts, ...ofPods, ...ofPods.map((port) => port + 1)])]
      .filter((port) => port <= LAST_PORT)
      .sort((a, b) => a - b);
    const found: PortRange[] = [];
    for (const protocol of PROTOCOLS)
      starts.forEach((first, i) => {
        if (!this.isAllowed(from, to, first, protocol)) return;
        const range = { protocol, first, last: (starts[i + 1] ?? LAST_PORT + 1) - 1 };
        const before = found.at(-1);
        if (before?.protocol === protocol && before.last + 1 === first)
          found[found.length - 1] = { ...before, last: range.last };
        else found.push(range);
      });
    return found;
  }

  private isAllowed(from: Actor, to: Actor, port: number, protocol: Protocol): boolean {
    return from.ends.some((source) =>
      to.ends.some((target) => {
        const traffic = { from: source, to: target, port, protocol };
        return this.isOpen('egress', source, traffic) && this.isOpen('ingress', target, traffic);
      }),
    );
  }

  private isOpen(direction: 'ingress' | 'egress', end: End, traffic: Traffic): boolean {
    if (!isPod(end)) return true;
    const known = this.isolating.get(direction) ?? new Map<End, readonly Policy[]>();
    this.isolating.set(direction, known);
    const isolating = known.get(end) ?? this.policies.filter((policy) => isolates(policy, end, direction));
    known.set(end, isolating);
    return isolating.length === 0 || isolating.some((policy) => allows(policy, direction, traffic));
  }
}

function entrancesOf(resources: readonly Placed[], { ingressController, gateway }: Actors): Entrance[] {
  return resources.flatMap(({ resource }) => {
    const spec = objectAt(resource, 'spec');
    if (resource.kind === 'Ingress' && groupOf(resource) === 'networking.k8s.io') {
      const hosts = textsIn(objectsIn(spec.rules), 'host');
      const ports = [80, ...(objectsIn(spec.tls).length > 0 ? [443] : [])];
      return [{ through: ingressController, hosts, ports: ports.map(tcp) }];
    }
    if (resource.kind === 'Gateway' && groupOf(resource) === 'gateway.networking.k8s.io') {
      const listeners = objectsIn(spec.listeners);
      const ports = listeners.flatMap(({ port }) => (typeof port === 'number' ? [port] : []));
      return [
        {
          through: gateway,
          hosts: textsIn(listeners, 'hostname'),
          ports: [...new Set(ports)].sort((a, b) => a - b).map(tcp),
        },
      ];
    }
    return [];
  });
}

function textsIn(entries: readonly YamlObject[], key: string): string[] {
  const texts = entries.map((entry) => entry[key]).map((text) => (typeof text === 'string' ? text : '*'));
  return [...new Set(texts.length === 0 ? ['*'] : texts)];
}

function tcp(port: number): PortRange {
  return { protocol: 'TCP', first: port, last: port };
}
