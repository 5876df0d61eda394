import { checkPolicies } from '../network/check-policies';
import type { Rule } from './rule';

export const NETWORK_POLICY = 'network-policy';

/** Required traffic is allowed, and all other traffic is denied. */
export const networkPolicy: Rule = {
  id: NETWORK_POLICY,
  summary:
    'Every pod is isolated, all required traffic is allowed, and no generated policy allows more than that',
  adds: 'a policy for each workload that allows the required traffic, and a default deny where the build has the Namespace',
  documentation: 'https://kubernetes.io/docs/concepts/services-networking/network-policies/',
  checkBuild: (resources, { network, annotations }) => checkPolicies(resources, network, annotations),
};
