import type { AnnotationNames } from '../kubernetes/annotation-names';
import type { Placed } from '../krm/resource';
import type { Topology } from './connection';
import type { ExternalPeers } from './external-peers';
import { readAcceptsFrom } from './sources/accepts-from';
import { readAcmeSolver } from './sources/acme-solver';
import { readConnectsTo } from './sources/connects-to';
import { readDns } from './sources/dns';
import { readEnvAndFiles } from './sources/env-and-files';
import { readHostPorts, readServiceExposures } from './sources/exposures';
import { readGatewayRoute, readReferenceGrant } from './sources/gateway-route';
import { readIngress } from './sources/ingress';
import { readIngressClass } from './sources/ingress-class';
import { readInternetEgress } from './sources/internet-egress';
import { readOpenShiftRoute } from './sources/openshift-route';
import { readServedHosts } from './sources/served-hosts';
import { readStatefulSetPeers, readUnnamedHeadlessService } from './sources/stateful-set-peers';
import { reportUnsupportedRoute } from './sources/unsupported-routes';
import { TopologyBuilder } from './topology-builder';

const PASSES = [
  // The others depend on these, in whatever order the resources are.
  { ofResources: [readServedHosts, readIngressClass, readReferenceGrant], ofWorkloads: [] },
  {
    ofResources: [readIngress, readGatewayRoute, readOpenShiftRoute, reportUnsupportedRoute, readAcmeSolver],
    ofWorkloads: [readEnvAndFiles, readConnectsTo, readInternetEgress, readAcceptsFrom, readStatefulSetPeers],
  },
  // These depend on the connections that the pass before adds.
  { ofResources: [readServiceExposures, readUnnamedHeadlessService], ofWorkloads: [readDns, readHostPorts] },
];

/** Reads the traffic that the resources of a build require; Lists are expanded. */
export function readTopology(
  resources: readonly Placed[],
  annotations: AnnotationNames,
  peers?: ExternalPeers,
): Topology {
  const builder = new TopologyBuilder(resources, annotations, peers);
  for (const { ofResources, ofWorkloads } of PASSES)
    for (const at of resources) {
      const workload = builder.workloads.get(at.resource);
      for (const read of ofResources) read(at, builder);
      if (workload !== undefined) for (const read of ofWorkloads) read(workload, builder);
    }
  return builder.topology();
}
