import { groupOf } from '../krm/resource';
import { type PodSpec, isRunning } from '../kubernetes/workload';
import { type YamlObject, type YamlValue, objectsIn } from '../yaml/yaml';
import type { ContainerPort, Port, PortReference, Workload } from './connection';
import type { Protocol } from './policy';

/** A Service by name, as clients write it. */
export interface ServiceReference {
  readonly name: string;
  readonly namespace: string;
  readonly port: PortReference;
  /** The name of a pod precedes the Service, `db-0.db`: only a headless Service has such names. */
  readonly isOfPod?: true;
  /** Of the pods: the only one of those to which `port` leads that is meant. */
  readonly targetPort?: number | undefined;
  /** Whether the client looks the name up; a controller reads the endpoints. Default: it does if it is a workload. */
  readonly byName?: boolean;
}

/**
 * The Services that a host name may mean to a pod in the namespace `home`: `name`, `name.namespace`, `name.namespace.svc`,
 * `name.namespace.svc.<cluster domain>`, or one of these after the name of a pod (kubernetes.io/docs, DNS for Services).
 */
export function serviceReferences(host: string, port: PortReference, home: string): ServiceReference[] {
  const labels = host.toLowerCase().replace(/\.$/, '').split('.');
  const named = ([name = '', namespace = home, svc = 'svc']: readonly string[]): ServiceReference[] =>
    name === '' || svc !== 'svc' ? [] : [{ name, namespace, port }];
  return [...named(labels), ...named(labels.slice(1)).map((one) => ({ ...one, isOfPod: true as const }))];
}

export function containerPortsIn(container: YamlObject): ContainerPort[] {
  return objectsIn(container.ports).flatMap(({ name, containerPort: port, protocol }) => {
    if (typeof port !== 'number') return [];
    return [{ name: typeof name === 'string' ? name : undefined, port, protocol: protocolOf(protocol) }];
  });
}

/**
 * The ports that a name may mean: those of the containers, then those of sidecars, in the order in which Kubernetes looks
 * for them. Other init containers have ended when a pod is ready. (kubernetes, pkg/api/v1/pod, FindPort)
 */
export function servingPortsIn({ containers }: PodSpec): ContainerPort[] {
  const running = containers.filter(isRunning);
  const main = running.filter(({ sort }) => sort === 'container');
  const sidecars = running.filter(({ sort }) => sort !== 'container');
  return [...main, ...sidecars].flatMap(({ value }) => containerPortsIn(value));
}

function protocolOf(value: YamlValue | undefined): Protocol {
  return value === 'UDP' || value === 'SCTP' ? value : 'TCP';
}

/** undefined: not a port, by number or by name. */
export function portReference(value: YamlValue | undefined): PortReference {
  return typeof value === 'number' || typeof value === 'string' ? value : undefined;
}

/** Clients of a headless Service connect to its pods. */
export function isHeadless(spec: YamlObject): boolean {
  return spec.clusterIP === 'None';
}

/** The pods' end of a Service port. */
interface TargetPort {
  readonly protocol: Protocol;
  /** A number, or the name of a container port. */
  readonly target: number | string;
}

/**
 * The ports of a Service that a reference means.
 *
 * @param byName whether the client looks its name up; a controller reads its endpoints, which have the pods' ports
 */
export function targetPorts(spec: YamlObject, reference: PortReference, byName: boolean): TargetPort[] {
  const all = objectsIn(spec.ports);
  const named = all.filter(({ name, port }) => reference === port || reference === name);
  const chosen = reference === undefined ? all : named;
  // A headless Service does not translate ports.
  if (isHeadless(spec) && typeof reference === 'number' && byName) {
    const protocols = chosen.length === 0 ? ['TCP'] : chosen.map(({ protocol }) => protocol);
    return [...new Set(protocols.map(protocolOf))].map((protocol) => ({ protocol, target: reference }));
  }
  return chosen.flatMap((port) => targetPort(port) ?? []);
}

/** The pods' end of an entry of `ports` of a Service; undefined: it has none. */
export function targetPort({ port, targetPort: written, protocol }: YamlObject): TargetPort | undefined {
  const target = portReference(written) ?? portReference(port);
  return target === undefined ? undefined : { protocol: protocolOf(protocol), target };
}

/** Whether a resource is a Service of Kubernetes, and not of Knative. */
export function isService(resource: YamlObject): boolean {
  return resource.kind === 'Service' && groupOf(resource) === '';
}

/** The ports of a workload's pods to which all ports of a Service lead. */
export function allPodPorts(spec: YamlObject, workload: Workload): Port[] {
  return targetPorts(spec, undefined, false).flatMap((port) => podPorts(port, workload));
}

/** Whether some ports have one in common. */
export function haveCommonPort(some: readonly Port[], others: readonly Port[]): boolean {
  return some.some((one) =>
    others.some(({ port, protocol }) => one.port === port && one.protocol === protocol),
  );
}

/** The port of a workload's pods that a target means: none where its name is missing there, else the first. */
export function podPorts({ protocol, target }: TargetPort, { ports }: Pick<Workload, 'ports'>): Port[] {
  if (typeof target === 'number') return [{ protocol, port: target }];
  const named = ports.find((one) => one.name === target && one.protocol === protocol);
  return named === undefined ? [] : [{ protocol, port: named.port }];
}
