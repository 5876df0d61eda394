import type { Placed } from '../krm/resource';
import type { Topology } from './connection';
import { PASSES } from './sources';
import { TopologyBuilder } from './topology-builder';

/** Reads the traffic that the resources of a build require; Lists are expanded. */
export function readTopology(resources: readonly Placed[]): Topology {
  const builder = new TopologyBuilder(resources);
  for (const sources of PASSES)
    for (const placed of resources) for (const read of sources) read(placed, builder);
  return builder.topology();
}
