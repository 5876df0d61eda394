import { readTopology } from '../network/topology';
import { isIngress, issuerWithoutTls, repeatedPaths } from './ingress-backend/ingresses';
import { missingBackends } from './ingress-backend/missing-backends';
import { lookupIn } from './references/lookup';
import type { Rule } from './rule';

/** What Ingresses and routes lead to is there. */
export const ingressBackend: Rule = {
  id: 'ingress-backend',
  summary:
    'The Services and ports that an Ingress, a route of the Gateway API or a Route of OpenShift names are in the build, and an Ingress with an issuer of cert-manager has `tls`; a warning for one host and path twice in a class',
  documentation: 'https://kubernetes.io/docs/concepts/services-networking/ingress/#resource-backend',
  checkBuild: (resources, context) => {
    const topology = readTopology(resources, context.annotations, context.network);
    const ingresses = resources.filter(({ resource }) => isIngress(resource));
    return [
      ...(topology.missingBackends.length === 0
        ? []
        : missingBackends(topology, lookupIn(resources, context))),
      ...ingresses.flatMap(issuerWithoutTls),
      ...repeatedPaths(ingresses),
    ];
  },
};
