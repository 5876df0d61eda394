import { type YamlObject, type YamlValue, objectAt } from '../yaml/yaml';
import type { Connection, ConnectionEnd, Port, Topology, Workload } from './connection';
import { ACME_SOLVER_LABELS, type ExternalPeers, type ExternalPods, INTERNET } from './external-peers';
import { isNetworkPolicy } from './policy';
import type { Labels } from './selector';
import { NAMESPACE_NAME } from './traffic';

export const GENERATED_LABEL = 'todo.example.com/generated-by';
export const GENERATED_BY = 'guardrails';
const DEFAULT_DENY = 'default-deny';

/** Whether a resource is a NetworkPolicy with the label of the function. */
export function isGenerated(resource: YamlObject): boolean {
  const labels = objectAt(objectAt(resource, 'metadata'), 'labels');
  return isNetworkPolicy(resource) && labels[GENERATED_LABEL] === GENERATED_BY;
}

/** A NetworkPolicy to generate: plain data, with its keys in the order in which they are written. */
export interface WantedPolicy {
  readonly name: string;
  /** Of the pods that it selects, as the overlay builds them. */
  readonly namespace: string;
  readonly spec: Readonly<Record<string, YamlValue>>;
}

/**
 * The policies that allow the required traffic of a topology and deny all other: default-deny first, then by name.
 *
 * @param isStamped whether kustomize adds labels to selectors. It adds them to every `matchLabels`, but external pods do
 *   not have these labels; so expressions select external pods
 */
export function wantedPolicies(topology: Topology, peers: ExternalPeers, isStamped = false): WantedPolicy[] {
  const names = shortNames(topology.workloads);
  const namespaces = [...new Set(topology.workloads.map(({ namespace }) => namespace))].sort();
  const denials: WantedPolicy[] = namespaces.map((namespace) => ({
    name: DEFAULT_DENY,
    namespace,
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
  }));
  const pairs = mergePairs(topology.connections, (end) => nameOf(end, names));
  const select = isStamped ? byExpressions : byLabels;
  const allows = pairs.flatMap((connection) => policiesFor(connection, peers, select));
  return withDistinctNames([...denials, ...allows]);
}

/** From `a` to `b-to-c` has the same name as from `a-to-b` to `c`. */
function withDistinctNames(policies: readonly WantedPolicy[]): WantedPolicy[] {
  const taken = new Set<string>();
  return policies.map((policy) => {
    const isTaken = (name: string) => taken.has(JSON.stringify([policy.namespace, name]));
    const name = freeName(policy.name, isTaken);
    taken.add(JSON.stringify([policy.namespace, name]));
    return name === policy.name ? policy : { ...policy, name };
  });
}

const LONGEST_NAME = 253; // characters; a DNS subdomain (RFC 1123)

/** A name, with a number where it is taken, and shortened where it is too long. */
export function freeName(preferred: string, isTaken: (name: string) => boolean): string {
  const numbered = (n: number) => {
    const suffix = n === 1 ? '' : `-${n}`;
    return preferred.slice(0, LONGEST_NAME - suffix.length).replace(/[-.]+$/, '') + suffix;
  };
  let n = 1;
  while (isTaken(numbered(n))) n++;
  return numbered(n);
}

interface NamedConnection extends Connection {
  readonly name: string;
}

/** Merges the connections between the same two ends. */
function mergePairs(
  connections: readonly Connection[],
  nameOf: (end: ConnectionEnd) => string,
): NamedConnection[] {
  const pairs = new Map<string, NamedConnection>();
  for (const connection of connections) {
    const { from, to } = connection;
    const name = `allow-${nameOf(from)}-to-${nameOf(to)}`;
    const key = JSON.stringify([identityOf(from), identityOf(to)]);
    const ports = [...(pairs.get(key)?.ports ?? []), ...connection.ports];
    const distinct = ports.filter(
      (port, i) => ports.findIndex((one) => one.port === port.port && one.protocol === port.protocol) === i,
    );
    pairs.set(key, { ...connection, name, ports: distinct.sort(byPort) });
  }
  const rank = ({ from, to }: Connection) =>
    RANKS.findIndex((kind) => kind === (to.is === 'workload' ? from : to).is);
  return [...pairs.values()].sort(
    (a, b) =>
      rank(a) - rank(b) || compareText(a.name, b.name) || compareText(namespaceOf(a.to), namespaceOf(b.to)),
  );
}

/** The order in the file: ingress, traffic between workloads, egress. */
const RANKS: readonly ConnectionEnd['is'][] = [
  'ingress-controller',
  'gateway',
  'acme-solver',
  'workload',
  'internet',
  'dns',
];

function byPort(a: Port, b: Port): number {
  return a.port - b.port || compareText(b.protocol, a.protocol);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function namespaceOf(end: ConnectionEnd): string {
  if (end.is === 'workload') return end.workload.namespace;
  return end.is === 'acme-solver' ? end.namespace : '';
}

function identityOf(end: ConnectionEnd): readonly string[] {
  if (end.is !== 'workload') return [end.is, namespaceOf(end)];
  const { kind, name, namespace } = end.workload;
  return [end.is, namespace, kind, name];
}

function nameOf(end: ConnectionEnd, names: ReadonlyMap<Workload, string>): string {
  return end.is === 'workload' ? (names.get(end.workload) ?? end.workload.name) : end.is;
}

/** A workload's component label, where no other has it; else its name, with its kind where two share the name. */
function shortNames(workloads: readonly Workload[]): Map<Workload, string> {
  const isReserved = (name: string) => RANKS.some((one) => one === name);
  const component = ({ labels }: Workload) => labels['app.kubernetes.io/component'] ?? '';
  const isUnique = (name: string) =>
    workloads.filter((one) => component(one) === name || one.name === name).length === 1;
  return new Map(
    workloads.map((workload) => {
      const { name, kind } = workload;
      const short = component(workload);
      if (/^[a-z0-9-]+$/.test(short) && isUnique(short) && !isReserved(short)) return [workload, short];
      const isShared = isReserved(name) || workloads.filter((one) => one.name === name).length > 1;
      return [workload, isShared ? `${name}-${kind.toLowerCase()}` : name];
    }),
  );
}

/** A selector of external pods. */
type Select = (labels: Labels) => Record<string, YamlValue>;

function byLabels(matchLabels: Labels): Record<string, YamlValue> {
  return { matchLabels };
}

function byExpressions(labels: Labels): Record<string, YamlValue> {
  const expressions = Object.entries(labels).map(([key, value]) => ({
    key,
    operator: 'In',
    values: [value],
  }));
  return { matchExpressions: expressions };
}

function policiesFor(
  { name, from, to, ports }: NamedConnection,
  peers: ExternalPeers,
  select: Select,
): WantedPolicy[] {
  const policies: WantedPolicy[] = [];
  const onPorts = ports.map(({ protocol, port }) => ({ protocol, port }));
  const target = selectorOf(to, select);
  if (target !== undefined)
    policies.push({
      name,
      namespace: namespaceOf(to),
      spec: {
        podSelector: target,
        policyTypes: ['Ingress'],
        ingress: [{ from: peersOf(from, namespaceOf(to), peers, select), ports: onPorts }],
      },
    });
  if (from.is === 'workload')
    policies.push({
      name: to.is === 'workload' ? `${name}-egress` : name,
      namespace: namespaceOf(from),
      spec: {
        podSelector: { matchLabels: from.workload.selector },
        policyTypes: ['Egress'],
        egress: [{ to: peersOf(to, namespaceOf(from), peers, select), ports: onPorts }],
      },
    });
  return policies;
}

function selectorOf(end: ConnectionEnd, select: Select): Record<string, YamlValue> | undefined {
  if (end.is === 'workload') return byLabels(end.workload.selector);
  return end.is === 'acme-solver' ? select(ACME_SOLVER_LABELS) : undefined;
}

/** The entries of `from` or `to` that select one end of a connection, in a policy of the namespace `home`. */
function peersOf(end: ConnectionEnd, home: string, peers: ExternalPeers, select: Select): YamlValue[] {
  switch (end.is) {
    case 'workload': {
      const { namespace, selector } = end.workload;
      const podSelector = { matchLabels: selector };
      return [namespace === home ? { podSelector } : { ...inNamespace(namespace), podSelector }];
    }
    case 'acme-solver':
      return [{ podSelector: select(ACME_SOLVER_LABELS) }];
    case 'ingress-controller':
      return [externalPeer(peers.ingressController, select)];
    case 'gateway':
      return [externalPeer(peers.gateways, select)];
    case 'dns':
      return [externalPeer(peers.dns, select), ...peers.dns.addresses.map((cidr) => ({ ipBlock: { cidr } }))];
    case 'internet':
      return INTERNET.map(({ cidr, except }) => ({ ipBlock: { cidr, except: [...except] } }));
  }
}

/** One entry, which requires namespace and labels; two entries would require either. */
function externalPeer({ namespace, podLabels }: ExternalPods, select: Select): Record<string, YamlValue> {
  return { ...inNamespace(namespace), podSelector: select(podLabels) };
}

function inNamespace(name: string): Record<string, YamlValue> {
  return { namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: name } } };
}
