import { annotationsOf, resourceRef } from '../../krm/resource';
import { message, words } from '../../message';
import { type Source } from '../topology-builder';
import { entriesOf } from './annotation-list';
import { serviceReferences } from './service-name';

const CONNECTS_TO = 'todo.example.com/connects-to';

/** A workload connects to the Services in its annotation: `backend:80, db.data:5432`. */
export const readConnectsTo: Source = (at, topology) => {
  const { resource } = at;
  const workload = topology.workloadOf(resource);
  if (workload === undefined) return;
  const { namespace: home = '' } = resourceRef(resource);
  const origin = {
    at,
    field: ['metadata', 'annotations', CONNECTS_TO],
    part: words(`annotation ${CONNECTS_TO}`),
  };
  for (const entry of entriesOf(annotationsOf(resource)[CONNECTS_TO])) {
    const [, host, port = ''] = /^([a-z0-9.-]+):(\d+|[a-z0-9-]+)$/.exec(entry) ?? [];
    const quoted = JSON.stringify(entry);
    if (host === undefined) {
      const problem = message`has the invalid entry ${quoted}: it must be name:port`;
      topology.report(origin, problem, 'write a Service and its port, such as backend:80');
      continue;
    }
    const references = serviceReferences(host, /^\d+$/.test(port) ? Number(port) : port, home);
    const reference =
      references.find((one) => topology.service(one) !== undefined) ??
      references.find(({ isOfPod }) => isOfPod === undefined);
    if (reference !== undefined) topology.connectToService({ is: 'workload', workload }, reference, origin);
    else
      topology.report(
        origin,
        message`has the invalid entry ${quoted}: the name is not that of a Service`,
        'use the name of a Service in the cluster',
      );
  }
};
