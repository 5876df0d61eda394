import type { ConnectionEnd } from './connection';
import type { Labels, SelectedPods } from './selector';

/** Service meshes whose traffic the function knows. */
export const MESHES = ['istio', 'istio-ambient', 'linkerd'] as const;
export type Mesh = (typeof MESHES)[number];

/** The peers outside the package, and how a policy selects them. */
export interface ExternalPeers {
  /** Of an Ingress whose class `ingressControllers` does not have. */
  readonly ingressController: SelectedPods & {
    /** The classes that it serves; an Ingress without a class counts as one of these. */
    readonly classes: readonly string[];
  };
  /** Ingress class to its controller: pods, or the CIDR ranges of load balancers that have no pods. */
  readonly ingressControllers: ReadonlyMap<string, SelectedPods | { readonly cidrs: readonly string[] }>;
  readonly gateways: SelectedPods;
  /** The pods that serve the Routes of OpenShift. */
  readonly router: SelectedPods;
  readonly dns: SelectedPods & {
    /** The addresses of resolvers that are not pods, as CIDR ranges. */
    readonly addresses: readonly string[];
    /** On which they listen, UDP and TCP. */
    readonly ports: readonly number[];
  };
  /** The addresses of the API server, as CIDR ranges, and its ports; undefined: not known. */
  readonly apiServer?:
    { readonly addresses: readonly string[]; readonly ports: readonly number[] } | undefined;
  /** The pods that collect metrics; undefined: not known. */
  readonly monitoring?: SelectedPods | undefined;
  readonly mesh?: Mesh | undefined;
  /** The severity of a workload that is not isolated because of what is not known. */
  readonly unresolved: 'error' | 'warning';
  /** Isolate all pods of the namespace, also those that are not in the build; undefined: where the build has the Namespace. */
  readonly defaultDeny?: 'namespace' | undefined;
}

export const EXTERNAL_PEERS: ExternalPeers = {
  // The labels of its Helm chart and of its static manifests (kubernetes/ingress-nginx).
  ingressController: {
    namespace: 'ingress-nginx',
    podLabels: { 'app.kubernetes.io/component': 'controller', 'app.kubernetes.io/name': 'ingress-nginx' },
    classes: ['nginx'],
  },
  ingressControllers: new Map(),
  // The proxies of Envoy Gateway.
  gateways: {
    namespace: 'envoy-gateway-system',
    podLabels: { 'app.kubernetes.io/component': 'proxy', 'app.kubernetes.io/managed-by': 'envoy-gateway' },
  },
  // The default IngressController of OpenShift (openshift/cluster-ingress-operator).
  router: {
    namespace: 'openshift-ingress',
    podLabels: { 'ingresscontroller.operator.openshift.io/deployment-ingresscontroller': 'default' },
  },
  dns: {
    namespace: 'kube-system',
    podLabels: { 'k8s-app': 'kube-dns' },
    addresses: ['169.254.20.10/32'], // the node-local cache (kubernetes.io, "Using NodeLocal DNSCache")
    ports: [53], // IANA, domain
  },
  unresolved: 'error',
};

/** The usual ports of the API server: of its Service, and of its pods (kubernetes.io/docs, "Ports and Protocols"). */
export const API_SERVER_PORTS: readonly number[] = [443, 6443];

/** The labels that cert-manager gives the pods that answer an HTTP-01 challenge. */
export const ACME_SOLVER_LABELS: Labels = { 'acme.cert-manager.io/http01-solver': 'true' };

/** The pods at an end of a connection; undefined for addresses. */
export function podsAt(end: ConnectionEnd, peers: ExternalPeers): SelectedPods | undefined {
  const { ingressController, gateways: gateway, dns } = peers;
  if (end.is === 'workload') return { namespace: end.workload.namespace, podLabels: end.workload.selector };
  if (end.is === 'acme-solver') return { namespace: end.namespace, podLabels: ACME_SOLVER_LABELS };
  if (end.is === 'pods') return end.pods;
  return {
    'ingress-controller': ingressController,
    gateway,
    dns,
    internet: undefined,
    addresses: undefined,
  }[end.is];
}
