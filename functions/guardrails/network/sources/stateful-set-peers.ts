import { resourceRef } from '../../krm/resource';
import { message } from '../../message';
import { type YamlObject, objectAt } from '../../yaml/yaml';
import type { Workload } from '../connection';
import { isLabels, stringsIn } from '../selector';
import { isHeadless, isService, podPorts, targetPorts } from '../services';
import type { Source, TopologyBuilder } from '../topology-builder';

/**
 * The pods of a StatefulSet connect to each other through the headless Service that it names, which gives each of them a
 * host name.
 */
export const readStatefulSetPeers: Source<Workload> = (workload, topology) => {
  const { kind, name, namespace } = workload;
  const serviceName = serviceNameOf(workload);
  if (kind !== 'StatefulSet' || serviceName === undefined) return;
  const service = topology.service({ name: serviceName, namespace, port: undefined });
  if (service === undefined || !membersOf(service, namespace, topology).includes(workload)) return;
  const ports = targetPorts(objectAt(service, 'spec'), undefined, true);
  const end = { is: 'workload', workload } as const;
  const reason = message`${kind}/${name} serviceName requires it`;
  const cause = message`${kind}/${name} serviceName -> Service/${serviceName}`;
  topology.connect(
    end,
    end,
    ports.flatMap((port) => podPorts(port, workload)),
    reason,
    cause,
  );
};

/** A headless Service whose StatefulSet does not name it may connect the pods too. */
export const readUnnamedHeadlessService: Source = ({ resource }, topology) => {
  if (!isService(resource)) return;
  const { name, namespace = '' } = resourceRef(resource);
  for (const at of membersOf(resource, namespace, topology)) {
    const isKnown = topology.clusters.has(at) || serviceNameOf(at) !== undefined;
    if (at.kind !== 'StatefulSet' || at.usesHostNetwork || isKnown) continue;
    const problem = message`has no serviceName, so connections between its pods through the headless Service/${name} are not allowed`;
    const remedy = 'set spec.serviceName to the name of the Service, if the pods connect to each other';
    topology.report({ at, field: ['spec'] }, problem, remedy, 'warning');
  }
};

/** The workloads that a headless Service selects; none for other Services. */
function membersOf(service: YamlObject, namespace: string, topology: TopologyBuilder): readonly Workload[] {
  const spec = objectAt(service, 'spec');
  if (!isHeadless(spec) || !isLabels(spec.selector)) return [];
  return topology.selectedBy(stringsIn(spec.selector), namespace);
}

function serviceNameOf({ resource }: Workload): string | undefined {
  const { serviceName } = objectAt(resource, 'spec');
  return typeof serviceName === 'string' && serviceName !== '' ? serviceName : undefined;
}
