import { words } from '../../message';
import type { Source } from '../topology-builder';

/** Every client resolves names. */
export const readDns: Source = ({ resource }, topology) => {
  const workload = topology.workloadOf(resource);
  if (workload === undefined || !topology.clients.has(workload)) return;
  const ports = (['UDP', 'TCP'] as const).map((protocol) => ({ protocol, port: 53 }));
  const reason = words('every client must resolve names');
  topology.connect({ is: 'workload', workload }, { is: 'dns' }, ports, reason);
};
