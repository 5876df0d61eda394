import { groupOf, resourceRef } from '../krm/resource';
import { type YamlObject, objectAt } from '../yaml/yaml';
import type { Labels } from './selector';

/** In place of a number, and of a text that only the cluster knows. No label value has these characters. */
const NUMBER = '#';
const UNKNOWN = '?';

/** Labels that controllers add with values that no manifest shows. */
const UNKNOWN_VALUES: readonly string[] = [
  'pod-template-hash',
  'rollouts-pod-template-hash',
  'controller-revision-hash',
  'controller-uid',
  'batch.kubernetes.io/controller-uid',
];

const STATEFUL_SET = (name: string) => ({
  'statefulset.kubernetes.io/pod-name': `${name}-${NUMBER}`,
  'apps.kubernetes.io/pod-index': NUMBER,
  'controller-revision-hash': UNKNOWN,
});
const JOB = (name: string) => ({
  'batch.kubernetes.io/job-name': name,
  'job-name': name,
  'batch.kubernetes.io/job-completion-index': NUMBER,
  'batch.kubernetes.io/controller-uid': UNKNOWN,
  'controller-uid': UNKNOWN,
});
const NONE = () => ({});

/**
 * The labels that a controller gives the pods of a workload, by group and kind, from the name of the workload. The first
 * one selects pods that have no others.
 * https://kubernetes.io/docs/reference/labels-annotations-taints/
 */
const ADDED = new Map<string, (name: string) => Labels>([
  ['/Pod', NONE],
  ['/ReplicationController', NONE],
  ['apps/ReplicaSet', NONE],
  ['apps/Deployment', () => ({ 'pod-template-hash': UNKNOWN })],
  ['apps/DaemonSet', () => ({ 'controller-revision-hash': UNKNOWN, 'pod-template-generation': NUMBER })],
  ['apps/StatefulSet', STATEFUL_SET],
  ['apps.kruise.io/StatefulSet', STATEFUL_SET],
  ['batch/Job', JOB],
  // The Jobs of a CronJob have its name and a number.
  ['batch/CronJob', (name) => JOB(`${name}-${NUMBER}`)],
  [
    // https://knative.dev/docs/serving/, the label of every revision and pod of a Service
    'serving.knative.dev/Service',
    (name) => ({ 'serving.knative.dev/service': name, 'pod-template-hash': UNKNOWN }),
  ],
]);
/** Nothing is known of other controllers. */
const OF_OTHERS = Object.fromEntries(UNKNOWN_VALUES.map((key) => [key, UNKNOWN]));

/** The labels that a controller adds, with a pattern in place of a value: see `patternsOf`. */
export function controllerLabels(resource: YamlObject): Labels {
  const { name } = objectAt(resource, 'metadata');
  const added = ADDED.get(`${groupOf(resource)}/${resourceRef(resource).kind}`);
  return added === undefined || typeof name !== 'string' || name === '' ? OF_OTHERS : added(name);
}

/** Those whose values are known and the same for all pods. */
export function constantLabels(patterns: Labels): Labels {
  return Object.fromEntries(Object.entries(patterns).filter(([, value]) => !/[#?]/.test(value)));
}

/** The values that `controllerLabels` may have for a label. */
export function patternsOf(key: string, value: string): string[] {
  const numbered = value.replace(/(?<=^|-)(?:0|[1-9]\d*)$/, NUMBER);
  return [value, numbered === value ? [] : numbered, UNKNOWN_VALUES.includes(key) ? UNKNOWN : []].flat();
}

/** Whether some labels have only values that no manifest shows, so that the pods they select are not known. */
export function areUndecided(labels: Labels): boolean {
  return Object.keys(labels).every((key) => UNKNOWN_VALUES.includes(key));
}
