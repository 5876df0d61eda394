import type { PlacedReport } from '../../findings/finding';
import type { Placed } from '../../krm/resource';
import type { Connection, ConnectionEnd, Topology, Workload } from '../connection';
import { ACME_SOLVER_LABELS, type ExternalPeers } from '../external-peers';
import { type IpAddress, type IpRange, representatives } from '../ip-range';
import { PodIndex } from '../pod-index';
import { type Policy, type PolicyRule, isNetworkPolicy, rangesOfBlock, readPolicy } from '../policy';
import { PolicySet } from '../policy-set';
import { RepresentativePods } from '../representative-pods';
import { RequiredTraffic, externalRanges, isInternet, rangesOf } from '../required-traffic';
import type { Endpoint, PodEndpoint } from '../traffic';
import { readTopology } from '../topology';

/** One question about the policies of a build. */
export type PolicyCheck = (build: CheckedBuild) => readonly PlacedReport[];

/** A build with everything that a check asks: its policies, the traffic that it requires, and the ends of that. */
export class CheckedBuild {
  readonly topology: Topology;
  readonly policies: PolicySet;
  readonly required: RequiredTraffic;
  /** What readers of policies report. */
  readonly invalid: PlacedReport[] = [];
  /** A pod of each workload. */
  readonly pods: ReadonlyMap<Workload, PodEndpoint>;
  readonly index: PodIndex;
  readonly representativePods: RepresentativePods;
  private readonly places = new Map<Policy, Placed>();
  private readonly addresses = new Map<string, readonly { readonly ip: IpAddress }[]>();
  private readonly externalRanges: readonly IpRange[];

  constructor(
    resources: readonly Placed[],
    readonly peers: ExternalPeers,
  ) {
    this.topology = readTopology(resources);
    this.required = new RequiredTraffic(this.topology.connections, peers);
    this.representativePods = new RepresentativePods(resources);
    for (const at of resources) {
      if (!isNetworkPolicy(at.resource)) continue;
      const { policy, problems } = readPolicy(at.resource);
      this.places.set(policy, at);
      this.invalid.push(...problems.map((report) => ({ at, report })));
    }
    this.policies = new PolicySet([...this.places.keys()]);
    this.pods = new Map(
      this.topology.workloads.map((workload) => [workload, this.representativePods.ofWorkload(workload)]),
    );
    this.index = new PodIndex([...this.pods.values()]);
    this.externalRanges = externalRanges(peers);
  }

  placeOf(policy: Policy): Placed {
    return this.places.get(policy) ?? { resource: policy.resource, path: [] };
  }

  /** One external address for every set of them that the configuration and some other ranges distinguish. */
  externalAddresses(ranges: readonly IpRange[]): readonly { readonly ip: IpAddress }[] {
    const key = ranges.map(({ version, first, length }) => `${version} ${first}/${length}`).join();
    const known = this.addresses.get(key);
    if (known !== undefined) return known;
    const found = representatives([...this.externalRanges, ...ranges]).map((ip) => ({ ip }));
    this.addresses.set(key, found);
    return found;
  }

  /** Endpoints for one end of a connection: one for every set of them that policies can distinguish. */
  endpointsOf(end: ConnectionEnd, { from }: Connection): readonly Endpoint[] {
    const { representativePods, peers } = this;
    switch (end.is) {
      case 'workload':
        return [this.pods.get(end.workload) ?? representativePods.ofWorkload(end.workload)];
      case 'ingress-controller':
        return [representativePods.ofExternalPeer(peers.ingressController)];
      case 'gateway':
        return [representativePods.ofExternalPeer(peers.gateways)];
      case 'acme-solver':
        return [representativePods.withLabels(end.namespace, ACME_SOLVER_LABELS)];
      case 'dns': {
        const addresses = representatives(rangesOf(peers.dns.addresses));
        const ofDns = addresses.filter((ip) => this.required.isDns(ip)).map((ip) => ({ ip }));
        return [representativePods.ofExternalPeer(peers.dns), ...ofDns];
      }
      case 'internet': {
        const client = from.is === 'workload' ? this.pods.get(from.workload) : undefined;
        const policies = client === undefined ? [] : this.policies.isolating(client, 'egress');
        const ranges = policies.flatMap(({ egress = [] }) => egress).flatMap(rangesOfRule);
        return this.externalAddresses(ranges).filter(({ ip }) => isInternet(ip));
      }
    }
  }
}

export function rangesOfRule({ peers = [] }: PolicyRule): IpRange[] {
  return peers.flatMap((peer) => ('ipBlock' in peer ? rangesOfBlock(peer.ipBlock) : []));
}
