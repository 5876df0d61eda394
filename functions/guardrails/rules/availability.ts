import { checkBudgets } from './availability/budgets';
import { checkReplicas } from './availability/replicas';
import { Scales } from './availability/scales';
import type { Rule } from './rule';

/** Nodes can be drained, and that stops no Service. */
export const availability: Rule = {
  id: 'availability',
  summary:
    'A warning for a PodDisruptionBudget that never allows an eviction; and, outside of environments for development, for a Deployment with one replica behind a Service, unless its pods cannot have a second one beside them',
  documentation: 'https://kubernetes.io/docs/concepts/workloads/pods/disruptions/',
  judgesParts: true,
  checkBuild: (resources, context) => {
    const scales = new Scales(resources);
    return [...checkBudgets(resources, scales), ...checkReplicas(resources, scales, context)];
  },
};
