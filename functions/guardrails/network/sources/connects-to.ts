import { message } from '../../message';
import type { Workload } from '../connection';
import type { DeclaredHost } from '../declarations';
import { readHost } from '../hosts';
import { serviceReferences } from '../services';
import type { Origin, Source, TopologyBuilder } from '../topology-builder';
import { annotationOrigin } from './annotation';

/** A workload connects to the Services, hosts and addresses in its annotation: `backend:80, db.data:5432, 10.0.0.5:5432`. */
export const readConnectsTo: Source<Workload> = (workload, topology) => {
  const origin = annotationOrigin(workload, topology.annotations.connectsTo, topology);
  for (const declared of topology.declarationsOf(workload).connectsTo ?? []) {
    const references = serviceReferences(declared.host, declared.port, workload.namespace);
    const reference = references.find((one) => topology.service(one) !== undefined);
    if (declared.range === undefined && reference !== undefined)
      topology.connectToService({ is: 'workload', workload }, reference, origin);
    else connectOutside(workload, declared, origin, topology);
  }
};

/** Connects to what is not in the build: addresses, the namespace of a Service, or the internet for a public name. */
function connectOutside(
  workload: Workload,
  { text, host, range, port, protocol }: DeclaredHost,
  origin: Origin & { readonly part: NonNullable<Origin['part']> },
  topology: TopologyBuilder,
): void {
  const invalid = message`has the invalid entry ${JSON.stringify(text)}`;
  if (typeof port === 'string') {
    const problem = message`${invalid}: the build has no Service/${host}, so its port ${port} is not known`;
    topology.report(origin, problem, 'write the number of the port of its pods');
    return;
  }
  const from = { is: 'workload', workload } as const;
  const ports = [{ protocol, port }];
  const reason = message`${origin.part} requires it`;
  const cause = message`${origin.part} ${text}`;
  const name = message`${host}`;
  if (range !== undefined) {
    topology.connect(from, { is: 'addresses', ranges: [range], name }, ports, reason, cause);
    return;
  }
  const read = readHost(host);
  if (read?.is === 'service') {
    const pods = { namespace: read.namespace, podLabels: {} };
    topology.connect(from, { is: 'pods', pods, name }, ports, reason, cause);
  } else if (read?.is === 'internet') topology.connect(from, { is: 'internet' }, ports, reason, cause);
  else if (read?.is === 'private') {
    const problem = message`${invalid}: ${host} is not a public name, and its addresses are not known`;
    topology.report(origin, problem, 'write its addresses, such as 10.0.0.0/8:5432');
  } else if (read?.is === 'local') {
    const problem = message`${invalid}: the build has no Service/${host}`;
    topology.report(
      origin,
      problem,
      'write the name of a Service, or its name and namespace for one of another package',
    );
  } else
    topology.report(origin, message`${invalid}: ${host} is not the name of another host`, 'remove the entry');
}
