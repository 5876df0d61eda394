import { type PodSpec, podSpecOf } from '../kubernetes/workload';
import { type Placed, resourceRef } from '../krm/resource';
import { type FieldPath, valueAt } from '../yaml/field-path';
import { type YamlObject, objectsIn } from '../yaml/yaml';
import type { Workload } from './connection';
import { areUndecided, constantLabels, controllerLabels, patternsOf } from './controller-labels';
import { append } from './multimap';
import { type Labels, hasLabels, isLabels, stringsIn } from './selector';
import { servingPortsIn } from './services';

const MATCH_LABELS: FieldPath = ['spec', 'selector', 'matchLabels'];
/** Workloads that are compared with the selector of another one; with more, the labels of the pods select. */
const MOST_COMPARED = 100;

/** A workload until the labels of all others are known. */
type Draft = Workload & { selector: Labels };

/** The workloads of a build, with what selects the pods of each, by the labels of their pods. */
export class WorkloadIndex {
  private readonly drafts = new Map<YamlObject, Draft>();
  readonly workloads: ReadonlyMap<YamlObject, Workload> = this.drafts;
  /** Workloads whose labels are a part of those of other pods: no policy can select these pods alone. */
  readonly tooGeneral = new Set<Workload>();
  /** Fields with labels that are no strings. */
  readonly invalidLabels: { readonly at: Placed; readonly field: FieldPath }[] = [];
  private readonly byLabel = new Map<string, Workload[]>();
  private readonly controllerLabels = new Map<Workload, Labels>();

  constructor(resources: readonly Placed[]) {
    const ownLabels = new Map<Draft, Labels>();
    for (const at of resources) {
      const pod = podSpecOf(at.resource);
      if (pod !== undefined && at.resource.kind !== 'PodTemplate') this.addWorkload(at, pod, ownLabels);
    }
    for (const [workload, labels] of ownLabels) if (this.selectsOthers(workload)) workload.selector = labels;
    // Such as a label that an overlay adds to all pods: a policy for these pods would isolate others too.
    for (const workload of this.drafts.values()) {
      if (ownLabels.has(workload) || !this.isTooGeneral(workload)) continue;
      workload.selector = {};
      this.tooGeneral.add(workload);
    }
  }

  /** The workloads that a Service selects; a label that a controller adds counts if some of the pods can have it. */
  selectedBy(matchLabels: Labels, namespace: string): readonly Workload[] {
    if (areUndecided(matchLabels)) return [];
    return this.candidatesFor(matchLabels, namespace).filter((workload) =>
      canHaveLabels(workload.labels, this.controllerLabels.get(workload) ?? {}, matchLabels),
    );
  }

  /** The workloads with the rarest of some labels. */
  private candidatesFor(matchLabels: Labels, namespace: string): readonly Workload[] {
    const sizeOf = (lists: readonly (readonly Workload[])[]) =>
      lists.reduce((sum, { length }) => sum + length, 0);
    const [first = [], ...others] = Object.entries(matchLabels).map(([key, value]) =>
      patternsOf(key, value).flatMap((pattern) => {
        const list = this.byLabel.get(keyOf(namespace, key, pattern));
        return list === undefined ? [] : [list];
      }),
    );
    return others.reduce((a, b) => (sizeOf(b) < sizeOf(a) ? b : a), first).flat();
  }

  /** @param ownLabels gets the labels of its pods, where its matchLabels may select other pods too */
  private addWorkload(at: Placed, pod: PodSpec, ownLabels: Map<Draft, Labels>): void {
    const { resource, path } = at;
    const { kind, name, namespace = '' } = resourceRef(resource);
    const ports = servingPortsIn(pod);
    const own = stringsIn(valueAt(resource, labelsPath(pod)));
    const patterns = controllerLabels(resource);
    const added = constantLabels(patterns);
    const labels = { ...added, ...own };
    const matchLabels = stringsIn(valueAt(resource, MATCH_LABELS));
    const invalid = [labelsPath(pod), MATCH_LABELS].find((field) => !isLabels(valueAt(resource, field)));
    if (invalid !== undefined) this.invalidLabels.push({ at, field: invalid });
    // Where expressions distinguish workloads, matchLabels alone do not.
    const expressions = objectsIn(valueAt(resource, ['spec', 'selector', 'matchExpressions']));
    const isSufficient = Object.keys(matchLabels).length > 0 && expressions.length === 0;
    const narrowest = { ...firstOf(added), ...own };
    const selector = invalid !== undefined ? {} : isSufficient ? matchLabels : narrowest;
    const usesHostNetwork = pod.value.hostNetwork === true;
    const identity = { resource, path, pod, kind, name, namespace };
    const workload: Draft = { ...identity, labels, ports, selector, usesHostNetwork };
    this.drafts.set(resource, workload);
    this.controllerLabels.set(workload, patterns);
    if (selector === matchLabels && Object.keys(own).length > 0) ownLabels.set(workload, own);
    for (const label of Object.entries({ ...patterns, ...labels }))
      append(this.byLabel, keyOf(namespace, ...label), workload);
  }

  /** Whether the selector of a workload selects pods that have more labels than its own. */
  private isTooGeneral({ selector, namespace, labels }: Workload): boolean {
    if (Object.keys(selector).length === 0) return false;
    return this.candidatesFor(selector, namespace)
      .slice(0, MOST_COMPARED)
      .some((one) => hasLabels(one.labels, selector) && !hasLabels(labels, one.labels));
  }

  /** Whether the selector of a workload selects pods of another one too. */
  private selectsOthers(workload: Workload): boolean {
    const { selector, namespace } = workload;
    const candidates = this.candidatesFor(selector, namespace);
    if (candidates.length > MOST_COMPARED) return true;
    return candidates.some((one) => one !== workload && hasLabels(one.labels, selector));
  }
}

/**
 * Whether pods can have some labels.
 *
 * @param own labels of the pods
 * @param added by their controller, as `controllerLabels` returns them
 */
export function canHaveLabels(own: Labels, added: Labels, required: Labels): boolean {
  return Object.entries(required).every(([key, value]) => {
    if (Object.hasOwn(own, key) && own[key] === value) return true;
    return Object.hasOwn(added, key) && patternsOf(key, value).includes(added[key] ?? '');
  });
}

const INDEXES = new WeakMap<readonly Placed[], WorkloadIndex>();

/** The index of a build, which several rules ask for. */
export function workloadIndexOf(resources: readonly Placed[]): WorkloadIndex {
  const index = INDEXES.get(resources) ?? new WorkloadIndex(resources);
  INDEXES.set(resources, index);
  return index;
}

function firstOf(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).slice(0, 1));
}

/** The labels of pods, from the root of their resource. */
export function labelsPath({ path }: PodSpec): FieldPath {
  return [...path.slice(0, -1), 'metadata', 'labels'];
}

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
