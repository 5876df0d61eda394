import { message, words } from '../../message';
import type { Exposure, Port } from '../connection';
import { type CheckedBuild, type PolicyCheck, rangesOfRule } from './checked-build';

/** Ports that are exposed to external traffic, which the policies block from every address. */
export const unreachableExposures: PolicyCheck = (build) =>
  build.topology.exposures
    .filter((exposure) => exposure.ports.length > 0 && !exposure.isDeclared)
    .filter((exposure) => !isReachable(build, exposure) && !isReported(build, exposure))
    .map(({ at, cause, field, workload: { kind, name } }) => {
      const problem = message`${cause}, but no NetworkPolicy allows external traffic to ${kind}/${name}`;
      const remedy = words('add a NetworkPolicy that allows the intended clients');
      return { at, report: { problem, remedy, field, severity: 'warning' } };
    });

function isReachable(build: CheckedBuild, { workload, ports }: Exposure): boolean {
  const to = build.pods.ofWorkload(workload);
  const rules = build.policies.isolating(to, 'ingress').flatMap(({ ingress = [] }) => ingress);
  const clients = build.externalAddresses(rules.flatMap(rangesOfRule));
  return clients.some((from) =>
    ports.some((port) => build.policies.denying('ingress', { from, to, ...port }).length === 0),
  );
}

/** Whether a finding about the isolation of the workload names the exposure. */
function isReported({ heldBack }: CheckedBuild, { workload, ports }: Exposure): boolean {
  const needs = [...heldBack.reasons(workload, 'ingress'), ...heldBack.doubts(workload, 'ingress')];
  const isExposed = (one: Port) =>
    ports.some(({ port, protocol }) => one.port === port && one.protocol === protocol);
  return needs.some((need) => need.ports?.some(isExposed));
}
