import { checkPolicies } from '../network/check-policies';
import type { Rule } from './rule';

export const NETWORK_POLICY = 'network-policy';

/** Required traffic is allowed, and all other traffic is denied. */
export const networkPolicy: Rule = {
  id: NETWORK_POLICY,
  summary:
    'Every pod is isolated, all required traffic is allowed, and no generated policy allows more than that',
  adds: 'default deny, and policies that allow the required traffic',
  documentation: 'https://kubernetes.io/docs/concepts/services-networking/network-policies/',
  checkBuild: (resources, { network, annotations }) => checkPolicies(resources, network, annotations),
};
