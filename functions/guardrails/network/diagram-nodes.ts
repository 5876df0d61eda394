import type { AnnotationNames } from '../kubernetes/annotation-names';
import type { Placed } from '../krm/resource';
import { ACME_SOLVER_LABELS, type ExternalPeers } from './external-peers';
import type { SelectedPods } from './selector';
import { type IpAddress, contains, printIpRange, representatives } from './ip-range';
import { append } from './multimap';
import { ELSEWHERE, RepresentativePods } from './pods';
import { DIRECTIONS, type IpBlock, type Peer, type Policy, rangesOfBlock } from './policy';
import { isInBlock, isPeer, isolates } from './policy-set';
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
  private readonly namespaces: readonly string[];
  private readonly blocks: readonly IpBlock[];

  constructor(
    resources: readonly Placed[],
    private readonly policies: readonly Policy[],
    peers: ExternalPeers,
    annotations: AnnotationNames,
  ) {
    this.pods = new RepresentativePods(resources);
    const { workloads } = readTopology(resources, annotations, peers);
    this.namespaces = [...new Set([...workloads, ...policies].map(({ namespace }) => namespace))].sort();
    this.blocks = policies.flatMap(peersOf).flatMap((peer) => ('ipBlock' in peer ? [peer.ipBlock] : []));
    this.ingressController = this.nodeOf('ingress controller', peers.ingressController);
    this.gateway = this.nodeOf('gateway', peers.gateways);
    const names = workloads.map(({ name }) => name);
    const ofWorkloads = workloads.map((workload) => {
      const { name, kind, namespace, usesHostNetwork } = workload;
      const isShared = names.indexOf(name) !== names.lastIndexOf(name);
      const title = `${isShared ? `${kind}/${name}` : name}${usesHostNetwork ? ' (hostNetwork)' : ''}`;
      return { name: title, namespace, ends: [this.pods.ofWorkload(workload)] };
    });
    const acmeSolvers = this.inEachNamespace('ACME solver', ACME_SOLVER_LABELS);
    const dns = this.nodeOf('DNS', peers.dns);
    const dnsRanges = rangesOf(peers.dns.addresses);
    const isDns = (ip: IpAddress) => dnsRanges.some((range) => contains(range, ip));
    const addresses = representatives([...this.blocks.flatMap(rangesOfBlock), ...externalRanges(peers)]);
    const ofDns = addresses.filter(isDns).map((ip) => ({ ip }));
    const dnsNode = { ...dns, ends: [...dns.ends, ...ofDns] };
    const known = [this.ingressController, this.gateway, ...ofWorkloads, ...acmeSolvers, dnsNode];
    const external = this.addressNodes(addresses.filter((ip) => !isDns(ip)));
    this.all = [...known, ...this.otherPods(known), ...external];
  }

  private nodeOf(name: string, pods: SelectedPods): DiagramNode {
    return { name, namespace: this.inBuild(pods.namespace), ends: [this.pods.withLabels(pods)] };
  }

  private inEachNamespace(name: string, podLabels: Labels): DiagramNode[] {
    return this.namespaces.map((namespace) => this.nodeOf(name, { namespace, podLabels }));
  }

  /** A namespace, if the build has workloads or policies there. */
  private inBuild(namespace: string): string | undefined {
    return this.namespaces.includes(namespace) ? namespace : undefined;
  }

  /** Pods that are not in the build: those that a policy describes, and all others. */
  private otherPods(known: readonly DiagramNode[]): DiagramNode[] {
    const remaining = [
      ...this.inEachNamespace('any other pod', {}),
      this.nodeOf('any pod in another namespace', { namespace: ELSEWHERE, podLabels: {} }),
    ];
    const knownPods = [...known, ...remaining].flatMap(({ ends }) => ends).filter(isPod);
    const pods = this.policies.flatMap((policy) => this.podsIn(policy));
    const nodes = pods.map((pod) => ({ ...this.described(pod), ends: [pod] as const }));
    const byName = new Map(nodes.map((node) => [JSON.stringify([node.namespace, node.name]), node]));
    const described = [...byName.values()].filter(
      ({ ends: [pod] }) => !knownPods.some((one) => this.represents(one, pod)),
    );
    return [...described, ...remaining];
  }

  /** The pods that a policy describes: those that it selects, those that it excepts, and its peers. */
  private podsIn(policy: Policy): readonly PodEndpoint[] {
    const { podSelector, namespace: home } = policy;
    const selectors = [podSelector, ...exceptionsOf(podSelector)];
    const ofPeers = peersOf(policy).flatMap((peer) => {
      if ('ipBlock' in peer) return [];
      // A namespace of the build has only the labels that the build gives it.
      const inBuild = this.namespaces.flatMap((one) => this.pods.selectedBy(peer.podSelector, one));
      const matching = this.pods.matching(peer, home);
      return [
        ...matching.filter(({ namespace }) => this.inBuild(namespace) === undefined),
        ...inBuild.filter((pod) => isPeer(peer, pod, home)),
      ];
    });
    return [...selectors.flatMap((one) => this.pods.selectedBy(one, home)), ...ofPeers];
  }

  private described({ labels, namespace, namespaceLabels }: PodEndpoint): Omit<DiagramNode, 'ends'> {
    const pods = Object.keys(labels).length === 0 ? 'any pod' : `pods with ${labelText(labels)}`;
    const inBuild = this.inBuild(namespace);
    if (inBuild !== undefined) return { name: pods, namespace };
    if (namespace !== ELSEWHERE) return { name: `${pods} in ${namespace}`, namespace: undefined };
    const required = Object.entries(namespaceLabels).filter(([, value]) => value !== ELSEWHERE);
    const namespaces = `namespaces with ${labelText(Object.fromEntries(required))}`;
    return {
      name: `${pods} in ${required.length === 0 ? 'any namespace' : namespaces}`,
      namespace: undefined,
    };
  }

  /** Whether a known pod represents another one: no policy distinguishes them. */
  private represents(known: PodEndpoint, pod: PodEndpoint): boolean {
    if (pod.namespace !== known.namespace || known.usesHostNetwork === true) return false;
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

function labelText(labels: Labels): string {
  const texts = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return texts.sort().join(', ');
}
