import { BlockList, isIP } from 'node:net';
import { groupOf, objectAt, objectsIn } from '../kubernetes/workload';
import { resourceRef } from '../kubernetes/resource';
import { type YamlObject, type YamlValue, isObject, textOf } from '../krm/yaml';
import { type Selector, readSelector, unknownSelectorKeys } from './selector';

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

/** A NetworkPolicy (networking.k8s.io/v1) with its defaults filled in. */
export interface Policy {
  readonly name: string;
  /** `''`: that of whoever applies it. */
  readonly namespace: string;
  readonly podSelector: Selector;
  /** undefined: the policy says nothing of this direction. An empty list allows nothing. */
  readonly ingress: readonly PolicyRule[] | undefined;
  readonly egress: readonly PolicyRule[] | undefined;
  readonly resource: YamlObject;
}

export interface PolicyRule {
  /** Where one of them matches, the rule does; undefined: from, or to, anywhere. */
  readonly peers: readonly Peer[] | undefined;
  /** undefined: on every port. */
  readonly ports: readonly PolicyPort[] | undefined;
}

export type Peer =
  | { readonly namespaceSelector: Selector | undefined; readonly podSelector: Selector | undefined }
  | { readonly ipBlock: IpBlock };

export interface IpBlock {
  /** CIDR ranges: the block, and what is not of it. */
  readonly ranges: readonly string[];
  readonly contains: (ip: string) => boolean;
}

export interface PolicyPort {
  readonly protocol: Protocol;
  /** undefined: every port of the protocol. A text is a container port's name. */
  readonly port: number | string | undefined;
  /** The last of a range that `port` starts. */
  readonly endPort: number | undefined;
}

export interface ReadPolicy {
  readonly policy: Policy;
  /** Keys that the API drops, or refuses: what was meant by them does not hold. */
  readonly problems: readonly string[];
}

export function isNetworkPolicy(resource: YamlObject): boolean {
  return resource.kind === 'NetworkPolicy' && groupOf(resource) === 'networking.k8s.io';
}

const KEYS = {
  spec: ['podSelector', 'policyTypes', 'ingress', 'egress'],
  ingress: ['from', 'ports'],
  egress: ['to', 'ports'],
  peer: ['podSelector', 'namespaceSelector', 'ipBlock'],
  port: ['protocol', 'port', 'endPort'],
  ipBlock: ['cidr', 'except'],
};

/**
 * Reads a NetworkPolicy as the API server does.
 * https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
 */
export function readPolicy(resource: YamlObject): ReadPolicy {
  const problems: string[] = [];
  const spec = objectAt(resource, 'spec');
  refuseUnknown(spec, KEYS.spec, 'spec', problems);
  // Without policyTypes: Ingress always, Egress when there is any egress rule. (defaults.go, SetDefaults_NetworkPolicy)
  const given = Array.isArray(spec.policyTypes) && spec.policyTypes.length > 0 ? spec.policyTypes : undefined;
  const hasEgress = Array.isArray(spec.egress) && spec.egress.length > 0;
  const types = given ?? ['Ingress', ...(hasEgress ? ['Egress'] : [])];
  const { name, namespace = '' } = resourceRef(resource);
  const policy = {
    name,
    namespace,
    podSelector: selectorAt(spec, 'podSelector', problems) ?? { matchLabels: {}, matchExpressions: [] },
    ingress: types.includes('Ingress') ? rulesIn(spec.ingress, 'ingress', problems) : undefined,
    egress: types.includes('Egress') ? rulesIn(spec.egress, 'egress', problems) : undefined,
    resource,
  };
  if (policy.egress === undefined && hasEgress)
    problems.push('has egress rules that do not hold: policyTypes lacks Egress');
  if (policy.ingress === undefined && objectsIn(spec.ingress).length > 0)
    problems.push('has ingress rules that do not hold: policyTypes lacks Ingress');
  return { policy, problems };
}

function refuseUnknown(value: YamlObject, known: readonly string[], where: string, problems: string[]): void {
  for (const key of Object.keys(value))
    if (!known.includes(key)) problems.push(`has ${key} in ${where}, which the API does not know`);
}

function selectorAt(holder: YamlObject, key: string, problems: string[]): Selector | undefined {
  const value = holder[key];
  if (isObject(value))
    for (const unknown of unknownSelectorKeys(value))
      problems.push(`has ${unknown} in ${key}, which the API does not know`);
  return readSelector(value);
}

function rulesIn(
  value: YamlValue | undefined,
  direction: 'ingress' | 'egress',
  problems: string[],
): PolicyRule[] {
  return objectsIn(value).map((rule) => {
    refuseUnknown(rule, KEYS[direction], direction, problems);
    const peers = entriesIn(direction === 'ingress' ? rule.from : rule.to);
    const ports = entriesIn(rule.ports);
    return {
      peers: peers?.flatMap((peer) => peerIn(peer, problems)),
      ports: ports?.flatMap((port) => portIn(port, problems)),
    };
  });
}

/** undefined: no list, or an empty one, which both mean everything. An entry of null is an empty one. */
function entriesIn(value: YamlValue | undefined): YamlObject[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  return value.map((entry) => (isObject(entry) ? entry : {}));
}

function peerIn(peer: YamlObject, problems: string[]): Peer[] {
  refuseUnknown(peer, KEYS.peer, 'a peer', problems);
  const podSelector = selectorAt(peer, 'podSelector', problems);
  const namespaceSelector = selectorAt(peer, 'namespaceSelector', problems);
  const selectsPods = podSelector !== undefined || namespaceSelector !== undefined;
  if (isObject(peer.ipBlock) === selectsPods) {
    problems.push('has a peer that is not either of selectors and ipBlock, which the API refuses');
    return [];
  }
  if (selectsPods) return [{ podSelector, namespaceSelector }];
  const ipBlock = readIpBlock(objectAt(peer, 'ipBlock'), problems);
  return ipBlock === undefined ? [] : [{ ipBlock }];
}

function readIpBlock(value: YamlObject, problems: string[]): IpBlock | undefined {
  refuseUnknown(value, KEYS.ipBlock, 'ipBlock', problems);
  const block = ipBlockOf(textOf(value.cidr), Array.isArray(value.except) ? value.except.map(textOf) : []);
  if (block === undefined) problems.push('has an ipBlock that is no range of addresses, such as 10.0.0.0/8');
  return block;
}

/** undefined for what is no CIDR range. */
export function ipBlockOf(cidr: string, except: readonly string[] = []): IpBlock | undefined {
  const inside = blockListOf([cidr]);
  const outside = blockListOf(except);
  if (inside === undefined || outside === undefined) return undefined;
  return { ranges: [cidr, ...except], contains: (ip) => has(inside, ip) && !has(outside, ip) };
}

function blockListOf(ranges: readonly string[]): BlockList | undefined {
  const list = new BlockList();
  for (const range of ranges) {
    const [, address = '', length = ''] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(range) ?? [];
    const version = isIP(address);
    if (version === 0 || Number(length) > (version === 4 ? 32 : 128)) return undefined;
    list.addSubnet(address, Number(length), version === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

function has(list: BlockList, ip: string): boolean {
  return list.check(ip, isIP(ip) === 4 ? 'ipv4' : 'ipv6');
}

function portIn({ protocol, port, endPort, ...rest }: YamlObject, problems: string[]): PolicyPort[] {
  refuseUnknown(rest, [], 'a port', problems);
  const known = (['TCP', 'UDP', 'SCTP'] as const).find((one) => one === (protocol ?? 'TCP'));
  const isPort = port === undefined || port === null || typeof port === 'string' || isPortNumber(port);
  const isRange =
    endPort === undefined ||
    endPort === null ||
    (isPortNumber(endPort) && typeof port === 'number' && endPort >= port);
  if (known === undefined || !isPort || !isRange) {
    problems.push('has a port that the API refuses');
    return [];
  }
  return [
    {
      protocol: known,
      port: port ?? undefined,
      endPort: typeof endPort === 'number' ? endPort : undefined,
    },
  ];
}

function isPortNumber(value: YamlValue): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535;
}
