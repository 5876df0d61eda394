import { checkPolicies } from '../network/check-policies';
import type { Rule } from './rule';

export const NETWORK_POLICY = 'network-policy';

/** Who needs to talk to whom can, and nobody else. */
export const networkPolicy: Rule = {
  id: NETWORK_POLICY,
  summary:
    'Every pod is isolated, every connection that is needed is allowed, and no generated policy allows more',
  why: 'https://kubernetes.io/docs/concepts/services-networking/network-policies/',
  checkBuild: (resources, { network }) => checkPolicies(resources, network),
};
