import { annotationsOf } from '../krm/item';
import { type YamlObject, type YamlValue, textOf } from '../krm/yaml';
import type { FieldPath } from '../krm/field-path';
import { type Placed, resourceRef } from '../kubernetes/resource';
import { groupOf, objectAt, objectsIn, podSpecOf } from '../kubernetes/workload';
import type { ContainerPort } from './evaluate';
import type { Protocol } from './policy';
import { type Labels, hasLabels, isLabels, labelsIn } from './selector';
import { ConfigMaps, type ServiceReference, serviceReferences } from './service-references';

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
  /** What its pods are selected by: the workload's own matchLabels. */
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

export interface Topology {
  readonly workloads: readonly Workload[];
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
  readonly name: string;
  readonly namespace: string;
  readonly spec: YamlObject;
}

/** Reads from what an overlay builds, Lists taken apart, who has to talk to whom. */
export function readTopology(resources: readonly Placed[]): Topology {
  return new TopologyReader(resources).read();
}

/** What asks for a connection: a resource, and which part of it. */
interface Asker extends Placed {
  readonly part?: string;
}

class TopologyReader {
  private readonly workloads = new Map<YamlObject, Workload>();
  private readonly byLabel = new Map<string, Workload[]>();
  private readonly services = new Map<string, Service>();
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
    const resources = placed.map(({ resource }) => resource);
    for (const resource of resources)
      if (resource.kind === 'Service' && groupOf(resource) === '') {
        const { name, namespace = '' } = resourceRef(resource);
        this.services.set(serviceKey(name, namespace), { name, namespace, spec: objectAt(resource, 'spec') });
      }
    this.configMaps = new ConfigMaps(resources);
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
    return { workloads, connections: this.connections, notes: [...this.notes.values()] };
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
    const { matchLabels } = objectAt(objectAt(resource, 'spec'), 'selector');
    const labels = labelsIn(ofPods);
    const selector = labelsIn(matchLabels);
    const ports = pod.containers.flatMap(({ value }) => objectsIn(value.ports).flatMap(containerPort));
    const workload = { resource, path, kind, name, namespace, labels, ports };
    if (isLabels(ofPods) && isLabels(matchLabels))
      return { ...workload, selector: Object.keys(selector).length > 0 ? selector : labels };
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
    for (const rule of objectsIn(objectAt(resource, 'spec').rules))
      for (const { kind: to = 'Service', group = '', name: service, namespace: other, port } of objectsIn(
        rule.backendRefs,
      ))
        if (to === 'Service' && group === '' && typeof service === 'string')
          this.connectToService(
            { is: 'gateway' },
            { name: service, namespace: typeof other === 'string' ? other : namespace, port: portOf(port) },
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
    for (const { where, isOfPod, ...reference } of references) {
      // Most values that look like a host are none of ours.
      const service = this.serviceOf(reference, namespace);
      if (service === undefined || (isOfPod && !isHeadless(service.spec))) continue;
      this.connectToService(from, reference, namespace, { ...placed, part: where });
    }
    for (const entry of listIn(annotationsOf(resource)[CONNECTS_TO])) {
      const asker = { ...placed, part: `annotation ${CONNECTS_TO}` };
      const [, host, port = ''] = /^([a-z0-9.-]+):(\d+|[a-z0-9-]+)$/.exec(entry) ?? [];
      if (host === undefined) {
        this.note(asker, true, `${JSON.stringify(entry)} is no name:port`, 'write todo-backend:80, say');
        continue;
      }
      const [service = '', other] = host.split('.');
      const reference = { name: service, namespace: other, port: /^\d+$/.test(port) ? Number(port) : port };
      this.connectToService(from, reference, namespace, asker);
    }
    const ports = listIn(annotationsOf(resource)[INTERNET_EGRESS]).flatMap((entry) => {
      const [, number = '', protocol = 'TCP'] = /^(\d+)(?:\/(TCP|UDP))?$/.exec(entry) ?? [];
      if (Number(number) >= 1 && Number(number) <= 65535)
        return [{ protocol: protocol as Protocol, port: Number(number) }];
      const asker = { ...placed, part: `annotation ${INTERNET_EGRESS}` };
      this.note(asker, true, `${JSON.stringify(entry)} is no port`, 'write 443 or 53/UDP, say');
      return [];
    });
    this.connect(from, { is: 'internet' }, ports, `annotation ${INTERNET_EGRESS}`);
  }

  private serviceOf({ name, namespace }: Omit<ServiceReference, 'where'>, home: string): Service | undefined {
    return this.services.get(serviceKey(name, namespace ?? home));
  }

  /** From someone to every workload behind a Service, on the ports that its pods listen on. */
  private connectToService(
    from: Party,
    reference: Omit<ServiceReference, 'where'>,
    home: string,
    asker: Asker,
  ): void {
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
    const wanted = servicePorts(spec, reference.port);
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

function isHeadless(spec: YamlObject): boolean {
  return spec.clusterIP === 'None';
}

/** What a port of a Service leads to on its pods: a number, or the name of a container port. */
interface TargetPort {
  readonly protocol: Protocol;
  readonly target: number | string;
}

function servicePorts(spec: YamlObject, wanted: number | string | undefined): TargetPort[] {
  const ports = objectsIn(spec.ports);
  const chosen = ports.filter(({ name, port }) => wanted === undefined || wanted === port || wanted === name);
  // Of a headless Service clients see the pods themselves, and no port is translated.
  if (isHeadless(spec) && typeof wanted === 'number')
    return [{ protocol: protocolOf(chosen[0]?.protocol), target: wanted }];
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
