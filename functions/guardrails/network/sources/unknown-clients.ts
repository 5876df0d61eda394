import { resourceRef } from '../../krm/resource';
import { message, words } from '../../message';
import { objectAt } from '../../yaml/yaml';
import { isLabels, stringsIn } from '../selector';
import { allPodPorts, isService } from '../services';
import type { Source } from '../topology-builder';

/**
 * A Service that has clients may have more: any workload that reads content which the function does not have. One without
 * clients is a need already.
 */
export const readUnknownClients: Source = ({ resource }, topology) => {
  const spec = objectAt(resource, 'spec');
  const { name, namespace = '' } = resourceRef(resource);
  if (!isService(resource) || spec.type === 'ExternalName') return;
  if (topology.unknownContent.size === 0 || !isLabels(spec.selector)) return;
  for (const workload of topology.selectedBy(stringsIn(spec.selector), namespace)) {
    const ports = allPodPorts(spec, workload);
    const isAnswered =
      topology.routed.has(resource) ||
      topology.hasClients(workload, ports) ||
      topology.declaresClients(workload, ports);
    const [, hidden] = [...topology.unknownContent].find(([reader]) => reader !== workload) ?? [];
    if (hidden === undefined || !isAnswered) continue;
    topology.addNeed({
      workload,
      direction: 'ingress',
      evidence: message`${hidden}, whose content is not in the input, may name Service/${name}`,
      field: ['spec'],
      answer: words('run `guardrails fix` on the directory, which has the file'),
      ports,
      isUnknownContent: true,
    });
  }
};
