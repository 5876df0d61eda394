import { execFileSync } from 'node:child_process';
import path from 'node:path';
import type {
  V1ConfigMap,
  V1Deployment,
  V1Ingress,
  V1Namespace,
  V1PodDisruptionBudget,
  V1Secret,
  V1Service,
  V1ServiceAccount,
} from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import { findKustomizeForTests } from './tools';

export type OverlayName = 'dev' | 'prod';

export interface KubernetesResource {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
}

/** What a built resource of each kind looks like. */
interface Kinds {
  ConfigMap: V1ConfigMap;
  Deployment: V1Deployment;
  ExternalSecret: ExternalSecret;
  Ingress: V1Ingress;
  Namespace: V1Namespace;
  NetworkPolicy: NetworkPolicy;
  PodDisruptionBudget: V1PodDisruptionBudget;
  Secret: V1Secret;
  Service: V1Service;
  ServiceAccount: V1ServiceAccount;
}

export interface ExternalSecret {
  spec: { secretStoreRef: { kind: string; name: string }; target: object; data: { secretKey: string }[] };
}

/** Not client-node's type: that one calls `from` `_from`. */
export interface NetworkPolicy {
  spec: {
    podSelector: LabelSelector;
    policyTypes: ('Ingress' | 'Egress')[];
    ingress?: { from: PolicyPeer[]; ports: PolicyPort[] }[];
    egress?: { to: PolicyPeer[]; ports: PolicyPort[] }[];
  };
}

export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export interface PolicyPeer {
  namespaceSelector?: LabelSelector;
  podSelector?: LabelSelector;
  ipBlock?: { cidr: string; except?: string[] };
}

export interface PolicyPort {
  protocol: string;
  port: number;
}

/** The workloads that the specification describes. The manifests may hold further ones, which it says nothing of. */
export const SPECIFIED_WORKLOADS = ['todo-backend', 'todo-frontend'] as const;

const REPOSITORY = path.join(__dirname, '../..');

/** Every resource that the real kustomize builds from `overlays/<name>`, in its order. */
export function buildOverlay(name: OverlayName): KubernetesResource[] {
  return buildKustomization(`overlays/${name}`);
}

/** Every resource that the real kustomize builds from a folder of the repository. */
export function buildKustomization(folder: string): KubernetesResource[] {
  return parseAllDocuments(buildFolder(folder)).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS() as KubernetesResource;
  });
}

/** What the real kustomize prints for `overlays/<name>`. */
export function buildText(name: OverlayName): string {
  return buildFolder(`overlays/${name}`);
}

function buildFolder(folder: string): string {
  const { command, args } = findKustomizeForTests();
  return execFileSync(command, [...args, folder], { cwd: REPOSITORY, encoding: 'utf8' });
}

/** The one resource of that kind and name; a name that ends in `-*` is that of a generated one, with its hash. */
export function resource<Kind extends keyof Kinds>(
  resources: readonly KubernetesResource[],
  kind: Kind,
  name: string,
): Kinds[Kind] & KubernetesResource {
  const hashed = name.endsWith('-*') ? new RegExp(`^${name.slice(0, -1)}[a-z0-9]{10}$`) : undefined;
  const [found, ...more] = resourcesOf(resources, kind).filter(
    ({ metadata }) => hashed?.test(metadata.name) ?? metadata.name === name,
  );
  if (found === undefined || more.length > 0) {
    const there = resources.map((each) => `${each.kind}/${each.metadata.name}`).join(', ');
    throw new Error(`not exactly one ${kind}/${name} in the build, which has: ${there}`);
  }
  return found;
}

/** The workloads that the specification does not describe; of a pod template all kinds know the same fields. */
export function furtherWorkloads(
  resources: readonly KubernetesResource[],
): (V1Deployment & KubernetesResource)[] {
  const kinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'];
  const specified: readonly string[] = SPECIFIED_WORKLOADS;
  return resources.filter(
    (each): each is V1Deployment & KubernetesResource =>
      kinds.includes(each.kind) && !specified.includes(each.metadata.name),
  );
}

/** A build without its further workloads: without what bears their names, and what policies say of their pods. */
export function withoutFurtherWorkloads(resources: readonly KubernetesResource[]): KubernetesResource[] {
  const further = furtherWorkloads(resources);
  const names = further.map(({ metadata }) => metadata.name);
  const selectsFurther = ({ matchLabels = {} }: LabelSelector = {}) => {
    const labels = Object.entries(matchLabels);
    return further.some(
      ({ spec }) =>
        labels.length > 0 && labels.every(([key, value]) => spec?.template.metadata?.labels?.[key] === value),
    );
  };
  return resources
    .filter(({ metadata }) => !names.includes(metadata.name))
    .flatMap((each) => {
      const [policy] = resourcesOf([each], 'NetworkPolicy');
      if (policy === undefined) return [each];
      const { podSelector, ingress, egress } = policy.spec;
      if (selectsFurther(podSelector)) return [];
      const isOther = (peers: readonly PolicyPeer[]) =>
        !peers.some((peer) => selectsFurther(peer.podSelector));
      const spec = {
        ...policy.spec,
        ...(ingress === undefined ? {} : { ingress: ingress.filter(({ from }) => isOther(from)) }),
        ...(egress === undefined ? {} : { egress: egress.filter(({ to }) => isOther(to)) }),
      };
      return [{ ...policy, spec } as unknown as KubernetesResource];
    });
}

/** Every resource of one kind. */
export function resourcesOf<Kind extends keyof Kinds>(
  resources: readonly KubernetesResource[],
  kind: Kind,
): (Kinds[Kind] & KubernetesResource)[] {
  return resources.filter((each): each is Kinds[Kind] & KubernetesResource => each.kind === kind);
}
