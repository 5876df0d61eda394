import type { ConnectionEnd } from './connection';
import type { Labels } from './selector';

/** Pods as a policy selects them: by their namespace and some of their labels. */
export interface SelectedPods {
  readonly namespace: string;
  readonly podLabels: Labels;
}

/** The peers outside the package, and how a policy selects them. */
export interface ExternalPeers {
  readonly ingressController: SelectedPods;
  readonly gateways: SelectedPods;
  readonly dns: SelectedPods & {
    /** The addresses of resolvers that are not pods, as CIDR ranges. */
    readonly addresses: readonly string[];
    /** On which they listen, UDP and TCP. */
    readonly ports: readonly number[];
  };
  /** Isolate all pods of the namespace, also those that are not in the build; undefined: where the build has the Namespace. */
  readonly defaultDeny?: 'namespace' | undefined;
}

export const EXTERNAL_PEERS: ExternalPeers = {
  // The labels of its Helm chart and of its static manifests (kubernetes/ingress-nginx).
  ingressController: {
    namespace: 'ingress-nginx',
    podLabels: { 'app.kubernetes.io/component': 'controller', 'app.kubernetes.io/name': 'ingress-nginx' },
  },
  // The proxies of Envoy Gateway.
  gateways: {
    namespace: 'envoy-gateway-system',
    podLabels: { 'app.kubernetes.io/component': 'proxy', 'app.kubernetes.io/managed-by': 'envoy-gateway' },
  },
  dns: {
    namespace: 'kube-system',
    podLabels: { 'k8s-app': 'kube-dns' },
    addresses: ['169.254.20.10/32'], // the node-local cache (kubernetes.io, "Using NodeLocal DNSCache")
    ports: [53], // IANA, domain
  },
};

/** The labels that cert-manager gives the pods that answer an HTTP-01 challenge. */
export const ACME_SOLVER_LABELS: Labels = { 'acme.cert-manager.io/http01-solver': 'true' };

/** The pods at an end of a connection; undefined for addresses. */
export function podsAt(end: ConnectionEnd, peers: ExternalPeers): SelectedPods | undefined {
  const { ingressController, gateways: gateway, dns } = peers;
  if (end.is === 'workload') return { namespace: end.workload.namespace, podLabels: end.workload.selector };
  if (end.is === 'acme-solver') return { namespace: end.namespace, podLabels: ACME_SOLVER_LABELS };
  return {
    'ingress-controller': ingressController,
    gateway,
    dns,
    internet: undefined,
    nameservers: undefined,
  }[end.is];
}
