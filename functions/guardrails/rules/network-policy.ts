import { checkPolicies } from '../network/check-policies';
import { lookupIn } from './references/lookup';
import type { Rule } from './rule';

export const NETWORK_POLICY = 'network-policy';

/** Required traffic is allowed, and all other traffic is denied. */
export const networkPolicy: Rule = {
  id: NETWORK_POLICY,
  summary:
    'Every pod is isolated, all required traffic is allowed, and no generated policy allows more than that',
  adds: 'a policy for each workload that allows the required traffic, and a default deny where the build has the Namespace',
  documentation: 'https://kubernetes.io/docs/concepts/services-networking/network-policies/',
  checkBuild: (resources, context) =>
    checkPolicies(resources, context.network, context.annotations, (name, namespace) =>
      lookupIn(resources, context).serviceMeant(name, namespace),
    ),
};
