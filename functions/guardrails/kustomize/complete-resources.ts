import { InputError } from '../errors';
import type { Item } from '../krm/item';
import { annotationsOf, expandLists, groupOf, resourceRef } from '../krm/resource';
import { joinMessages, message, words } from '../message';
import { type YamlObject, isAbsent, isObject, textOf } from '../yaml/yaml';

/** The kinds of the group apps that require spec.selector (Kubernetes API reference, apps/v1). */
const WITH_SELECTOR = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet']);

const SHOW_KUSTOMIZATIONS = words(
  'pass the kustomizations to the function: remove selectors and exclude from its step in the Kptfile, --match-* and --exclude-* from the command, or the line in .krmignore that hides them',
);

/** A resource in a file. */
interface FileResource {
  readonly file: string;
  readonly resource: YamlObject;
}

/**
 * Refuses files of a package that may be patches: without its kustomizations, a patch looks like a resource, and would be
 * hardened. Items without a path are not from a package, and pass.
 *
 * @param items of a stream: none of them is a kustomization
 * @throws InputError a workload without spec.selector, or one resource in two files
 */
export function requireCompleteResources(items: readonly Item[]): void {
  const resources = items.flatMap(({ path: file, value }) =>
    file === undefined ? [] : expandLists(value).map(({ resource }) => ({ file, resource })),
  );
  requireSelectors(resources);
  requireOneFileEach(resources);
}

function requireSelectors(resources: readonly FileResource[]): void {
  const incomplete = resources.filter(({ resource }) => isIncomplete(resource));
  const [first] = incomplete;
  if (first === undefined) return;
  const files = filesOf(incomplete);
  const { kind, name } = resourceRef(first.resource);
  throw new InputError(
    message`${joinMessages(files, ', ')}: ${kind}/${name} has no spec.selector, so it may be a patch, and no kustomization of the input says so; ${SHOW_KUSTOMIZATIONS}; if it is not a patch, add spec.selector`,
  );
}

function isIncomplete(resource: YamlObject): boolean {
  if (groupOf(resource) !== 'apps' || !WITH_SELECTOR.has(textOf(resource.kind))) return false;
  const { spec } = resource;
  return !isObject(spec) || isAbsent(spec.selector);
}

function requireOneFileEach(resources: readonly FileResource[]): void {
  const groups = new Map<string, FileResource[]>();
  for (const one of resources) {
    const identity = identityOf(one.resource);
    if (identity === undefined) continue;
    const group = groups.get(identity) ?? [];
    groups.set(identity, group);
    group.push(one);
  }
  for (const group of groups.values()) {
    const files = filesOf(group);
    const [first] = group;
    if (first === undefined || files.length === 1) continue;
    const { kind, name } = resourceRef(first.resource);
    throw new InputError(
      message`${joinMessages(files, ' and ')} have the same resource, ${kind}/${name}, so one may be a patch, and no kustomization of the input says so; ${SHOW_KUSTOMIZATIONS}; if neither is a patch, check each in a package of its own`,
    );
  }
}

/** Group, kind, namespace and name; undefined for what the cluster never gets, and for a name that it generates. */
function identityOf(resource: YamlObject): string | undefined {
  const { metadata } = resource;
  const isNamed = isObject(metadata) && typeof metadata.name === 'string' && metadata.name !== '';
  const isLocal = textOf(annotationsOf(resource)['config.kubernetes.io/local-config']) === 'true';
  if (!isNamed || isLocal || groupOf(resource) === 'kpt.dev') return undefined;
  const { kind, namespace, name } = resourceRef(resource);
  return JSON.stringify([groupOf(resource), kind, namespace, name]);
}

function filesOf(resources: readonly FileResource[]): string[] {
  return [...new Set(resources.map(({ file }) => file))];
}
