import { type AnnotationNames, domainOfLabel } from '../kubernetes/annotation-names';
import { type YamlObject, type YamlValue, objectAt } from '../yaml/yaml';
import type { Connection, ConnectionEnd, Topology, Workload } from './connection';
import { type ExternalPeers, podsAt } from './external-peers';
import { INTERNET } from './internet';
import { type Direction, POLICY_TYPES, isNetworkPolicy } from './policy';
import { NAMESPACE_NAME } from './traffic';

/** The value of the label of generated policies. */
export const GENERATED_BY = 'guardrails';
const DEFAULT_DENY = 'default-deny';

/** Whether a resource is a NetworkPolicy with the label of the function, in its domain or in a former one. */
export function isGenerated(resource: YamlObject, annotations: AnnotationNames): boolean {
  return generatedLabelOf(resource, annotations) !== undefined;
}

/** The key of a label of the function that a NetworkPolicy has, in its domain or in a former one. */
export function generatedLabelOf(
  resource: YamlObject,
  { domain, formerDomains }: AnnotationNames,
): string | undefined {
  const isKnown = (of: string | undefined) => of === domain || (of !== undefined && formerDomains.has(of));
  return generatedLabelsOf(resource).find((key) => isKnown(domainOfLabel(key)));
}

/** The keys of the labels of the function that a NetworkPolicy has, whatever their domains; empty for other resources. */
export function generatedLabelsOf(resource: YamlObject): string[] {
  if (!isNetworkPolicy(resource)) return [];
  const labels = Object.entries(objectAt(objectAt(resource, 'metadata'), 'labels'));
  return labels.flatMap(([key, value]) =>
    value === GENERATED_BY && domainOfLabel(key) !== undefined ? [key] : [],
  );
}

type PlainObject = Readonly<Record<string, YamlValue>>;

/** A NetworkPolicy to generate: plain data, with its keys in the order in which they are written. */
export interface WantedPolicy {
  readonly name: string;
  /** The namespace of the pods that it selects, in the built overlay. */
  readonly namespace: string;
  readonly spec: PlainObject;
}

/**
 * The policies that allow the required traffic of a topology and deny all other: default-deny first, then ingress, traffic between workloads and egress, each by name.
 *
 * @param isStamped whether kustomize adds labels to selectors. It adds them to every `matchLabels`, but external pods do
 *   not have these labels; so expressions select external pods
 */
export function wantedPolicies(topology: Topology, peers: ExternalPeers, isStamped = false): WantedPolicy[] {
  const namespaces = [...new Set(topology.workloads.map(({ namespace }) => namespace))].sort();
  const spec = { podSelector: {}, policyTypes: Object.values(POLICY_TYPES) };
  const denials = namespaces.map((namespace) => ({ name: DEFAULT_DENY, namespace, spec }));
  const allows = mergePairs(topology).flatMap((connection) => policiesFor(connection, peers, isStamped));
  // From `a` to `b-to-c` has the same name as from `a-to-b` to `c`.
  const taken = new Set<string>();
  return [...denials, ...allows].map((policy) => {
    const keyOf = (name: string) => JSON.stringify([policy.namespace, name]);
    const name = freeName(policy.name, (one) => taken.has(keyOf(one)));
    taken.add(keyOf(name));
    return { ...policy, name };
  });
}

const LONGEST_NAME = 253; // characters; a DNS subdomain (RFC 1123)

/** A name, with a number where it is taken, and shortened where it is too long. */
export function freeName(preferred: string, isTaken: (name: string) => boolean): string {
  const numbered = (n: number) => {
    const suffix = n === 1 ? '' : `-${n}`;
    let name = preferred.slice(0, LONGEST_NAME - suffix.length);
    while (/[-.]$/.test(name)) name = name.slice(0, -1);
    return name + suffix;
  };
  let n = 1;
  while (isTaken(numbered(n))) n++;
  return numbered(n);
}

/** All traffic that is required between two ends. */
interface Pair extends Pick<Connection, 'from' | 'to' | 'ports'> {
  readonly name: string;
}

/** The order in the file: ingress, traffic between workloads, egress. */
const RANKS = ['ingress-controller', 'gateway', 'acme-solver', 'workload', 'internet', 'dns'];

function mergePairs({ connections, workloads }: Topology): Pair[] {
  const names = shortNames(workloads);
  const nameOf = (end: ConnectionEnd) => (end.is === 'workload' ? names.get(end.workload) : end.is) ?? '';
  const pairs = new Map<string, Pair>();
  for (const { from, to, ports } of connections) {
    const key = JSON.stringify([from, to].map(identityOf));
    const merged = [...(pairs.get(key)?.ports ?? []), ...ports];
    const distinct = [...new Map(merged.map((port) => [`${port.protocol} ${port.port}`, port])).values()];
    distinct.sort((a, b) => a.port - b.port || compareText(b.protocol, a.protocol));
    pairs.set(key, { name: `allow-${nameOf(from)}-to-${nameOf(to)}`, from, to, ports: distinct });
  }
  const rank = ({ from, to }: Pair) => RANKS.indexOf((to.is === 'workload' ? from : to).is);
  return [...pairs.values()].sort(
    (a, b) =>
      rank(a) - rank(b) || compareText(a.name, b.name) || compareText(namespaceOf(a.to), namespaceOf(b.to)),
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The namespace of an end in the build. */
function namespaceOf(end: ConnectionEnd): string {
  if (end.is === 'workload') return end.workload.namespace;
  return end.is === 'acme-solver' ? end.namespace : '';
}

function identityOf(end: ConnectionEnd): readonly string[] {
  const workload = end.is === 'workload' ? [end.workload.kind, end.workload.name] : [];
  return [end.is, namespaceOf(end), ...workload];
}

/** A workload's component label, where no other has it; else its name, with its kind where two share the name. */
function shortNames(workloads: readonly Workload[]): Map<Workload, string> {
  const component = ({ labels }: Workload) => labels['app.kubernetes.io/component'] ?? '';
  const isUnique = (name: string) =>
    workloads.filter((one) => component(one) === name || one.name === name).length === 1;
  return new Map(
    workloads.map((workload) => {
      const { name, kind } = workload;
      const short = component(workload);
      if (/^[a-z0-9-]+$/.test(short) && isUnique(short) && !RANKS.includes(short)) return [workload, short];
      const isShared = RANKS.includes(name) || workloads.filter((one) => one.name === name).length > 1;
      return [workload, isShared ? `${name}-${kind.toLowerCase()}` : name];
    }),
  );
}

/** The policies for a pair of ends: one for each end in the build. */
function policiesFor(pair: Pair, peers: ExternalPeers, isStamped: boolean): WantedPolicy[] {
  const { name, from, to, ports } = pair;
  const onPorts = ports.map(({ protocol, port }) => ({ protocol, port }));
  const policyAt = (end: ConnectionEnd, name: string, direction: Direction, rule: PlainObject) => ({
    name,
    namespace: namespaceOf(end),
    spec: {
      podSelector: selectorOf(end, peers, isStamped),
      policyTypes: [POLICY_TYPES[direction]],
      [direction]: [{ ...rule, ports: onPorts }],
    },
  });
  const sources = peersOf(from, namespaceOf(to), peers, isStamped);
  const destinations = peersOf(to, namespaceOf(from), peers, isStamped);
  const ingress = policyAt(to, name, 'ingress', { from: sources });
  const egressName = to.is === 'workload' ? `${name}-egress` : name;
  const egress = policyAt(from, egressName, 'egress', { to: destinations });
  const hasIngress = to.is === 'workload' || to.is === 'acme-solver';
  return [...(hasIngress ? [ingress] : []), ...(from.is === 'workload' ? [egress] : [])];
}

/** The entries of `from` or `to` that select one end of a connection, in a policy of the namespace `home`. */
function peersOf(end: ConnectionEnd, home: string, peers: ExternalPeers, isStamped: boolean): YamlValue[] {
  const pods = podsAt(end, peers);
  if (pods === undefined)
    return INTERNET.map(({ cidr, except }) => ({ ipBlock: { cidr, except: [...except] } }));
  const podSelector = selectorOf(end, peers, isStamped);
  const namespaceSelector = { matchLabels: { [NAMESPACE_NAME]: pods.namespace } };
  // One entry, which requires namespace and labels; two entries would require either.
  const isLocal = end.is === 'workload' && pods.namespace === home;
  const peer = isLocal ? { podSelector } : { namespaceSelector, podSelector };
  const addresses = end.is === 'dns' ? peers.dns.addresses : [];
  return [peer, ...addresses.map((cidr) => ({ ipBlock: { cidr } }))];
}

function selectorOf(end: ConnectionEnd, peers: ExternalPeers, isStamped: boolean): PlainObject {
  const { podLabels = {} } = podsAt(end, peers) ?? {};
  if (!isStamped || end.is === 'workload') return { matchLabels: podLabels };
  const labels = Object.entries(podLabels);
  return { matchExpressions: labels.map(([key, value]) => ({ key, operator: 'In', values: [value] })) };
}
