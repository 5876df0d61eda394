import { groupOf, resourceRef } from '../../krm/resource';
import { isKubernetesGroup } from '../../kubernetes/workload';
import type { YamlObject } from '../../yaml/yaml';

/** Objects that a cluster or a widely used controller has in every namespace. */
const IN_EVERY_NAMESPACE = new Map<string, RegExp>([
  // https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/; OpenShift; Istio; Linkerd
  [
    'ConfigMap',
    /^(?:kube-root-ca\.crt|openshift-service-ca\.crt|istio-ca-root-cert|linkerd-identity-trust-roots|linkerd-config)$/,
  ],
  // The others are accounts of OpenShift and its pipelines.
  ['ServiceAccount', /^(?:default|builder|deployer|pipeline)$/],
  // https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
  ['ClusterRole', /^(?:cluster-admin|admin|edit|view|system:.*)$/],
  // https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/ and other roles of the cluster itself
  ['Role', /^(?:extension-apiserver-authentication-reader|system:.*)$/],
  ['Service', /^kubernetes$/],
]);
/** The accounts of the cluster's own controllers, and of what runs in its namespace. */
const CLUSTER_NAMESPACE = /^(?:kube-|openshift-)/;

/** Groups of custom resources for which no controller makes objects with the name of the resource. */
const PASSIVE_GROUPS = new Set([
  'argoproj.io',
  'autoscaling.k8s.io',
  'cert-manager.io',
  'cilium.io',
  'external-secrets.io',
  'keda.sh',
  'kyverno.io',
  'networking.istio.io',
  'security.istio.io',
  'telemetry.istio.io',
  'policy.linkerd.io',
  'projectcontour.io',
  'projectcalico.org',
  'crd.projectcalico.org',
  'traefik.io',
  'traefik.containo.us',
  'bitnami.com',
  'secrets-store.csi.x-k8s.io',
]);
const PASSIVE_KINDS =
  /^(?:ServiceMonitor|PodMonitor|Probe|PrometheusRule|.*Route|ReferenceGrant|BackendTLSPolicy|GrafanaDashboard|Rollout|VolumeSnapshot|KafkaTopic|Kptfile|Kustomization|GitRepository|HelmRepository|OCIRepository|ImagePolicy|ImageRepository|ImageUpdateAutomation|Receiver|Alert|Provider)$/;
/** Kinds that bring objects which no build shows: charts, and other repositories. */
const DEPLOYER_KINDS = new Map<string, readonly string[]>([
  ['HelmRelease', ['helm.toolkit.fluxcd.io', 'helm.fluxcd.io']],
  ['HelmChart', ['helm.cattle.io']],
  ['Kustomization', ['kustomize.toolkit.fluxcd.io']],
  ['Application', ['argoproj.io']],
  ['ApplicationSet', ['argoproj.io']],
  ['Subscription', ['operators.coreos.com']],
  ['App', ['kappctrl.k14s.io']],
  ['PackageInstall', ['packaging.carvel.dev']],
]);

/** Whether a cluster has an object without anyone creating it. */
export function isInEveryCluster(kind: string, name: string, namespace: string): boolean {
  if (IN_EVERY_NAMESPACE.get(kind)?.test(name) === true) return true;
  return kind === 'ServiceAccount' && CLUSTER_NAMESPACE.test(namespace);
}

/** Whether a resource deploys objects that the build does not show. */
export function isDeployer(resource: YamlObject): boolean {
  return DEPLOYER_KINDS.get(resourceRef(resource).kind)?.includes(groupOf(resource)) === true;
}

/** Whether a controller may make objects whose names are made of that of a custom resource. */
export function mayMakeObjects(resource: YamlObject): boolean {
  if (isDeployer(resource)) return true;
  const group = groupOf(resource);
  // The Gateway API makes a Deployment and a Service for a Gateway.
  if (isKubernetesGroup(group) && group !== 'gateway.networking.k8s.io') return false;
  return !PASSIVE_GROUPS.has(group) && !PASSIVE_KINDS.test(resourceRef(resource).kind);
}
