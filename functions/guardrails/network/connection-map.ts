import type { AnnotationNames } from '../kubernetes/annotation-names';
import { type Placed, groupOf } from '../krm/resource';
import { type YamlObject, objectAt, objectsIn } from '../yaml/yaml';
import type { Port } from './connection';
import { type DiagramNode, DiagramNodes } from './diagram-nodes';
import type { ExternalPeers } from './external-peers';
import { PROTOCOLS, type Protocol, isNetworkPolicy, readPolicy } from './policy';
import { PolicySet } from './policy-set';
import { isPod } from './traffic';

const LAST_PORT = 65535;

/** Ports of a protocol, both ends included. */
export interface PortRange {
  readonly protocol: Protocol;
  readonly first: number;
  readonly last: number;
}

/** The traffic that the policies of both ends allow from one node to another. */
export interface AllowedConnection {
  readonly from: DiagramNode;
  readonly to: DiagramNode;
  /** By protocol, ascending, with adjacent ranges merged. */
  readonly ports: readonly PortRange[];
}

/** How external traffic reaches an Ingress or a Gateway; no policy of the build decides about it. */
export interface Entrance {
  readonly through: DiagramNode;
  /** `todo.example.com`; `*` where none is given. */
  readonly hosts: readonly string[];
  /** Of the controller's Service. */
  readonly ports: readonly PortRange[];
}

export interface ConnectionMap {
  readonly entrances: readonly Entrance[];
  readonly connections: readonly AllowedConnection[];
}

/**
 * The traffic that the NetworkPolicies of a build, with its Lists expanded, allow, required or not. Traffic between two
 * external nodes is left out: no policy of the build applies to it.
 */
export function readConnectionMap(
  resources: readonly Placed[],
  peers: ExternalPeers,
  annotations: AnnotationNames,
): ConnectionMap {
  const policies = new PolicySet(
    resources.flatMap(({ resource }) => (isNetworkPolicy(resource) ? [readPolicy(resource).policy] : [])),
  );
  const nodes = new DiagramNodes(resources, policies.policies, peers, annotations);
  const bounds = portBounds(policies);
  const connections = nodes.all.flatMap((from) =>
    nodes.all.flatMap((to) => {
      if (from.namespace === undefined && to.namespace === undefined) return [];
      const ports = allowedPorts(sectionStarts(bounds, to), (port) =>
        from.ends.some((source) =>
          to.ends.some((target) => policies.allows({ from: source, to: target, ...port })),
        ),
      );
      return ports.length === 0 ? [] : [{ from, to, ports }];
    }),
  );
  return { entrances: resources.flatMap(({ resource }) => entrancesOf(resource, nodes)), connections };
}

/** The ports at which a range of some policy starts, and those after its end. */
function portBounds({ policies }: PolicySet): readonly number[] {
  const rules = policies.flatMap(({ ingress = [], egress = [] }) => [...ingress, ...egress]);
  const ports = rules.flatMap((rule) => rule.ports ?? []);
  return ports.flatMap(({ port, endPort }) => {
    return typeof port === 'number' ? [port, (endPort ?? port) + 1] : [];
  });
}

/** The first port of every section into which the policies and the containers' ports divide the ports. */
function sectionStarts(bounds: readonly number[], { ends }: DiagramNode): readonly number[] {
  const ofPods = ends.filter(isPod).flatMap(({ ports }) => ports.flatMap(({ port }) => [port, port + 1]));
  const starts = new Set([1, ...bounds, ...ofPods].filter((port) => port <= LAST_PORT));
  return [...starts].sort((a, b) => a - b);
}

function allowedPorts(starts: readonly number[], isAllowed: (port: Port) => boolean): PortRange[] {
  const found: PortRange[] = [];
  for (const protocol of PROTOCOLS)
    for (const [i, first] of starts.entries()) {
      if (!isAllowed({ protocol, port: first })) continue;
      const last = (starts[i + 1] ?? LAST_PORT + 1) - 1;
      const before = found.at(-1);
      if (before?.protocol === protocol && before.last + 1 === first)
        found[found.length - 1] = { ...before, last };
      else found.push({ protocol, first, last });
    }
  return found;
}

function entrancesOf(resource: YamlObject, { ingressController, gateway }: DiagramNodes): Entrance[] {
  const spec = objectAt(resource, 'spec');
  if (resource.kind === 'Ingress' && groupOf(resource) === 'networking.k8s.io') {
    const hosts = namesIn(objectsIn(spec.rules), 'host');
    const ports = objectsIn(spec.tls).length > 0 ? [80, 443] : [80];
    return [{ through: ingressController, hosts, ports: ports.map(tcp) }];
  }
  if (resource.kind === 'Gateway' && groupOf(resource) === 'gateway.networking.k8s.io') {
    const listeners = objectsIn(spec.listeners);
    const ports = new Set(listeners.map(({ port }) => port).filter((port) => typeof port === 'number'));
    const sorted = [...ports].sort((a, b) => a - b);
    return [{ through: gateway, hosts: namesIn(listeners, 'hostname'), ports: sorted.map(tcp) }];
  }
  return [];
}

function namesIn(entries: readonly YamlObject[], key: string): string[] {
  const names = entries.map(({ [key]: name }) => (typeof name === 'string' ? name : '*'));
  return names.length === 0 ? ['*'] : [...new Set(names)];
}

function tcp(port: number): PortRange {
  return { protocol: 'TCP', first: port, last: port };
}
