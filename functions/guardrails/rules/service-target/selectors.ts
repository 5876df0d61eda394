import type { PlacedReport } from '../../findings/finding';
import { type Placed, groupOf, resourceRef } from '../../krm/resource';
import { type Message, message, words } from '../../message';
import { areUndecided } from '../../network/controller-labels';
import type { Topology, Workload } from '../../network/connection';
import { Field } from '../../network/decode';
import { isGenerated } from '../../network/generate';
import {
  type Labels,
  type Selector,
  hasLabels,
  readSelector,
  selects,
  stringsIn,
} from '../../network/selector';
import { isService } from '../../network/services';
import type { AnnotationNames } from '../../kubernetes/annotation-names';
import { type FieldPath, valueAt } from '../../yaml/field-path';
import { objectAt, textOf } from '../../yaml/yaml';
import type { Lookup } from '../references/lookup';
import { isName } from '../references/texts';
import { type Candidate, type NearLabel, nearLabel } from './near-labels';

/** A selector of pods, or of Services. */
export interface WrittenSelector {
  readonly at: Placed;
  readonly selector: Selector;
  readonly field: FieldPath;
  readonly namespaces: readonly string[];
  readonly of: 'pods' | 'Services';
}

/** A build, as selectors see it. */
export interface SelectableBuild {
  readonly resources: readonly Placed[];
  readonly topology: Topology;
  readonly lookup: Lookup;
}

/** The kinds whose objects select pods by a LabelSelector, by group and kind, and where that is. */
const SELECTORS = new Map<string, { readonly path: FieldPath; readonly of: WrittenSelector['of'] }>([
  ['networking.k8s.io/NetworkPolicy', { path: ['spec', 'podSelector'], of: 'pods' }],
  ['policy/PodDisruptionBudget', { path: ['spec', 'selector'], of: 'pods' }],
  ['monitoring.coreos.com/PodMonitor', { path: ['spec', 'selector'], of: 'pods' }],
  ['operator.victoriametrics.com/VMPodScrape', { path: ['spec', 'selector'], of: 'pods' }],
  ['monitoring.coreos.com/ServiceMonitor', { path: ['spec', 'selector'], of: 'Services' }],
  ['operator.victoriametrics.com/VMServiceScrape', { path: ['spec', 'selector'], of: 'Services' }],
]);

/** The selector of a resource that is not a Service; undefined: it has none, or one that selects everything. */
export function selectorOf(at: Placed, annotations: AnnotationNames): WrittenSelector | undefined {
  const { resource } = at;
  const { kind, namespace = '' } = resourceRef(resource);
  const place = SELECTORS.get(`${groupOf(resource)}/${kind}`);
  if (place === undefined || isGenerated(resource, annotations)) return undefined;
  const field = place.path.reduce<Field>((one, key) => one.at(String(key)), new Field(resource));
  const selector = readSelector(field);
  // The rule network-policy, and the API server, report an invalid one.
  if (selector === undefined || field.problems.length > 0) return undefined;
  if (Object.keys(selector.matchLabels).length + selector.matchExpressions.length === 0) return undefined;
  const { any, matchNames } = objectAt(objectAt(resource, 'spec'), 'namespaceSelector');
  if (any === true) return undefined;
  const namespaces =
    Array.isArray(matchNames) && matchNames.length > 0 ? matchNames.map(textOf) : [namespace];
  return { at, selector, field: field.path, namespaces, of: place.of };
}

/** The workloads of a namespace that a selector selects; what has no namespace may be in any. */
export function selectedPods(
  { matchLabels, matchExpressions }: Selector,
  namespace: string,
  { workloads, selectedBy }: Topology,
): readonly Workload[] {
  const hasLabel = Object.keys(matchLabels).length > 0;
  const own = hasLabel ? selectedBy(matchLabels, namespace) : [];
  const candidates =
    own.length > 0
      ? own
      : hasLabel
        ? [...new Set(workloads.map((one) => one.namespace))]
            .filter((other) => other !== namespace && isSameNamespace(other, namespace))
            .flatMap((other) => selectedBy(matchLabels, other))
        : workloads.filter((one) => isSameNamespace(one.namespace, namespace));
  if (matchExpressions.length === 0) return candidates;
  const decided = matchExpressions.filter(({ key }) => !areUndecided({ [key]: '' }));
  return candidates.filter(({ labels }) => selects({ matchLabels: {}, matchExpressions: decided }, labels));
}

/** A selector that selects nothing. */
export interface EmptySelector {
  readonly report: PlacedReport;
  /** The workload that it nearly selects. */
  readonly near?: Workload | undefined;
}

/** undefined: it selects something, or what no manifest shows. */
export function emptySelector(
  written: WrittenSelector,
  build: SelectableBuild,
  clients: Message,
): EmptySelector | undefined {
  const { at, selector, field, namespaces, of } = written;
  const { matchLabels } = selector;
  if (Object.entries(matchLabels).some(([key, value]) => !isName(key) || (value !== '' && !isName(value))))
    return undefined;
  if (areUndecided(matchLabels) && selector.matchExpressions.length === 0) return undefined;
  if (namespaces.some((one) => isSelecting(selector, one, of, build))) return undefined;
  const all = candidatesIn(of, build);
  const candidates = all.filter((one) => namespaces.some((ns) => isSameNamespace(one.namespace, ns)));
  // The pods of a namespace in which the build has none are those of another package.
  if (candidates.length === 0) return undefined;
  const near = ownSelector(matchLabels, candidates) ?? nearLabel(matchLabels, candidates);
  const path = [...field, ...(of === 'pods' && isService(at.resource) ? [] : ['matchLabels'])];
  const none = words(of === 'pods' ? 'selects no pods' : 'selects no Services');
  if (near !== undefined && selector.matchExpressions.length === 0) {
    const problem = message`${none}: ${near.difference}${clients}`;
    const { key, remedy, candidate } = near;
    const currentValue = matchLabels[key];
    const report = { problem, remedy, field: [...path, key], currentValue, severity: 'error' } as const;
    return { report: { at, report }, near: candidate.workload };
  }
  if (build.lookup.objects.hasDeployer || arePodsOfOthers(matchLabels, build)) return undefined;
  if (of === 'pods' && namespaces.some((one) => build.lookup.hasPodsElsewhere(selector, one)))
    return undefined;
  const problem = message`${none} of this build${hintOf(matchLabels, namespaces, build)}${clients}`;
  const remedy = words(
    of === 'pods'
      ? 'select labels of a pod template; ignore it if an operator creates the pods'
      : 'select labels that a Service has; ignore it if an operator creates the Service',
  );
  return { report: { at, report: { problem, remedy, field, severity: 'warning' } } };
}

/** A workload whose own selector has the labels, while its pod template does not: the API server refuses it. */
function ownSelector(labels: Labels, candidates: readonly Candidate[]): NearLabel | undefined {
  for (const candidate of candidates) {
    const { workload } = candidate;
    const own = stringsIn(workload && valueAt(workload.resource, ['spec', 'selector', 'matchLabels']));
    const key = Object.keys(labels).find((one) => candidate.labels[one] !== labels[one]);
    if (workload === undefined || key === undefined || !hasLabels(own, labels)) continue;
    return {
      candidate,
      key,
      difference: message`${workload.kind}/${workload.name} selects ${key}: ${labels[key] ?? ''}, and its pod template does not have that label`,
      remedy: words('make the labels of the pod template match its selector'),
    };
  }
  return undefined;
}

function isSelecting(
  selector: Selector,
  namespace: string,
  of: WrittenSelector['of'],
  build: SelectableBuild,
): boolean {
  if (of === 'pods') return selectedPods(selector, namespace, build.topology).length > 0;
  return candidatesIn(of, build).some(
    (one) => isSameNamespace(one.namespace, namespace) && selects(selector, one.labels),
  );
}

function candidatesIn(
  of: WrittenSelector['of'],
  { resources, topology }: SelectableBuild,
): (Candidate & { readonly namespace: string })[] {
  if (of === 'pods')
    return topology.workloads.map((workload) => {
      const { kind, name, namespace, labels } = workload;
      return { namespace, labels, workload, subject: message`the pods of ${kind}/${name}` };
    });
  return resources
    .filter(({ resource }) => isService(resource))
    .map(({ resource }) => {
      const { name, namespace = '' } = resourceRef(resource);
      const labels = stringsIn(objectAt(resource, 'metadata').labels);
      return { namespace, labels, subject: message`the labels of Service/${name}` };
    });
}

/** Whether labels are those of an operator: under a domain that no pod template has, or those of a custom resource. */
function arePodsOfOthers(labels: Labels, { topology, lookup }: SelectableBuild): boolean {
  const known = new Set(topology.workloads.flatMap((one) => Object.keys(one.labels).map(domainOf)));
  const isForeign = (domain: string) =>
    domain !== '' && !domain.endsWith('kubernetes.io') && !known.has(domain);
  return Object.keys(labels).map(domainOf).some(isForeign) || lookup.objects.maySelectMade(labels);
}

/** `cnpg.io` of `cnpg.io/cluster`. */
function domainOf(key: string): string {
  return key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
}

/** A workload that has the labels itself, or in another namespace. */
function hintOf(labels: Labels, [namespace = '']: readonly string[], { topology }: SelectableBuild): Message {
  if (Object.keys(labels).length === 0) return words('');
  for (const { kind, name, namespace: other, labels: ofPods, resource } of topology.workloads) {
    const own = stringsIn(objectAt(resource, 'metadata').labels);
    if (isSameNamespace(other, namespace) && hasLabels(own, labels) && !hasLabels(ofPods, labels))
      return message`: ${kind}/${name} has the labels itself, its pod template does not`;
    if (!isSameNamespace(other, namespace) && hasLabels(ofPods, labels))
      return message`: ${kind}/${name} is in namespace ${other}`;
  }
  return words('');
}

function isSameNamespace(one: string, other: string): boolean {
  return one === other || one === '' || other === '';
}
