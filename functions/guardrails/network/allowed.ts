import type { Placed } from '../kubernetes/resource';
import { groupOf, objectAt, objectsIn } from '../kubernetes/workload';
import type { YamlObject } from '../krm/yaml';
import { type Traffic, allows, isPod, isolates } from './evaluate';
import { contains, representatives } from './ip-range';
import { isInternet, rangesOf } from './needs';
import { ACME_SOLVER_LABELS, INTERNET, type NetworkPeers } from './peers';
import type { End, Pod } from './pods';
import { PROTOCOLS, type Policy, type Protocol, isNetworkPolicy, readPolicy } from './policy';
import { type Labels, hasLabels } from './selector';
import { ELSEWHERE, Surroundings } from './surroundings';
import { type Workload, readTopology } from './topology';

const LAST_PORT = 65535;

/** Somebody in the picture: the pods of a workload, or who is around them. */
export interface Actor {
  readonly name: string;
  /** The namespace of the build in which its pods are; undefined for who is outside. */
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
 * between two who are both outside, its policies say nothing.
 *
 * @param resources all of the build, Lists taken apart
 */
export function readConnectionMap(resources: readonly Placed[], peers: NetworkPeers): ConnectionMap {
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
  private readonly surroundings: Surroundings;
  private readonly workloads: readonly Workload[];
  private readonly namespaces: readonly string[];

  constructor(
    resources: readonly Placed[],
    private readonly policies: readonly Policy[],
    private readonly peers: NetworkPeers,
  ) {
    this.surroundings = new Surroundings(resources);
    this.workloads = readTopology(resources).workloads;
    this.namespaces = [...new Set(this.workloads.map(({ namespace }) => namespace))].sort();
    const foreign = (name: string, pods: NetworkPeers['gateways']): Actor => ({
      name,
      namespace: undefined,
      ends: [this.surroundings.foreign(pods)],
    });
    this.ingressController = foreign('ingress controller', peers.ingressController);
    this.gateway = foreign('gateway', peers.gateways);
    const dns = foreign('DNS', peers.dns);
    const nodeLocal = representatives(rangesOf(peers.dns.addresses)).filter((ip) => this.isDns(ip));
    const known = [
      this.ingressController,
      this.gateway,
      ...this.ownActors(),
      { ...dns, ends: [...dns.ends, ...nodeLocal.map((ip) => ({ ip }))] },
    ];
    this.all = [...known, ...this.others(known), ...this.addresses()];
  }

  private isDns(ip: string): boolean {
    return rangesOf(this.peers.dns.addresses).some((range) => contains(range, ip));
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

  /** Pods that nobody knows: those that a peer of a policy describes, and any other. */
  private others(known: readonly Actor[]): Actor[] {
    const described = this.policies.flatMap(({ ingress = [], egress = [], namespace }) =>
      [...ingress, ...egress].flatMap(({ peers = [] }) =>
        peers.flatMap((peer) => ('ipBlock' in peer ? [] : this.surroundings.podsOfPeer(peer, namespace))),
      ),
    );
    const homeOf = (pod: Pod) => (this.namespaces.includes(pod.namespace) ? pod.namespace : undefined);
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
    const isKnown = (pod: Pod) =>
      [...known, ...strangers].some(({ ends }) => ends.some((end) => isPod(end) && isOneOf(pod, end)));
    const byName = new Map(
      described
        .filter((pod) => !isKnown(pod))
        .map((pod) => ({ name: describe(pod, homeOf(pod)), namespace: homeOf(pod), ends: [pod] }))
        .map((actor) => [JSON.stringify([actor.namespace, actor.name]), actor] as const),
    );
    return [...byName.values(), ...strangers];
  }

  private addresses(): Actor[] {
    const blocks = this.policies.flatMap(({ ingress = [], egress = [] }) =>
      [...ingress, ...egress].flatMap(({ peers = [] }) =>
        peers.flatMap((peer) => ('ipBlock' in peer ? [peer.ipBlock.range, ...peer.ipBlock.except] : [])),
      ),
    );
    const internet = rangesOf(INTERNET.flatMap(({ cidr, except }) => [cidr, ...except]));
    const all = representatives([...internet, ...blocks]).filter((ip) => !this.isDns(ip));
    const endsOf = (isIn: (ip: string) => boolean) => all.filter(isIn).map((ip) => ({ ip }));
    return [
      { name: 'internet', namespace: undefined, ends: endsOf(isInternet) },
      { name: 'private addresses', namespace: undefined, ends: endsOf((ip) => !isInternet(ip)) },
    ];
  }
}

/** Whether a pod is one of those that a known one stands for. */
function isOneOf(pod: Pod, known: Pod): boolean {
  const labels = known.workload?.selector ?? known.labels;
  if (Object.keys(labels).length === 0)
    return JSON.stringify([pod.labels, pod.namespaceLabels]) === JSON.stringify([{}, known.namespaceLabels]);
  return pod.namespace === known.namespace && hasLabels(pod.labels, labels);
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
