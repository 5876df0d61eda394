import { apiVersionsOf, groupIn, isBuiltInGroup, kindsIn } from '../../kubernetes/api-types';
import { servedApiVersion } from '../../kubernetes/workload';
import { message, words } from '../../message';
import { type YamlObject, textOf } from '../../yaml/yaml';
import { type FieldReport, meantName } from './report';

/** An apiVersion of some kinds that Kubernetes no longer serves. */
interface Removal {
  readonly apiVersion: string;
  readonly kinds: readonly string[];
  /** The minor version of Kubernetes that serves it no longer. */
  readonly minor: number;
  /** Undefined: no other version has the kinds. */
  readonly replacement: string | undefined;
}

const WORKLOADS = ['DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'];
const ROLES = ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'];
const WEBHOOKS = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];
const REVIEWS = [
  'LocalSubjectAccessReview',
  'SelfSubjectAccessReview',
  'SelfSubjectRulesReview',
  'SubjectAccessReview',
];
const FLOWS = ['FlowSchema', 'PriorityLevelConfiguration'];

/** All of https://kubernetes.io/docs/reference/using-api/deprecation-guide/, the newest first. */
const REMOVALS: readonly Removal[] = [
  removal(32, 'flowcontrol.apiserver.k8s.io/v1beta3', FLOWS, 'flowcontrol.apiserver.k8s.io/v1'),
  removal(29, 'flowcontrol.apiserver.k8s.io/v1beta2', FLOWS, 'flowcontrol.apiserver.k8s.io/v1'),
  removal(27, 'storage.k8s.io/v1beta1', ['CSIStorageCapacity'], 'storage.k8s.io/v1'),
  removal(26, 'flowcontrol.apiserver.k8s.io/v1beta1', FLOWS, 'flowcontrol.apiserver.k8s.io/v1'),
  removal(26, 'autoscaling/v2beta2', ['HorizontalPodAutoscaler'], 'autoscaling/v2'),
  removal(25, 'batch/v1beta1', ['CronJob'], 'batch/v1'),
  removal(25, 'discovery.k8s.io/v1beta1', ['EndpointSlice'], 'discovery.k8s.io/v1'),
  removal(25, 'events.k8s.io/v1beta1', ['Event'], 'events.k8s.io/v1'),
  removal(25, 'autoscaling/v2beta1', ['HorizontalPodAutoscaler'], 'autoscaling/v2'),
  removal(25, 'policy/v1beta1', ['PodDisruptionBudget'], 'policy/v1'),
  removal(25, 'policy/v1beta1', ['PodSecurityPolicy'], undefined),
  removal(25, 'node.k8s.io/v1beta1', ['RuntimeClass'], 'node.k8s.io/v1'),
  removal(22, 'admissionregistration.k8s.io/v1beta1', WEBHOOKS, 'admissionregistration.k8s.io/v1'),
  removal(22, 'apiextensions.k8s.io/v1beta1', ['CustomResourceDefinition'], 'apiextensions.k8s.io/v1'),
  removal(22, 'apiregistration.k8s.io/v1beta1', ['APIService'], 'apiregistration.k8s.io/v1'),
  removal(22, 'authentication.k8s.io/v1beta1', ['TokenReview'], 'authentication.k8s.io/v1'),
  removal(22, 'authorization.k8s.io/v1beta1', REVIEWS, 'authorization.k8s.io/v1'),
  removal(22, 'certificates.k8s.io/v1beta1', ['CertificateSigningRequest'], 'certificates.k8s.io/v1'),
  removal(22, 'coordination.k8s.io/v1beta1', ['Lease'], 'coordination.k8s.io/v1'),
  removal(22, 'extensions/v1beta1', ['Ingress'], 'networking.k8s.io/v1'),
  removal(22, 'networking.k8s.io/v1beta1', ['Ingress', 'IngressClass'], 'networking.k8s.io/v1'),
  removal(22, 'rbac.authorization.k8s.io/v1beta1', ROLES, 'rbac.authorization.k8s.io/v1'),
  removal(22, 'scheduling.k8s.io/v1beta1', ['PriorityClass'], 'scheduling.k8s.io/v1'),
  removal(
    22,
    'storage.k8s.io/v1beta1',
    ['CSIDriver', 'CSINode', 'StorageClass', 'VolumeAttachment'],
    'storage.k8s.io/v1',
  ),
  removal(16, 'extensions/v1beta1', ['NetworkPolicy'], 'networking.k8s.io/v1'),
  removal(16, 'extensions/v1beta1', ['DaemonSet', 'Deployment', 'ReplicaSet'], 'apps/v1'),
  removal(16, 'extensions/v1beta1', ['PodSecurityPolicy'], undefined),
  removal(16, 'apps/v1beta1', WORKLOADS, 'apps/v1'),
  removal(16, 'apps/v1beta2', WORKLOADS, 'apps/v1'),
];

function removal(
  minor: number,
  apiVersion: string,
  kinds: readonly string[],
  replacement: string | undefined,
): Removal {
  return { apiVersion, kinds, minor, replacement };
}

/**
 * Whether the API server serves the apiVersion of a resource for its kind.
 *
 * @param minor the minor version of Kubernetes; Infinity for the newest
 */
export function checkServedVersion(resource: YamlObject, minor: number): FieldReport | undefined {
  const { kind } = resource;
  if (typeof kind !== 'string') return undefined;
  const apiVersion = typeof resource.apiVersion === 'string' ? resource.apiVersion : '';
  const removed = REMOVALS.find((one) => one.apiVersion === apiVersion && one.kinds.includes(kind));
  if (removed !== undefined) return removed.minor > minor ? undefined : removedReport(removed);
  const served = servedApiVersion(resource);
  if (served !== undefined) return apiVersion === served ? undefined : notServed(resource, [served]);
  const group = groupIn(apiVersion);
  const isClosed = isBuiltInGroup(group) || !group.includes('.');
  // Versions with alpha or beta in their names come and go with the releases of Kubernetes.
  if (!isClosed || /\/v[0-9]+(?:alpha|beta)[0-9]+$/.test(apiVersion)) return undefined;
  const known = apiVersionsOf(kind);
  if (known.includes(apiVersion)) return undefined;
  if (known.length > 0) return notServed(resource, known);
  const meant = meantName(kind, kindsIn(apiVersion));
  if (meant === undefined) return undefined;
  return {
    problem: message`is of a kind that ${apiVersion} does not have`,
    remedy: message`did you mean ${meant}?`,
    field: ['kind'],
    currentValue: kind,
  };
}

function removedReport({ apiVersion, minor, replacement }: Removal): FieldReport {
  return {
    problem: message`has the apiVersion ${apiVersion}, which Kubernetes does not serve for this kind since 1.${minor}`,
    remedy:
      replacement === undefined
        ? words('remove it; Pod Security admission replaces it')
        : message`write apiVersion: ${replacement}, and change the fields that differ there`,
    field: ['apiVersion'],
    currentValue: apiVersion,
  };
}

function notServed({ apiVersion }: YamlObject, known: readonly string[]): FieldReport {
  // The newest version of each group.
  const newest = [...new Map(known.map((one) => [groupIn(one), one])).values()];
  return {
    problem: message`has the apiVersion ${textOf(apiVersion)}, which the API server does not serve for this kind`,
    remedy: message`write apiVersion: ${newest.join(' or ')}`,
    field: ['apiVersion'],
    currentValue: apiVersion ?? null,
  };
}
