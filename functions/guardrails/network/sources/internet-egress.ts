import { annotationsOf } from '../../krm/resource';
import { message, words } from '../../message';
import type { Port } from '../connection';
import { INTERNET_EGRESS, type Source } from '../topology-builder';
import { entriesOf } from './annotation-list';

/** A workload connects to the internet on the ports in its annotation: `443, 53/UDP`. */
export const readInternetEgress: Source = (at, topology) => {
  const { resource } = at;
  const workload = topology.workloadOf(resource);
  if (workload === undefined) return;
  const part = words(`annotation ${INTERNET_EGRESS}`);
  const origin = { at, field: ['metadata', 'annotations', INTERNET_EGRESS], part };
  const ports = entriesOf(annotationsOf(resource)[INTERNET_EGRESS]).flatMap((entry): Port[] => {
    const [, number = '', protocol] = /^(\d+)(?:\/(TCP|UDP))?$/.exec(entry) ?? [];
    const port = Number(number);
    if (port >= 1 && port <= 65535) return [{ protocol: protocol === 'UDP' ? 'UDP' : 'TCP', port }];
    const problem = message`has the invalid entry ${JSON.stringify(entry)}: it must be a port`;
    topology.report(origin, problem, 'write a port such as 443 or 53/UDP');
    return [];
  });
  topology.connect({ is: 'workload', workload }, { is: 'internet' }, ports, message`${part} requires it`);
};
