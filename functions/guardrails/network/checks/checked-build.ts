import type { PlacedReport } from '../../findings/finding';
import type { AnnotationNames } from '../../kubernetes/annotation-names';
import type { Placed } from '../../krm/resource';
import type { Connection, ConnectionEnd, Topology } from '../connection';
import { type ExternalPeers, podsAt } from '../external-peers';
import { isGenerated } from '../generate';
import { HeldBack } from '../held-back';
import { type IpRange, representatives } from '../ip-range';
import { type Policy, type PolicyRule, isNetworkPolicy, rangesOfBlock, readPolicy } from '../policy';
import { PolicySet } from '../policy-set';
import { PodIndex, RepresentativePods } from '../pods';
import { RequiredTraffic, externalRanges, isInternet, rangesOf } from '../required-traffic';
import { readTopology } from '../topology';
import type { AddressEndpoint, Endpoint } from '../traffic';

/** Checks one property of the policies of a build. */
export type PolicyCheck = (build: CheckedBuild) => readonly PlacedReport[];

export type ServiceMeant = (name: string, namespace: string) => string | undefined;

/** A build with what the checks need: its policies, the traffic that it requires, and the ends of that traffic. */
export class CheckedBuild {
  readonly topology: Topology;
  readonly policies: PolicySet;
  readonly required: RequiredTraffic;
  readonly heldBack: HeldBack;
  /** What the API server refuses in the policies, and rules without effect. */
  readonly invalid: PlacedReport[] = [];
  readonly pods: RepresentativePods;
  readonly index: PodIndex;
  private readonly places = new Map<Policy, Placed>();
  private readonly addresses = new Map<string, readonly AddressEndpoint[]>();
  private readonly externalRanges: readonly IpRange[];
  private readonly dnsAddresses: readonly AddressEndpoint[];

  constructor(
    readonly resources: readonly Placed[],
    readonly peers: ExternalPeers,
    readonly annotations: AnnotationNames,
    /** The Service of the build that a name which it does not have most likely means; undefined: none. */
    readonly serviceMeant: ServiceMeant = () => undefined,
  ) {
    this.topology = readTopology(resources, annotations, peers);
    this.required = new RequiredTraffic(this.topology.connections, peers);
    this.pods = new RepresentativePods(resources);
    this.index = new PodIndex(this.topology.workloads.map((workload) => this.pods.ofWorkload(workload)));
    for (const at of resources) {
      if (!isNetworkPolicy(at.resource)) continue;
      const { policy, problems } = readPolicy(at.resource);
      this.places.set(policy, at);
      this.invalid.push(...problems.map((report) => ({ at, report })));
    }
    this.policies = new PolicySet([...this.places.keys()]);
    const handWritten = [...this.places.keys()].filter(({ resource }) => !isGenerated(resource, annotations));
    this.heldBack = new HeldBack(this.topology, new PolicySet(handWritten));
    this.externalRanges = externalRanges(peers);
    this.dnsAddresses = representatives(rangesOf(peers.dns.addresses))
      .filter((ip) => this.required.isDns(ip))
      .map((ip) => ({ ip }));
  }

  placeOf(policy: Policy): Placed {
    return this.places.get(policy) ?? { resource: policy.resource, path: [] };
  }

  /** One external address for every set of them that the configuration and some other ranges distinguish. */
  externalAddresses(ranges: readonly IpRange[]): readonly AddressEndpoint[] {
    const key = ranges.map(({ version, first, length }) => `${version} ${first}/${length}`).join();
    const all = [...this.externalRanges, ...ranges];
    const addresses = this.addresses.get(key) ?? representatives(all).map((ip) => ({ ip }));
    this.addresses.set(key, addresses);
    return addresses;
  }

  /** Endpoints for one end of a connection: one for every set of them that policies can distinguish. */
  endpointsOf(end: ConnectionEnd, { from }: Connection): readonly Endpoint[] {
    if (end.is === 'workload') return [this.pods.ofWorkload(end.workload)];
    if (end.is === 'addresses')
      return end.ranges.flatMap((one) => representatives([one])[0] ?? []).map((ip) => ({ ip }));
    const pods = podsAt(end, this.peers);
    if (pods !== undefined) {
      return [this.pods.withLabels(pods), ...(end.is === 'dns' ? this.dnsAddresses : [])];
    }
    const policies =
      from.is === 'workload' ? this.policies.isolating(this.pods.ofWorkload(from.workload), 'egress') : [];
    const ranges = policies.flatMap(({ egress = [] }) => egress).flatMap(rangesOfRule);
    return this.externalAddresses(ranges).filter(({ ip }) => isInternet(ip));
  }
}

export function rangesOfRule({ peers = [] }: PolicyRule): IpRange[] {
  return peers.flatMap((peer) => ('ipBlock' in peer ? rangesOfBlock(peer.ipBlock) : []));
}
