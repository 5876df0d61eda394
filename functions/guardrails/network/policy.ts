import type { Report } from '../findings/finding';
import { groupOf, resourceRef } from '../krm/resource';
import { words } from '../message';
import type { YamlObject, YamlValue } from '../yaml/yaml';
import { Field } from './decode';
import { type IpRange, isWithin, readIpRange } from './ip-range';
import { type Selector, readSelector } from './selector';

export const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;
const PORT_NAME = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/; // RFC 6335, 5.1, in lower case

export const DIRECTIONS = ['ingress', 'egress'] as const;
export const POLICY_TYPES = { ingress: 'Ingress', egress: 'Egress' } as const;

export type Direction = (typeof DIRECTIONS)[number];
export type Protocol = (typeof PROTOCOLS)[number];

export function isNetworkPolicy(resource: YamlObject): boolean {
  return resource.kind === 'NetworkPolicy' && groupOf(resource) === 'networking.k8s.io';
}

/** A NetworkPolicy (networking.k8s.io/v1) with its defaults filled in. */
export interface Policy {
  readonly name: string;
  /** `''`: not set; `kubectl apply` chooses it. */
  readonly namespace: string;
  readonly podSelector: Selector;
  /** undefined: the policy does not isolate in this direction. An empty list allows nothing. */
  readonly ingress: readonly PolicyRule[] | undefined;
  readonly egress: readonly PolicyRule[] | undefined;
  readonly resource: YamlObject;
}

export interface PolicyRule {
  /** The rule matches if one of them does; undefined: every source or destination. */
  readonly peers: readonly Peer[] | undefined;
  /** undefined: on every port. */
  readonly ports: readonly PolicyPort[] | undefined;
}

export type Peer = SelectorPeer | { readonly ipBlock: IpBlock };

export interface SelectorPeer {
  /** undefined: the policy's own namespace. */
  readonly namespaceSelector: Selector | undefined;
  /** undefined: every pod there. */
  readonly podSelector: Selector | undefined;
}

/** The addresses of a range that are in none of the excepted ones. */
export interface IpBlock {
  readonly range: IpRange;
  readonly except: readonly IpRange[];
}

export function rangesOfBlock({ range, except }: IpBlock): readonly IpRange[] {
  return [range, ...except];
}

export interface PolicyPort {
  readonly protocol: Protocol;
  /** undefined: every port of the protocol. A string is a container port's name. */
  readonly port: number | string | undefined;
  /** The last port of a range that starts at `port`. */
  readonly endPort: number | undefined;
}

export interface ReadPolicy {
  readonly policy: Policy;
  /** What the API server refuses, and rules that never take effect. */
  readonly problems: readonly Report[];
}

/**
 * Reads a NetworkPolicy with the defaults and the refusals of the API server. What it refuses allows nothing: an entry
 * of a list is left out, a selector selects nothing. A policy with an unknown key, a spec of a wrong type or unknown
 * policyTypes isolates in neither direction.
 * https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
 */
export function readPolicy(resource: YamlObject): ReadPolicy {
  const problems: Report[] = [];
  const root = new Field(resource, [], problems);
  root.isMapping(['apiVersion', 'kind', 'metadata', 'spec']);
  const spec = root.at('spec');
  spec.isMapping(['podSelector', 'policyTypes', 'ingress', 'egress']);
  const types = policyTypesIn(spec);
  const isInEffect = problems.length === 0;
  const podSelector = readSelector(spec.at('podSelector')) ?? { matchLabels: {}, matchExpressions: [] };
  const rules = { ingress: rulesIn(spec.at('ingress'), 'from'), egress: rulesIn(spec.at('egress'), 'to') };
  const effective = (direction: Direction) => {
    const type = POLICY_TYPES[direction];
    if (isInEffect && types.includes(type)) return rules[direction];
    if (isInEffect && rules[direction].length > 0)
      problems.push({
        problem: words(`has ${direction} rules without effect: spec.policyTypes does not contain ${type}`),
        remedy: words(`add ${type} to spec.policyTypes, or remove the rules`),
        field: ['spec', direction],
      });
    return undefined;
  };
  const { name, namespace = '' } = resourceRef(resource);
  const [ingress, egress] = DIRECTIONS.map(effective);
  return { policy: { name, namespace, podSelector, ingress, egress, resource }, problems };
}

function policyTypesIn(spec: Field): readonly (YamlValue | undefined)[] {
  const field = spec.at('policyTypes');
  const types = field.entries().map(({ value }) => value);
  const known: readonly (YamlValue | undefined)[] = Object.values(POLICY_TYPES);
  const { value: egress } = spec.at('egress');
  // defaults.go, SetDefaults_NetworkPolicy
  if (types.length === 0) return Array.isArray(egress) && egress.length > 0 ? known : ['Ingress'];
  if (types.length > known.length || !types.every((type) => known.includes(type)))
    field.refuse('Ingress, Egress, or both');
  return types;
}

function rulesIn(field: Field, peersKey: 'from' | 'to'): PolicyRule[] {
  return field.entries().flatMap((rule) => {
    const keys = [peersKey, 'ports'];
    const lists = rule.mapping(keys, () => keys.map((key) => rule.at(key).entries()));
    if (lists === undefined) return [];
    const [peers = [], ports = []] = lists;
    return [{ peers: entriesIn(peers, peerIn), ports: entriesIn(ports, portIn) }];
  });
}

/** undefined: an empty list, which restricts nothing; one whose entries are all refused matches nothing. */
function entriesIn<T>(fields: readonly Field[], read: (field: Field) => T | undefined): T[] | undefined {
  return fields.length === 0 ? undefined : fields.flatMap((field) => read(field) ?? []);
}

function peerIn(field: Field): Peer | undefined {
  return field.mapping(['podSelector', 'namespaceSelector', 'ipBlock'], () => {
    const podSelector = readSelector(field.at('podSelector'));
    const namespaceSelector = readSelector(field.at('namespaceSelector'));
    const block = field.at('ipBlock');
    const ipBlock = block.isAbsent ? undefined : ipBlockIn(block);
    const selectsPods = podSelector !== undefined || namespaceSelector !== undefined;
    if (selectsPods !== block.isAbsent) field.refuse('either selectors or an ipBlock');
    return ipBlock === undefined ? { podSelector, namespaceSelector } : { ipBlock };
  });
}

function ipBlockIn(field: Field): IpBlock | undefined {
  if (!field.isMapping(['cidr', 'except'])) return undefined;
  const range = ipRangeIn(field.at('cidr'));
  if (range === undefined) return undefined;
  const exceptions = field.at('except').entries();
  const except = exceptions.flatMap((entry) => {
    const excepted = ipRangeIn(entry);
    if (excepted !== undefined && !isWithin(excepted, range)) entry.refuse('a smaller range within cidr');
    return excepted ?? [];
  });
  return { range, except };
}

function ipRangeIn(field: Field): IpRange | undefined {
  const range = typeof field.value === 'string' ? readIpRange(field.value) : undefined;
  if (range === undefined)
    field.refuse('a range such as 10.0.0.0/8 or 2001:db8::/32, with no bits set after the prefix');
  return range;
}

function portIn(field: Field): PolicyPort | undefined {
  return field.mapping(['protocol', 'port', 'endPort'], () => {
    const [protocol, port, endPort] = [field.at('protocol'), field.at('port'), field.at('endPort')];
    const known = PROTOCOLS.find((one) => one === (protocol.value ?? 'TCP'));
    const number = isPortNumber(port.value) ? port.value : undefined;
    const name = typeof port.value === 'string' && PORT_NAME.test(port.value) ? port.value : undefined;
    const end = isPortNumber(endPort.value) ? endPort.value : 0;
    const last = number !== undefined && end >= number ? end : undefined;
    if (!port.isAbsent && number === undefined && name === undefined)
      port.refuse('a number from 1 to 65535, or the name of a container port');
    if (!endPort.isAbsent && last === undefined)
      endPort.refuse('a number from port to 65535, with a numeric port');
    if (known === undefined) protocol.refuse(`one of ${PROTOCOLS.join(', ')}`);
    return { protocol: known ?? 'TCP', port: number ?? name, endPort: last };
  });
}

function isPortNumber(value: YamlValue | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535;
}
