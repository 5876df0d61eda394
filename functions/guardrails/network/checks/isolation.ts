import { words } from '../../message';
import { DIRECTIONS } from '../policy';
import type { PolicyCheck } from './checked-build';

/** Pods that no policy isolates. */
export const isolation: PolicyCheck = ({ topology, pods, policies }) =>
  topology.workloads.flatMap((workload) => {
    const pod = pods.ofWorkload(workload);
    const open = DIRECTIONS.filter((direction) => policies.isolating(pod, direction).length === 0);
    if (open.length === 0) return [];
    const problem = words(`has pods that no NetworkPolicy isolates for ${open.join(' and ')}`);
    const report = { problem, remedy: words('add a default-deny policy'), field: ['spec'] };
    return [{ at: workload, report }];
  });
