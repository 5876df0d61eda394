import { message } from '../../message';
import type { ConnectionEnd, Workload } from '../connection';
import type { Source } from '../topology-builder';
import { annotationOrigin } from './annotation';

/** A workload accepts connections of the clients in its annotation: `monitoring/app=prometheus:9090, 10.0.0.0/8:8080`. */
export const readAcceptsFrom: Source<Workload> = (workload, topology) => {
  const { part } = annotationOrigin(workload, topology.annotations.acceptsFrom, topology);
  const { acceptsFrom = [] } = topology.declarationsOf(workload);
  for (const { text, from, port } of acceptsFrom) {
    const name = message`the clients ${text}`;
    const client: ConnectionEnd =
      'namespace' in from ? { is: 'pods', pods: from, name } : { is: 'addresses', ranges: [from], name };
    const reason = message`${part} requires it`;
    topology.connect(client, { is: 'workload', workload }, [port], reason, message`${part} ${text}`);
  }
};
