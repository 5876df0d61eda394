import { type Message, message, words } from '../message';
import type { FieldPath } from '../yaml/field-path';
import { type YamlObject, type YamlValue, isObject, textOf } from '../yaml/yaml';
import { CONTAINER_LISTS, isWorkload } from './workload';

/** An image that a resource runs or mounts. */
export interface ImageUse {
  /** `container "backend"`, `initContainer "migrate"`, `image volume "model"`. */
  readonly subject: Message;
  /** From the resource's root. */
  readonly field: FieldPath;
  /** undefined for a container without an image. */
  readonly image: YamlValue | undefined;
  /** The container's name; undefined for a volume. */
  readonly container: string | undefined;
}

const LISTS = new Map<string, string>(CONTAINER_LISTS);

/** Every image in a resource of any kind: of containers of every sort and of image volumes, at any depth. */
export function imagesOf(resource: YamlObject): ImageUse[] {
  // In other kinds an entry without an image is not a container.
  const needsImage = isWorkload(resource);
  const uses: ImageUse[] = [];
  const visitEntry = (key: string, entry: YamlObject, path: FieldPath, i: number) => {
    const sort = LISTS.get(key);
    const name = JSON.stringify(entry.name ?? i);
    if (sort !== undefined && (entry.image !== undefined || needsImage))
      uses.push({
        subject: message`${words(sort)} ${name}`,
        field: [...path, 'image'],
        image: entry.image,
        container: textOf(entry.name ?? ''),
      });
    if (key === 'volumes' && isObject(entry.image))
      uses.push({
        subject: message`image volume ${name}`,
        field: [...path, 'image', 'reference'],
        image: entry.image.reference,
        container: undefined,
      });
  };
  // One path for the whole walk, which visits every value of every resource.
  const path: (string | number)[] = [];
  const visitAt = (step: string | number, child: YamlValue) => {
    path.push(step);
    visit(child);
    path.pop();
  };
  const visit = (value: YamlValue) => {
    if (Array.isArray(value))
      value.forEach((entry, i) => {
        visitAt(i, entry);
      });
    if (!isObject(value)) return;
    for (const [key, child] of Object.entries(value)) {
      if (Array.isArray(child))
        child.filter(isObject).forEach((entry, i) => {
          visitEntry(key, entry, [...path, key, i], i);
        });
      visitAt(key, child);
    }
  };
  visit(resource);
  return uses;
}
