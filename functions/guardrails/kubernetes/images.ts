import { CONTAINER_LISTS, isWorkload } from './workload';
import { type YamlObject, type YamlValue, isObject, textOf } from '../yaml/yaml';

/** An image that a resource runs or mounts. */
export interface ImageUse {
  /** `container "backend"`, `initContainer "migrate"`, `image volume "model"`. */
  readonly subject: string;
  /** `spec.template.spec.containers[0].image`. */
  readonly field: string;
  /** undefined where a container names none. */
  readonly image: YamlValue | undefined;
  /** The container's name; undefined for a volume. */
  readonly container: string | undefined;
}

const LISTS = new Map<string, string>(CONTAINER_LISTS);

/** Every image in a resource of any kind: containers of every sort and image volumes, wherever they stand. */
export function imagesOf(resource: YamlObject): ImageUse[] {
  // Of other kinds an entry without an image is no container.
  const needsImage = isWorkload(resource);
  const uses: ImageUse[] = [];
  const visit = (value: YamlValue, field: string) => {
    if (Array.isArray(value))
      value.forEach((entry, i) => {
        visit(entry, `${field}[${i}]`);
      });
    if (!isObject(value)) return;
    for (const [key, child] of Object.entries(value)) {
      const path = field === '' ? key : `${field}.${key}`;
      const kind = LISTS.get(key);
      if (Array.isArray(child))
        child.filter(isObject).forEach((entry, i) => {
          const named = JSON.stringify(entry.name ?? i);
          if (kind !== undefined && (entry.image !== undefined || needsImage))
            uses.push({
              subject: `${kind} ${named}`,
              field: `${path}[${i}].image`,
              image: entry.image,
              container: textOf(entry.name ?? ''),
            });
          if (key === 'volumes' && isObject(entry.image))
            uses.push({
              subject: `image volume ${named}`,
              field: `${path}[${i}].image.reference`,
              image: entry.image.reference,
              container: undefined,
            });
        });
      visit(child, path);
    }
  };
  visit(resource, '');
  return uses;
}
