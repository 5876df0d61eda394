import { podSpecOf } from '../../kubernetes/workload';
import { groupOf, resourceRef } from '../../krm/resource';
import { words } from '../../message';
import { objectAt, objectsIn } from '../../yaml/yaml';
import { isLabels, labelsIn } from '../selector';
import { containerPortsIn, podPorts, targetPorts } from '../service-ports';
import type { Source } from '../topology-builder';

/** Services that are open to external traffic, unless an Ingress or a route leads to them, and ports of nodes. */
export const readExposures: Source = (at, topology) => {
  const { resource } = at;
  const spec = objectAt(resource, 'spec');
  const { type } = spec;
  const isService = resource.kind === 'Service' && groupOf(resource) === '';
  if (isService && (type === 'LoadBalancer' || type === 'NodePort') && !topology.routed.has(resource)) {
    const { namespace = '' } = resourceRef(resource);
    const selector = isLabels(spec.selector) ? labelsIn(spec.selector) : {};
    for (const workload of topology.selectedBy(selector, namespace)) {
      const ports = targetPorts(spec, undefined, false).flatMap((port) => podPorts(port, workload));
      topology.exposures.push({
        at,
        cause: words(`is of type ${type}`),
        field: ['spec', 'type'],
        workload,
        ports,
      });
    }
  }
  const workload = topology.workloadOf(resource);
  if (workload === undefined) return;
  const ports = (podSpecOf(resource)?.containers ?? [])
    .flatMap(({ value }) => objectsIn(value.ports))
    .filter(({ hostPort }) => typeof hostPort === 'number');
  if (ports.length === 0) return;
  const cause = words('has a hostPort');
  topology.exposures.push({ at, cause, field: ['spec'], workload, ports: containerPortsIn({ ports }) });
};
