import { message } from '../../message';
import type { Workload } from '../connection';
import { serviceReferences } from '../services';
import type { Source } from '../topology-builder';
import { readAnnotation } from './annotation';

/** A workload connects to the Services in its annotation: `backend:80, db.data:5432`. */
export const readConnectsTo: Source<Workload> = (workload, topology) => {
  const { origin, entries } = readAnnotation(workload, topology.annotations.connectsTo);
  for (const entry of entries) {
    const [, host = '', port = ''] = /^([a-z0-9.-]+):(\d+|[a-z0-9-]+)$/.exec(entry) ?? [];
    const references = serviceReferences(host, /^\d+$/.test(port) ? Number(port) : port, workload.namespace);
    const reference =
      references.find((one) => topology.service(one) !== undefined) ??
      references.find(({ isOfPod }) => isOfPod === undefined);
    const invalid = message`has the invalid entry ${JSON.stringify(entry)}`;
    if (reference !== undefined) topology.connectToService({ is: 'workload', workload }, reference, origin);
    else if (host === '') {
      const remedy = 'write a Service and its port, such as backend:80';
      topology.report(origin, message`${invalid}: it must be name:port`, remedy);
    } else {
      const problem = message`${invalid}: the name is not that of a Service`;
      topology.report(origin, problem, 'use the name of a Service in the cluster');
    }
  }
};
