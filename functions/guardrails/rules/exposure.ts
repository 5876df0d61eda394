import { checkGateways } from './exposure/gateways';
import { checkIngresses } from './exposure/ingresses';
import { checkRoutes } from './exposure/routes';
import { checkServices } from './exposure/services';
import type { Rule } from './rule';

/** What is open to other networks is so on purpose, and encrypted. */
export const exposure: Rule = {
  id: 'exposure',
  summary:
    'A warning for a Service that a load balancer, a NodePort or `externalIPs` open to clients that nothing names, where `network-policy` does not report it; and for a public host that an Ingress, a Route or a Gateway serves without TLS',
  documentation: 'https://kubernetes.io/docs/concepts/services-networking/ingress/#tls',
  judgesParts: true,
  checkBuild: (resources, context) => [
    ...checkServices(resources, context),
    ...checkIngresses(resources),
    ...checkRoutes(resources),
    ...checkGateways(resources),
  ],
};
