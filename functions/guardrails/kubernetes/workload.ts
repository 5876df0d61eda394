import type { FieldPath } from '../yaml/field-path';
import { type YamlObject, type YamlValue, isObject, textOf } from '../yaml/yaml';

/** A container of a pod, of any sort. */
export interface Container {
  readonly sort: 'container' | 'initContainer' | 'ephemeralContainer';
  readonly name: string;
  readonly value: YamlObject;
  /** From the resource's root. */
  readonly path: FieldPath;
  /** `container "backend"`, for messages. */
  readonly subject: string;
}

/** The pod that a workload runs, or a Pod is. */
export interface PodSpec {
  readonly value: YamlObject;
  /** From the resource's root. */
  readonly path: FieldPath;
  readonly containers: readonly Container[];
  /** `spec.os.name: windows`: the fields of Linux alone are refused there (PodSpec v1 API). */
  readonly isWindows: boolean;
  /** Names that a StatefulSet's volumeClaimTemplates make mountable. */
  readonly claimTemplates: readonly string[];
}

const TEMPLATE: FieldPath = ['spec', 'template', 'spec'];
const APPS = ['apps', 'extensions'];

/** Where the pod spec is: the built-in kinds with their API groups. Nobody else walks there. */
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

/** The lists of containers in a pod spec (PodSpec v1 API), and what one entry is called. */
export const CONTAINER_LISTS = [
  ['initContainers', 'initContainer'],
  ['containers', 'container'],
  ['ephemeralContainers', 'ephemeralContainer'],
] as const;

/** The group of an apiVersion; `''` is the core's. */
export function groupOf(resource: YamlObject): string {
  const { apiVersion } = resource;
  return typeof apiVersion === 'string' && apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

/** Whether a resource is of a built-in kind that runs pods. */
export function isWorkload(resource: YamlObject): boolean {
  const kind = typeof resource.kind === 'string' ? KINDS.get(resource.kind) : undefined;
  return kind?.groups.includes(groupOf(resource)) ?? false;
}

/**
 * The pod spec of a resource; undefined where the kind has none, or none stands there. What is no mapping, or no list,
 * where one belongs counts as an empty one: every rule then asks for what is missing, and no fix has a place.
 */
export function podSpecOf(resource: YamlObject): PodSpec | undefined {
  // Every rule asks for it, of a value that nobody changes.
  if (!POD_SPECS.has(resource)) POD_SPECS.set(resource, findPodSpec(resource));
  return POD_SPECS.get(resource);
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
      subject: `${sort} ${JSON.stringify(name || i)}`,
    };
  });
}

function claimTemplatesOf({ kind, spec }: YamlObject): string[] {
  if (kind !== 'StatefulSet' || !isObject(spec)) return [];
  return objectsIn(spec.volumeClaimTemplates).flatMap(({ metadata }) =>
    isObject(metadata) && typeof metadata.name === 'string' ? [metadata.name] : [],
  );
}

/** The entries of a list, an empty mapping for each that is none, and for what stands in the place of a list. */
export function entriesIn(value: YamlValue | undefined): YamlObject[] {
  if (isAbsent(value)) return [];
  return Array.isArray(value) ? value.map((entry) => (isObject(entry) ? entry : {})) : [{}];
}

/** The mappings in a list; none where no list stands. */
export function objectsIn(value: YamlValue | undefined): YamlObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A mapping under a key; empty where none stands. */
export function objectAt(value: YamlObject, key: string): YamlObject {
  const child = value[key];
  return isObject(child) ? child : {};
}

/** Whether a field is left to its default: no key, or null. */
export function isAbsent(value: YamlValue | undefined): value is null | undefined {
  return value === undefined || value === null;
}
