import { words } from '../../message';
import type { Workload } from '../connection';
import type { Source } from '../topology-builder';

/** Every client resolves names. */
export const readDns: Source<Workload> = (workload, topology) => {
  if (!topology.clients.has(workload)) return;
  const ports = (['UDP', 'TCP'] as const).map((protocol) => ({ protocol, port: 53 }));
  const reason = words('every client must resolve names');
  topology.connect({ is: 'workload', workload }, { is: 'dns' }, ports, reason, words('DNS'));
};
