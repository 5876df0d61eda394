import { groupOf, resourceRef } from '../../krm/resource';
import { words } from '../../message';
import type { PolicyCheck } from './checked-build';

/** API groups with policies of their own, which may decide before or after those of networking.k8s.io. */
const GROUPS = new Set([
  'policy.networking.k8s.io', // AdminNetworkPolicy, BaselineAdminNetworkPolicy, ClusterNetworkPolicy
  'crd.projectcalico.org', // Calico: NetworkPolicy, GlobalNetworkPolicy
  'projectcalico.org',
  'cilium.io', // CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy
  'crd.antrea.io', // Antrea: NetworkPolicy, ClusterNetworkPolicy
]);

/** Policies that this function does not read. */
export const otherApis: PolicyCheck = ({ resources }) =>
  resources
    .filter(
      ({ resource }) => GROUPS.has(groupOf(resource)) && resourceRef(resource).kind.endsWith('NetworkPolicy'),
    )
    .map((at) => ({
      at,
      report: {
        problem: words(
          'is not understood: it may open what is reported as closed, and close what is reported as open',
        ),
        remedy: words('check the traffic that it decides about yourself'),
        field: ['spec'],
        severity: 'info',
        counts: 'not understood',
      },
    }));
