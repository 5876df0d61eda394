import { words } from '../../message';
import type { Workload } from '../connection';
import { DIRECTIONS } from '../policy';
import { hasLabels } from '../selector';
import type { PolicyCheck } from './checked-build';

/** Pods that no policy isolates. */
export const isolation: PolicyCheck = ({ topology, pods, policies }) =>
  topology.workloads.flatMap((workload) => {
    if (workload.usesHostNetwork) return [];
    const pod = pods.ofWorkload(workload);
    const open = DIRECTIONS.filter((direction) => policies.isolating(pod, direction).length === 0);
    if (open.length === 0) return [];
    const problem = words(`has pods that no NetworkPolicy isolates for ${open.join(' and ')}`);
    return [{ at: workload, report: { problem, remedy: words(remedyFor(workload)), field: ['spec'] } }];
  });

function remedyFor({ selector, labels }: Workload): string {
  if (Object.keys(selector).length === 0)
    return 'add a label of its own to the pod template, so that a NetworkPolicy can select the pods';
  return hasLabels(labels, selector)
    ? 'add a NetworkPolicy that selects them; in a package, `guardrails fix` writes one'
    : 'make spec.selector match the labels of the pod template, as the API server requires';
}
