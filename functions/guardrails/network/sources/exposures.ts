import { groupOf, resourceRef } from '../../krm/resource';
import { words } from '../../message';
import { objectAt, objectsIn } from '../../yaml/yaml';
import type { Workload } from '../connection';
import { isLabels, stringsIn } from '../selector';
import { containerPortsIn, podPorts, targetPorts } from '../services';
import type { Source } from '../topology-builder';

/** A Service is open to external traffic by its type, unless an Ingress or a route leads to it. */
export const readServiceExposures: Source = (at, topology) => {
  const { resource } = at;
  const spec = objectAt(resource, 'spec');
  const { type, selector } = spec;
  const { kind, namespace = '' } = resourceRef(resource);
  if (kind !== 'Service' || groupOf(resource) !== '' || topology.routed.has(resource)) return;
  if (type !== 'LoadBalancer' && type !== 'NodePort') return;
  const cause = words(`is of type ${type}`);
  for (const workload of topology.selectedBy(isLabels(selector) ? stringsIn(selector) : {}, namespace)) {
    const ports = targetPorts(spec, undefined, false).flatMap((port) => podPorts(port, workload));
    topology.exposures.push({ at, cause, field: ['spec', 'type'], workload, ports });
  }
};

/** A container is open to external traffic on the ports of its node. */
export const readHostPorts: Source<Workload> = (workload, topology) => {
  const ports = workload.pod.containers
    .flatMap(({ value }) => objectsIn(value.ports))
    .filter(({ hostPort }) => typeof hostPort === 'number');
  if (ports.length === 0) return;
  const cause = words('has a hostPort');
  const exposed = containerPortsIn({ ports });
  topology.exposures.push({ at: workload, cause, field: ['spec'], workload, ports: exposed });
};
