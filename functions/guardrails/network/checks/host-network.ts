import type { PlacedReport } from '../../findings/finding';
import { joinMessages, message, words } from '../../message';
import type { Connection, Port, Workload } from '../connection';
import { isGenerated } from '../generate';
import type { Direction } from '../policy';
import { allows } from '../policy-set';
import { type CheckedBuild, type PolicyCheck, rangesOfRule } from './checked-build';

/** Pods in the network of the node, to which no policy applies, and their connections that no policy allows. */
export const hostNetwork: PolicyCheck = (build) => {
  const infos = build.topology.workloads.filter(({ usesHostNetwork }) => usesHostNetwork).map(infoOf);
  const found = new Map<string, PlacedReport>();
  for (const connection of build.topology.nodeConnections) {
    const { from, to } = connection;
    if (from.is !== 'workload' || to.is !== 'workload') continue;
    const key = JSON.stringify([keyOf(from.workload), keyOf(to.workload), connection.reason.raw]);
    const warning = warningOf(connection, from.workload, to.workload, build);
    if (warning !== undefined && !found.has(key)) found.set(key, warning);
  }
  return [...infos, ...found.values()];
};

function infoOf(at: Workload): PlacedReport {
  const problem = words('has pods with hostNetwork, to which NetworkPolicies do not apply');
  const remedy = words('remove hostNetwork, or restrict the traffic at the nodes');
  return { at, report: { problem, remedy, field: [...at.pod.path, 'hostNetwork'], severity: 'info' } };
}

function keyOf({ kind, namespace, name }: Workload): readonly string[] {
  return [kind, namespace, name];
}

/** undefined: the end that is not in the network of the node is open to the addresses of nodes. */
function warningOf(
  { ports, reason }: Connection,
  from: Workload,
  to: Workload,
  build: CheckedBuild,
): PlacedReport | undefined {
  const direction = from.usesHostNetwork ? 'ingress' : 'egress';
  const blocked = ports.filter((port) => isBlocked(from.usesHostNetwork ? to : from, direction, port, build));
  if (blocked.length === 0) return undefined;
  const list = joinMessages(
    blocked.map(({ protocol, port }) => message`${words(protocol)} ${port}`),
    ', ',
  );
  const how = words(
    from.usesHostNetwork
      ? 'from the addresses of its nodes (hostNetwork)'
      : 'at the addresses of its nodes (hostNetwork)',
  );
  const problem = message`connects to ${to.kind}/${to.name} ${how} on ${list}, which cannot be allowed by labels: ${reason}`;
  const remedy = words('allow the addresses of the nodes by a NetworkPolicy of your own');
  return { at: from, report: { problem, remedy, field: ['spec'], severity: 'warning' } };
}

/** Whether policies isolate a workload, and no hand-written one of them allows any address on a port. */
function isBlocked(workload: Workload, direction: Direction, port: Port, build: CheckedBuild): boolean {
  const pod = build.pods.ofWorkload(workload);
  const isolating = build.policies.isolating(pod, direction);
  const own = isolating.filter(({ resource }) => !isGenerated(resource, build.annotations));
  const isAllowed = own.some((policy) =>
    build
      .externalAddresses((policy[direction] ?? []).flatMap(rangesOfRule))
      .some((node) =>
        allows(
          policy,
          direction,
          direction === 'ingress' ? { from: node, to: pod, ...port } : { from: pod, to: node, ...port },
        ),
      ),
  );
  return isolating.length > 0 && !isAllowed;
}
