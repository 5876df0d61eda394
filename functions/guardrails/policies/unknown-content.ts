import { resourceRef } from '../krm/resource';
import { type Package } from '../kustomize/package';
import { policiesFile } from '../kustomize/graph';
import { words } from '../message';
import type { Connection, ConnectionEnd, Port, Topology, Workload } from '../network/connection';
import { generatedLabelsOf, specOf } from '../network/generate';
import { printIpRange } from '../network/ip-range';
import { append } from '../network/multimap';
import {
  DIRECTIONS,
  type Direction,
  POLICY_TYPES,
  type Peer,
  type PolicyRule,
  readPolicy,
} from '../network/policy';
import { type Labels, type Selector, stringsIn } from '../network/selector';
import { NAMESPACE_NAME } from '../network/traffic';
import { type YamlObject, objectAt, objectsIn } from '../yaml/yaml';
import { renamingsOf } from './names';
import { type SourcePolicy, withLabels } from './source-policy';

/** A generated policy of the package, as an overlay builds it. */
export interface CommittedPolicy {
  readonly namespace: string;
  readonly podSelector: Selector;
  /** The directions in which it isolates, with their rules. */
  readonly rules: Readonly<Partial<Record<Direction, readonly CommittedRule[]>>>;
}

export interface CommittedRule extends PolicyRule {
  /** The comments before it. */
  readonly reasons: readonly string[];
}

/** The generated policies in the files of a package that an overlay builds. */
export function committedPolicies({ files, graph }: Package, overlay: string): CommittedPolicy[] {
  return [...renamingsOf(graph, overlay)].flatMap(([place, renamings]) => {
    const items = (files.get(policiesFile(place)) ?? []).filter(
      ({ value }) => generatedLabelsOf(value).length > 0,
    );
    const sources = items.map(({ value, text }) => sourcePolicyOf(value, text));
    return renamings.flatMap(({ labels, namespace }) =>
      sources.map((source) => builtPolicy(withLabels(source, labels), namespace ?? source.namespace ?? '')),
    );
  });
}

function sourcePolicyOf(value: YamlObject, text: string): SourcePolicy {
  const { name, namespace } = resourceRef(value);
  const spec = objectAt(value, 'spec');
  const reasons = reasonsIn(text);
  const isolated = DIRECTIONS.filter(
    (one) => Array.isArray(spec.policyTypes) && spec.policyTypes.includes(POLICY_TYPES[one]),
  );
  const rules = isolated.map((direction) => {
    const all = objectsIn(spec[direction]);
    const known = reasons[direction].length === all.length ? reasons[direction] : [];
    return [direction, all.map((rule, i) => ({ rule, reasons: known[i] ?? [] }))] as const;
  });
  const podSelector = objectAt(spec, 'podSelector');
  return { name, subject: name, namespace, podSelector, rules: Object.fromEntries(rules) };
}

function builtPolicy(source: SourcePolicy, namespace: string): CommittedPolicy {
  const { policy } = readPolicy({ spec: specOf(source) });
  const rules = DIRECTIONS.flatMap((direction) => {
    const list = policy[direction];
    if (list === undefined) return [];
    const reasons = source.rules[direction] ?? [];
    return [[direction, list.map((rule, i) => ({ ...rule, reasons: reasons[i]?.reasons ?? [] }))] as const];
  });
  return { namespace, podSelector: policy.podSelector, rules: Object.fromEntries(rules) };
}

/** The comments before each rule of a policy. */
function reasonsIn(text: string): Record<Direction, readonly string[][]> {
  const all: Record<Direction, string[][]> = { ingress: [], egress: [] };
  let direction: Direction | undefined;
  let reasons: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, comment] = /^\s*# ?(.*)$/.exec(line) ?? [];
    if (comment !== undefined) {
      reasons.push(comment);
      continue;
    }
    direction = DIRECTIONS.find((one) => line.trim() === `${one}:`) ?? direction;
    if (direction !== undefined && /^\s*- (?:from|to|ports):/.test(line)) all[direction].push(reasons);
    reasons = [];
  }
  return all;
}

/**
 * The traffic of a build, with what its committed policies say of workloads that read content which the function does not
 * have: whoever wrote them had it. A connection that the content may require, and that they allow, is required. A
 * workload that they isolate in a direction is not held back there by what is not known. Of traffic that other content
 * decides they say nothing.
 */
export function withCommitted(topology: Topology, committed: readonly CommittedPolicy[]): Topology {
  const { workloads, unknownContent, unknownSecrets, needs, connections } = topology;
  if (unknownContent.size + unknownSecrets.size === 0) return topology;
  const byPods = new Map<string, Workload[]>();
  for (const workload of workloads)
    append(byPods, keyOfPods(workload.namespace, workload.selector), workload);
  const at = (namespace: string, selector: Selector | undefined): readonly Workload[] => {
    const labels = selector?.matchExpressions.length === 0 ? selector.matchLabels : {};
    return Object.keys(labels).length === 0 ? [] : (byPods.get(keyOfPods(namespace, labels)) ?? []);
  };
  const isolated = new Map(DIRECTIONS.map((direction) => [direction, new Set<Workload>()]));
  const kept: Connection[] = [];
  for (const { namespace, podSelector, rules } of committed)
    for (const workload of at(namespace, podSelector))
      for (const direction of DIRECTIONS) {
        const list = rules[direction];
        if (list === undefined) continue;
        isolated.get(direction)?.add(workload);
        const own = { is: 'workload', workload } as const;
        for (const { peers = [], ports, reasons } of list)
          for (const other of endsOf(peers, namespace, at)) {
            const [from, to] = direction === 'ingress' ? [other, own] : [own, other];
            if (from.is === 'workload' && unknownContent.has(from.workload))
              kept.push(...connectionsBetween(from, to, ports, reasons));
          }
      }
  const isAnswered = ({ isUnknownContent, workload, direction }: Topology['needs'][number]) =>
    isUnknownContent === true && isolated.get(direction)?.has(workload) === true;
  return {
    ...topology,
    needs: needs.filter((one) => !isAnswered(one)),
    connections: [...connections, ...kept],
  };
}

/** The ends at the peers of a rule to which content may lead: workloads of the build, or addresses. */
function endsOf(
  peers: readonly Peer[],
  home: string,
  at: (namespace: string, selector: Selector | undefined) => readonly Workload[],
): ConnectionEnd[] {
  const ranges = peers.flatMap((peer) =>
    'ipBlock' in peer && peer.ipBlock.except.length === 0 ? [peer.ipBlock.range] : [],
  );
  // Those of the API server; DNS and the internet have other peers besides.
  if (ranges.length > 0 && ranges.length === peers.length)
    return [{ is: 'addresses', ranges, name: words(ranges.map(printIpRange).join(', ')) }];
  return peers.flatMap((peer) => {
    if ('ipBlock' in peer) return [];
    const { namespaceSelector, podSelector } = peer;
    const namespace = namespaceSelector === undefined ? home : namespaceSelector.matchLabels[NAMESPACE_NAME];
    return at(namespace ?? '', podSelector).map((workload) => ({ is: 'workload' as const, workload }));
  });
}

/** One for each reason: they become the comments of one rule. */
function connectionsBetween(
  from: ConnectionEnd,
  to: ConnectionEnd,
  allowed: PolicyRule['ports'] = [],
  reasons: readonly string[],
): Connection[] {
  const ports = allowed.flatMap(({ protocol, port }): Port[] =>
    typeof port === 'number' ? [{ protocol, port }] : [],
  );
  const causes = reasons.length === 0 ? ['content that is not in the input'] : reasons;
  return causes.map(words).map((cause) => ({ from, to, ports, reason: cause, cause }));
}

function keyOfPods(namespace: string, labels: Labels): string {
  return JSON.stringify([namespace, Object.entries(stringsIn(labels)).sort()]);
}
