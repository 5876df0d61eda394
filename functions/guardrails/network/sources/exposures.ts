import { resourceRef } from '../../krm/resource';
import { type Message, message, words } from '../../message';
import { objectAt, objectsIn } from '../../yaml/yaml';
import type { Exposure, Port, Workload } from '../connection';
import { isLabels, stringsIn } from '../selector';
import { allPodPorts, containerPortsIn, isService } from '../services';
import type { Source, TopologyBuilder } from '../topology-builder';

/** A Service is open to external traffic by its type, unless an Ingress or a route leads to it. */
export const readServiceExposures: Source = (at, topology) => {
  const { resource } = at;
  const spec = objectAt(resource, 'spec');
  const { type, selector } = spec;
  const { namespace = '' } = resourceRef(resource);
  if (!isService(resource) || topology.routed.has(resource)) return;
  if (type !== 'LoadBalancer' && type !== 'NodePort') return;
  const cause = words(`is of type ${type}`);
  for (const workload of topology.selectedBy(isLabels(selector) ? stringsIn(selector) : {}, namespace)) {
    const ports = allPodPorts(spec, workload);
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

/** What answers a need of clients that are not known, with entries of accepts-from for the first of some ports. */
export function clientsAnswer([first]: readonly Port[], { annotations }: TopologyBuilder): Message {
  const port = first?.port ?? 'PORT';
  return message`name its clients in ${words(annotations.acceptsFrom)}, such as NAMESPACE/app=client:${port} or 10.0.0.0/8:${port}, or none`;
}

/** External clients are not known, unless the workload declares them. */
function addExposure(exposure: Omit<Exposure, 'isDeclared'>, topology: TopologyBuilder): void {
  const { at, cause, workload, ports } = exposure;
  const isDeclared = topology.declaresClients(workload, ports);
  topology.exposures.push({ ...exposure, isDeclared });
  if (isDeclared) return;
  const { name } = resourceRef(at.resource);
  topology.addNeed({
    workload,
    direction: 'ingress',
    evidence: at === workload ? cause : message`Service/${name} ${cause}`,
    field: ['spec'],
    answer: clientsAnswer(ports, topology),
    ports,
  });
}
