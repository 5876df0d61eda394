import { groupOf, resourceRef } from '../../krm/resource';
import { type Message, message, words } from '../../message';
import { objectAt, objectsIn } from '../../yaml/yaml';
import type { Exposure, Port, Workload } from '../connection';
import { isLabels, stringsIn } from '../selector';
import { containerPortsIn, podPorts, targetPorts } from '../services';
import type { Source, TopologyBuilder } from '../topology-builder';

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
    addExposure({ at, cause, field: ['spec', 'type'], workload, ports }, topology);
  }
};

/** A container is open to external traffic on the ports of its node. */
export const readHostPorts: Source<Workload> = (workload, topology) => {
  const ports = workload.pod.containers
    .flatMap(({ value }) => objectsIn(value.ports))
    .filter(({ hostPort }) => typeof hostPort === 'number' && hostPort !== 0);
  if (ports.length === 0) return;
  const cause = words('has a hostPort');
  const exposed = containerPortsIn({ ports });
  addExposure({ at: workload, cause, field: ['spec'], workload, ports: exposed }, topology);
};

/** Entries of accepts-from. */
export function exampleOfClients([first]: readonly Port[]): Message {
  const port = first?.port ?? 'PORT';
  return message`NAMESPACE/app=client:${port} or 10.0.0.0/8:${port}`;
}

/** External clients are not known, unless the workload declares them. */
function addExposure(exposure: Omit<Exposure, 'isDeclared'>, topology: TopologyBuilder): void {
  const { at, cause, workload, ports } = exposure;
  const isDeclared = topology.declaresClients(workload, ports);
  topology.exposures.push({ ...exposure, isDeclared });
  if (isDeclared) return;
  const { name } = resourceRef(at.resource);
  const key = words(topology.annotations.acceptsFrom);
  topology.addNeed({
    workload,
    direction: 'ingress',
    evidence: at === workload ? cause : message`Service/${name} ${cause}`,
    field: ['spec'],
    answer: message`name its clients in ${key}, such as ${exampleOfClients(ports)}, or none`,
    ports,
  });
}
