import { type YamlObject, type YamlValue, textOf, objectAt, objectsIn } from '../yaml/yaml';
import type { FieldPath } from '../yaml/field-path';
import { type Placed, resourceRef, groupOf, annotationsOf } from '../krm/resource';
import { podSpecOf } from '../kubernetes/workload';
import type { ContainerPort } from './evaluate';
import type { Protocol } from './policy';
import { type Labels, hasLabels, isLabels, labelsIn } from './selector';
import { ConfigMaps, type ServiceReference, hostReferences, serviceReferences } from './service-references';

export const CONNECTS_TO = 'todo.example.com/connects-to';
export const INTERNET_EGRESS = 'todo.example.com/internet-egress';
const HTTP01_SOLVER_PORT = 8089; // cert-manager's solver pods listen there (acme/http.go)

/** Pods that a policy can select. */
export interface Workload {
  readonly resource: YamlObject;
  readonly path: FieldPath;
  readonly kind: string;
  readonly name: string;
  /** `''`: that of whoever applies it. */
  readonly namespace: string;
  /** Of its pods. */
  readonly labels: Labels;
  /** What its pods are selected by: the workload's own matchLabels; the pods' labels where those do not say all. */
  readonly selector: Labels;
  readonly ports: readonly ContainerPort[];
}

export interface Port {
  readonly protocol: Protocol;
  /** Of the pod, never of the Service. */
  readonly port: number;
}

/** Who is at the other end of a workload's connection. */
export type Party =
  | { readonly is: 'workload'; readonly workload: Workload }
  | { readonly is: 'ingress-controller' | 'gateway' | 'internet' | 'dns' }
  | { readonly is: 'acme-solver'; readonly namespace: string };

/** A connection that is needed, and why. */
export interface Connection {
  readonly from: Party;
  readonly to: Party;
  readonly ports: readonly Port[];
  readonly reason: string;
}

/** A port that a build opens to whoever is outside, which no policy is made for: who that is to be is not said. */
export interface Exposure extends Placed {
  /** `is of type LoadBalancer`. */
  readonly what: string;
  readonly workload: Workload;
  readonly ports: readonly Port[];
}

export interface Topology {
  readonly workloads: readonly Workload[];
  readonly exposures: readonly Exposure[];
  readonly connections: readonly Connection[];
  readonly notes: readonly Note[];
}

/** A connection that is asked for and that no policy can be made for. */
export interface Note extends Placed {
  /** The end of a sentence whose subject is the resource. */
  readonly what: string;
  readonly mend: string;
  /** It cannot work as it stands; else where it leads is not known, and not guessed at. */
  readonly isBroken: boolean;
}

interface Service {
  readonly placed: Placed;
  readonly name: string;
  readonly namespace: string;
  readonly spec: YamlObject;
}

/** Reads from what an overlay builds, Lists taken apart, who has to talk to whom. */
export function readTopology(resources: readonly Placed[]): Topology {
  return new TopologyReader(resources).read();
}

type NamedService = Omit<ServiceReference, 'where'>;

/** What asks for a connection: a resource, and which part of it. */
interface Asker extends Placed {
  readonly part?: string;
}

class TopologyReader {
  private readonly workloads = new Map<YamlObject, Workload>();
  private readonly byLabel = new Map<string, Workload[]>();
  private readonly services = new Map<string, Service>();
  /** Services that an Ingress or a route leads to. */
  private readonly routed = new Set<YamlObject>();
  private readonly configMaps: ConfigMaps;
  private readonly connections: Connection[] = [];
  private readonly notes = new Map<string, Note>();

  constructor(private readonly placed: readonly Placed[]) {
    for (const one of placed) {
      const workload = this.workloadOf(one);
      if (workload === undefined) continue;
      this.workloads.set(one.resource, workload);
      for (const label of Object.entries(workload.labels)) {
        const key = JSON.stringify([workload.namespace, ...label]);
        const others = this.byLabel.get(key);
        if (others === undefined) this.byLabel.set(key, [workload]);
        else others.push(workload);
      }
    }
    for (const one of placed) {
      const { resource } = one;
      if (resource.kind !== 'Service' || groupOf(resource) !== '') continue;
      const { name, namespace = '' } = resourceRef(resource);
      const spec = objectAt(resource, 'spec');
      this.services.set(serviceKey(name, namespace), { placed: one, name, namespace, spec });
    }
    this.configMaps = new ConfigMaps(placed.map(({ resource }) => resource));
  }

  read(): Topology {
    for (const one of this.placed) {
      this.readIngress(one);
      this.readRoute(one);
      this.readGateway(one);
      this.readClient(one);
    }
    const clients = new Set(
      this.connections.flatMap(({ from }) => (from.is === 'workload' ? [from.workload] : [])),
    );
    const workloads = [...this.workloads.values()];
    for (const workload of workloads)
      if (clients.has(workload))
        this.connect(
          { is: 'workload', workload },
          { is: 'dns' },
          [
            { protocol: 'UDP', port: 53 },
            { protocol: 'TCP', port: 53 },
          ],
          'names have to be resolved',
        );
    const exposures = this.exposures();
    return { workloads, exposures, connections: this.connections, notes: [...this.notes.values()] };
  }

  /** Services that are open to the outside, but not only for a controller to come in by, and ports of nodes. */
  private exposures(): Exposure[] {
    const ofServices = [...this.services.values()].flatMap(({ placed, spec, namespace }) => {
      if (!['LoadBalancer', 'NodePort'].includes(textOf(spec.type)) || this.routed.has(placed.resource))
        return [];
      const selector = isLabels(spec.selector) ? labelsIn(spec.selector) : {};
      const what = `is of type ${textOf(spec.type)}`;
      return this.selectedBy(selector, namespace).map((workload) => ({
        ...placed,
        what,
        workload,
        ports: servicePorts(spec, undefined, false).flatMap((port) => podPorts(port, workload)),
      }));
    });
    const ofNodes = [...this.workloads.values()].flatMap((workload) => {
      const ports = (podSpecOf(workload.resource)?.containers ?? [])
        .flatMap(({ value }) => objectsIn(value.ports))
        .filter(({ hostPort }) => typeof hostPort === 'number')
        .flatMap(containerPort);
      const { resource, path } = workload;
      return ports.length === 0 ? [] : [{ resource, path, what: 'has a hostPort', workload, ports }];
    });
    return [...ofServices, ...ofNodes];
  }

  private connect(from: Party, to: Party, ports: readonly Port[], reason: string): void {
    if (ports.length === 0) return;
    const unselectable = [from, to].flatMap((party) => (isSelectable(party) ? [] : [party.workload]));
    for (const workload of unselectable)
      if (Object.keys(workload.labels).length === 0)
        this.note(workload, true, 'has pods without labels, which no policy can select', 'give them one');
    if (unselectable.length === 0) this.connections.push({ from, to, ports, reason });
  }

  private note({ resource, path, part }: Asker, isBroken: boolean, what: string, mend: string): void {
    const note = { resource, path, isBroken, what: part === undefined ? what : `${part}: ${what}`, mend };
    this.notes.set(JSON.stringify([resourceRef(resource), note.what]), note);
  }

  private workloadOf({ resource, path }: Placed): Workload | undefined {
    const pod = podSpecOf(resource);
    if (pod === undefined || resource.kind === 'PodTemplate') return undefined;
    const { kind, name, namespace = '' } = resourceRef(resource);
    const template = pod.path
      .slice(0, -1)
      .reduce<YamlObject>((at, step) => objectAt(at, String(step)), resource);
    const ofPods = objectAt(template, 'metadata').labels;
    const { matchLabels, matchExpressions } = objectAt(objectAt(resource, 'spec'), 'selector');
    const labels = labelsIn(ofPods);
    const selector = labelsIn(matchLabels);
    const ports = pod.containers.flatMap(({ value }) => objectsIn(value.ports).flatMap(containerPort));
    const workload = { resource, path, kind, name, namespace, labels, ports };
    // What expressions tell apart, matchLabels alone do not.
    const isWhole = Object.keys(selector).length > 0 && objectsIn(matchExpressions).length === 0;
    if (isLabels(ofPods) && isLabels(matchLabels))
      return { ...workload, selector: isWhole ? selector : labels };
    this.note(
      workload,
      true,
      'has labels that are no text, which the API server refuses',
      'put them in quotes',
    );
    return { ...workload, selector: {} };
  }

  private readIngress(asker: Placed): void {
    const { resource } = asker;
    if (resource.kind !== 'Ingress' || groupOf(resource) !== 'networking.k8s.io') return;
    const { name, namespace = '' } = resourceRef(resource);
    const spec = objectAt(resource, 'spec');
    const paths = objectsIn(spec.rules).flatMap((rule) => objectsIn(objectAt(rule, 'http').paths));
    const backends = [...paths.map((path) => objectAt(path, 'backend')), objectAt(spec, 'defaultBackend')];
    for (const backend of backends) {
      const service = objectAt(backend, 'service');
      const port = objectAt(service, 'port');
      if (typeof service.name === 'string')
        this.connectToService(
          { is: 'ingress-controller' },
          { name: service.name, namespace, port: portOf(port.number ?? port.name) },
          namespace,
          asker,
        );
    }
    if (objectsIn(spec.tls).length > 0 && isCertManaged(resource))
      this.connectToSolver(
        { is: 'ingress-controller' },
        namespace,
        `Ingress/${name} has TLS from cert-manager`,
      );
  }

  private connectToSolver(from: Party, namespace: string, reason: string): void {
    const ports = [{ protocol: 'TCP', port: HTTP01_SOLVER_PORT }] as const;
    this.connect(from, { is: 'acme-solver', namespace }, ports, reason);
  }

  private readRoute(asker: Placed): void {
    const { resource } = asker;
    const { kind, namespace = '' } = resourceRef(resource);
    if (groupOf(resource) !== 'gateway.networking.k8s.io' || !kind.endsWith('Route')) return;
    const rules = objectsIn(objectAt(resource, 'spec').rules);
    for (const { kind: to = 'Service', group = '', name, namespace: other, port } of rules.flatMap(
      backendsOf,
    ))
      if (to === 'Service' && group === '' && typeof name === 'string')
        this.connectToService(
          { is: 'gateway' },
          { name, namespace: typeof other === 'string' ? other : namespace, port: portOf(port) },
          namespace,
          asker,
        );
  }

  private readGateway({ resource }: Placed): void {
    if (resource.kind !== 'Gateway' || groupOf(resource) !== 'gateway.networking.k8s.io') return;
    const { name, namespace = '' } = resourceRef(resource);
    if (isCertManaged(resource))
      this.connectToSolver({ is: 'gateway' }, namespace, `Gateway/${name} has TLS from cert-manager`);
  }

  private readClient(placed: Placed): void {
    const { resource } = placed;
    const pod = podSpecOf(resource);
    const workload = this.workloads.get(resource);
    if (pod === undefined || workload === undefined) return;
    const { namespace } = workload;
    const from: Party = { is: 'workload', workload };
    const references = this.services.size === 0 ? [] : serviceReferences(pod, this.configMaps.of(namespace));
    for (const reference of references)
      // Most values that look like a host are none of ours.
      if (this.serviceOf(reference, namespace) !== undefined)
        this.connectToService(from, reference, namespace, { ...placed, part: reference.where });
    this.readConnectsTo(from, namespace, placed);
    this.readInternetEgress(from, placed);
  }

  private readConnectsTo(from: Party, home: string, placed: Placed): void {
    const asker = { ...placed, part: `annotation ${CONNECTS_TO}` };
    for (const entry of listIn(annotationsOf(placed.resource)[CONNECTS_TO])) {
      const [, host, port = ''] = /^([a-z0-9.-]+):(\d+|[a-z0-9-]+)$/.exec(entry) ?? [];
      if (host === undefined) {
        this.note(asker, true, `${JSON.stringify(entry)} is no name:port`, 'write backend:80, say');
        continue;
      }
      const references = hostReferences(host, /^\d+$/.test(port) ? Number(port) : port, asker.part);
      const reference =
        references.find((one) => this.serviceOf(one, home) !== undefined) ??
        references.find(({ isOfPod }) => isOfPod === undefined);
      if (reference !== undefined) this.connectToService(from, reference, home, asker);
      else
        this.note(
          asker,
          true,
          `${JSON.stringify(entry)} is the name of no Service`,
          'name one of the cluster',
        );
    }
  }

  private readInternetEgress(from: Party, placed: Placed): void {
    const asker = { ...placed, part: `annotation ${INTERNET_EGRESS}` };
    const ports = listIn(annotationsOf(placed.resource)[INTERNET_EGRESS]).flatMap((entry) => {
      const [, number = '', protocol = 'TCP'] = /^(\d+)(?:\/(TCP|UDP))?$/.exec(entry) ?? [];
      if (Number(number) >= 1 && Number(number) <= 65535)
        return [{ protocol: protocol as Protocol, port: Number(number) }];
      this.note(asker, true, `${JSON.stringify(entry)} is no port`, 'write 443 or 53/UDP, say');
      return [];
    });
    this.connect(from, { is: 'internet' }, ports, asker.part);
  }

  private serviceOf({ name, namespace, isOfPod }: NamedService, home: string): Service | undefined {
    const service = this.services.get(serviceKey(name, namespace ?? home));
    return isOfPod && service !== undefined && !isHeadless(service.spec) ? undefined : service;
  }

  /** From someone to every workload behind a Service, on the ports that its pods listen on. */
  private connectToService(from: Party, reference: NamedService, home: string, asker: Asker): void {
    const service = this.serviceOf(reference, home);
    if (service === undefined) {
      const { name, namespace } = reference;
      if (namespace === undefined || namespace === home)
        this.note(asker, true, `leads to Service/${name}, which is not there`, 'name one that is, or add it');
      else
        this.note(
          asker,
          false,
          `leads to Service/${name} in namespace ${namespace}, which is not built here`,
          'write a policy for it by hand',
        );
      return;
    }
    const { spec, name, namespace } = service;
    if (from.is !== 'workload') this.routed.add(service.placed.resource);
    if (!isLabels(spec.selector)) {
      const what = `leads to Service/${name}, whose selector is no labels: each is a text`;
      this.note(asker, true, what, 'put it in quotes');
      return;
    }
    const selector = labelsIn(spec.selector);
    if (spec.type === 'ExternalName' || Object.keys(selector).length === 0) {
      const what = spec.type === 'ExternalName' ? 'is an ExternalName' : 'has no selector';
      const mend = `where that leads is not known; say it by the annotation ${INTERNET_EGRESS} or by a policy of your own`;
      this.note(asker, false, `leads to Service/${name}, which ${what}`, mend);
      return;
    }
    const behind = this.selectedBy(selector, namespace);
    if (behind.length === 0)
      this.note(asker, true, `leads to Service/${name}, which selects no pods`, 'mend its selector');
    const wanted = servicePorts(spec, reference.port, from.is === 'workload');
    if (wanted.length === 0)
      this.note(
        asker,
        true,
        `leads to Service/${name}${reference.port === undefined ? ', which has no ports' : ` on port ${reference.port}, which it does not have`}`,
        'name a port of the Service',
      );
    for (const workload of behind) {
      const ports = wanted.flatMap((port) => podPorts(port, workload));
      for (const { target } of wanted.filter((port) => podPorts(port, workload).length === 0))
        this.note(
          asker,
          true,
          `leads to Service/${name} and its port "${target}", which ${workload.kind}/${workload.name} does not have`,
          'name a port of the container',
        );
      this.connect(from, { is: 'workload', workload }, ports, reasonOf(asker));
    }
  }

  private selectedBy(matchLabels: Labels, namespace: string): readonly Workload[] {
    const [first] = Object.entries(matchLabels);
    const candidates = this.byLabel.get(JSON.stringify([namespace, ...(first ?? [])])) ?? [];
    return candidates.filter(({ labels }) => hasLabels(labels, matchLabels));
  }
}

function serviceKey(name: string, namespace: string): string {
  return JSON.stringify([namespace, name]);
}

/** An empty selector would mean every pod. */
function isSelectable(party: Party): party is Exclude<Party, { is: 'workload' }> {
  return party.is !== 'workload' || Object.keys(party.workload.selector).length > 0;
}

function reasonOf({ resource, part }: Asker): string {
  const { kind, name } = resourceRef(resource);
  return `${kind}/${name}${part === undefined ? '' : `, ${part}`}`;
}

function containerPort({ name, containerPort: port, protocol }: YamlObject): ContainerPort[] {
  if (typeof port !== 'number') return [];
  return [{ name: typeof name === 'string' ? name : undefined, port, protocol: protocolOf(protocol) }];
}

function protocolOf(value: YamlValue | undefined): Protocol {
  return value === 'UDP' || value === 'SCTP' ? value : 'TCP';
}

function portOf(value: YamlValue | undefined): number | string | undefined {
  return typeof value === 'number' || typeof value === 'string' ? value : undefined;
}

function isCertManaged(resource: YamlObject): boolean {
  return ['cert-manager.io/cluster-issuer', 'cert-manager.io/issuer', 'kubernetes.io/tls-acme'].some(
    (key) => annotationsOf(resource)[key] !== undefined,
  );
}

function listIn(value: YamlValue | undefined): string[] {
  return textOf(value ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** What a rule of a route sends to, copies included. */
function backendsOf(rule: YamlObject): YamlObject[] {
  const backends = objectsIn(rule.backendRefs);
  const mirrors = [rule, ...backends].flatMap(({ filters }) =>
    objectsIn(filters).map((filter) => objectAt(objectAt(filter, 'requestMirror'), 'backendRef')),
  );
  return [...backends, ...mirrors];
}

function isHeadless(spec: YamlObject): boolean {
  return spec.clusterIP === 'None';
}

/** What a port of a Service leads to on its pods: a number, or the name of a container port. */
interface TargetPort {
  readonly protocol: Protocol;
  readonly target: number | string;
}

/** @param byName whether its name is looked up; controllers look at its endpoints, which have the pods' ports */
function servicePorts(spec: YamlObject, wanted: number | string | undefined, byName: boolean): TargetPort[] {
  const ports = objectsIn(spec.ports);
  const chosen = ports.filter(({ name, port }) => wanted === undefined || wanted === port || wanted === name);
  // Of a headless Service clients see the pods themselves, and no port is translated.
  if (isHeadless(spec) && typeof wanted === 'number' && byName) {
    const protocols = new Set(chosen.map(({ protocol }) => protocolOf(protocol)));
    return [...(protocols.size === 0 ? (['TCP'] as const) : protocols)].map((protocol) => ({
      protocol,
      target: wanted,
    }));
  }
  return chosen.flatMap(({ port, targetPort, protocol }) => {
    const target = portOf(targetPort) ?? portOf(port);
    return target === undefined ? [] : [{ protocol: protocolOf(protocol), target }];
  });
}

function podPorts({ protocol, target }: TargetPort, { ports }: Workload): Port[] {
  if (typeof target === 'number') return [{ protocol, port: target }];
  return ports
    .filter(({ name, protocol: own }) => name === target && own === protocol)
    .map(({ port }) => ({ protocol, port }));
}
