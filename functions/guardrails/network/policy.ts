import { resourceRef, groupOf } from '../krm/resource';
import { type YamlObject, type YamlValue, isAbsent } from '../yaml/yaml';
import { listIn, mappingIn, refuse } from './decode';
import { type IpRange, isWithin, readIpRange } from './ip-range';
import { type Selector, readSelector } from './selector';

export const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;
const POLICY_TYPES = ['Ingress', 'Egress'];
const PORT_NAME = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/; // RFC 6335, 5.1, in lower case

export type Protocol = (typeof PROTOCOLS)[number];

export function isNetworkPolicy(resource: YamlObject): boolean {
  return resource.kind === 'NetworkPolicy' && groupOf(resource) === 'networking.k8s.io';
}

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
  /** undefined: every port of the protocol. A text is a container port's name. */
  readonly port: number | string | undefined;
  /** The last of a range that `port` starts. */
  readonly endPort: number | undefined;
}

export interface ReadPolicy {
  readonly policy: Policy;
  /** What the API server refuses, and rules that never take effect; each goes on from the policy's name. */
  readonly problems: readonly string[];
}

/**
 * Reads a NetworkPolicy with the defaults and the refusals of the API server. What it refuses allows nothing: an entry
 * of a list is left out, a selector selects nothing. Where the policy itself has an unknown key, a spec of a wrong type or
 * unknown policyTypes, it says nothing of either direction.
 * https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
 */
export function readPolicy(resource: YamlObject): ReadPolicy {
  const problems: string[] = [];
  mappingIn(resource, '', problems, ['apiVersion', 'kind', 'metadata', 'spec']);
  const spec =
    mappingIn(resource.spec, 'spec', problems, ['podSelector', 'policyTypes', 'ingress', 'egress']) ?? {};
  const types = policyTypesIn(spec, problems);
  const holds = problems.length === 0;
  const podSelector = readSelector(spec.podSelector, 'spec.podSelector', problems);
  const ingress = rulesIn(spec.ingress, 'spec.ingress', 'from', problems);
  const egress = rulesIn(spec.egress, 'spec.egress', 'to', problems);
  const { name, namespace = '' } = resourceRef(resource);
  const policy = {
    name,
    namespace,
    podSelector: podSelector ?? { matchLabels: {}, matchExpressions: [] },
    ingress: holds && types.includes('Ingress') ? ingress : undefined,
    egress: holds && types.includes('Egress') ? egress : undefined,
    resource,
  };
  if (holds && policy.ingress === undefined && ingress.length > 0)
    problems.push('has ingress rules that do not hold: policyTypes lacks Ingress');
  if (holds && policy.egress === undefined && egress.length > 0)
    problems.push('has egress rules that do not hold: policyTypes lacks Egress');
  return { policy, problems };
}

function policyTypesIn({ policyTypes, egress }: YamlObject, problems: string[]): readonly YamlValue[] {
  const types = listIn(policyTypes, 'spec.policyTypes', problems);
  // defaults.go, SetDefaults_NetworkPolicy
  if (types.length === 0) return Array.isArray(egress) && egress.length > 0 ? POLICY_TYPES : ['Ingress'];
  if (types.length > POLICY_TYPES.length || !types.every((type) => POLICY_TYPES.some((one) => one === type)))
    refuse(problems, 'spec.policyTypes', policyTypes, 'it has Ingress, Egress, or both');
  return types;
}

function rulesIn(
  value: YamlValue | undefined,
  at: string,
  peersKey: 'from' | 'to',
  problems: string[],
): PolicyRule[] {
  return listIn(value, at, problems).flatMap((rule, i) => ruleIn(rule, `${at}[${i}]`, peersKey, problems));
}

function ruleIn(value: YamlValue, at: string, peersKey: 'from' | 'to', problems: string[]): PolicyRule[] {
  const before = problems.length;
  const rule = mappingIn(value, at, problems, [peersKey, 'ports']);
  if (rule === undefined) return [];
  const peers = listIn(rule[peersKey], `${at}.${peersKey}`, problems);
  const ports = listIn(rule.ports, `${at}.ports`, problems);
  if (problems.length > before) return [];
  return [
    {
      peers: entriesIn(peers, `${at}.${peersKey}`, peerIn, problems),
      ports: entriesIn(ports, `${at}.ports`, portIn, problems),
    },
  ];
}

/** undefined: an empty list, which restricts nothing; one whose entries are all refused matches nothing. */
function entriesIn<Entry>(
  list: readonly YamlValue[],
  at: string,
  entryIn: (value: YamlValue, at: string, problems: string[]) => Entry[],
  problems: string[],
): Entry[] | undefined {
  return list.length === 0 ? undefined : list.flatMap((one, i) => entryIn(one, `${at}[${i}]`, problems));
}

function peerIn(value: YamlValue, at: string, problems: string[]): Peer[] {
  const before = problems.length;
  const peer = mappingIn(value, at, problems, ['podSelector', 'namespaceSelector', 'ipBlock']);
  if (peer === undefined) return [];
  const podSelector = readSelector(peer.podSelector, `${at}.podSelector`, problems);
  const namespaceSelector = readSelector(peer.namespaceSelector, `${at}.namespaceSelector`, problems);
  const ipBlock = isAbsent(peer.ipBlock) ? undefined : ipBlockIn(peer.ipBlock, `${at}.ipBlock`, problems);
  const selectsPods = podSelector !== undefined || namespaceSelector !== undefined;
  if (selectsPods !== isAbsent(peer.ipBlock))
    refuse(problems, at, value, 'a peer is selectors, or else an ipBlock');
  if (problems.length > before) return [];
  return [ipBlock === undefined ? { podSelector, namespaceSelector } : { ipBlock }];
}

function ipBlockIn(value: YamlValue, at: string, problems: string[]): IpBlock | undefined {
  const block = mappingIn(value, at, problems, ['cidr', 'except']);
  if (block === undefined) return undefined;
  const range = ipRangeIn(block.cidr, `${at}.cidr`, problems);
  if (range === undefined) return undefined;
  return {
    range,
    except: listIn(block.except, `${at}.except`, problems).flatMap((one, i) => {
      const excepted = ipRangeIn(one, `${at}.except[${i}]`, problems);
      if (excepted === undefined) return [];
      if (!isWithin(excepted, range))
        refuse(problems, `${at}.except[${i}]`, one, 'it lies in cidr and is smaller');
      return [excepted];
    }),
  };
}

function ipRangeIn(value: YamlValue | undefined, at: string, problems: string[]): IpRange | undefined {
  const range = typeof value === 'string' ? readIpRange(value) : undefined;
  if (range === undefined)
    refuse(
      problems,
      at,
      value,
      'it is a range such as 10.0.0.0/8 or 2001:db8::/32, with no bits beyond its length',
    );
  return range;
}

function portIn(value: YamlValue, at: string, problems: string[]): PolicyPort[] {
  const before = problems.length;
  const entry = mappingIn(value, at, problems, ['protocol', 'port', 'endPort']);
  if (entry === undefined) return [];
  const { protocol, port, endPort } = entry;
  const known = PROTOCOLS.find((one) => one === (protocol ?? 'TCP'));
  const number = isPortNumber(port) ? port : undefined;
  const name = typeof port === 'string' && PORT_NAME.test(port) ? port : undefined;
  const last = isPortNumber(endPort) && number !== undefined && endPort >= number ? endPort : undefined;
  if (!isAbsent(port) && number === undefined && name === undefined)
    refuse(problems, `${at}.port`, port, 'it is a number from 1 to 65535, or the name of a container port');
  if (!isAbsent(endPort) && last === undefined)
    refuse(problems, `${at}.endPort`, endPort, 'it ends, at 65535 or before, what a number in port starts');
  if (known === undefined) refuse(problems, `${at}.protocol`, protocol, `it is ${PROTOCOLS.join(', ')}`);
  else if (problems.length === before) return [{ protocol: known, port: number ?? name, endPort: last }];
  return [];
}

function isPortNumber(value: YamlValue | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535;
}
