import { message } from '../../message';
import type { Port, Workload } from '../connection';
import type { Source } from '../topology-builder';
import { readAnnotation } from './annotation';

/** A workload connects to the internet on the ports in its annotation: `443, 53/UDP`. */
export const readInternetEgress: Source<Workload> = (workload, topology) => {
  const { origin, entries } = readAnnotation(workload, topology.annotations.internetEgress);
  const ports = entries.flatMap((entry): Port[] => {
    const [, number = '', protocol] = /^(\d+)(?:\/(TCP|UDP))?$/.exec(entry) ?? [];
    const port = Number(number);
    if (port >= 1 && port <= 65535) return [{ protocol: protocol === 'UDP' ? 'UDP' : 'TCP', port }];
    const problem = message`has the invalid entry ${JSON.stringify(entry)}: it must be a port`;
    topology.report(origin, problem, 'write a port such as 443 or 53/UDP');
    return [];
  });
  const reason = message`${origin.part} requires it`;
  topology.connect({ is: 'workload', workload }, { is: 'internet' }, ports, reason, origin.part);
};
