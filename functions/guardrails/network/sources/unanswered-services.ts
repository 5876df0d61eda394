import { resourceRef } from '../../krm/resource';
import { message, words } from '../../message';
import { objectAt, objectsIn, textOf } from '../../yaml/yaml';
import type { Port, Workload } from '../connection';
import { isLabels, stringsIn } from '../selector';
import { isService, podPorts, portReference, targetPorts } from '../services';
import type { Source, TopologyBuilder } from '../topology-builder';
import { clientsAnswer } from './exposures';

/** A Service to which nothing in the build leads has clients elsewhere, or none. */
export const readUnansweredServices: Source = ({ resource }, topology) => {
  const spec = objectAt(resource, 'spec');
  const { name, namespace = '' } = resourceRef(resource);
  if (!isService(resource) || topology.routed.has(resource)) return;
  // `exposures.ts` reads those that are open to external traffic.
  const isInternal = spec.type !== 'ExternalName' && spec.type !== 'LoadBalancer' && spec.type !== 'NodePort';
  if (!isInternal || !isLabels(spec.selector)) return;
  for (const workload of topology.selectedBy(stringsIn(spec.selector), namespace)) {
    const all = objectsIn(spec.ports).flatMap(({ port, name: own }) =>
      targetPorts(spec, portReference(port), false)
        .flatMap((target) => podPorts(target, workload))
        .map((one) => ({
          ...one,
          isForMetrics: isForMetrics(one, [name, textOf(own ?? '')], workload, topology),
        })),
    );
    // `monitoring.ts` reads those that have ports for metrics alone.
    const ports = all.filter((one) => !one.isForMetrics);
    if (all.length > 0 && ports.length === 0) continue;
    if (topology.hasClients(workload, ports) || topology.declaresClients(workload, ports)) continue;
    const [hidden] = topology.unknownContent.values();
    const unknown = hidden === undefined ? words('') : message`, where the content of ${hidden} is not known`;
    topology.addNeed({
      workload,
      direction: 'ingress',
      evidence: message`Service/${name} has no client in this build${unknown}`,
      field: ['spec'],
      answer: clientsAnswer(ports, topology),
      ports,
      ...(topology.unknownContent.size > 0 ? { isUnknownContent: true } : {}),
    });
  }
};

/** In names of ports and Services that serve nothing but metrics. */
const METRICS = /metric|prom|stat|telemetr|monitor|exporter/i;

/** Whether metrics are collected at a port, and a name says that it is for them alone. */
function isForMetrics(
  { port }: Port,
  names: readonly string[],
  workload: Workload,
  topology: TopologyBuilder,
): boolean {
  if (topology.scraped.get(workload)?.has(port) !== true) return false;
  const ofPods = workload.ports.filter((one) => one.port === port).map(({ name = '' }) => name);
  return [...names, ...ofPods].some((name) => METRICS.test(name));
}
