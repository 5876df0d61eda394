import type { PlacedReport, Report } from '../findings/finding';
import { podSpecOf } from '../kubernetes/workload';
import { type Placed, groupOf, resourceRef } from '../krm/resource';
import { type Message, message, words } from '../message';
import { type FieldPath, valueAt } from '../yaml/field-path';
import { type YamlObject, objectAt, objectsIn } from '../yaml/yaml';
import type {
  Connection,
  ConnectionEnd,
  Exposure,
  Port,
  PortReference,
  Topology,
  Workload,
} from './connection';
import { append } from './multimap';
import { type Labels, hasLabels, isLabels, labelsIn } from './selector';
import { containerPortsIn, isHeadless, podPorts, targetPorts } from './service-ports';

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
  readonly services = new Map<string, Service>();
  private readonly configMaps = new Map<string, YamlObject>();
  /** Workloads that open connections. */
  readonly clients = new Set<Workload>();
  /** Services that an Ingress or a route leads to. */
  readonly routed = new Set<YamlObject>();
  readonly connections: Connection[] = [];
  readonly exposures: Exposure[] = [];
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
    const [workloads, reports] = [[...this.workloads.values()], [...this.reports.values()]];
    return { workloads, reports, connections: this.connections, exposures: this.exposures };
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
          'add a label to the pod template',
        );
    if (unselectable.length > 0) return;
    this.connections.push({ from, to, ports, reason });
    if (from.is === 'workload') this.clients.add(from.workload);
  }

  /** @param remedy words of the function */
  report({ at, field, part }: Origin, text: Message, remedy: string, severity?: 'info'): void {
    const problem = part === undefined ? text : message`${part} ${text}`;
    const report: Report = { problem, remedy: words(remedy), field, severity: severity ?? 'error' };
    this.reports.set(JSON.stringify([resourceRef(at.resource), problem.raw]), { at, report });
  }

  /** Connects to every workload that a Service selects, on the ports on which its pods listen. */
  connectToService(from: ConnectionEnd, reference: ServiceReference, origin: Origin): void {
    const service = this.service(reference);
    const { name, namespace, port } = reference;
    const report = (rest: Message, remedy: string, severity?: 'info') => {
      this.report(origin, message`refers to Service/${name}${rest}`, remedy, severity);
    };
    if (service === undefined) {
      if (namespace === (resourceRef(origin.at.resource).namespace ?? ''))
        report(words(', which does not exist'), 'use the name of an existing Service, or add the Service');
      else {
        const rest = message` in namespace ${namespace}, which is not part of this build`;
        report(rest, 'add a NetworkPolicy for it', 'info');
      }
      return;
    }
    const { spec } = service;
    if (from.is !== 'workload') this.routed.add(service.at.resource);
    if (!isLabels(spec.selector)) {
      report(words(', whose selector has values that are not strings'), 'quote them');
      return;
    }
    const selector = labelsIn(spec.selector);
    if (spec.type === 'ExternalName' || Object.keys(selector).length === 0) {
      const cause = spec.type === 'ExternalName' ? 'is of type ExternalName' : 'has no selector';
      const remedy = `state the port in the annotation ${INTERNET_EGRESS}, or add a NetworkPolicy`;
      report(words(`, which ${cause}, so its destination is not known`), remedy, 'info');
      return;
    }
    const selected = this.selectedBy(selector, namespace);
    if (selected.length === 0) report(words(', which selects no pods'), 'fix spec.selector of the Service');
    const targets = targetPorts(spec, port, from.is === 'workload');
    if (targets.length === 0) {
      const missing = port === undefined ? words('has no ports') : message`has no port ${port}`;
      report(message`, which ${missing}`, 'use a port of the Service');
    }
    for (const workload of selected) {
      const ports = targets.flatMap((target) => podPorts(target, workload));
      for (const { target } of targets.filter((one) => podPorts(one, workload).length === 0)) {
        const rest = message`, whose targetPort ${target} is missing in ${workload.kind}/${workload.name}`;
        report(rest, 'use the name of a container port');
      }
      this.connect(from, { is: 'workload', workload }, ports, reasonOf(origin));
    }
  }

  private addWorkload(workload: Workload): void {
    this.workloads.set(workload.resource, workload);
    for (const label of Object.entries(workload.labels))
      append(this.byLabel, keyOf(workload.namespace, ...label), workload);
  }

  private readWorkload(at: Placed): Workload | undefined {
    const { resource, path } = at;
    const pod = podSpecOf(resource);
    if (pod === undefined || resource.kind === 'PodTemplate') return undefined;
    const { kind, name, namespace = '' } = resourceRef(resource);
    const ofPods = valueAt(resource, labelsPath(resource));
    const matchLabels = valueAt(resource, MATCH_LABELS);
    const expressions = valueAt(resource, ['spec', 'selector', 'matchExpressions']);
    const labels = labelsIn(ofPods);
    const selector = labelsIn(matchLabels);
    const ports = pod.containers.flatMap(({ value }) => containerPortsIn(value));
    const workload = { resource, path, kind, name, namespace, labels, ports };
    // Where expressions distinguish workloads, matchLabels alone do not.
    const isSufficient = Object.keys(selector).length > 0 && objectsIn(expressions).length === 0;
    if (isLabels(ofPods) && isLabels(matchLabels))
      return { ...workload, selector: isSufficient ? selector : labels };
    this.report(
      { at, field: isLabels(ofPods) ? MATCH_LABELS : labelsPath(resource) },
      words('has labels that are not strings, which the API server refuses'),
      'quote them',
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
