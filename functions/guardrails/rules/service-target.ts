import type { ServiceUse } from '../network/connection';
import { isService } from '../network/services';
import { readTopology } from '../network/topology';
import type { YamlObject } from '../yaml/yaml';
import { words } from '../message';
import { lookupIn } from './references/lookup';
import type { Rule } from './rule';
import { emptySelector, selectorOf } from './service-target/selectors';
import { checkService } from './service-target/services';

/** What selects pods by labels selects some, and a Service leads to ports that they have. */
export const serviceTarget: Rule = {
  id: 'service-target',
  summary:
    'A `targetPort` that is a name is a port of the pods that the Service selects, and no selector nearly matches the pods of a workload; a warning for a selector that selects nothing',
  documentation: 'https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/',
  checkBuild: (resources, context) => {
    const topology = readTopology(resources, context.annotations, context.network);
    const build = { resources, topology, lookup: lookupIn(resources, context) };
    const uses = new Map<YamlObject, ServiceUse[]>();
    for (const use of topology.uses) {
      const list = uses.get(use.service) ?? [];
      uses.set(use.service, list);
      list.push(use);
    }
    return resources.flatMap((at) => {
      if (isService(at.resource)) return checkService(at, uses.get(at.resource) ?? [], build);
      const selector = selectorOf(at, context.annotations);
      return (selector && emptySelector(selector, build, words(''))?.report) ?? [];
    });
  },
};
