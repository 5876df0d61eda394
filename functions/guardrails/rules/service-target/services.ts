import type { PlacedReport } from '../../findings/finding';
import { type Placed, resourceRef } from '../../krm/resource';
import { isNear } from '../../kubernetes/spelling';
import { isMisspelt } from '../../kubernetes/near-name';
import { type Message, joinMessages, message, words } from '../../message';
import type { ServiceUse, Workload } from '../../network/connection';
import { isLabels, stringsIn } from '../../network/selector';
import { containerPortsIn, podPorts, servingPortsIn } from '../../network/services';
import { type YamlObject, entriesIn, objectAt } from '../../yaml/yaml';
import { listOf } from '../lists';
import { isName } from '../references/texts';
import { type SelectableBuild, emptySelector, selectedPods } from './selectors';

/** Ports of containers that a mesh adds to pods. */
const INJECTED_PORTS = /^(?:http-envoy-(?:prom|admin)|istio-|linkerd-|envoy-|prometheus-merged)/;

/** A Service that selects no pods, or whose named ports none of them has. */
export function checkService(
  at: Placed,
  uses: readonly ServiceUse[],
  build: SelectableBuild,
): PlacedReport[] {
  const spec = objectAt(at.resource, 'spec');
  const matchLabels = stringsIn(spec.selector);
  if (spec.type === 'ExternalName' || !isLabels(spec.selector) || Object.keys(matchLabels).length === 0)
    return [];
  const { namespace = '' } = resourceRef(at.resource);
  const selector = { matchLabels, matchExpressions: [] };
  const selected = selectedPods(selector, namespace, build.topology);
  if (selected.length > 0) return portReports(at, spec, selected, clientsOf(uses));
  const written = { at, selector, field: ['spec', 'selector'], namespaces: [namespace], of: 'pods' } as const;
  const empty = emptySelector(written, build, clientsOf(uses));
  if (empty === undefined) return [];
  const ofNear = empty.near === undefined ? [] : portReports(at, spec, [empty.near], words(''));
  return [empty.report, ...ofNear];
}

/** `; Ingress/web and Deployment/api (env API_URL) lead to it`: who refers to the Service. */
function clientsOf(uses: readonly ServiceUse[]): Message {
  const names = new Map(
    uses.map(({ at, part }) => {
      const { kind, name } = resourceRef(at.resource);
      const client = part === undefined ? message`${kind}/${name}` : message`${kind}/${name} (${part})`;
      return [client.raw, client];
    }),
  );
  if (names.size === 0) return words('');
  return message`; ${listOf([...names.values()])} ${words(names.size === 1 ? 'leads' : 'lead')} to it`;
}

function portReports(
  at: Placed,
  spec: YamlObject,
  selected: readonly Workload[],
  clients: Message,
): PlacedReport[] {
  // A controller about which nothing is known may add containers.
  if (selected.some(({ pod }) => pod.writable !== 'all')) return [];
  return entriesIn(spec.ports).flatMap(({ targetPort, protocol }, i) => {
    if (typeof targetPort !== 'string' || /^\d*$/.test(targetPort)) return [];
    if (!isName(targetPort) || INJECTED_PORTS.test(targetPort)) return [];
    const target = {
      target: targetPort,
      protocol: protocol === 'UDP' || protocol === 'SCTP' ? protocol : 'TCP',
    } as const;
    if (selected.some((workload) => podPorts(target, workload).length > 0)) return [];
    return {
      at,
      report: {
        problem: message`has the targetPort ${targetPort}, which ${causeOf(targetPort, selected)}${clients}`,
        remedy: remedyOf(targetPort, selected),
        field: ['spec', 'ports', i, 'targetPort'],
        currentValue: targetPort,
        severity: 'error',
      },
    };
  });
}

/** Why a name leads to no port, as the end of a sentence. */
function causeOf(target: string, selected: readonly Workload[]): Message {
  const names = listOf(selected.map(({ kind, name }) => message`${kind}/${name}`));
  for (const { pod, ports } of selected) {
    const other = ports.find(({ name }) => name === target);
    if (other !== undefined) return message`is a port for ${words(other.protocol)} in ${names}`;
    const ended = pod.containers.find(
      ({ sort, value }) =>
        sort === 'initContainer' && containerPortsIn(value).some(({ name }) => name === target),
    );
    if (ended !== undefined)
      return message`only ${ended.subject} of ${names} has, and it ends before the pod is ready`;
  }
  return message`no container of ${names} has`;
}

function remedyOf(target: string, selected: readonly Workload[]): Message {
  const known = [
    ...new Set(selected.flatMap(({ pod }) => servingPortsIn(pod).flatMap(({ name }) => name ?? []))),
  ];
  const right =
    known.find((one) => isMisspelt(target, one)) ??
    known.find((one) => one.length > 2 && isNear(target, one));
  if (right !== undefined) return message`did you mean ${right}?`;
  if (known.length === 0) return words('name a container port so, or use the number of the port');
  return message`use ${joinMessages(known, ' or ')}, or the number of the port`;
}
