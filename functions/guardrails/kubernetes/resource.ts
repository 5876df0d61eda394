import { type YamlObject, isObject } from '../krm/yaml';

export interface ResourceRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

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

/** The resources in a resource: a List (any kind with items of its own kinds) counts as what is in it. */
export function expandLists(resource: YamlObject): YamlObject[] {
  const { items, kind } = resource;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [resource];
  return items.filter(isObject).flatMap((item) =>
    // Of a typed list (DeploymentList) the items may leave their kind out.
    expandLists(item.kind === undefined && kind !== 'List' ? { ...item, kind: kind.slice(0, -4) } : item),
  );
}
