import type { ContainerPort, Workload } from './connection';
import type { IpAddress } from './ip-range';
import type { Protocol } from './policy';
import type { Labels } from './selector';

/** One end of traffic: a pod, or an address outside the cluster. */
export type Endpoint = PodEndpoint | AddressEndpoint;

export interface AddressEndpoint {
  readonly ip: IpAddress;
  readonly workload?: undefined;
}

export interface PodEndpoint {
  readonly namespace: string;
  readonly labels: Labels;
  readonly namespaceLabels: Labels;
  /** Its container ports, which give named ports their numbers. */
  readonly ports: readonly ContainerPort[];
  /** undefined: not known; no ipBlock matches the pod. */
  readonly ip?: IpAddress;
  /** Its address is that of its node: policies neither apply to it nor select it as a peer. */
  readonly usesHostNetwork?: boolean;
  /** undefined: a representative pod, which only a policy or the configuration describes. */
  readonly workload?: Workload;
}

export interface Traffic {
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** The port of the destination pod, never that of a Service. */
  readonly port: number;
  readonly protocol: Protocol;
}

export function isPod(endpoint: Endpoint): endpoint is PodEndpoint {
  return 'labels' in endpoint;
}

/** The label that the API server gives every namespace. */
export const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

/** The labels of a namespace, with the one that the API server adds. */
export function namespaceLabels(name: string, labels: Labels = {}): Labels {
  return { ...labels, [NAMESPACE_NAME]: name };
}
