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
  /** Its container ports, which names are resolved with. */
  readonly ports: readonly ContainerPort[];
  /** Where it is known; no ipBlock matches a pod without. */
  readonly ip?: IpAddress;
  /** undefined: a representative pod, which only a policy or the configuration describes. */
  readonly workload?: Workload;
}

export interface Traffic {
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** Of the destination; never a Service's. */
  readonly port: number;
  readonly protocol: Protocol;
}

export function isPod(endpoint: Endpoint): endpoint is PodEndpoint {
  return 'labels' in endpoint;
}

/** The label that the API server gives every namespace. */
export const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

/** The labels of a namespace: the one of its name is always there. */
export function namespaceLabels(name: string, labels: Labels = {}): Labels {
  return { ...labels, [NAMESPACE_NAME]: name };
}
