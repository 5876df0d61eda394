import { type Value, Unknown, fromYaml } from '../../cel/value';
import { type Placed, groupOf, resourceRef } from '../../krm/resource';
import { podSpecOf } from '../../kubernetes/workload';
import { stringsIn } from '../../network/selector';
import { type FieldPath, valueAt } from '../../yaml/field-path';
import { type YamlObject, isAbsent, mappingOf, objectAt, textOf } from '../../yaml/yaml';
import { withDefaults } from './defaults';
import type { ServedKinds } from './kinds';
import type { Subject } from './match';

/** An object whose creation policies judge. */
export interface JudgedObject extends Subject {
  /** The resource of the build that is the object, or that makes it. */
  readonly at: Placed;
  /** The path of the template that makes it; undefined: it is the resource itself. */
  readonly template: FieldPath | undefined;
  /** The variable `object`. */
  readonly value: () => Value;
  /** The variable `namespaceObject`. */
  readonly namespaceValue: () => Value;
}

const OF_REQUEST = 'the namespace is that of the request, which the build does not say';

/** The objects of a build: its resources, and the pods that their templates make. */
export function judgedObjects(resources: readonly Placed[], kinds: ServedKinds): JudgedObject[] {
  const namespaces = new Map<string, YamlObject>();
  for (const { resource } of resources)
    if (resource.kind === 'Namespace' && groupOf(resource) === '')
      namespaces.set(resourceRef(resource).name, resource);
  return resources.flatMap((at) => {
    const { resource } = at;
    const own = judged(at, resource, kinds, namespaces, undefined);
    const pod = podOf(resource);
    return pod === undefined ? [own] : [own, judged(at, pod.object, kinds, namespaces, pod.template)];
  });
}

/** The pod that the template of a workload makes. */
function podOf(
  resource: YamlObject,
): { readonly object: YamlObject; readonly template: FieldPath } | undefined {
  const pod = podSpecOf(resource);
  if (pod === undefined || pod.path.length < 2) return undefined;
  const template = pod.path.slice(0, -1);
  const { metadata = {} } = objectAt({ template: valueAt(resource, template) ?? null }, 'template');
  const { namespace, name } = objectAt(resource, 'metadata');
  const object = mappingOf({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: mappingOf(objectAt({ metadata }, 'metadata'), {
      generateName: `${textOf(name ?? '')}-`,
      ...(isAbsent(namespace) ? {} : { namespace }),
    }),
    spec: pod.value,
  });
  return { object, template };
}

function judged(
  at: Placed,
  object: YamlObject,
  kinds: ServedKinds,
  namespaces: ReadonlyMap<string, YamlObject>,
  template: FieldPath | undefined,
): JudgedObject {
  const { resource, isNamespaced } = kinds.of(object);
  const ref = resourceRef(object);
  const namespace = isNamespaced === false ? undefined : ref.namespace;
  const own = namespace === undefined ? undefined : namespaces.get(namespace);
  const metadata = objectAt(object, 'metadata');
  let value: Value | undefined;
  return {
    at,
    template,
    object,
    group: groupOf(object),
    version: ref.apiVersion.split('/').at(-1) ?? '',
    resource,
    isNamespaced,
    name: isAbsent(metadata.name) ? '' : ref.name,
    namespace,
    labels: stringsIn(metadata.labels),
    namespaceLabels: own && stringsIn(objectAt(own, 'metadata').labels),
    value: () => (value ??= objectValue(object, isNamespaced)),
    namespaceValue: () => {
      if (isNamespaced === false) return null;
      if (own !== undefined) return objectValue(own, false);
      return new Unknown(namespace === undefined ? OF_REQUEST : `Namespace/${namespace} is not in the build`);
    },
  };
}

/** Fields that the API server leaves out of an object where they are empty. */
const OMITTED = new Set(['labels', 'annotations', 'nodeSelector', 'matchLabels', 'data', 'binaryData']);

/** Without empty mappings that the API server omits, and without null. */
function compact(value: Value): Value {
  if (Array.isArray(value)) return (value as readonly Value[]).map(compact);
  if (!(value instanceof Map)) return value;
  const entries = [...(value as ReadonlyMap<string, Value>)];
  const isKept = ([key, field]: [string, Value]) =>
    field !== null && !(OMITTED.has(key) && field instanceof Map && field.size === 0);
  return new Map(entries.filter(isKept).map(([key, field]) => [key, compact(field)]));
}

/** An object as the API server has it when policies see it, with what the cluster writes as unknown. */
function objectValue(object: YamlObject, isNamespaced: boolean | undefined): Value {
  const value = new Map(fieldsOf(compact(fromYaml(withDefaults(object)))));
  const metadata = new Map(fieldsOf(value.get('metadata') ?? null));
  if (isNamespaced !== false && !metadata.has('namespace'))
    metadata.set('namespace', new Unknown(OF_REQUEST));
  if (!metadata.has('name')) metadata.set('name', new Unknown('the API server makes the name'));
  for (const field of ['uid', 'creationTimestamp'])
    metadata.set(field, new Unknown(`the API server writes metadata.${field}`));
  return value.set('metadata', metadata);
}

function fieldsOf(value: Value): [string, Value][] {
  return value instanceof Map ? [...(value as ReadonlyMap<string, Value>)] : [];
}
