import { type Placed, groupOf, resourceRef } from '../krm/resource';
import { type YamlObject, isAbsent, objectAt, objectsIn, textOf } from '../yaml/yaml';
import { type Quantity, compareQuantities, parseQuantity } from './quantity';
import type { ResourceName } from './resource-defaults';

/** A quantity, and the object that sets it: `LimitRange/small`. */
export interface Bound {
  /** As it is written. */
  readonly text: string;
  readonly quantity: Quantity;
  readonly by: string;
}

/** What the namespace of a pod sets for one resource of each container; undefined: nothing. */
export interface ContainerBounds {
  /** What a container gets that sets no limit, and no request. */
  readonly defaultLimit: Bound | undefined;
  readonly defaultRequest: Bound | undefined;
  readonly min: Bound | undefined;
  readonly max: Bound | undefined;
  /** maxLimitRequestRatio: the upper bound of limit divided by request. */
  readonly maxRatio: Bound | undefined;
}

/** What a LimitRange or a ResourceQuota says. */
interface Limit {
  readonly by: string;
  readonly value: YamlObject;
}

/** What objects say, by their namespace. In a package a kustomization may set one, so that one that is missing is any. */
class ByNamespace<T> {
  private readonly all: T[] = [];
  private readonly ofAny: T[] = [];
  private readonly named = new Map<string, T[]>();

  add(namespace: string | undefined, value: T): void {
    this.all.push(value);
    if (namespace === undefined) this.ofAny.push(value);
    else {
      const values = this.named.get(namespace) ?? [];
      this.named.set(namespace, values);
      values.push(value);
    }
  }

  for(namespace: string | undefined): readonly T[] {
    if (namespace === undefined) return this.all;
    return [...(this.named.get(namespace) ?? []), ...this.ofAny];
  }
}

/** The objects that decide what pods of their namespace get: LimitRanges, ResourceQuotas, and the default ServiceAccount. */
export class NamespaceObjects {
  private readonly limits = new ByNamespace<Limit>();
  private readonly quotas = new ByNamespace<Limit>();
  /** Why the pods of the default ServiceAccount need its token, as the end of a sentence. */
  private readonly tokenNeeds = new ByNamespace<string>();
  /** What was computed, by resource and namespace: many pods share a namespace. */
  private readonly bounds = new Map<string, ContainerBounds>();

  /** @param resources a build, or all resources of a package */
  constructor(resources: readonly Placed[]) {
    for (const { resource } of resources) this.add(resource);
  }

  /** @param namespace of the pods; undefined: not set */
  boundsOf(name: ResourceName, namespace: string | undefined): ContainerBounds {
    const key = `${name} ${namespace ?? ''}`;
    const bounds = this.bounds.get(key) ?? this.computeBounds(name, namespace);
    this.bounds.set(key, bounds);
    return bounds;
  }

  /** undefined: nothing shows that they need it. */
  tokenNeedOf(namespace: string | undefined): string | undefined {
    return this.tokenNeeds.for(namespace)[0];
  }

  private computeBounds(name: ResourceName, namespace: string | undefined): ContainerBounds {
    const limits = this.limits.for(namespace);
    const of = (field: string) =>
      limits.flatMap(({ by, value }) => boundIn(objectAt(value, field)[name], by) ?? []);
    const quotas = this.quotas
      .for(namespace)
      .flatMap(({ by, value }) => boundIn(value[`limits.${name}`], by) ?? []);
    return {
      defaultLimit: agreedBound(of('default')),
      defaultRequest: agreedBound(of('defaultRequest')),
      min: largest(of('min')),
      // A pod that alone exceeds the quota of its namespace never starts.
      max: smallest([...of('max'), ...quotas]),
      maxRatio: smallest(of('maxLimitRequestRatio')),
    };
  }

  private add(resource: YamlObject): void {
    const { kind, name, namespace } = resourceRef(resource);
    const by = `${kind}/${name}`;
    if (groupOf(resource) === 'rbac.authorization.k8s.io') this.addBinding(resource, by);
    if (groupOf(resource) !== '') return;
    const spec = objectAt(resource, 'spec');
    if (kind === 'LimitRange')
      for (const value of objectsIn(spec.limits))
        if (value.type === 'Container') this.limits.add(namespace, { by, value });
    if (kind === 'ResourceQuota') this.quotas.add(namespace, { by, value: objectAt(spec, 'hard') });
    if (kind === 'ServiceAccount' && name === 'default' && resource.automountServiceAccountToken === true)
      this.tokenNeeds.add(namespace, 'ServiceAccount/default sets automountServiceAccountToken: true');
  }

  private addBinding(resource: YamlObject, by: string): void {
    const { kind, namespace } = resourceRef(resource);
    if (kind !== 'RoleBinding' && kind !== 'ClusterRoleBinding') return;
    for (const subject of objectsIn(resource.subjects))
      if (subject.kind === 'ServiceAccount' && subject.name === 'default')
        this.tokenNeeds.add(
          isAbsent(subject.namespace) ? namespace : textOf(subject.namespace),
          `${by} binds ServiceAccount/default`,
        );
  }
}

function boundIn(value: unknown, by: string): Bound | undefined {
  const quantity = parseQuantity(value);
  return quantity && { text: String(value), quantity, by };
}

function largest(bounds: readonly Bound[]): Bound | undefined {
  return bounds.toSorted((a, b) => compareQuantities(b.quantity, a.quantity))[0];
}

function smallest(bounds: readonly Bound[]): Bound | undefined {
  return bounds.toSorted((a, b) => compareQuantities(a.quantity, b.quantity))[0];
}

/** A default, where all LimitRanges agree: else it depends on which one the API server reads first. */
function agreedBound(bounds: readonly Bound[]): Bound | undefined {
  const [first, ...others] = bounds;
  return others.every((one) => first && compareQuantities(one.quantity, first.quantity) === 0)
    ? first
    : undefined;
}
