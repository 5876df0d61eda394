import { type Placed, groupOf, resourceRef } from '../krm/resource';
import { type Message, message, words } from '../message';
import { type YamlObject, objectAt, textOf } from '../yaml/yaml';
import type { Workload } from './connection';
import type { Mesh } from './external-peers';

/** What puts the pods of a workload into a mesh. */
export interface MeshMember {
  readonly mesh: Mesh;
  /** A clause: `label istio-injection of Namespace/shop puts it in a service mesh`. */
  readonly evidence: Message;
}

/** A label, or an annotation, with the values that count; undefined: any. */
interface Mark {
  readonly key: string;
  readonly values?: readonly string[];
  readonly in: readonly ('labels' | 'annotations')[];
}

interface Membership {
  readonly mesh: Mesh;
  readonly ofPod: readonly Mark[];
  readonly ofNamespace: readonly Mark[];
  /** What keeps pods out. */
  readonly optOut: Mark;
}

const BOTH = ['labels', 'annotations'] as const;
const LABELS = ['labels'] as const;

/** The first one counts: a pod with a sidecar is not an ambient one. */
const MEMBERSHIPS: readonly Membership[] = [
  {
    // https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/#controlling-the-injection-policy
    mesh: 'istio',
    ofPod: [
      { key: 'sidecar.istio.io/inject', values: ['true'], in: BOTH },
      { key: 'istio.io/rev', in: LABELS },
    ],
    ofNamespace: [
      { key: 'istio-injection', values: ['enabled'], in: LABELS },
      { key: 'istio.io/rev', in: LABELS },
    ],
    optOut: { key: 'sidecar.istio.io/inject', values: ['false'], in: BOTH },
  },
  {
    // https://linkerd.io/2/features/proxy-injection/
    mesh: 'linkerd',
    ofPod: [{ key: 'linkerd.io/inject', values: ['enabled', 'ingress'], in: BOTH }],
    ofNamespace: [{ key: 'linkerd.io/inject', values: ['enabled', 'ingress'], in: ['annotations'] }],
    optOut: { key: 'linkerd.io/inject', values: ['disabled'], in: BOTH },
  },
  {
    // https://istio.io/latest/docs/ambient/usage/add-workloads/
    mesh: 'istio-ambient',
    ofPod: [{ key: 'istio.io/dataplane-mode', values: ['ambient'], in: LABELS }],
    ofNamespace: [{ key: 'istio.io/dataplane-mode', values: ['ambient'], in: LABELS }],
    optOut: { key: 'istio.io/dataplane-mode', values: ['none'], in: LABELS },
  },
];

/**
 * The workloads of a build that are in a mesh: by their own labels and annotations, by those of their Namespace, or by the
 * configuration, since the Namespace is seldom in the build.
 */
export function meshMembers(
  resources: readonly Placed[],
  workloads: Iterable<Workload>,
  configured: Mesh | undefined,
): Map<Workload, MeshMember> {
  const namespaces = namespacesIn(resources);
  const members = new Map<Workload, MeshMember>();
  for (const workload of workloads) {
    // Neither injects a sidecar there, nor are these pods ambient ones.
    const member = workload.usesHostNetwork
      ? undefined
      : memberOf(workload, namespaces.get(workload.namespace), configured);
    if (member !== undefined) members.set(workload, member);
  }
  return members;
}

/** The metadata of the Namespaces of a build, by name. */
function namespacesIn(resources: readonly Placed[]): Map<string, YamlObject> {
  const namespaces = resources.filter(
    ({ resource }) => resource.kind === 'Namespace' && groupOf(resource) === '',
  );
  return new Map(
    namespaces.map(({ resource }) => [resourceRef(resource).name, objectAt(resource, 'metadata')]),
  );
}

function memberOf(
  { pod, namespace }: Workload,
  home: YamlObject = {},
  configured: Mesh | undefined,
): MeshMember | undefined {
  for (const { mesh, ofPod, ofNamespace, optOut } of MEMBERSHIPS) {
    if (markIn(pod.metadata, [optOut]) !== undefined) continue;
    const mark = markIn(pod.metadata, ofPod);
    const evidence = mark ?? markIn(home, ofNamespace);
    if (evidence === undefined) continue;
    const of = mark === undefined ? message` of Namespace/${namespace}` : words('');
    return { mesh, evidence: message`${words(evidence)}${of} puts it in a service mesh` };
  }
  const own = MEMBERSHIPS.find(({ mesh }) => mesh === configured);
  if (own === undefined || markIn(pod.metadata, [own.optOut]) !== undefined) return undefined;
  return { mesh: own.mesh, evidence: words('spec.network.mesh puts it in a service mesh') };
}

/** The first of some marks that a resource has: `label istio-injection`. */
function markIn(metadata: YamlObject, marks: readonly Mark[]): string | undefined {
  for (const { key, values, in: places } of marks)
    for (const place of places) {
      const all = objectAt(metadata, place);
      if (Object.hasOwn(all, key) && values?.includes(textOf(all[key])) !== false)
        return `${place === 'labels' ? 'label' : 'annotation'} ${key}`;
    }
  return undefined;
}
