import { type Placed, groupOf, resourceRef } from '../krm/resource';
import { type Message, message } from '../message';
import { type YamlObject, objectsIn } from '../yaml/yaml';
import type { PodSpec } from './workload';

/** The account of a pod that names none. */
export const DEFAULT_ACCOUNT = 'default';
/** What a binding calls an account, and all of them, or those of a namespace (kubernetes.io/docs, "Using RBAC Authorization"). */
const USER = /^system:serviceaccount:([^:]+):([^:]+)$/;
const GROUP = /^system:serviceaccounts(?::([^:]+))?$/;
/** In place of a name: all accounts; in place of a namespace: whichever it is. */
export const ANY = '*';

/** The name of the ServiceAccount of a pod. */
export function serviceAccountOf({ value }: PodSpec): string {
  // serviceAccount is the deprecated name of the field.
  const names = [value.serviceAccountName, value.serviceAccount];
  const name = names.find((one) => typeof one === 'string' && one !== '');
  return typeof name === 'string' ? name : DEFAULT_ACCOUNT;
}

/** The ServiceAccounts of a build, and what binds them. What has no namespace may be in any. */
export class ServiceAccounts {
  private readonly automounts = new Map<string, boolean>();
  /** The first binding of an account, of all accounts of a namespace, or of all. */
  private readonly bindings = new Map<string, Message>();

  constructor(resources: readonly Placed[]) {
    for (const { resource } of resources) {
      if (resource.kind === 'ServiceAccount' && groupOf(resource) === '') this.addAccount(resource);
      if (groupOf(resource) === 'rbac.authorization.k8s.io') this.addBinding(resource);
    }
  }

  /**
   * Whether a pod gets the token of its account: the pod decides, then the account, and without either it does.
   * https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#opt-out-of-api-credential-automounting
   *
   * @param namespace of the pod; `''`: not set
   */
  mountsToken(pod: PodSpec, namespace: string): boolean {
    const { automountServiceAccountToken: ofPod } = pod.value;
    if (typeof ofPod === 'boolean') return ofPod;
    return firstOf(this.automounts, namespace, serviceAccountOf(pod)) ?? true;
  }

  /** `RoleBinding/web`; undefined: nothing in the build binds the account. */
  bindingOf(namespace: string, account: string): Message | undefined {
    return firstOf(this.bindings, namespace, account) ?? firstOf(this.bindings, namespace, ANY);
  }

  private addAccount(resource: YamlObject): void {
    const { name, namespace = '' } = resourceRef(resource);
    const { automountServiceAccountToken: mounts } = resource;
    if (typeof mounts === 'boolean') setFirst(this.automounts, namespace, name, mounts);
  }

  private addBinding(resource: YamlObject): void {
    const { kind, name, namespace = '' } = resourceRef(resource);
    if (kind !== 'RoleBinding' && kind !== 'ClusterRoleBinding') return;
    for (const subject of objectsIn(resource.subjects)) {
      const bound = accountIn(subject, namespace);
      if (bound !== undefined) setFirst(this.bindings, bound.namespace, bound.name, message`${kind}/${name}`);
    }
  }
}

/**
 * The account, or the accounts, that a subject of a binding means; undefined: a user or a group of others.
 *
 * @param home the namespace of the binding, which counts where a subject has none
 */
export function accountIn(
  { kind, name, namespace }: YamlObject,
  home: string,
): { readonly namespace: string; readonly name: string } | undefined {
  if (typeof name !== 'string') return undefined;
  if (kind === 'ServiceAccount') return { namespace: typeof namespace === 'string' ? namespace : home, name };
  const pattern = kind === 'User' ? USER : kind === 'Group' ? GROUP : undefined;
  const [text, of = '', account = ANY] = pattern?.exec(name) ?? [];
  return text === undefined ? undefined : { namespace: of, name: account };
}

/** Adds a value for a name in a namespace, and for the name wherever it is. */
function setFirst<T>(values: Map<string, T>, namespace: string, name: string, value: T): void {
  for (const key of [keyOf(namespace, name), keyOf(ANY, name)]) if (!values.has(key)) values.set(key, value);
}

/** The value for a name in a namespace, or without one; where none is asked for, in any. */
function firstOf<T>(values: ReadonlyMap<string, T>, namespace: string, name: string): T | undefined {
  if (namespace === '') return values.get(keyOf(ANY, name));
  return values.get(keyOf(namespace, name)) ?? values.get(keyOf('', name));
}

function keyOf(namespace: string, name: string): string {
  return JSON.stringify([namespace, name]);
}
