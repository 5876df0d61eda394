import { message } from '../../message';
import type { Workload } from '../connection';
import type { Source } from '../topology-builder';
import { annotationOrigin } from './annotation';

/** A workload connects to the internet on the ports in its annotation: `443, 53/UDP`. */
export const readInternetEgress: Source<Workload> = (workload, topology) => {
  const { part } = annotationOrigin(workload, topology.annotations.internetEgress, topology);
  const { internetEgress: ports = [] } = topology.declarationsOf(workload);
  topology.connect(
    { is: 'workload', workload },
    { is: 'internet' },
    ports,
    message`${part} requires it`,
    part,
  );
};
