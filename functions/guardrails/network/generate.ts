import { escapeText } from '../findings/print';
import { type AnnotationNames, domainOfLabel } from '../kubernetes/annotation-names';
import { LONGEST_SUBDOMAIN } from '../kubernetes/dns-name';
import type { Placed } from '../krm/resource';
import { type YamlObject, type YamlValue, objectAt } from '../yaml/yaml';
import type { Connection, ConnectionEnd, Port, Topology, Workload } from './connection';
import { type ExternalPeers, podsAt } from './external-peers';
import { HeldBack } from './held-back';
import { INTERNET } from './internet';
import { printIpRange } from './ip-range';
import { DIRECTIONS, type Direction, POLICY_TYPES, isNetworkPolicy, readPolicy } from './policy';
import { PolicySet } from './policy-set';
import { NAMESPACE_NAME } from './traffic';

/** The value of the label of generated policies. */
export const GENERATED_BY = 'guardrails';
const DEFAULT_DENY = 'default-deny';
const ACME_SOLVER = 'acme-solver';
/** Namespaces that no package owns; without a name, `kubectl apply` chooses. */
const SYSTEM_NAMESPACE = /^(?:default|kube-.*|)$/;

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

/** The policies of a build that the function did not write. */
export function handWrittenPolicies(resources: readonly Placed[], annotations: AnnotationNames): PolicySet {
  return new PolicySet(
    resources.flatMap(({ resource }) =>
      isNetworkPolicy(resource) && !isGenerated(resource, annotations) ? [readPolicy(resource).policy] : [],
    ),
  );
}

type PlainObject = Readonly<Record<string, YamlValue>>;

/** A rule of a policy, as plain data, and why it is needed: lines of a comment. */
export interface WantedRule {
  readonly rule: PlainObject;
  readonly reasons: readonly string[];
}

/** A direction in which a policy isolates, to what it allows there; a missing direction stays open. */
export type WantedRules = Readonly<Partial<Record<Direction, readonly WantedRule[]>>>;

/** A NetworkPolicy to generate. */
export interface WantedPolicy {
  readonly name: string;
  /** The namespace of the pods that it selects, in the built overlay. */
  readonly namespace: string;
  readonly podSelector: PlainObject;
  readonly rules: WantedRules;
  /** The workload that it is for, as it is in the build; undefined: other pods. */
  readonly workload?: Pick<Workload, 'kind' | 'name'>;
}

/** The spec of a wanted policy, with its keys in the order in which they are written. */
export function specOf({ podSelector, rules }: Pick<WantedPolicy, 'podSelector' | 'rules'>): PlainObject {
  const directions = DIRECTIONS.filter((direction) => rules[direction] !== undefined);
  const lists = directions.flatMap((direction) => {
    const list = (rules[direction] ?? []).map(({ rule }) => rule);
    return list.length === 0 ? [] : [[direction, list] as const];
  });
  const policyTypes = directions.map((direction) => POLICY_TYPES[direction]);
  return { podSelector, policyTypes, ...Object.fromEntries(lists) };
}

/**
 * The policies that allow the required traffic of a topology and deny all other: one for each workload, by name, after a
 * default-deny for each namespace that belongs to the build and whose pods are all isolated. A workload whose isolation is
 * held back in a direction stays open there.
 *
 * @param handWritten the other policies of the build
 */
export function wantedPolicies(
  topology: Topology,
  peers: ExternalPeers,
  handWritten = new PolicySet([]),
): WantedPolicy[] {
  const { workloads, namespaces } = topology;
  const heldBack = new HeldBack(topology, handWritten);
  const names = namesOf(workloads);
  const open = new Set(workloads.filter((one) => !isIsolated(one, heldBack)).map((one) => one.namespace));
  const denials = [...new Set(workloads.map(({ namespace }) => namespace))]
    .filter((namespace) => isOwnNamespace(namespace, namespaces, peers))
    .filter((namespace) => !open.has(namespace))
    .map((namespace) => ({
      name: DEFAULT_DENY,
      namespace,
      podSelector: {},
      rules: { ingress: [], egress: [] },
    }));
  const ends = mergedEnds(topology);
  const own = workloads.flatMap((workload): WantedPolicy[] => {
    // An empty selector would select every pod.
    if (Object.keys(workload.selector).length === 0 || workload.usesHostNetwork) return [];
    const end = { is: 'workload', workload } as const;
    const policy = policyAt(end, names.get(workload) ?? workload.name, ends, peers);
    const known = DIRECTIONS.filter((direction) => heldBack.reasons(workload, direction).length === 0);
    const rules = Object.fromEntries(known.map((direction) => [direction, policy.rules[direction] ?? []]));
    return known.length === 0 ? [] : [{ ...policy, rules, workload }];
  });
  const solvers = [...ends.values()].flatMap(({ end }) =>
    end.is === 'acme-solver' ? [policyAt(end, ACME_SOLVER, ends, peers)] : [],
  );
  const byName = (a: WantedPolicy, b: WantedPolicy) =>
    compareText(a.namespace, b.namespace) || compareText(a.name, b.name);
  return withFreeNames([...denials.sort(byName), ...[...own, ...solvers].sort(byName)]);
}

/** Whether a policy isolates the pods of a workload in both directions, or none can. */
function isIsolated(workload: Workload, heldBack: HeldBack): boolean {
  if (workload.usesHostNetwork) return true;
  return Object.keys(workload.selector).length > 0 && !heldBack.includes(workload);
}

/** Whether all pods of a namespace may be isolated: those that are not in the build too. */
function isOwnNamespace(
  namespace: string,
  inBuild: ReadonlySet<string>,
  { defaultDeny }: ExternalPeers,
): boolean {
  return defaultDeny === 'namespace' || (inBuild.has(namespace) && !SYSTEM_NAMESPACE.test(namespace));
}

function withFreeNames(policies: readonly WantedPolicy[]): WantedPolicy[] {
  const taken = new Set<string>();
  return policies.map((policy) => {
    const keyOf = (name: string) => JSON.stringify([policy.namespace, name]);
    const name = freeName(policy.name, (one) => taken.has(keyOf(one)));
    taken.add(keyOf(name));
    return { ...policy, name };
  });
}

/** For a workload whose name the API server refuses, and of which nothing is left. */
const NAMELESS = 'workload';

/** A name, with a number where it is taken, shortened where it is too long, and never empty: kustomize refuses that. */
export function freeName(preferred: string, isTaken: (name: string) => boolean): string {
  const numbered = (n: number) => {
    const suffix = n === 1 ? '' : `-${n}`;
    let name = preferred.slice(0, LONGEST_SUBDOMAIN - suffix.length);
    while (/[-.]$/.test(name)) name = name.slice(0, -1);
    return (name || NAMELESS) + suffix;
  };
  let n = 1;
  while (isTaken(numbered(n))) n++;
  return numbered(n);
}

/** The names of the policies of workloads: a workload's own, with its kind where two of a namespace share it. */
export function namesOf(workloads: readonly Workload[]): Map<Workload, string> {
  const counts = new Map<string, number>();
  const keyOf = ({ namespace, name }: Workload) => JSON.stringify([namespace, name]);
  for (const workload of workloads) counts.set(keyOf(workload), (counts.get(keyOf(workload)) ?? 0) + 1);
  return new Map(
    workloads.map((workload) => {
      const { name, kind } = workload;
      return [workload, counts.get(keyOf(workload)) === 1 ? name : `${name}-${kind.toLowerCase()}`];
    }),
  );
}

/** All traffic of an end with another one, in one direction. */
interface Side {
  readonly other: ConnectionEnd;
  readonly ports: Map<string, Port>;
  readonly reasons: Set<string>;
}

/** An end in the build, with what it must be open to. */
interface EndTraffic {
  readonly end: ConnectionEnd;
  readonly ingress: Map<string, Side>;
  readonly egress: Map<string, Side>;
}

/** Identity of an end to its traffic. */
function mergedEnds({ connections }: Topology): Map<string, EndTraffic> {
  const ends = new Map<string, EndTraffic>();
  const add = (
    end: ConnectionEnd,
    direction: Direction,
    other: ConnectionEnd,
    { ports, cause }: Connection,
  ) => {
    const key = identityOf(end);
    const traffic = ends.get(key) ?? {
      end,
      ingress: new Map<string, Side>(),
      egress: new Map<string, Side>(),
    };
    ends.set(key, traffic);
    const sides = traffic[direction];
    const side = sides.get(identityOf(other)) ?? {
      other,
      ports: new Map<string, Port>(),
      reasons: new Set<string>(),
    };
    sides.set(identityOf(other), side);
    for (const port of ports) side.ports.set(`${port.protocol} ${port.port}`, port);
    side.reasons.add(escapeText(cause.raw));
  };
  for (const connection of connections) {
    const { from, to } = connection;
    if (to.is === 'workload' || to.is === 'acme-solver') add(to, 'ingress', from, connection);
    if (from.is === 'workload') add(from, 'egress', to, connection);
  }
  return ends;
}

function policyAt(
  end: ConnectionEnd,
  name: string,
  ends: ReadonlyMap<string, EndTraffic>,
  peers: ExternalPeers,
): WantedPolicy {
  const traffic = ends.get(identityOf(end));
  const namespace = namespaceOf(end);
  const rulesIn = (direction: Direction, key: 'from' | 'to'): WantedRule[] =>
    [...(traffic?.[direction].values() ?? [])].sort(bySide).map(({ other, ports, reasons }) => ({
      rule: { [key]: peersOf(other, namespace, peers), ports: portsOf(ports) },
      reasons: [...reasons].sort(compareText),
    }));
  const ingress = rulesIn('ingress', 'from');
  const rules = end.is === 'workload' ? { ingress, egress: rulesIn('egress', 'to') } : { ingress };
  return { name, namespace, podSelector: selectorOf(end, peers), rules };
}

/** The order of rules. */
const RANKS = [
  'ingress-controller',
  'gateway',
  'acme-solver',
  'pods',
  'workload',
  'internet',
  'dns',
  'addresses',
];

function bySide({ other: a }: Side, { other: b }: Side): number {
  return RANKS.indexOf(a.is) - RANKS.indexOf(b.is) || compareText(identityOf(a), identityOf(b));
}

function portsOf(ports: ReadonlyMap<string, Port>): YamlValue[] {
  return [...ports.values()]
    .sort((a, b) => a.port - b.port || compareText(b.protocol, a.protocol))
    .map(({ protocol, port }) => ({ protocol, port }));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The namespace of an end in the build. */
function namespaceOf(end: ConnectionEnd): string {
  if (end.is === 'workload') return end.workload.namespace;
  return end.is === 'acme-solver' ? end.namespace : '';
}

function identityOf(end: ConnectionEnd): string {
  const workload = end.is === 'workload' ? [end.workload.name, end.workload.kind] : [];
  const addresses = end.is === 'addresses' ? end.ranges.map(printIpRange) : [];
  const pods = end.is === 'pods' ? [end.pods.namespace, ...Object.entries(end.pods.podLabels).flat()] : [];
  return JSON.stringify([end.is, namespaceOf(end), ...workload, ...addresses, ...pods]);
}

/** The entries of `from` or `to` that select one end of a connection, in a policy of the namespace `home`. */
function peersOf(end: ConnectionEnd, home: string, peers: ExternalPeers): YamlValue[] {
  if (end.is === 'addresses') return end.ranges.map((one) => ({ ipBlock: { cidr: printIpRange(one) } }));
  const pods = podsAt(end, peers);
  if (pods === undefined)
    return INTERNET.map(({ cidr, except }) => ({ ipBlock: { cidr, except: [...except] } }));
  if (Object.keys(pods.podLabels).length === 0)
    return [{ namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: pods.namespace } } }];
  const podSelector = selectorOf(end, peers);
  const namespaceSelector = { matchLabels: { [NAMESPACE_NAME]: pods.namespace } };
  // One entry, which requires namespace and labels; two entries would require either.
  const isLocal = end.is === 'workload' && pods.namespace === home;
  const peer = isLocal ? { podSelector } : { namespaceSelector, podSelector };
  const addresses = end.is === 'dns' ? peers.dns.addresses : [];
  return [peer, ...addresses.map((cidr) => ({ ipBlock: { cidr } }))];
}

/** kustomize adds labels to every `matchLabels`; pods that are not in the build do not have them. */
function selectorOf(end: ConnectionEnd, peers: ExternalPeers): PlainObject {
  const { podLabels = {} } = podsAt(end, peers) ?? {};
  if (end.is === 'workload') return { matchLabels: podLabels };
  const labels = Object.entries(podLabels);
  return { matchExpressions: labels.map(([key, value]) => ({ key, operator: 'In', values: [value] })) };
}
