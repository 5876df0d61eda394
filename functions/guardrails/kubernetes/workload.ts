import type { FieldPath, Fix } from '../yaml/field-path';
import { type Placed, groupOf } from '../krm/resource';
import { type Message, message, words } from '../message';
import {
  type YamlObject,
  type YamlValue,
  entriesIn,
  isAbsent,
  isObject,
  objectAt,
  objectsIn,
} from '../yaml/yaml';

/** A container of a pod, of any sort. */
export interface Container {
  readonly sort: 'container' | 'initContainer' | 'ephemeralContainer';
  readonly name: string;
  readonly value: YamlObject;
  /** From the resource's root. */
  readonly path: FieldPath;
  /** `container "backend"`, for messages. */
  readonly subject: Message;
}

/** The pod spec of a workload or a Pod. */
export interface PodSpec {
  readonly value: YamlObject;
  /** From the resource's root. */
  readonly path: FieldPath;
  /** `metadata` of the pods; empty if missing. */
  readonly metadata: YamlObject;
  readonly containers: readonly Container[];
  /** `spec.os.name: windows`: the API server refuses Linux-only fields there (PodSpec v1 API). */
  readonly isWindows: boolean;
  /** `spec.hostUsers: false`: root in the pod is another user on the node (PodSpec v1 API). */
  readonly hasUserNamespace: boolean;
  /** Which fields may be added to it. */
  readonly writable: Writable;
  /** Names of a StatefulSet's volumeClaimTemplates, which containers can mount. */
  readonly claimTemplates: readonly string[];
}

/**
 * What a controller accepts in its pod template: every field, every field but the pod's securityContext, or, for a kind
 * about which nothing is known, nothing that its author did not write.
 */
type Writable = 'all' | 'no pod securityContext' | 'nothing';

interface PodKind {
  readonly path: FieldPath;
  readonly writable: Writable;
}

const TEMPLATE: FieldPath = ['spec', 'template', 'spec'];

/** Where the pod spec is, by built-in kind, and the apiVersion that serves the kind. No other code walks there. */
const BUILT_IN = new Map<string, PodKind & { readonly apiVersion: string }>([
  ['Pod', { apiVersion: 'v1', path: ['spec'], writable: 'all' }],
  ['PodTemplate', { apiVersion: 'v1', path: ['template', 'spec'], writable: 'all' }],
  ['ReplicationController', { apiVersion: 'v1', path: TEMPLATE, writable: 'all' }],
  ['Deployment', { apiVersion: 'apps/v1', path: TEMPLATE, writable: 'all' }],
  ['ReplicaSet', { apiVersion: 'apps/v1', path: TEMPLATE, writable: 'all' }],
  ['DaemonSet', { apiVersion: 'apps/v1', path: TEMPLATE, writable: 'all' }],
  ['StatefulSet', { apiVersion: 'apps/v1', path: TEMPLATE, writable: 'all' }],
  ['Job', { apiVersion: 'batch/v1', path: TEMPLATE, writable: 'all' }],
  ['CronJob', { apiVersion: 'batch/v1', path: ['spec', 'jobTemplate', ...TEMPLATE], writable: 'all' }],
]);

/**
 * The same for controllers that pass a pod template on as it is, by group and kind. Knative removes or refuses the
 * securityContext of the pod unless one of its features is on (Knative Serving, pkg/apis/serving/fieldmask.go).
 */
const OTHERS = new Map<string, PodKind>([
  ['argoproj.io/Rollout', { path: TEMPLATE, writable: 'all' }],
  ['apps.kruise.io/CloneSet', { path: TEMPLATE, writable: 'all' }],
  ['apps.kruise.io/StatefulSet', { path: TEMPLATE, writable: 'all' }],
  ['apps.kruise.io/DaemonSet', { path: TEMPLATE, writable: 'all' }],
  ['apps.kruise.io/BroadcastJob', { path: TEMPLATE, writable: 'all' }],
  ['apps.openshift.io/DeploymentConfig', { path: TEMPLATE, writable: 'all' }],
  ['keda.sh/ScaledJob', { path: ['spec', 'jobTargetRef', 'template', 'spec'], writable: 'all' }],
  ['serving.knative.dev/Service', { path: TEMPLATE, writable: 'no pod securityContext' }],
  ['serving.knative.dev/Configuration', { path: TEMPLATE, writable: 'no pod securityContext' }],
]);

/** The lists of containers in a pod spec (PodSpec v1 API), and the word for one entry. */
export const CONTAINER_LISTS = [
  ['initContainers', 'initContainer'],
  ['containers', 'container'],
  ['ephemeralContainers', 'ephemeralContainer'],
] as const;

/** The apiVersion that serves a built-in kind with pods; undefined for other kinds, and for groups of others. */
export function servedApiVersion(resource: YamlObject): string | undefined {
  const { kind } = resource;
  return typeof kind === 'string' && isKubernetesGroup(groupOf(resource))
    ? BUILT_IN.get(kind)?.apiVersion
    : undefined;
}

/** Whether a resource is of a kind that runs pods. */
export function isWorkload(resource: YamlObject): boolean {
  return kindOf(resource) !== undefined;
}

/**
 * The pod spec of a resource; undefined for a kind without one, and where it is missing. A value of the wrong type counts
 * as an empty mapping or list: every rule then reports what is missing, and no fix can be applied.
 */
export function podSpecOf(resource: YamlObject): PodSpec | undefined {
  // Every rule asks for it, and a value that was read never changes.
  if (!POD_SPECS.has(resource)) POD_SPECS.set(resource, findPodSpec(resource));
  return POD_SPECS.get(resource);
}

/** Whether one of the resources of a build, with its Lists expanded, has pods. */
export function hasPods(resources: readonly Placed[]): boolean {
  return resources.some(({ resource }) => podSpecOf(resource) !== undefined);
}

/** Whether a container runs while the pod serves: the containers, and sidecars (init containers that restart). */
export function isRunning({ sort, value }: Container): boolean {
  return sort === 'container' || (sort === 'initContainer' && value.restartPolicy === 'Always');
}

const POD_SPECS = new WeakMap<YamlObject, PodSpec | undefined>();

function kindOf(resource: YamlObject): PodKind | undefined {
  const { kind } = resource;
  if (typeof kind !== 'string') return undefined;
  const builtIn = BUILT_IN.get(kind);
  const group = groupOf(resource);
  // The rule api-schema reports a removed apiVersion (extensions/v1beta1); the pod is checked all the same.
  if (builtIn !== undefined && isKubernetesGroup(group)) return builtIn;
  return (
    OTHERS.get(`${group}/${kind}`) ??
    (hasPodTemplate(resource) ? { path: TEMPLATE, writable: 'nothing' } : undefined)
  );
}

/** Whether the name of a group is one that the Kubernetes project reserves (Kubernetes API conventions). */
export function isKubernetesGroup(group: string): boolean {
  return !group.includes('.') || group.endsWith('.k8s.io');
}

/** Whether `spec.template` of a resource of any kind is a pod template. */
function hasPodTemplate({ spec }: YamlObject): boolean {
  if (!isObject(spec) || !isObject(spec.template)) return false;
  const { metadata, spec: pod } = spec.template;
  return isObject(metadata) && isObject(metadata.labels) && isObject(pod) && Array.isArray(pod.containers);
}

function findPodSpec(resource: YamlObject): PodSpec | undefined {
  const kind = kindOf(resource);
  if (kind === undefined) return undefined;
  let value: YamlValue | undefined = resource;
  let metadata: YamlValue | undefined;
  for (const step of kind.path) {
    metadata = isObject(value) ? value.metadata : metadata;
    if (isObject(value)) value = value[String(step)];
    if (isAbsent(value)) return undefined;
  }
  const spec = isObject(value) ? value : {};
  return {
    value: spec,
    path: kind.path,
    metadata: isObject(metadata) ? metadata : {},
    containers: CONTAINER_LISTS.flatMap(([list, sort]) => containersIn(spec, list, sort, kind.path)),
    isWindows: isObject(spec.os) && spec.os.name === 'windows',
    hasUserNamespace: spec.hostUsers === false,
    writable: kind.writable,
    claimTemplates: claimTemplatesOf(resource),
  };
}

function containersIn(
  spec: YamlObject,
  list: string,
  sort: Container['sort'],
  podPath: FieldPath,
): Container[] {
  return entriesIn(spec[list]).map((value, i) => {
    const name = typeof value.name === 'string' ? value.name : '';
    return {
      sort,
      name,
      value,
      path: [...podPath, list, i],
      subject: message`${words(sort)} ${name === '' ? i : JSON.stringify(name)}`,
    };
  });
}

function claimTemplatesOf({ kind, spec }: YamlObject): string[] {
  if (kind !== 'StatefulSet' || !isObject(spec)) return [];
  return objectsIn(spec.volumeClaimTemplates).flatMap(({ metadata }) =>
    isObject(metadata) && typeof metadata.name === 'string' ? [metadata.name] : [],
  );
}

/** A pod or one of its containers: whatever has a securityContext. */
export interface SecurityContextHolder {
  readonly subject: Message;
  readonly value: YamlObject;
  readonly path: FieldPath;
  /** undefined for the pod. */
  readonly container: string | undefined;
}

/** The pod, then its containers of every sort. */
export function securityContextHolders(pod: PodSpec): SecurityContextHolder[] {
  return [
    { subject: words('pod'), value: pod.value, path: pod.path, container: undefined },
    ...pod.containers.map(({ subject, value, path, name }) => ({ subject, value, path, container: name })),
  ];
}

/**
 * The fixes that set a field of the securityContext for all containers: in that of the pod or, for a kind that does not
 * accept it there, in that of each container that does not have it.
 *
 * @param field from the securityContext
 */
export function securityContextFixes(pod: PodSpec, field: readonly string[], value: YamlValue): Fix[] {
  if (pod.writable !== 'no pod securityContext')
    return [{ path: [...pod.path, 'securityContext', ...field], value }];
  return pod.containers
    .filter((one) => isAbsent(objectAt(one.value, 'securityContext')[field[0] ?? '']))
    .map(({ path }) => ({ path: [...path, 'securityContext', ...field], value }));
}
