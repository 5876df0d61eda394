import type { PlacedReport } from '../findings/finding';
import type { PodSpec } from '../kubernetes/workload';
import type { Placed } from '../krm/resource';
import type { Message } from '../message';
import type { FieldPath } from '../yaml/field-path';
import type { SelectedPods } from './selector';
import type { IpRange } from './ip-range';
import type { Direction, Protocol } from './policy';
import type { YamlObject } from '../yaml/yaml';
import type { Labels } from './selector';

export interface Port {
  readonly protocol: Protocol;
  /** Of the pod, never of the Service. */
  readonly port: number;
}

/** A port of a Service, by number or by name; undefined: all of them. */
export type PortReference = number | string | undefined;

export interface ContainerPort extends Port {
  readonly name: string | undefined;
}

/** Pods that a policy can select. */
export interface Workload extends Placed {
  readonly pod: PodSpec;
  readonly kind: string;
  readonly name: string;
  /** `''`: not set; `kubectl apply` chooses it. */
  readonly namespace: string;
  /** The labels of its pods. */
  readonly labels: Labels;
  /** What selects its pods: its own matchLabels, or the pods' labels where those are not sufficient. */
  readonly selector: Labels;
  /** Its pods have the addresses of their nodes: policies neither apply to them nor select them as peers. */
  readonly usesHostNetwork: boolean;
  /** Of containers and sidecars. */
  readonly ports: readonly ContainerPort[];
}

/** One end of a required connection. */
export type ConnectionEnd =
  | { readonly is: 'workload'; readonly workload: Workload }
  | { readonly is: 'ingress-controller' | 'gateway' | 'internet' | 'dns' }
  | { readonly is: 'acme-solver'; readonly namespace: string }
  // `name` is for messages: `the API server`.
  | { readonly is: 'pods'; readonly pods: SelectedPods; readonly name: Message }
  | { readonly is: 'addresses'; readonly ranges: readonly IpRange[]; readonly name: Message };

/** An annotation by the name that it has after the domain, and an entry that it may have. */
export interface AnnotationEntry {
  readonly annotation: 'connects-to' | 'accepts-from' | 'internet-egress';
  readonly entry: Message;
}

/**
 * Traffic of a workload that a build shows and that no rule of a policy can allow, because its other end is not known. It
 * holds the isolation of the workload back in this direction.
 */
export interface OpenNeed {
  readonly workload: Workload;
  readonly direction: Direction;
  /** What shows it, as a clause: `env STRIPE_URL names api.stripe.com`. */
  readonly evidence: Message;
  /** From the root of the resource of the workload. */
  readonly field: FieldPath;
  /** What answers it: an entry of an annotation of the workload, or a sentence in the imperative. */
  readonly answer: AnnotationEntry | Message;
  /** Of the workload for ingress, of the other end for egress; undefined: not known. */
  readonly ports?: readonly Port[] | undefined;
  /** The Service that the build does not have. */
  readonly missing?: Pick<MissingHost, 'name' | 'namespace'>;
  /** Content that the function does not have may answer it. */
  readonly isUnknownContent?: true;
}

/** A connection that a build requires. */
export interface Connection {
  readonly from: ConnectionEnd;
  readonly to: ConnectionEnd;
  readonly ports: readonly Port[];
  /** A sentence: `Deployment/web env API_URL requires it`. */
  readonly reason: Message;
  /** The same as a comment of a rule: `Deployment/web env API_URL -> Service/api`. */
  readonly cause: Message;
}

/** A port that a build opens to external traffic. No policy is generated: the clients are not known. */
export interface Exposure {
  readonly at: Placed;
  /** What opens it, as the end of a sentence whose subject is the resource: `is of type LoadBalancer`. */
  readonly cause: Message;
  readonly field: FieldPath;
  readonly workload: Workload;
  readonly ports: readonly Port[];
  /** The workload states its clients. */
  readonly isDeclared: boolean;
}

/** A field that leads to a Service of the build. */
export interface ServiceUse {
  readonly service: YamlObject;
  readonly at: Placed;
  /** The field in words: `env API_URL`. */
  readonly part?: Message | undefined;
}

/** A host that a workload is given to connect with, and that may be a Service which the build does not have. */
export interface MissingHost {
  readonly workload: Workload;
  readonly part: Message;
  readonly field: FieldPath;
  /** As it is written. */
  readonly host: string;
  /** What it would be the name of. */
  readonly name: string;
  readonly namespace: string;
  /** It is in a file, where most hosts are those of comments and examples. */
  readonly isFile: boolean;
}

/** A Service or a port of it that a route names and the build does not have. */
export interface MissingBackend extends PlacedReport {
  readonly name: string;
  readonly namespace: string;
  /** The Service is in the build, and something else is missing in it. */
  readonly service: YamlObject | undefined;
}

/** The traffic that a build requires. */
export interface Topology {
  /** The namespaces that the build creates. */
  readonly namespaces: ReadonlySet<string>;
  readonly workloads: readonly Workload[];
  readonly exposures: readonly Exposure[];
  readonly connections: readonly Connection[];
  /** What holds the isolation of workloads back. */
  readonly needs: readonly OpenNeed[];
  /** Workloads that read content which the function does not have, and where it is: `ConfigMap/api`. */
  readonly unknownContent: ReadonlyMap<Workload, Message>;
  /** The same of Secrets whose keys are not known, where no annotation states what the workload connects to. */
  readonly unknownSecrets: ReadonlyMap<Workload, Message>;
  /** Required connections for which no policy can be generated; an info where their destination is not known. */
  readonly reports: readonly PlacedReport[];
  /** What Ingresses and routes name, and the build does not have. */
  readonly missingBackends: readonly MissingBackend[];
  readonly missingHosts: readonly MissingHost[];
  readonly uses: readonly ServiceUse[];
  /** The workloads of a namespace whose pods have some labels; one that a controller adds counts. */
  readonly selectedBy: (matchLabels: Labels, namespace: string) => readonly Workload[];
}
