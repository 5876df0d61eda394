import type { AnnotationNames } from '../kubernetes/annotation-names';
import type { Placed } from '../krm/resource';
import type { Topology, Workload } from './connection';
import type { ExternalPeers } from './external-peers';
import { readAcceptsFrom } from './sources/accepts-from';
import { readAcmeSolver } from './sources/acme-solver';
import { readApiServerClients } from './sources/api-server-clients';
import { readConnectsTo } from './sources/connects-to';
import { readDns } from './sources/dns';
import { readEnvAndFiles } from './sources/env-and-files';
import { readHostPorts, readServiceExposures } from './sources/exposures';
import { readGatewayRoute } from './sources/gateway-route';
import { readIngress } from './sources/ingress';
import { readInternetEgress } from './sources/internet-egress';
import { readMesh } from './sources/mesh';
import { readMonitoring } from './sources/monitoring';
import { readStatefulSetPeers, readUnnamedHeadlessService } from './sources/stateful-set-peers';
import { readWebhooks } from './sources/webhooks';
import { type Source, TopologyBuilder } from './topology-builder';

/** Sources that may run in any order. */
interface Pass {
  readonly ofResources?: readonly Source[];
  readonly ofWorkloads?: readonly Source<Workload>[];
  /** Those that compare resources with each other. */
  readonly ofBuild?: readonly Source<readonly Placed[]>[];
}

const PASSES: readonly Pass[] = [
  {
    ofResources: [readIngress, readGatewayRoute, readAcmeSolver, readWebhooks],
    ofWorkloads: [readEnvAndFiles, readConnectsTo, readInternetEgress, readAcceptsFrom, readStatefulSetPeers],
    ofBuild: [readApiServerClients, readMonitoring],
  },
  // These depend on the connections that the first pass adds.
  { ofResources: [readServiceExposures, readUnnamedHeadlessService], ofWorkloads: [readDns, readHostPorts] },
  // It depends on all connections.
  { ofBuild: [readMesh] },
];

/** Reads the traffic that the resources of a build require; Lists are expanded. */
export function readTopology(
  resources: readonly Placed[],
  annotations: AnnotationNames,
  peers?: ExternalPeers,
): Topology {
  const builder = new TopologyBuilder(resources, annotations, peers);
  for (const { ofResources = [], ofWorkloads = [], ofBuild = [] } of PASSES) {
    for (const at of resources) {
      const workload = builder.workloads.get(at.resource);
      for (const read of ofResources) read(at, builder);
      if (workload !== undefined) for (const read of ofWorkloads) read(workload, builder);
    }
    for (const read of ofBuild) read(resources, builder);
  }
  return builder.topology();
}
