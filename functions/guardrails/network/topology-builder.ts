import type { PlacedReport } from '../findings/finding';
import { podSpecOf } from '../kubernetes/workload';
import { type Placed, groupOf, resourceRef } from '../krm/resource';
import { type Message, message, words } from '../message';
import { type FieldPath, valueAt } from '../yaml/field-path';
import { type YamlObject, type YamlValue, objectAt, objectsIn } from '../yaml/yaml';
import type {
  Connection,
  ConnectionEnd,
  ContainerPort,
  Exposure,
  Port,
  Topology,
  Workload,
} from './connection';
import { append } from './multimap';
import type { Protocol } from './policy';
import { type Labels, hasLabels, isLabels, labelsIn } from './selector';

export const INTERNET_EGRESS = 'todo.example.com/internet-egress';

/** Adds the traffic that one resource requires. */
export type Source = (placed: Placed, topology: TopologyBuilder) => void;

/** What requires a connection: a field of a resource. */
export interface Origin {
  readonly at: Placed;
  readonly field: FieldPath;
  /** The field in words: `env API_URL`. */
  readonly part?: Message;
}

export type PortReference = number | string;

/** A Service by name, as clients write it. */
export interface ServiceReference {
  readonly name: string;
  readonly namespace: string;
  /** A port of the Service, by number or name; undefined: all of them. */
  readonly port: PortReference | undefined;
  /** The name of a pod precedes the Service, `db-0.db`: only a headless one has such names. */
  readonly isOfPod?: true;
}

export interface Service {
  readonly at: Placed;
  readonly name: string;
  readonly namespace: string;
  readonly spec: YamlObject;
}

/** Collects the traffic that a build requires. Knows its workloads, and to which pods and ports its Services lead. */
export class TopologyBuilder {
  private readonly workloads = new Map<YamlObject, Workload>();
  private readonly byLabel = new Map<string, Workload[]>();
  private readonly services = new Map<string, Service>();
  private readonly configMaps = new Map<string, YamlObject>();
  private readonly clients = new Set<Workload>();
  private readonly routed = new Set<YamlObject>();
  private readonly connections: Connection[] = [];
  private readonly exposures: Exposure[] = [];
  private readonly reports = new Map<string, PlacedReport>();

  constructor(resources: readonly Placed[]) {
    for (const at of resources) {
      const { resource } = at;
      const { name, namespace = '' } = resourceRef(resource);
      const workload = this.readWorkload(at);
      if (workload !== undefined) this.addWorkload(workload);
      if (resource.kind === 'Service' && groupOf(resource) === '')
        this.services.set(keyOf(namespace, name), { at, name, namespace, spec: objectAt(resource, 'spec') });
      if (resource.kind === 'ConfigMap')
        this.configMaps.set(keyOf(namespace, name), objectAt(resource, 'data'));
    }
  }

  topology(): Topology {
    const { connections, exposures } = this;
    return {
      connections,
      exposures,
      workloads: [...this.workloads.values()],
      reports: [...this.reports.values()],
    };
  }

  get hasServices(): boolean {
    return this.services.size > 0;
  }

  workloadOf(resource: YamlObject): Workload | undefined {
    return this.workloads.get(resource);
  }

  /** undefined: not in the build. */
  service({ name, namespace, isOfPod }: ServiceReference): Service | undefined {
    const service = this.services.get(keyOf(namespace, name));
    return isOfPod && service !== undefined && !isHeadless(service.spec) ? undefined : service;
  }

  /** The data of a ConfigMap; empty where it is not in the build. */
  configMap(namespace: string, name: string): YamlObject {
    return this.configMaps.get(keyOf(namespace, name)) ?? {};
  }

  /** Whether a workload opens connections. */
  isClient(workload: Workload): boolean {
    return this.clients.has(workload);
  }

  /** Whether an Ingress or a route leads to a Service. */
  isRouted(service: YamlObject): boolean {
    return this.routed.has(service);
  }

  /** The workloads that a Service selects. */
  selectedBy(matchLabels: Labels, namespace: string): readonly Workload[] {
    const [label = []] = Object.entries(matchLabels);
    const candidates = this.byLabel.get(keyOf(namespace, ...label)) ?? [];
    return candidates.filter(({ labels }) => hasLabels(labels, matchLabels));
  }

  connect(from: ConnectionEnd, to: ConnectionEnd, ports: readonly Port[], reason: Message): void {
    if (ports.length === 0) return;
    // An empty selector would select every pod.
    const unselectable = [from, to].flatMap((end) =>
      end.is === 'workload' && Object.keys(end.workload.selector).length === 0 ? [end.workload] : [],
    );
    for (const workload of unselectable)
      if (Object.keys(workload.labels).length === 0)
        this.report(
          { at: workload, field: labelsPath(workload.resource) },
          words('has pods without labels, which no NetworkPolicy can select'),
          words('add a label to the pod template'),
        );
    if (unselectable.length > 0) return;
    this.connections.push({ from, to, ports, reason });
    if (from.is === 'workload') this.clients.add(from.workload);
  }

  expose(exposure: Exposure): void {
    this.exposures.push(exposure);
  }

  /** @param severity info where it is not known to be an error */
  report(origin: Origin, problem: Message, remedy: Message, severity: 'error' | 'info' = 'error'): void {
    const { at, field, part } = origin;
    const whole = part === undefined ? problem : message`${part} ${problem}`;
    const report = { problem: whole, remedy, field, severity };
    this.reports.set(JSON.stringify([resourceRef(at.resource), whole.raw]), { at, report });
  }

  /** Connects to every workload that a Service selects, on the ports on which its pods listen. */
  connectToService(from: ConnectionEnd, reference: ServiceReference, origin: Origin): void {
    const service = this.service(reference);
    if (service === undefined) {
      this.reportMissing(reference, origin);
      return;
    }
    const { spec, name, namespace } = service;
    if (from.is !== 'workload') this.routed.add(service.at.resource);
    if (!isLabels(spec.selector)) {
      const problem = message`refers to Service/${name}, whose selector has values that are not strings`;
      this.report(origin, problem, words('quote them'));
      return;
    }
    const selector = labelsIn(spec.selector);
    if (spec.type === 'ExternalName' || Object.keys(selector).length === 0) {
      const cause = words(spec.type === 'ExternalName' ? 'is of type ExternalName' : 'has no selector');
      this.report(
        origin,
        message`refers to Service/${name}, which ${cause}, so its destination is not known`,
        words(`state the port in the annotation ${INTERNET_EGRESS}, or add a NetworkPolicy`),
        'info',
      );
      return;
    }
    const selected = this.selectedBy(selector, namespace);
    if (selected.length === 0)
      this.report(
        origin,
        message`refers to Service/${name}, which selects no pods`,
        message`fix spec.selector of Service/${name}`,
      );
    const targets = targetPorts(spec, reference.port, from.is === 'workload');
    if (targets.length === 0)
      this.report(
        origin,
        reference.port === undefined
          ? message`refers to Service/${name}, which has no ports`
          : message`refers to port ${reference.port} of Service/${name}, which the Service does not have`,
        words('use a port of the Service'),
      );
    for (const workload of selected) {
      const ports = targets.flatMap((port) => podPorts(port, workload));
      for (const { target } of targets.filter((port) => podPorts(port, workload).length === 0))
        this.report(
          origin,
          message`refers to Service/${name}, whose targetPort ${target} is missing in ${workload.kind}/${workload.name}`,
          words('use the name of a container port'),
        );
      this.connect(from, { is: 'workload', workload }, ports, reasonOf(origin));
    }
  }

  private reportMissing({ name, namespace }: ServiceReference, origin: Origin): void {
    const { namespace: home = '' } = resourceRef(origin.at.resource);
    if (namespace === home)
      this.report(
        origin,
        message`refers to Service/${name}, which does not exist`,
        words('use the name of an existing Service, or add the Service'),
      );
    else
      this.report(
        origin,
        message`refers to Service/${name} in namespace ${namespace}, which is not part of this build`,
        words('add a NetworkPolicy for it'),
        'info',
      );
  }

  private addWorkload(workload: Workload): void {
    this.workloads.set(workload.resource, workload);
    for (const label of Object.entries(workload.labels))
      append(this.byLabel, keyOf(workload.namespace, ...label), workload);
  }

  private readWorkload(at: Placed): Workload | undefined {
    const { resource } = at;
    const pod = podSpecOf(resource);
    if (pod === undefined || resource.kind === 'PodTemplate') return undefined;
    const { kind, name, namespace = '' } = resourceRef(resource);
    const ofPods = valueAt(resource, labelsPath(resource));
    const matchLabels = valueAt(resource, MATCH_LABELS);
    const expressions = valueAt(resource, ['spec', 'selector', 'matchExpressions']);
    const labels = labelsIn(ofPods);
    const selector = labelsIn(matchLabels);
    const ports = pod.containers.flatMap(({ value }) => containerPortsIn(value));
    const workload = { ...at, kind, name, namespace, labels, ports };
    // Where expressions distinguish workloads, matchLabels alone do not.
    const isSufficient = Object.keys(selector).length > 0 && objectsIn(expressions).length === 0;
    if (isLabels(ofPods) && isLabels(matchLabels))
      return { ...workload, selector: isSufficient ? selector : labels };
    this.report(
      { at, field: isLabels(ofPods) ? MATCH_LABELS : labelsPath(resource) },
      words('has labels that are not strings, which the API server refuses'),
      words('quote them'),
    );
    return { ...workload, selector: {} };
  }
}

const MATCH_LABELS: FieldPath = ['spec', 'selector', 'matchLabels'];

/** Of the labels of its pods. */
function labelsPath(resource: YamlObject): FieldPath {
  return [...(podSpecOf(resource)?.path ?? []).slice(0, -1), 'metadata', 'labels'];
}

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

/** `Deployment/web env API_URL requires it`. */
function reasonOf({ at, part }: Origin): Message {
  const { kind, name } = resourceRef(at.resource);
  return message`${kind}/${name}${part === undefined ? words('') : message` ${part}`} requires it`;
}

export function containerPortsIn(container: YamlObject): ContainerPort[] {
  return objectsIn(container.ports).flatMap(({ name, containerPort: port, protocol }) => {
    if (typeof port !== 'number') return [];
    return [{ name: typeof name === 'string' ? name : undefined, port, protocol: protocolOf(protocol) }];
  });
}

function protocolOf(value: YamlValue | undefined): Protocol {
  return value === 'UDP' || value === 'SCTP' ? value : 'TCP';
}

/** undefined: not a port, by number or by name. */
export function portReference(value: YamlValue | undefined): PortReference | undefined {
  return typeof value === 'number' || typeof value === 'string' ? value : undefined;
}

function isHeadless(spec: YamlObject): boolean {
  return spec.clusterIP === 'None';
}

/** The pods' end of a Service port. */
interface TargetPort {
  readonly protocol: Protocol;
  /** A number, or the name of a container port. */
  readonly target: PortReference;
}

/**
 * The ports of a Service that a reference means.
 *
 * @param byName whether the client looks its name up; a controller reads its endpoints, which have the pods' ports
 */
export function targetPorts(
  spec: YamlObject,
  reference: PortReference | undefined,
  byName: boolean,
): TargetPort[] {
  const chosen = objectsIn(spec.ports).filter(
    ({ name, port }) => reference === undefined || reference === port || reference === name,
  );
  // Clients of a headless Service connect to its pods: no port is translated.
  if (isHeadless(spec) && typeof reference === 'number' && byName) {
    const protocols = new Set(chosen.map(({ protocol }) => protocolOf(protocol)));
    if (protocols.size === 0) protocols.add('TCP');
    return [...protocols].map((protocol) => ({ protocol, target: reference }));
  }
  return chosen.flatMap(({ port, targetPort, protocol }) => {
    const target = portReference(targetPort) ?? portReference(port);
    return target === undefined ? [] : [{ protocol: protocolOf(protocol), target }];
  });
}

/** The ports of a workload's pods that a target means: none where its name is missing there. */
export function podPorts({ protocol, target }: TargetPort, { ports }: Workload): Port[] {
  if (typeof target === 'number') return [{ protocol, port: target }];
  return ports
    .filter(({ name, protocol: own }) => name === target && own === protocol)
    .map(({ port }) => ({ protocol, port }));
}
