import { words } from '../../message';
import type { Workload } from '../connection';
import type { TopologyBuilder } from '../topology-builder';

/** An annotation of a workload as the origin of connections; reports its invalid entries. */
export function annotationOrigin(at: Workload, key: string, topology: TopologyBuilder) {
  const origin = { at, field: ['metadata', 'annotations', key], part: words(`annotation ${key}`) };
  for (const one of topology.declarationsOf(at).invalid)
    if (one.key === key) topology.report(origin, one.problem, one.remedy);
  return origin;
}
