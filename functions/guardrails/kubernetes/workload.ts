import type { FieldPath } from '../yaml/field-path';
import { type Placed, groupOf } from '../krm/resource';
import { type Message, message, words } from '../message';
import {
  type YamlObject,
  type YamlValue,
  entriesIn,
  isAbsent,
  isObject,
  objectsIn,
  textOf,
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
  readonly containers: readonly Container[];
  /** `spec.os.name: windows`: the API server refuses Linux-only fields there (PodSpec v1 API). */
  readonly isWindows: boolean;
  /** Names of a StatefulSet's volumeClaimTemplates, which containers can mount. */
  readonly claimTemplates: readonly string[];
}

const TEMPLATE: FieldPath = ['spec', 'template', 'spec'];
const APPS = ['apps', 'extensions'];

/** Where the pod spec is, by built-in kind and its API groups. No other code walks there. */
const KINDS = new Map<string, { readonly groups: readonly string[]; readonly path: FieldPath }>([
  ['Pod', { groups: [''], path: ['spec'] }],
  ['PodTemplate', { groups: [''], path: ['template', 'spec'] }],
  ['ReplicationController', { groups: [''], path: TEMPLATE }],
  ['Deployment', { groups: APPS, path: TEMPLATE }],
  ['ReplicaSet', { groups: APPS, path: TEMPLATE }],
  ['DaemonSet', { groups: APPS, path: TEMPLATE }],
  ['StatefulSet', { groups: ['apps'], path: TEMPLATE }],
  ['Job', { groups: ['batch'], path: TEMPLATE }],
  ['CronJob', { groups: ['batch'], path: ['spec', 'jobTemplate', ...TEMPLATE] }],
]);

/** The lists of containers in a pod spec (PodSpec v1 API), and the word for one entry. */
export const CONTAINER_LISTS = [
  ['initContainers', 'initContainer'],
  ['containers', 'container'],
  ['ephemeralContainers', 'ephemeralContainer'],
] as const;

/** Whether a resource is of a built-in kind that runs pods. */
export function isWorkload(resource: YamlObject): boolean {
  const kind = typeof resource.kind === 'string' ? KINDS.get(resource.kind) : undefined;
  return kind?.groups.includes(groupOf(resource)) ?? false;
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

const POD_SPECS = new WeakMap<YamlObject, PodSpec | undefined>();

function findPodSpec(resource: YamlObject): PodSpec | undefined {
  const kind = isWorkload(resource) ? KINDS.get(textOf(resource.kind)) : undefined;
  if (kind === undefined) return undefined;
  let value: YamlValue | undefined = resource;
  for (const step of kind.path) {
    if (isObject(value)) value = value[String(step)];
    if (isAbsent(value)) return undefined;
  }
  const spec = isObject(value) ? value : {};
  return {
    value: spec,
    path: kind.path,
    containers: CONTAINER_LISTS.flatMap(([list, sort]) => containersIn(spec, list, sort, kind.path)),
    isWindows: isObject(spec.os) && spec.os.name === 'windows',
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
