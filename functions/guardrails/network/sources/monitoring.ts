import { type Placed, annotationsOf, groupOf, resourceRef } from '../../krm/resource';
import { type Message, message, words } from '../../message';
import { type YamlObject, isAbsent, isObject, objectAt, objectsIn, textOf } from '../../yaml/yaml';
import type { Port, Workload } from '../connection';
import { Field } from '../decode';
import { LabelIndex } from '../label-index';
import { readSelector, stringsIn } from '../selector';
import { containerPortsIn, isService, podPorts, portReference, targetPorts } from '../services';
import type { Source, TopologyBuilder } from '../topology-builder';

/** The kinds whose objects select Services, or pods, by their labels. */
const SERVICE_MONITORS = [
  'monitoring.coreos.com/ServiceMonitor',
  'operator.victoriametrics.com/VMServiceScrape',
];
const POD_MONITORS = ['monitoring.coreos.com/PodMonitor', 'operator.victoriametrics.com/VMPodScrape'];
/** Annotations of pods and Services that most configurations of Prometheus read (its Helm chart, `scrape_configs`). */
const SCRAPE = 'prometheus.io/scrape';
const SCRAPE_PORT = 'prometheus.io/port';
/** Names of ports for metrics alone. */
const METRICS_PORT = /^(?:https?-)?metrics$/;
const EVERYTHING = { matchLabels: {}, matchExpressions: [] };

/** What shows that metrics of a workload are collected. */
interface Scrape {
  readonly workload: Workload;
  /** Of its pods; empty: not known. */
  readonly ports: readonly Port[];
  /** A clause: `ServiceMonitor/web collects metrics of Service/web`. */
  readonly evidence: Message;
}

/** The resources of a build, and those that monitors can select. */
interface Build {
  readonly resources: readonly Placed[];
  readonly services: LabelIndex<YamlObject>;
  readonly workloads: LabelIndex<Workload>;
  readonly topology: TopologyBuilder;
}

/** From the most specific sort of evidence to the most general one. */
const SORTS: readonly ((build: Build) => readonly Scrape[])[] = [
  ofServiceMonitors,
  ofPodMonitors,
  ofPodAnnotations,
  ofServiceAnnotations,
  ofPortNames,
];

/** The monitoring connects to the ports of pods that show metrics. Each port counts once, each workload once a sort. */
export const readMonitoring: Source<readonly Placed[]> = (resources, topology) => {
  const build = { resources, topology, ...indexOf(resources, topology) };
  const known = new Map<Workload, Set<number>>();
  for (const scrapesIn of SORTS) {
    const held = new Set<Workload>();
    for (const scrape of scrapesIn(build)) {
      const { workload, ports } = scrape;
      const ofWorkload = known.get(workload) ?? new Set();
      known.set(workload, ofWorkload);
      if (ports.length > 0 && ports.every(({ port }) => ofWorkload.has(port))) continue;
      for (const { port } of ports) ofWorkload.add(port);
      open(scrape, held, topology);
    }
  }
};

/** @param held the workloads with a need of this sort */
function open({ workload, ports, evidence }: Scrape, held: Set<Workload>, topology: TopologyBuilder): void {
  const scraped = topology.scraped.get(workload) ?? new Set<number>();
  topology.scraped.set(workload, new Set([...scraped, ...ports.map(({ port }) => port)]));
  const { monitoring: pods } = topology.peers;
  const { acceptsFrom } = topology.declarationsOf(workload);
  // What looks like a port for metrics may be none: none says so.
  if (acceptsFrom?.length === 0) return;
  if (pods !== undefined && ports.length > 0) {
    const from = { is: 'pods', pods, name: words('the monitoring') } as const;
    topology.connect(from, { is: 'workload', workload }, ports, evidence);
    return;
  }
  if (held.has(workload) || topology.declaresClients(workload, ports)) return;
  held.add(workload);
  const answer = words(
    ports.length === 0
      ? `set the annotation ${SCRAPE_PORT}`
      : `set spec.network.monitoring in the configuration, or name the clients in ${topology.annotations.acceptsFrom}`,
  );
  topology.addNeed({ workload, direction: 'ingress', evidence, field: workload.pod.path, answer });
}

function indexOf(
  resources: readonly Placed[],
  topology: TopologyBuilder,
): Pick<Build, 'services' | 'workloads'> {
  const services = new LabelIndex<YamlObject>();
  const workloads = new LabelIndex<Workload>();
  for (const { resource } of servicesIn(resources))
    services.add(namespaceOf(resource), stringsIn(objectAt(resource, 'metadata').labels), resource);
  for (const workload of topology.workloads.values())
    workloads.add(workload.namespace, workload.labels, workload);
  return { services, workloads };
}

/** https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.ServiceMonitor */
function ofServiceMonitors({ resources, services, topology }: Build): Scrape[] {
  return monitorsIn(resources, SERVICE_MONITORS).flatMap((monitor) =>
    selectedIn(monitor, services).flatMap((service) => {
      const evidence = message`${nameOf(monitor)} collects metrics of ${nameOf(service)}`;
      const endpoints = objectsIn(objectAt(monitor, 'spec').endpoints);
      return podsOf(service, topology).flatMap((workload) => {
        const ports = endpoints.flatMap((one) => endpointPorts(one, service, workload));
        return ports.length === 0 ? [] : [{ workload, ports, evidence }];
      });
    }),
  );
}

function endpointPorts({ port, targetPort }: YamlObject, service: YamlObject, workload: Workload): Port[] {
  const target = portReference(targetPort);
  if (isAbsent(port) && target !== undefined) return podPorts({ protocol: 'TCP', target }, workload);
  const targets = targetPorts(objectAt(service, 'spec'), portReference(port), false);
  return targets.flatMap((one) => podPorts(one, workload));
}

/** https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMonitor */
function ofPodMonitors({ resources, workloads }: Build): Scrape[] {
  return monitorsIn(resources, POD_MONITORS).flatMap((monitor) => {
    const endpoints = objectsIn(objectAt(monitor, 'spec').podMetricsEndpoints);
    return selectedIn(monitor, workloads).flatMap((workload) => {
      const ports = endpoints.flatMap(({ port, portNumber, targetPort }) => {
        const target = [port, portNumber, targetPort].map(portReference).find((one) => one !== undefined);
        return target === undefined ? tcpPortsOf(workload) : podPorts({ protocol: 'TCP', target }, workload);
      });
      return ports.length === 0
        ? []
        : [{ workload, ports, evidence: message`${nameOf(monitor)} collects its metrics` }];
    });
  });
}

function ofPodAnnotations({ topology }: Build): Scrape[] {
  return [...topology.workloads.values()].flatMap((workload) => {
    const annotations = objectAt(workload.pod.metadata, 'annotations');
    if (!asksForScrapes(annotations)) return [];
    const evidence = words(`annotation ${SCRAPE} asks to collect its metrics`);
    return [{ workload, ports: annotatedPort(annotations) ?? tcpPortsOf(workload), evidence }];
  });
}

function ofServiceAnnotations({ resources, topology }: Build): Scrape[] {
  return servicesIn(resources).flatMap(({ resource: service }) => {
    const annotations = annotationsOf(service);
    if (!asksForScrapes(annotations)) return [];
    const evidence = message`annotation ${SCRAPE} of ${nameOf(service)} asks to collect its metrics`;
    return podsOf(service, topology).map((workload) => {
      const ports = annotatedPort(annotations) ?? endpointPorts({}, service, workload);
      return { workload, ports, evidence };
    });
  });
}

function ofPortNames({ resources, topology }: Build): Scrape[] {
  const ofContainers = [...topology.workloads.values()].flatMap((workload) =>
    workload.pod.containers.flatMap(({ sort, value, subject }) => {
      const isServing = sort === 'container' || value.restartPolicy === 'Always';
      const named = containerPortsIn(value).filter(({ name = '' }) => isServing && METRICS_PORT.test(name));
      return named.map(({ name = '', protocol, port }) => {
        return { workload, ports: [{ protocol, port }], evidence: message`${subject} has the port ${name}` };
      });
    }),
  );
  const ofServices = servicesIn(resources).flatMap(({ resource: service }) => {
    const names = objectsIn(objectAt(service, 'spec').ports).map(({ name }) => textOf(name));
    return names
      .filter((name) => METRICS_PORT.test(name))
      .flatMap((port) =>
        podsOf(service, topology).flatMap((workload) => {
          const ports = endpointPorts({ port }, service, workload);
          const evidence = message`${nameOf(service)} has the port ${port}`;
          return ports.length === 0 ? [] : [{ workload, ports, evidence }];
        }),
      );
  });
  return [...ofContainers, ...ofServices];
}

function servicesIn(resources: readonly Placed[]): Placed[] {
  return resources.filter(({ resource }) => isService(resource));
}

function monitorsIn(resources: readonly Placed[], kinds: readonly string[]): YamlObject[] {
  const isMonitor = (resource: YamlObject) =>
    kinds.includes(`${groupOf(resource)}/${resourceRef(resource).kind}`);
  return resources.flatMap(({ resource }) => (isMonitor(resource) ? [resource] : []));
}

/** What a monitor selects: by default in its own namespace. */
function selectedIn<T>(monitor: YamlObject, index: LabelIndex<T>): T[] {
  const spec = new Field(monitor).at('spec');
  const { any, matchNames } = objectAt(isObject(spec.value) ? spec.value : {}, 'namespaceSelector');
  const selector = readSelector(spec.at('selector')) ?? EVERYTHING;
  if (any === true) return index.selectedBy(selector);
  const names = Array.isArray(matchNames) ? matchNames.map(textOf) : [];
  // What has no namespace is in the one that kubectl apply chooses.
  return index.selectedBy(selector, names.length > 0 ? [...names, ''] : [namespaceOf(monitor)]);
}

/** The workloads that a Service selects. */
function podsOf(service: YamlObject, topology: TopologyBuilder): readonly Workload[] {
  return topology.selectedBy(stringsIn(objectAt(service, 'spec').selector), namespaceOf(service));
}

function asksForScrapes(annotations: YamlObject): boolean {
  return textOf(annotations[SCRAPE]) === 'true';
}

function annotatedPort(annotations: YamlObject): Port[] | undefined {
  const text = textOf(annotations[SCRAPE_PORT]);
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? [{ protocol: 'TCP', port }] : undefined;
}

function tcpPortsOf({ ports }: Workload): Port[] {
  return ports.filter(({ protocol }) => protocol === 'TCP').map(({ protocol, port }) => ({ protocol, port }));
}

function nameOf(resource: YamlObject): Message {
  const { kind, name } = resourceRef(resource);
  return message`${kind}/${name}`;
}

function namespaceOf(resource: YamlObject): string {
  return resourceRef(resource).namespace ?? '';
}
