import type { Report } from '../../findings/finding';
import { groupOf, resourceRef } from '../../krm/resource';
import type { Container, PodSpec } from '../../kubernetes/workload';
import { message, words } from '../../message';
import type { ServedPort } from '../../network/service-index';
import { type YamlObject, isAbsent } from '../../yaml/yaml';
import { isForMetrics } from '../metrics';
import type { RuleContext } from '../rule';

/** Pods that end, and templates that run nothing. */
const WITHOUT_READINESS = new Set(['Job', 'CronJob', 'ScaledJob', 'BroadcastJob', 'PodTemplate']);

/** One report for each container that a Service sends traffic to as soon as it runs. */
export function checkReadiness(
  resource: YamlObject,
  pod: PodSpec,
  { services, probes, patchesProbeOf = () => false }: RuleContext,
): Report[] {
  const { kind, name } = resourceRef(resource);
  // Knative adds a probe itself; a controller that is not known may do so.
  const isOther = pod.writable !== 'all' || groupOf(resource) === 'serving.knative.dev';
  if (WITHOUT_READINESS.has(kind) || isOther) return [];
  const first = new Map<Container, ServedPort>();
  for (const one of services.portsServedBy(resource, pod))
    if (needsReadiness(one) && !first.has(one.container)) first.set(one.container, one);
  return [...first.values()].map(({ container, service, target }) => {
    const field = [...container.path, 'readinessProbe'];
    const isFixed = probes.add && !patchesProbeOf(name);
    return {
      problem: message`${container.subject} has no readinessProbe, and Service/${service.name} sends traffic to its port ${target} before it is ready`,
      remedy: probes.add
        ? words('add a readinessProbe')
        : message`add a readinessProbe; with spec.probes.add: true, \`guardrails fix\` adds a tcpSocket probe on port ${target}`,
      field,
      container: container.name,
      severity: probes.add ? 'error' : 'warning',
      ...(isFixed ? { fixes: [{ path: [...field, 'tcpSocket', 'port'], value: target }] } : {}),
    };
  });
}

function needsReadiness(port: ServedPort): boolean {
  const { container, service, protocol } = port;
  if (protocol !== 'TCP' || !isAbsent(container.value.readinessProbe)) return false;
  return service.spec.publishNotReadyAddresses !== true && !isForMetrics(port);
}
