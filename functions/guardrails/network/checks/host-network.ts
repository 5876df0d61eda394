import type { PlacedReport } from '../../findings/finding';
import { words } from '../../message';
import type { Workload } from '../connection';
import type { PolicyCheck } from './checked-build';

/** Pods in the network of the node, to which no policy applies. */
export const hostNetwork: PolicyCheck = ({ topology }) =>
  topology.workloads.filter(({ usesHostNetwork }) => usesHostNetwork).map(infoOf);

function infoOf(at: Workload): PlacedReport {
  const problem = words('has pods with hostNetwork, to which NetworkPolicies do not apply');
  const remedy = words('remove hostNetwork, or restrict the traffic at the nodes');
  return { at, report: { problem, remedy, field: [...at.pod.path, 'hostNetwork'], severity: 'info' } };
}
