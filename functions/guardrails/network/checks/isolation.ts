import { words } from '../../message';
import { DIRECTIONS } from '../policy';
import type { PolicyCheck } from './checked-build';

/** Pods that no policy isolates. */
export const isolation: PolicyCheck = ({ topology, pods, policies }) =>
  topology.workloads.flatMap((workload) => {
    if (workload.usesHostNetwork) return [];
    const pod = pods.ofWorkload(workload);
    const open = DIRECTIONS.filter((direction) => policies.isolating(pod, direction).length === 0);
    if (open.length === 0) return [];
    const problem = words(`has pods that no NetworkPolicy isolates for ${open.join(' and ')}`);
    const remedy = words(
      Object.keys(workload.selector).length === 0
        ? 'add a label to the pod template, so that a NetworkPolicy can select the pods'
        : 'add a NetworkPolicy that selects them; in a package, `guardrails fix` writes one',
    );
    const report = { problem, remedy, field: ['spec'] };
    return [{ at: workload, report }];
  });
