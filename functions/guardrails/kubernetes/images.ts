import { type YamlObject, type YamlValue, isObject } from '../krm/yaml';

/** An image that a resource runs or mounts. */
export interface ImageUse {
  /** `container "backend"`, `initContainer "migrate"`, `image volume "model"`. */
  readonly subject: string;
  /** `spec.template.spec.containers[0].image`. */
  readonly field: string;
  /** undefined where a container names none. */
  readonly image: YamlValue | undefined;
}

/** The lists of containers in a pod spec (Pod v1 API), under whatever field of whatever kind they stand. */
const CONTAINER_LISTS = new Map([
  ['containers', 'container'],
  ['initContainers', 'initContainer'],
  ['ephemeralContainers', 'ephemeralContainer'],
]);

/** Kinds whose containers must have an image; in others an entry without one is no container. */
const KINDS_WITH_PODS = new Set([
  'Pod',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'ReplicationController',
  'Job',
  'CronJob',
  'PodTemplate',
]);

/** Every image in a resource of any kind: containers of every sort and image volumes, wherever they stand. */
export function imagesOf(resource: YamlObject): ImageUse[] {
  const needsImage = KINDS_WITH_PODS.has(typeof resource.kind === 'string' ? resource.kind : '');
  const uses: ImageUse[] = [];
  const visit = (value: YamlValue, field: string) => {
    if (Array.isArray(value))
      value.forEach((entry, i) => {
        visit(entry, `${field}[${i}]`);
      });
    if (!isObject(value)) return;
    for (const [key, child] of Object.entries(value)) {
      const path = field === '' ? key : `${field}.${key}`;
      const kind = CONTAINER_LISTS.get(key);
      if (Array.isArray(child))
        child.filter(isObject).forEach((entry, i) => {
          const named = JSON.stringify(entry.name ?? i);
          if (kind !== undefined && (entry.image !== undefined || needsImage))
            uses.push({ subject: `${kind} ${named}`, field: `${path}[${i}].image`, image: entry.image });
          if (key === 'volumes' && isObject(entry.image))
            uses.push({
              subject: `image volume ${named}`,
              field: `${path}[${i}].image.reference`,
              image: entry.image.reference,
            });
        });
      visit(child, path);
    }
  };
  visit(resource, '');
  return uses;
}
