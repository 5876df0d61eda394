import { annotationsOf } from '../krm/item';
import { type YamlObject, type YamlValue, textOf } from '../krm/yaml';
import { expandLists, resourceRef } from '../kubernetes/resource';
import { groupOf, objectAt, objectsIn, podSpecOf } from '../kubernetes/workload';
import type { ContainerPort } from './evaluate';
import type { Protocol } from './policy';
import { type Labels, labelsIn, selects } from './selector';
import { type ServiceReference, serviceReferences } from './service-references';

export const CONNECTS_TO = 'todo.example.com/connects-to';
export const INTERNET_EGRESS = 'todo.example.com/internet-egress';
const HTTP01_SOLVER_PORT = 8089; // cert-manager's solver pods listen there (acme/http.go)

/** Pods that a policy can select. */
export interface Workload {
  readonly kind: string;
  readonly name: string;
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
  /** What is not guessed at. */
  readonly notes: readonly string[];
}

interface Service {
  readonly name: string;
  readonly namespace: string;
  readonly spec: YamlObject;
}

/** Reads from what an overlay builds who has to talk to whom. */
export function readTopology(built: readonly YamlObject[]): Topology {
  const resources = built.flatMap((one) => expandLists(one).map(({ resource }) => resource));
  return new TopologyReader(resources).read();
}

class TopologyReader {
  private readonly workloads: Workload[];
  private readonly services: Service[];
  private readonly connections: Connection[] = [];
  private readonly notes = new Set<string>();

  constructor(private readonly resources: readonly YamlObject[]) {
    this.workloads = resources.flatMap((resource) => this.workloadsOf(resource));
    this.services = resources
      .filter((resource) => resource.kind === 'Service' && groupOf(resource) === '')
      .map((resource) => {
        const { name, namespace = '' } = resourceRef(resource);
        return { name, namespace, spec: objectAt(resource, 'spec') };
      });
  }

  read(): Topology {
    for (const resource of this.resources) {
      this.readIngress(resource);
      this.readRoute(resource);
      this.readGateway(resource);
      this.readClient(resource);
    }
    for (const workload of this.workloads)
      if (this.connections.some(({ from }) => from.is === 'workload' && from.workload === workload))
        this.connect(
          { is: 'workload', workload },
          { is: 'dns' },
          [
            { protocol: 'UDP', port: 53 },
            { protocol: 'TCP', port: 53 },
          ],
          'names have to be resolved',
        );
    return { workloads: this.workloads, connections: this.connections, notes: [...this.notes] };
  }

  private connect(from: Party, to: Party, ports: readonly Port[], reason: string): void {
    if (ports.length > 0) this.connections.push({ from, to, ports, reason });
  }

  private workloadsOf(resource: YamlObject): Workload[] {
    const pod = podSpecOf(resource);
    if (pod === undefined || resource.kind === 'PodTemplate') return [];
    const { kind, name, namespace = '' } = resourceRef(resource);
    const template = pod.path
      .slice(0, -1)
      .reduce<YamlObject>((at, step) => objectAt(at, String(step)), resource);
    const labels = labelsIn(objectAt(template, 'metadata').labels);
    const selector = labelsIn(objectAt(objectAt(objectAt(resource, 'spec'), 'selector'), 'matchLabels'));
    const selected = Object.keys(selector).length > 0 ? selector : labels;
    if (Object.keys(selected).length === 0)
      this.notes.add(`${kind}/${name} has pods without labels, which no policy can select; give them one`);
    const ports = pod.containers.flatMap(({ value }) => objectsIn(value.ports).flatMap(containerPort));
    return [{ kind, name, namespace, labels, selector: selected, ports }];
  }

  private readIngress(resource: YamlObject): void {
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
          `Ingress/${name}`,
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

  private readRoute(resource: YamlObject): void {
    const { kind, name, namespace = '' } = resourceRef(resource);
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
            `${kind}/${name}`,
          );
  }

  private readGateway(resource: YamlObject): void {
    if (resource.kind !== 'Gateway' || groupOf(resource) !== 'gateway.networking.k8s.io') return;
    const { name, namespace = '' } = resourceRef(resource);
    if (isCertManaged(resource))
      this.connectToSolver({ is: 'gateway' }, namespace, `Gateway/${name} has TLS from cert-manager`);
  }

  private readClient(resource: YamlObject): void {
    const pod = podSpecOf(resource);
    const { kind, name, namespace = '' } = resourceRef(resource);
    const workload = this.workloads.find(
      (one) => one.kind === kind && one.name === name && one.namespace === namespace,
    );
    if (pod === undefined || workload === undefined) return;
    const from: Party = { is: 'workload', workload };
    for (const reference of serviceReferences(resource, pod, this.resources))
      if (this.services.some((service) => isNamed(service, reference, namespace)))
        this.connectToService(from, reference, namespace, `${kind}/${name}, ${reference.where}`);
    for (const entry of listIn(annotationsOf(resource)[CONNECTS_TO])) {
      const [, host = '', port = ''] = /^([a-z0-9.-]+):(\d+|[a-z0-9-]+)$/.exec(entry) ?? [];
      const where = `${kind}/${name}, annotation ${CONNECTS_TO}`;
      if (host === '') this.notes.add(`${where}: ${JSON.stringify(entry)} is no name:port`);
      else {
        const [service = '', other] = host.split('.');
        this.connectToService(
          from,
          { name: service, namespace: other, port: /^\d+$/.test(port) ? Number(port) : port },
          namespace,
          where,
        );
      }
    }
    const ports = listIn(annotationsOf(resource)[INTERNET_EGRESS]).flatMap((entry) => {
      const [, number = '', protocol = 'TCP'] = /^(\d+)(?:\/(TCP|UDP))?$/.exec(entry) ?? [];
      if (Number(number) >= 1 && Number(number) <= 65535)
        return [{ protocol: protocol as Protocol, port: Number(number) }];
      this.notes.add(`${kind}/${name}, annotation ${INTERNET_EGRESS}: ${JSON.stringify(entry)} is no port`);
      return [];
    });
    this.connect(from, { is: 'internet' }, ports, `annotation ${INTERNET_EGRESS}`);
  }

  /** From someone to every workload behind a Service, on the ports that its pods listen on. */
  private connectToService(
    from: Party,
    reference: Omit<ServiceReference, 'where'>,
    namespace: string,
    reason: string,
  ): void {
    const service = this.services.find((one) => isNamed(one, reference, namespace));
    if (service === undefined) {
      this.notes.add(
        `${reason}: there is no Service ${reference.name} in this build; no policy is made for it`,
      );
      return;
    }
    const { spec, name } = service;
    const selector = labelsIn(spec.selector);
    if (spec.type === 'ExternalName' || Object.keys(selector).length === 0) {
      const what = spec.type === 'ExternalName' ? 'is an ExternalName' : 'has no selector';
      this.notes.add(
        `${reason}: Service/${name} ${what}: where it leads is not known, and no policy is made for it`,
      );
      return;
    }
    const behind = this.workloads.filter(
      (one) =>
        one.namespace === service.namespace &&
        selects({ matchLabels: selector, matchExpressions: [] }, one.labels),
    );
    if (behind.length === 0)
      this.notes.add(`${reason}: Service/${name} selects no pods of this build; no policy is made for it`);
    const wanted = servicePorts(spec, reference.port);
    if (wanted.length === 0 && reference.port !== undefined)
      this.notes.add(`${reason}: Service/${name} has no port ${reference.port}; no policy is made for it`);
    for (const workload of behind) {
      if (from.is === 'workload' && from.workload === workload && behind.length === 1) continue;
      const ports = wanted.flatMap((port) => podPorts(port, workload));
      if (wanted.length > 0 && ports.length === 0)
        this.notes.add(
          `${reason}: no port of ${workload.kind}/${workload.name} is what Service/${name} leads to`,
        );
      this.connect(from, { is: 'workload', workload }, ports, reason);
    }
  }
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

function isNamed(
  service: Service,
  { name, namespace }: Pick<ServiceReference, 'name' | 'namespace'>,
  home: string,
): boolean {
  return service.name === name && service.namespace === (namespace ?? home);
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

/** What a port of a Service leads to on its pods: a number, or the name of a container port. */
interface TargetPort {
  readonly protocol: Protocol;
  readonly target: number | string;
}

function servicePorts(spec: YamlObject, wanted: number | string | undefined): TargetPort[] {
  const ports = objectsIn(spec.ports);
  const chosen = ports.filter(({ name, port }) => wanted === undefined || wanted === port || wanted === name);
  // Of a headless Service clients see the pods themselves, and no port is translated.
  if (spec.clusterIP === 'None' && typeof wanted === 'number')
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

/** Whether a built resource is a NetworkPolicy. */
export function isNetworkPolicy(resource: YamlObject): boolean {
  return resource.kind === 'NetworkPolicy' && groupOf(resource) === 'networking.k8s.io';
}
