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

/** Why the pods of the default ServiceAccount need its token, as the end of a sentence; undefined: nothing shows it. */
export type TokenNeed = string | undefined;

interface Limit {
  readonly namespace: string | undefined;
  readonly by: string;
  readonly value: YamlObject;
}

/** The objects that decide what pods of their namespace get: LimitRanges, ResourceQuotas, and the default ServiceAccount. */
export class NamespaceObjects {
  private readonly limits: Limit[] = [];
  private readonly quotas: Limit[] = [];
  private readonly tokenNeeds: { readonly namespace: string | undefined; readonly reason: string }[] = [];

  /** @param resources a build, or all resources of a package: there a namespace may be missing, and then is any one */
  constructor(resources: readonly Placed[]) {
    for (const { resource } of resources) this.add(resource);
  }

  /** @param namespace of the pods; undefined: not set */
  boundsOf(name: ResourceName, namespace: string | undefined): ContainerBounds {
    const all = this.limits.filter((one) => isSameNamespace(one.namespace, namespace));
    const of = (field: string) =>
      all.flatMap(({ by, value }) => boundIn(objectAt(value, field)[name], by) ?? []);
    const quotas = this.quotas
      .filter((one) => isSameNamespace(one.namespace, namespace))
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

  tokenNeedOf(namespace: string | undefined): TokenNeed {
    return this.tokenNeeds.find((one) => isSameNamespace(one.namespace, namespace))?.reason;
  }

  private add(resource: YamlObject): void {
    const { kind, name, namespace } = resourceRef(resource);
    const by = `${kind}/${name}`;
    if (groupOf(resource) === 'rbac.authorization.k8s.io') this.addBinding(resource, by);
    if (groupOf(resource) !== '') return;
    const spec = objectAt(resource, 'spec');
    if (kind === 'LimitRange')
      for (const value of objectsIn(spec.limits))
        if (value.type === 'Container') this.limits.push({ namespace, by, value });
    if (kind === 'ResourceQuota') this.quotas.push({ namespace, by, value: objectAt(spec, 'hard') });
    if (kind === 'ServiceAccount' && name === 'default' && resource.automountServiceAccountToken === true)
      this.tokenNeeds.push({
        namespace,
        reason: 'ServiceAccount/default sets automountServiceAccountToken: true',
      });
  }

  private addBinding(resource: YamlObject, by: string): void {
    const { kind, namespace } = resourceRef(resource);
    if (kind !== 'RoleBinding' && kind !== 'ClusterRoleBinding') return;
    for (const subject of objectsIn(resource.subjects))
      if (subject.kind === 'ServiceAccount' && subject.name === 'default')
        this.tokenNeeds.push({
          namespace: isAbsent(subject.namespace) ? namespace : textOf(subject.namespace),
          reason: `${by} binds ServiceAccount/default`,
        });
  }
}

/** In a package a namespace may be set by a kustomization. */
function isSameNamespace(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined || a === b;
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
