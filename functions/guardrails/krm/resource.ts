import type { KubernetesObject } from 'kpt-functions';
import type { FieldPath } from '../yaml/field-path';
import { type YamlObject, isObject } from '../yaml/yaml';

type Metadata = KubernetesObject['metadata'];

/** What identifies a resource in messages and results. */
export type ResourceRef = Readonly<Omit<KubernetesObject, 'metadata'>> &
  Readonly<Pick<Metadata, 'name'>> & { readonly namespace?: Metadata['namespace'] | undefined };

export function resourceRef(resource: YamlObject): ResourceRef {
  const metadata = isObject(resource.metadata) ? resource.metadata : {};
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const namespace = text(metadata.namespace);
  return {
    apiVersion: text(resource.apiVersion),
    kind: text(resource.kind),
    name: text(metadata.name) || text(metadata.generateName),
    ...(namespace === '' ? {} : { namespace }),
  };
}

/** A resource, and its path in the item: empty, or deeper for a resource in a List. */
export interface Placed {
  readonly resource: YamlObject;
  readonly path: FieldPath;
}

/** The resources in a resource: the items of a List of any kind, or the resource itself. */
export function expandLists(resource: YamlObject, path: FieldPath = []): Placed[] {
  const { items, kind } = resource;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items))
    return [{ resource, path }];
  return items.flatMap((item, i) => {
    if (!isObject(item)) return [];
    // The items of a typed list (DeploymentList) may omit their kind.
    const isTyped = item.kind === undefined && kind !== 'List';
    const complete = isTyped
      ? { apiVersion: resource.apiVersion ?? null, ...item, kind: kind.slice(0, -4) }
      : item;
    return expandLists(complete, [...path, 'items', i]);
  });
}

/** The group of an apiVersion; `''` is the core group. */
export function groupOf(resource: YamlObject): string {
  const { apiVersion } = resource;
  return typeof apiVersion === 'string' && apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

/** `metadata.annotations`; empty if missing. */
export function annotationsOf(value: YamlObject): YamlObject {
  const { metadata } = value;
  return isObject(metadata) && isObject(metadata.annotations) ? metadata.annotations : {};
}
