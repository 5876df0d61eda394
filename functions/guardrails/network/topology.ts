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
import { readGatewayRoute, readReferenceGrant } from './sources/gateway-route';
import { readHostNetwork } from './sources/host-network';
import { readIngress } from './sources/ingress';
import { readIngressClass } from './sources/ingress-class';
import { readInternetEgress } from './sources/internet-egress';
import { readMesh } from './sources/mesh';
import { readMonitoring } from './sources/monitoring';
import { readOpenShiftRoute } from './sources/openshift-route';
import { readServedHosts } from './sources/served-hosts';
import { readStatefulSetPeers, readUnnamedHeadlessService } from './sources/stateful-set-peers';
import { readUnansweredServices } from './sources/unanswered-services';
import { readUnknownClients } from './sources/unknown-clients';
import { readUnsupportedRoute } from './sources/unsupported-routes';
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
  // The others depend on these, in whatever order the resources are.
  { ofResources: [readServedHosts, readIngressClass, readReferenceGrant] },
  {
    ofResources: [
      readIngress,
      readGatewayRoute,
      readOpenShiftRoute,
      readUnsupportedRoute,
      readAcmeSolver,
      readWebhooks,
    ],
    ofWorkloads: [readEnvAndFiles, readConnectsTo, readInternetEgress, readAcceptsFrom, readStatefulSetPeers],
    ofBuild: [readApiServerClients, readMonitoring],
  },
  // These depend on all connections.
  {
    ofResources: [
      readServiceExposures,
      readUnansweredServices,
      readUnknownClients,
      readUnnamedHeadlessService,
    ],
    ofWorkloads: [readDns, readHostPorts],
    ofBuild: [readHostNetwork, readMesh],
  },
];

interface KnownTopology {
  readonly annotations: AnnotationNames;
  readonly peers: ExternalPeers | undefined;
  readonly topology: Topology;
}

/** Several rules ask for the topology of a build. */
const KNOWN = new WeakMap<readonly Placed[], KnownTopology>();

/** Reads the traffic that the resources of a build require; Lists are expanded. */
export function readTopology(
  resources: readonly Placed[],
  annotations: AnnotationNames,
  peers?: ExternalPeers,
): Topology {
  const known = KNOWN.get(resources);
  if (known?.annotations === annotations && known.peers === peers) return known.topology;
  const topology = buildTopology(resources, annotations, peers);
  KNOWN.set(resources, { annotations, peers, topology });
  return topology;
}

function buildTopology(
  resources: readonly Placed[],
  annotations: AnnotationNames,
  peers: ExternalPeers | undefined,
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
