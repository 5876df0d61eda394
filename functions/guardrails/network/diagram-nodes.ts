import type { Placed } from '../krm/resource';
import type { Workload } from './connection';
import { ACME_SOLVER_LABELS, type ExternalPeers, type SelectedPods } from './external-peers';
import { type IpAddress, contains, printIpRange, representatives } from './ip-range';
import { append } from './multimap';
import { DIRECTIONS, type IpBlock, type Peer, type Policy, type SelectorPeer, rangesOfBlock } from './policy';
import { isInBlock, isPeer, isolates } from './policy-set';
import { ELSEWHERE, RepresentativePods } from './pods';
import { externalRanges, isInternet, rangesOf } from './required-traffic';
import { type Labels, type Selector, hasLabels } from './selector';
import { readTopology } from './topology';
import { type Endpoint, type PodEndpoint, isPod } from './traffic';

/** A node of a diagram: the pods of a workload, other pods, or addresses. */
export interface DiagramNode {
  readonly name: string;
  /** Of its pods, where the build has workloads or policies there; undefined for an external node. */
  readonly namespace: string | undefined;
  /** Endpoints that represent it: traffic of one of them is traffic of the node. */
  readonly ends: readonly Endpoint[];
}

/** The nodes that the policies of a build can distinguish. */
export class DiagramNodes {
  readonly ingressController: DiagramNode;
  readonly gateway: DiagramNode;
  /** In the order of a diagram: external clients, workloads, external destinations. */
  readonly all: readonly DiagramNode[];
  private readonly pods: RepresentativePods;
  private readonly workloads: readonly Workload[];
  private readonly namespaces: readonly string[];
  private readonly blocks: readonly IpBlock[];

  constructor(
    resources: readonly Placed[],
    private readonly policies: readonly Policy[],
    peers: ExternalPeers,
  ) {
    this.pods = new RepresentativePods(resources);
    this.workloads = readTopology(resources).workloads;
    const namespaces = [...this.workloads, ...policies].map(({ namespace }) => namespace);
    this.namespaces = [...new Set(namespaces)].sort();
    this.blocks = policies.flatMap(peersOf).flatMap((peer) => ('ipBlock' in peer ? [peer.ipBlock] : []));
    this.ingressController = this.externalNode('ingress controller', peers.ingressController);
    this.gateway = this.externalNode('gateway', peers.gateways);
    const dns = this.externalNode('DNS', peers.dns);
    const dnsRanges = rangesOf(peers.dns.addresses);
    const isDns = (ip: IpAddress) => dnsRanges.some((range) => contains(range, ip));
    const addresses = representatives([...this.blocks.flatMap(rangesOfBlock), ...externalRanges(peers)]);
    const ofDns = addresses.filter(isDns).map((ip) => ({ ip }));
    const known = [
      this.ingressController,
      this.gateway,
      ...this.nodesOfBuild(),
      { ...dns, ends: [...dns.ends, ...ofDns] },
    ];
    const external = this.addressNodes(addresses.filter((ip) => !isDns(ip)));
    this.all = [...known, ...this.otherPods(known), ...external];
  }

  private externalNode(name: string, pods: SelectedPods): DiagramNode {
    return { name, namespace: this.inBuild(pods.namespace), ends: [this.pods.withLabels(pods)] };
  }

  /** A namespace, if the build has workloads or policies there. */
  private inBuild(namespace: string): string | undefined {
    return this.namespaces.includes(namespace) ? namespace : undefined;
  }

  private nodesOfBuild(): DiagramNode[] {
    const names = this.workloads.map(({ name }) => name);
    const isShared = (name: string) => names.indexOf(name) !== names.lastIndexOf(name);
    return [
      ...this.workloads.map((workload) => ({
        name: isShared(workload.name) ? `${workload.kind}/${workload.name}` : workload.name,
        namespace: workload.namespace,
        ends: [this.pods.ofWorkload(workload)],
      })),
      ...this.namespaces.map((namespace) => ({
        name: 'ACME solver',
        namespace,
        ends: [this.pods.withLabels({ namespace, podLabels: ACME_SOLVER_LABELS })],
      })),
    ];
  }

  /** Pods that are not in the build: those that a policy describes, and all others. */
  private otherPods(known: readonly DiagramNode[]): DiagramNode[] {
    const remaining: DiagramNode[] = [
      ...this.namespaces.map((namespace) => ({
        name: 'any other pod',
        namespace,
        ends: [this.pods.withLabels({ namespace, podLabels: {} })],
      })),
      {
        name: 'any pod in another namespace',
        namespace: undefined,
        ends: [this.pods.withLabels({ namespace: ELSEWHERE, podLabels: {} })],
      },
    ];
    const knownPods = [...known, ...remaining].flatMap(({ ends }) => ends).filter(isPod);
    const byName = new Map(
      this.policies
        .flatMap((policy) => this.podsIn(policy))
        .map((pod) => {
          const namespace = this.inBuild(pod.namespace);
          return { name: describe(pod, namespace), namespace, pod };
        })
        .map((described) => [JSON.stringify([described.namespace, described.name]), described]),
    );
    const described = [...byName.values()]
      .filter(({ pod }) => !knownPods.some((one) => this.represents(one, pod)))
      .map(({ name, namespace, pod }) => ({ name, namespace, ends: [pod] }));
    return [...described, ...remaining];
  }

  /** The pods that a policy describes: those that it selects, those that it excepts, and its peers. */
  private podsIn(policy: Policy): readonly PodEndpoint[] {
    const { podSelector, namespace: home } = policy;
    const peers = peersOf(policy).filter((peer): peer is SelectorPeer => !('ipBlock' in peer));
    return [
      ...[podSelector, ...exceptionsOf(podSelector)].flatMap((one) => this.pods.selectedBy(one, home)),
      ...peers.flatMap((peer) => [
        ...this.pods.matching(peer, home).filter((pod) => this.inBuild(pod.namespace) === undefined),
        // A namespace of the build has only the labels that the build gives it.
        ...this.namespaces
          .flatMap((namespace) => this.pods.selectedBy(peer.podSelector, namespace))
          .filter((pod) => isPeer(peer, pod, home)),
      ]),
    ];
  }

  /** Whether a known pod represents another one: no policy distinguishes them. */
  private represents(known: PodEndpoint, pod: PodEndpoint): boolean {
    if (pod.namespace !== known.namespace) return false;
    if (!hasLabels(pod.labels, known.workload?.selector ?? known.labels)) return false;
    // A pod of a workload has all of its labels, also where a policy requires only some of them.
    const { namespaceLabels } = pod;
    const complete = { ...known, namespaceLabels, labels: { ...known.labels, ...pod.labels } };
    return !this.policies.some((policy) => distinguishes(policy, complete, known));
  }

  private addressNodes(addresses: readonly IpAddress[]): DiagramNode[] {
    const groups = new Map<string, Endpoint[]>([
      ['internet', []],
      ['private addresses', []],
    ]);
    for (const ip of addresses) append(groups, this.nameOf(ip), { ip });
    return [...groups].map(([name, ends]) => ({ name, namespace: undefined, ends }));
  }

  /** The smallest range of a policy around an address, where a policy has a block around it that is not every address. */
  private nameOf(ip: IpAddress): string {
    const isNamed = this.blocks.some((block) => block.range.length > 0 && isInBlock(block, ip));
    if (!isNamed) return isInternet(ip) ? 'internet' : 'private addresses';
    const around = this.blocks.flatMap(rangesOfBlock).filter((range) => contains(range, ip));
    return printIpRange(around.reduce((a, b) => (b.length > a.length ? b : a)));
  }
}

function peersOf({ ingress = [], egress = [] }: Policy): readonly Peer[] {
  return [...ingress, ...egress].flatMap(({ peers = [] }) => peers);
}

/** Selectors of the pods that a selector excepts: where it isolates all others, these are open. */
function exceptionsOf({ matchLabels, matchExpressions }: Selector): readonly Selector[] {
  return matchExpressions.flatMap(({ key, operator, values }, i) => {
    if (operator !== 'NotIn' && operator !== 'DoesNotExist') return [];
    const opposite = { key, operator: operator === 'NotIn' ? 'In' : 'Exists', values } as const;
    return [{ matchLabels, matchExpressions: matchExpressions.with(i, opposite) }];
  });
}

/** Whether a policy selects one of two pods and not the other, or has only one of them as a peer. */
function distinguishes(policy: Policy, a: PodEndpoint, b: PodEndpoint): boolean {
  return (
    DIRECTIONS.some((direction) => isolates(policy, a, direction) !== isolates(policy, b, direction)) ||
    peersOf(policy).some((peer) => isPeer(peer, a, policy.namespace) !== isPeer(peer, b, policy.namespace))
  );
}

/** @param inBuild the pod's namespace, where the diagram has a frame for it */
function describe({ labels, namespace, namespaceLabels }: PodEndpoint, inBuild: string | undefined): string {
  const pods = Object.keys(labels).length === 0 ? 'any pod' : `pods with ${labelText(labels)}`;
  if (inBuild !== undefined) return pods;
  if (namespace !== ELSEWHERE) return `${pods} in ${namespace}`;
  const required = Object.fromEntries(
    Object.entries(namespaceLabels).filter(([, value]) => value !== ELSEWHERE),
  );
  return `${pods} in ${Object.keys(required).length === 0 ? 'any namespace' : `namespaces with ${labelText(required)}`}`;
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(', ');
}
