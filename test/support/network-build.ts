import { messageOf, printMessage } from '../../functions/guardrails/findings/print';
import { annotationNames } from '../../functions/guardrails/kubernetes/annotation-names';
import { type Placed, expandLists, resourceRef } from '../../functions/guardrails/krm/resource';
import { checkPolicies } from '../../functions/guardrails/network/check-policies';
import type { Connection, ConnectionEnd, OpenNeed } from '../../functions/guardrails/network/connection';
import { EXTERNAL_PEERS, type ExternalPeers } from '../../functions/guardrails/network/external-peers';
import { handWrittenPolicies, specOf, wantedPolicies } from '../../functions/guardrails/network/generate';
import { printIpRange } from '../../functions/guardrails/network/ip-range';
import { readTopology } from '../../functions/guardrails/network/topology';
import type { PlacedReport } from '../../functions/guardrails/findings/finding';
import { isObject, parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';

/** The resources of YAML documents, Lists expanded. */
export function resourcesIn(documents: readonly string[]): Placed[] {
  return parseYaml(documents.join('---\n'), 'test')
    .map(valueOf)
    .flatMap((value) => (isObject(value) ? expandLists(value) : []));
}

/** The traffic that documents require, `from -> to: ports`, what is reported, and the policies that are generated. */
export function readBuild(documents: readonly string[], peers: ExternalPeers = EXTERNAL_PEERS) {
  const { topology, wanted } = wantedFor(documents, peers);
  return {
    connections: topology.connections.map(lineOf),
    reports: [...topology.reports, ...topology.missingBackends].map(
      ({ report }) => `${report.severity ?? 'error'}: ${report.problem.raw}`,
    ),
    policies: Object.fromEntries(wanted.map((one) => [one.name, specOf(one)])),
  };
}

/** What holds the isolation of workloads back: `Deployment/web egress: <evidence>; <answer>`. */
export function readNeeds(
  documents: readonly string[],
  peers: ExternalPeers = EXTERNAL_PEERS,
): readonly string[] {
  return readTopology(resourcesIn(documents), annotationNames(), peers).needs.map(needOf);
}

/** `severity message` of each finding about the policies of documents and those that are generated for them. */
export function checkBuild(documents: readonly string[], peers: ExternalPeers = EXTERNAL_PEERS): string[] {
  return checkPolicies(resourcesIn(documents), peers, annotationNames()).map(findingOf);
}

/** The policies that are generated for documents, by name, with their types alone. */
export function typesIn(documents: readonly string[], peers?: ExternalPeers) {
  const { policies } = readBuild(documents, peers);
  return Object.fromEntries(Object.entries(policies).map(([name, spec]) => [name, spec.policyTypes]));
}

/** The findings about documents with the policies that are generated for them. */
export function findings(documents: readonly string[], peers?: ExternalPeers): string[] {
  return checkBuild(withPolicies(documents, peers), peers);
}

/** Documents with the policies that are generated for them. */
export function withPolicies(
  documents: readonly string[],
  peers: ExternalPeers = EXTERNAL_PEERS,
): readonly string[] {
  const policies = wantedFor(documents, peers).wanted.map((one) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: {
      name: one.name,
      ...(one.namespace === '' ? {} : { namespace: one.namespace }),
      labels: { 'todo.example.com/generated-by': 'guardrails' },
    },
    spec: specOf(one),
  }));
  return [...documents, ...policies.map((one) => `${JSON.stringify(one)}\n`)];
}

function wantedFor(documents: readonly string[], peers: ExternalPeers) {
  const resources = resourcesIn(documents);
  const topology = readTopology(resources, annotationNames(), peers);
  return {
    topology,
    wanted: wantedPolicies(topology, peers, handWrittenPolicies(resources, annotationNames())),
  };
}

function findingOf({ at, report }: PlacedReport): string {
  const { problem, remedy, severity = 'error' } = report;
  const finding = { severity, problem, remedy, resource: resourceRef(at.resource), overlays: [] };
  return `${severity} ${printMessage(messageOf(finding), (text) => text)}`;
}

export function lineOf({ from, to, ports }: Connection): string {
  const list = ports.map(({ protocol, port }) => `${protocol} ${port}`).join(', ');
  return `${nameOf(from)} -> ${nameOf(to)}: ${list}`;
}

function needOf({ workload, direction, evidence, answer }: OpenNeed): string {
  const text = 'entry' in answer ? `add ${answer.annotation}: ${answer.entry.raw}` : answer.raw;
  return `${workload.kind}/${workload.name} ${direction}: ${evidence.raw}; ${text}`;
}

function nameOf(end: ConnectionEnd): string {
  if (end.is === 'addresses') return end.ranges.map(printIpRange).join(', ');
  if (end.is === 'pods')
    return [
      end.pods.namespace,
      ...Object.entries(end.pods.podLabels).map(([key, value]) => `${key}=${value}`),
    ].join(' ');
  return end.is === 'workload' ? `${end.workload.kind}/${end.workload.name}` : end.is;
}
