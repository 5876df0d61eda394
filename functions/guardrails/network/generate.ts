import { type YamlObject, type YamlValue, objectAt } from '../yaml/yaml';
import { NAMESPACE_NAME } from './evaluate';
import { ACME_SOLVER_LABELS, type ExternalPods, INTERNET, type ExternalPeers } from './external-peers';
import { isNetworkPolicy } from './policy';
import type { Labels } from './selector';
import type { Connection, Party, Port, Topology, Workload } from './topology';

export const GENERATED_LABEL = 'todo.example.com/generated-by';
export const GENERATED_BY = 'guardrails';
const DEFAULT_DENY = 'default-deny';

/** Whether a resource is a NetworkPolicy that carries our label. */
export function isGenerated(resource: YamlObject): boolean {
  const labels = objectAt(objectAt(resource, 'metadata'), 'labels');
  return isNetworkPolicy(resource) && labels[GENERATED_LABEL] === GENERATED_BY;
}

/** A NetworkPolicy that is wanted: plain data, in the order in which its keys are written. */
export interface WantedPolicy {
  readonly name: string;
  /** Of the pods that it selects, in the build. */
  readonly namespace: string;
  readonly spec: Readonly<Record<string, YamlValue>>;
}

/**
 * The policies that allow what a topology needs and deny the rest: default-deny first, then by name of the pods.
 *
 * @param isStamped whether kustomize adds labels to selectors: it does to `matchLabels`, also to those of pods that are
 *   not of the build, which do not have these labels; expressions it leaves alone
 */
export function wantedPolicies(topology: Topology, peers: ExternalPeers, isStamped = false): WantedPolicy[] {
  const names = shortNames(topology.workloads);
  const namespaces = [...new Set(topology.workloads.map(({ namespace }) => namespace))].sort();
  const denials: WantedPolicy[] = namespaces.map((namespace) => ({
    name: DEFAULT_DENY,
    namespace,
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
  }));
  const pairs = mergePairs(topology.connections, (party) => nameOf(party, names));
  const select = isStamped ? byExpressions : byLabels;
  const allows = pairs.flatMap((connection) => policiesFor(connection, peers, select));
  return withDistinctNames([...denials, ...allows]);
}

/** `a` to `b-to-c` reads as `a-to-b` to `c`. */
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

/** A name, with a number where it is taken, and cut where it is too long. */
export function freeName(wanted: string, isTaken: (name: string) => boolean): string {
  const numbered = (n: number) => {
    const suffix = n === 1 ? '' : `-${n}`;
    return wanted.slice(0, LONGEST_NAME - suffix.length).replace(/[-.]+$/, '') + suffix;
  };
  let n = 1;
  while (isTaken(numbered(n))) n++;
  return numbered(n);
}

interface NamedConnection extends Connection {
  readonly name: string;
}

/** What several reasons ask for between the same two is one connection. */
function mergePairs(connections: readonly Connection[], nameOf: (party: Party) => string): NamedConnection[] {
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

/** The order in the file: what comes in, what goes between, what goes out. */
const RANKS: readonly Party['is'][] = [
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

function namespaceOf(party: Party): string {
  if (party.is === 'workload') return party.workload.namespace;
  return party.is === 'acme-solver' ? party.namespace : '';
}

function identityOf(party: Party): readonly string[] {
  if (party.is !== 'workload') return [party.is, namespaceOf(party)];
  const { kind, name, namespace } = party.workload;
  return [party.is, namespace, kind, name];
}

function nameOf(party: Party, names: ReadonlyMap<Workload, string>): string {
  return party.is === 'workload' ? (names.get(party.workload) ?? party.workload.name) : party.is;
}

/** A workload by its component label, where that is its alone; else by its name, with its kind where two share it. */
function shortNames(workloads: readonly Workload[]): Map<Workload, string> {
  const isParty = (name: string) => RANKS.some((party) => party === name);
  const component = ({ labels }: Workload) => labels['app.kubernetes.io/component'] ?? '';
  const isAlone = (name: string) =>
    workloads.filter((one) => component(one) === name || one.name === name).length === 1;
  return new Map(
    workloads.map((workload) => {
      const { name, kind } = workload;
      const short = component(workload);
      if (/^[a-z0-9-]+$/.test(short) && isAlone(short) && !isParty(short)) return [workload, short];
      const isShared = isParty(name) || workloads.filter((one) => one.name === name).length > 1;
      return [workload, isShared ? `${name}-${kind.toLowerCase()}` : name];
    }),
  );
}

/** A selector of pods that are not of the build. */
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

function selectorOf(party: Party, select: Select): Record<string, YamlValue> | undefined {
  if (party.is === 'workload') return byLabels(party.workload.selector);
  return party.is === 'acme-solver' ? select(ACME_SOLVER_LABELS) : undefined;
}

/** The entries of `from` or `to` that name a party, seen from a namespace. */
function peersOf(party: Party, home: string, peers: ExternalPeers, select: Select): YamlValue[] {
  switch (party.is) {
    case 'workload': {
      const { namespace, selector } = party.workload;
      const podSelector = { matchLabels: selector };
      return [namespace === home ? { podSelector } : { ...inNamespace(namespace), podSelector }];
    }
    case 'acme-solver':
      return [{ podSelector: select(ACME_SOLVER_LABELS) }];
    case 'ingress-controller':
      return [foreign(peers.ingressController, select)];
    case 'gateway':
      return [foreign(peers.gateways, select)];
    case 'dns':
      return [foreign(peers.dns, select), ...peers.dns.addresses.map((cidr) => ({ ipBlock: { cidr } }))];
    case 'internet':
      return INTERNET.map(({ cidr, except }) => ({ ipBlock: { cidr, except: [...except] } }));
  }
}

/** One entry: namespace and pods together. Two entries would be an or. */
function foreign({ namespace, podLabels }: ExternalPods, select: Select): Record<string, YamlValue> {
  return { ...inNamespace(namespace), podSelector: select(podLabels) };
}

function inNamespace(name: string): Record<string, YamlValue> {
  return { namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: name } } };
}
