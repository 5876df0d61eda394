import { isRunning, podSpecOf } from '../kubernetes/workload';
import { checkHandlers } from './probes/handlers';
import { checkReadiness } from './probes/readiness';
import type { Rule } from './rule';

/** Probes reach a port of their container, and a container that a Service sends traffic to says when it is ready. */
export const probes: Rule = {
  id: 'probes',
  summary:
    'Every probe and lifecycle hook has one handler and names a port of its container; a warning for a container that a Service sends traffic to without a readiness probe',
  adds: 'with `spec.probes.add: true`, a `tcpSocket` readiness probe on the port that a Service sends traffic to',
  documentation:
    'https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/',
  check: (resource, context) => {
    const pod = podSpecOf(resource);
    if (pod === undefined) return [];
    return [
      ...pod.containers.filter(isRunning).flatMap(checkHandlers),
      ...checkReadiness(resource, pod, context),
    ];
  },
};
