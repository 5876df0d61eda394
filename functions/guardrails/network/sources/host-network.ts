import { message, words } from '../../message';
import type { Placed } from '../../krm/resource';
import type { Source } from '../topology-builder';

/**
 * Connections of pods in the network of the node: they come from the address of the node, which no policy selects by
 * labels, or lead to it.
 */
export const readHostNetwork: Source<readonly Placed[]> = (_, topology) => {
  for (const { from, to, ports } of topology.undeclaredNodeConnections()) {
    if (from.is !== 'workload' || to.is !== 'workload') continue;
    const [client, server] = [from.workload, to.workload];
    const port = ports[0]?.port ?? 'PORT';
    const common = { field: ['spec'], ports };
    if (client.usesHostNetwork)
      topology.addNeed({
        ...common,
        workload: server,
        direction: 'ingress',
        evidence: message`${client.kind}/${client.name} connects to it from the addresses of its nodes (hostNetwork)`,
        answer: message`add the range of the nodes to ${words(topology.annotations.acceptsFrom)}, such as 10.0.0.0/16:${port}`,
      });
    else
      topology.addNeed({
        ...common,
        workload: client,
        direction: 'egress',
        evidence: message`it connects to ${server.kind}/${server.name} at the addresses of its nodes (hostNetwork)`,
        answer: message`add the range of the nodes to ${words(topology.annotations.connectsTo)}, such as 10.0.0.0/16:${port}`,
      });
  }
};
