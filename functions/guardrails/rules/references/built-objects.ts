import { type Placed, annotationsOf, groupOf, resourceRef } from '../../krm/resource';
import { hasUnknownContent, withoutHash } from '../../krm/unknown-content';
import { type PodSpec, podSpecOf } from '../../kubernetes/workload';
import { type YamlObject, type YamlValue, isObject, objectAt, objectsIn, textOf } from '../../yaml/yaml';
import { isDeployer, isInEveryCluster, mayMakeObjects } from './known-names';
import { madeBy } from './made-objects';

/** An object of a build, or one that something in the build makes. */
export interface BuiltObject {
  readonly kind: string;
  readonly name: string;
  /** `''`: that which `kubectl apply` chooses. */
  readonly namespace: string;
  /** undefined: not known. */
  readonly keys?: ReadonlySet<string> | undefined;
}

/** The group of kinds that other groups have too. */
const GROUPS = new Map([
  ['ConfigMap', ''],
  ['Secret', ''],
  ['Service', ''],
  ['ServiceAccount', ''],
  ['PersistentVolumeClaim', ''],
  ['Role', 'rbac.authorization.k8s.io'],
  ['ClusterRole', 'rbac.authorization.k8s.io'],
]);
/** Annotations and labels with which others fill an object. */
const FILLED =
  /inject|replicate-from|reflects|managed-by-vault|avp\.kubernetes\.io|service-account\.name|copy-from|sync-from/i;

/** The objects of a build by name, and what makes others. */
export class BuiltObjects {
  private readonly byName = new Map<string, BuiltObject[]>();
  private readonly byKind = new Map<string, BuiltObject[]>();
  private readonly makers: YamlObject[] = [];
  private readonly pods: PodSpec[] = [];
  /** Starts of the names of the claims that StatefulSets make. */
  private readonly claims: string[] = [];
  /** Namespaces that objects of the build name. */
  private readonly namespaces = new Set<string>();
  /** Whether the build deploys charts or other packages, whose objects it does not show. */
  readonly hasDeployer: boolean;

  /** @param resources a build, Lists expanded */
  constructor(resources: readonly Placed[]) {
    let hasDeployer = false;
    for (const { resource } of resources) {
      const { kind, name, namespace = '' } = resourceRef(resource);
      const group = GROUPS.get(kind);
      // What is in no namespace says nothing about the one that `kubectl apply` chooses.
      if (namespace !== '' || (group === '' && groupOf(resource) === '') || podSpecOf(resource) !== undefined)
        this.namespaces.add(namespace);
      if (group === undefined || group === groupOf(resource))
        this.add({ kind, name, namespace, keys: keysOf(resource) });
      for (const made of madeBy(resource)) {
        const keys = made.keys && new Set(made.keys);
        this.add({ ...made, namespace: made.namespace ?? namespace, keys });
      }
      const pod = podSpecOf(resource);
      if (pod !== undefined) this.pods.push(pod);
      for (const template of pod?.claimTemplates ?? []) this.claims.push(`${template}-${name}-`);
      if (mayMakeObjects(resource)) this.makers.push(resource);
      hasDeployer ||= isDeployer(resource);
    }
    this.hasDeployer = hasDeployer;
  }

  /** The objects that a reference may mean; what has no namespace may be in any. */
  find(kind: string, name: string, namespace: string): BuiltObject[] {
    return this.named(kind, name).filter((one) => isIn(one, namespace));
  }

  /** The objects of that name, in any namespace. */
  named(kind: string, name: string): readonly BuiltObject[] {
    return this.byName.get(keyOf(kind, name)) ?? [];
  }

  /** The names of the objects of a kind that a reference from a namespace may mean. */
  namesIn(kind: string, namespace: string): string[] {
    return (this.byKind.get(kind) ?? []).filter((one) => isIn(one, namespace)).map(({ name }) => name);
  }

  /** The names of generated objects that would have some name but for their hash. */
  withHash(kind: string, name: string): BuiltObject[] {
    if (kind !== 'ConfigMap' && kind !== 'Secret') return [];
    return (this.byKind.get(kind) ?? []).filter((one) => one.name !== name && withoutHash(one.name) === name);
  }

  /** Whether the build has anything in a namespace, or something whose namespace is not set. */
  hasNamespace(namespace: string): boolean {
    return namespace === '' || this.namespaces.has(namespace) || this.namespaces.has('');
  }

  /** Whether something may make an object of that name that no manifest shows. */
  mayBeMade(kind: string, name: string, namespace: string): boolean {
    if (isInEveryCluster(kind, name, namespace)) return true;
    if (kind === 'PersistentVolumeClaim' && this.claims.some((start) => isNumbered(name, start))) return true;
    const isOpen = kind === 'Secret' || kind === 'PersistentVolumeClaim';
    if (kind === 'Secret' && this.isGivenToProgram(name)) return true;
    return this.makers.some((maker) => {
      const own = resourceRef(maker).name;
      return name === own || (own !== '' && name.startsWith(`${own}-`)) || (isOpen && mentions(maker, name));
    });
  }

  /** Whether a custom resource may make pods with some labels: their values are those of the resource, or in it. */
  maySelectMade(labels: Readonly<Record<string, string>>): boolean {
    return this.makers.some((maker) => {
      const { name } = resourceRef(maker);
      const isOf = (value: string) =>
        value === name || (name !== '' && value.startsWith(`${name}-`)) || mentions(maker, value);
      return Object.values(labels).every(isOf);
    });
  }

  /** Whether a program is told the name of a Secret, which it makes or reads by the API. */
  private isGivenToProgram(name: string): boolean {
    return this.pods.some(({ containers }) =>
      containers.some(({ value }) => {
        const variables = objectsIn(value.env).some(
          (one) => one.value === name && /secret/i.test(textOf(one.name)),
        );
        const words = [value.command, value.args].flatMap((list) => (Array.isArray(list) ? list : []));
        return (
          variables ||
          words.some((one) => typeof one === 'string' && /secret/i.test(one) && namesIn(one).includes(name))
        );
      }),
    );
  }

  private add(object: BuiltObject): void {
    append(this.byName, keyOf(object.kind, object.name), object);
    append(this.byKind, object.kind, object);
  }
}

function isIn(one: BuiltObject, namespace: string): boolean {
  return namespace === '' || one.namespace === '' || one.namespace === namespace;
}

/** `web-tls` in `--cert-secret-name=shop/web-tls`. */
function namesIn(text: string): string[] {
  return text.split(/[^-a-z0-9.]+/);
}

function isNumbered(name: string, start: string): boolean {
  return name.startsWith(start) && /^\d+$/.test(name.slice(start.length));
}

/** undefined for a kind without keys, and where they are not known: others fill the object, or it is a placeholder. */
function keysOf(resource: YamlObject): ReadonlySet<string> | undefined {
  const { kind } = resource;
  if ((kind !== 'ConfigMap' && kind !== 'Secret') || hasUnknownContent(resource)) return undefined;
  const metadata = objectAt(resource, 'metadata');
  const marks = [...Object.keys(annotationsOf(resource)), ...Object.keys(objectAt(metadata, 'labels'))];
  if (marks.some((mark) => FILLED.test(mark))) return undefined;
  const keys = ['data', 'stringData', 'binaryData'].flatMap((field) =>
    Object.keys(objectAt(resource, field)),
  );
  return keys.length === 0 ? undefined : new Set(keys);
}

/** Whether a text of a value is a name. Not recursive: resources may be deep. */
function mentions(root: YamlValue, name: string): boolean {
  const open: YamlValue[] = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value === name) return true;
    if (Array.isArray(value)) for (const entry of value) open.push(entry);
    else if (isObject(value)) for (const child of Object.values(value)) open.push(child);
  }
  return false;
}

function append<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function keyOf(kind: string, name: string): string {
  return `${kind}/${name}`;
}
