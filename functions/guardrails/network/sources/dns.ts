import { words } from '../../message';
import type { Source } from '../topology-builder';

/** Every client resolves names. */
export const readDns: Source = ({ resource }, topology) => {
  const workload = topology.workloadOf(resource);
  if (workload === undefined || !topology.isClient(workload)) return;
  topology.connect(
    { is: 'workload', workload },
    { is: 'dns' },
    [
      { protocol: 'UDP', port: 53 },
      { protocol: 'TCP', port: 53 },
    ],
    words('every client must resolve names'),
  );
};
