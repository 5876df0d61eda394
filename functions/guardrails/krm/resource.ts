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

/**
 * The resources in a resource: the items of a List, or the resource itself. Any object with a list of `items` is a List to
 * kubectl, which applies the items in place of the object (apimachinery, unstructured.UnstructuredJSONScheme); where its
 * kind does not say so, it is a resource too.
 */
export function expandLists(resource: YamlObject, path: FieldPath = []): Placed[] {
  const { items, kind } = resource;
  if (typeof kind !== 'string' || !Array.isArray(items)) return [{ resource, path }];
  const isList = kind.endsWith('List');
  const inItems = items.flatMap((item, i) => {
    if (!isObject(item)) return [];
    // The items of a typed list (DeploymentList) may omit their kind.
    const isTyped = item.kind === undefined && isList && kind !== 'List';
    const complete = isTyped
      ? { apiVersion: resource.apiVersion ?? null, ...item, kind: kind.slice(0, -4) }
      : item;
    return expandLists(complete, [...path, 'items', i]);
  });
  return isList ? inItems : [{ resource, path }, ...inItems];
}

/** The group of an apiVersion; `''` is the core group. */
export function groupOf(resource: YamlObject): string {
  const { apiVersion } = resource;
  return typeof apiVersion === 'string' && apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

/** Whether a resource is a CustomResourceDefinition. */
export function isDefinition(resource: YamlObject): boolean {
  return resource.kind === 'CustomResourceDefinition' && groupOf(resource) === 'apiextensions.k8s.io';
}

/** `metadata.annotations`; empty if missing. */
export function annotationsOf(value: YamlObject): YamlObject {
  const { metadata } = value;
  return isObject(metadata) && isObject(metadata.annotations) ? metadata.annotations : {};
}
