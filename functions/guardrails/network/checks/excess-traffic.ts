import type { Report } from '../../findings/finding';
import { type Message, message, words } from '../../message';
import type { Port } from '../connection';
import { isGenerated } from '../generate';
import { DIRECTIONS, type Direction, PROTOCOLS, rangesOfBlock } from '../policy';
import type { Peer, Policy, PolicyPort } from '../policy';
import { allowsByRule } from '../policy-set';
import { ELSEWHERE } from '../pods';
import type { RequiredTraffic } from '../required-traffic';
import { hasLabels } from '../selector';
import { type Endpoint, type PodEndpoint, type Traffic, isPod, namespaceLabels } from '../traffic';
import type { CheckedBuild, PolicyCheck } from './checked-build';
import { openingOf } from './open-policies';

const ANY_POD: PodEndpoint = {
  namespace: ELSEWHERE,
  labels: {},
  namespaceLabels: namespaceLabels(ELSEWHERE),
  ports: [],
};

const EVERY_PORT = PROTOCOLS.map((protocol) => ({ protocol, port: undefined, endPort: undefined }));

/** Policies that allow traffic that the build does not require. Reports each policy once. */
export const excessTraffic: PolicyCheck = (build) =>
  build.policies.policies.flatMap((policy) => {
    const at = build.placeOf(policy);
    if (openingOf(policy, build) !== undefined) return [];
    for (const direction of DIRECTIONS) {
      const traffic = excessOf(policy, direction, build);
      if (traffic !== undefined)
        return [
          { at, report: reportOf(traffic, direction, isGenerated(policy.resource, build.annotations)) },
        ];
    }
    return [];
  });

function reportOf(traffic: Traffic, direction: Direction, isOwn: boolean): Report {
  const { from, to, protocol, port } = traffic;
  const [source, destination] = [nameOf(from, 'any source'), nameOf(to, 'any destination')];
  const remedy = isOwn
    ? 'remove the patch or the label that changes this generated policy, or give the pods of other workloads labels of their own'
    : 'keep it if this is intended; hand-written policies are not changed';
  return {
    problem: message`allows traffic from ${source} to ${destination} on ${words(protocol)} ${port}, which the build does not require`,
    remedy: words(remedy),
    field: ['spec', direction],
    severity: isOwn ? 'error' : 'info',
  };
}

function excessOf(policy: Policy, direction: Direction, build: CheckedBuild): Traffic | undefined {
  const { podSelector, namespace } = policy;
  const { required, index, pods } = build;
  const known = index.matching({ podSelector, namespaceSelector: undefined }, namespace);
  const own = known.length > 0 ? known : pods.selectedBy(podSelector, namespace);
  for (const rule of policy[direction] ?? []) {
    const peers = rule.peers?.flatMap((peer) => endpointsOf(peer, namespace, build)) ?? [ANY_POD];
    for (const pod of own)
      for (const peer of peers) {
        const [from, to] = direction === 'ingress' ? [peer, pod] : [pod, peer];
        for (const port of (rule.ports ?? EVERY_PORT).flatMap((one) => portsIn(one, to, required))) {
          const traffic = { from, to, ...port };
          const isExcess = allowsByRule(rule, namespace, peer, traffic) && !required.includes(traffic);
          if (isExcess && !isUnknown(traffic, build)) return traffic;
        }
      }
  }
  return undefined;
}

/** Whether an end reads content which the function does not have, and so may require the traffic. */
function isUnknown({ from, to }: Traffic, { topology: { unknownContent } }: CheckedBuild): boolean {
  const pods = [from, to].filter(isPod);
  return [...unknownContent.keys()].some(({ namespace, selector }) =>
    pods.some((pod) => pod.namespace === namespace && hasLabels(pod.labels, selector)),
  );
}

/** Endpoints that a peer may match: the pods of the build, and representatives of all others. */
function endpointsOf(peer: Peer, namespace: string, build: CheckedBuild): readonly Endpoint[] {
  if ('ipBlock' in peer) return build.externalAddresses(rangesOfBlock(peer.ipBlock));
  return [...build.index.matching(peer, namespace), ...build.pods.matching(peer, namespace)];
}

/** Ports to check: those that are required, and the first that is not. Excess traffic shows at one of them. */
function portsIn(allowed: PolicyPort, to: Endpoint, required: RequiredTraffic): readonly Port[] {
  const { protocol, port } = allowed;
  if (port === undefined) return [{ protocol, port: required.otherPortFrom(1) }];
  if (typeof port === 'string') return isPod(to) ? to.ports.filter(({ name }) => name === port) : [];
  const last = allowed.endPort ?? port;
  const candidates = [required.otherPortFrom(port), ...required.ports];
  return candidates.filter((one) => one >= port && one <= last).map((one) => ({ protocol, port: one }));
}

function nameOf(end: Endpoint, any: string): Message {
  if (!isPod(end)) return message`${end.ip.text}`;
  if (end === ANY_POD) return words(any);
  const { workload, labels, namespace } = end;
  if (workload !== undefined) return message`${workload.kind}/${workload.name}`;
  const list = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const pods = list.length === 0 ? words('any pod') : message`pods with ${list.join(', ')}`;
  if (namespace === '') return pods;
  if (namespace === ELSEWHERE) return message`${pods} in another namespace`;
  return message`${pods} in namespace ${namespace}`;
}
