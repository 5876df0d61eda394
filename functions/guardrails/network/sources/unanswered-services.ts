import { groupOf, resourceRef } from '../../krm/resource';
import { message, words } from '../../message';
import { objectAt } from '../../yaml/yaml';
import { isLabels, stringsIn } from '../selector';
import { podPorts, targetPorts } from '../services';
import type { Source } from '../topology-builder';
import { exampleOfClients } from './exposures';

/** A Service to which nothing in the build leads has clients elsewhere, or none. */
export const readUnansweredServices: Source = ({ resource }, topology) => {
  const spec = objectAt(resource, 'spec');
  const { kind, name, namespace = '' } = resourceRef(resource);
  if (kind !== 'Service' || groupOf(resource) !== '' || topology.routed.has(resource)) return;
  // `exposures.ts` reads those that are open to external traffic.
  const isInternal = spec.type !== 'ExternalName' && spec.type !== 'LoadBalancer' && spec.type !== 'NodePort';
  if (!isInternal || !isLabels(spec.selector)) return;
  for (const workload of topology.selectedBy(stringsIn(spec.selector), namespace)) {
    const all = targetPorts(spec, undefined, false).flatMap((port) => podPorts(port, workload));
    const ports = all.filter((one) => topology.scraped.get(workload)?.has(one.port) !== true);
    // `monitoring.ts` reads those that have ports for metrics alone.
    if (all.length > 0 && ports.length === 0) continue;
    if (topology.hasClients(workload, ports) || topology.declaresClients(workload, ports)) continue;
    const [hidden] = topology.unknownContent.values();
    const unknown = hidden === undefined ? words('') : message`, where the content of ${hidden} is not known`;
    topology.addNeed({
      workload,
      direction: 'ingress',
      evidence: message`Service/${name} has no client in this build${unknown}`,
      field: ['spec'],
      answer: message`name its clients in ${words(topology.annotations.acceptsFrom)}, such as ${exampleOfClients(ports)}, or none`,
      ports,
      ...(topology.unknownContent.size > 0 ? { isUnknownContent: true } : {}),
    });
  }
};
