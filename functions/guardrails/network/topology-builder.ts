import type { Counted, PlacedReport } from '../findings/finding';
import type { AnnotationNames } from '../kubernetes/annotation-names';
import { type Placed, groupOf, resourceRef } from '../krm/resource';
import type { Severity } from '../krm/result';
import { type Message, message, words } from '../message';
import type { FieldPath } from '../yaml/field-path';
import { type YamlObject, objectAt } from '../yaml/yaml';
import type {
  Connection,
  ConnectionEnd,
  Exposure,
  MissingBackend,
  MissingHost,
  OpenNeed,
  Port,
  PortReference,
  ServiceUse,
  Topology,
  Workload,
} from './connection';
import { areUndecided } from './controller-labels';
import { type Declarations, readDeclarations } from './declarations';
import { readHost } from './hosts';
import { EXTERNAL_PEERS, type ExternalPeers } from './external-peers';
import { append } from './multimap';
import { type Labels, isLabels, stringsIn } from './selector';
import { readSecretKeys } from './secret-keys';
import {
  type ServiceReference,
  haveCommonPort,
  isHeadless,
  isService,
  podPorts,
  targetPorts,
} from './services';
import { type WorkloadIndex, labelsPath, workloadIndexOf } from './workload-index';

/** Adds the traffic that a resource, or a workload, requires. */
export type Source<At = Placed> = (at: At, topology: TopologyBuilder) => void;

/** What requires a connection: a field of a resource. */
export interface Origin {
  readonly at: Placed;
  readonly field: FieldPath;
  /** The field in words: `env API_URL`. */
  readonly part?: Message;
  /** More of it, for comments: ` /api`, the path of an Ingress. */
  readonly detail?: Message;
  /** It may be no traffic at all, so that nothing about it is worse than an info. */
  readonly isGuess?: boolean;
}

/** A workload that a Service selects, and the ports of its pods to which the Service leads. */
export interface ServedPods {
  readonly workload: Workload;
  readonly ports: readonly Port[];
}

/** Collects the traffic that a build requires. Knows its workloads, and to which pods and ports its Services lead. */
export class TopologyBuilder {
  private readonly index: WorkloadIndex;
  readonly workloads: ReadonlyMap<YamlObject, Workload>;
  private readonly services = new Map<string, YamlObject>();
  readonly namespaces = new Set<string>();
  private readonly configMaps = new Map<string, Labels>();
  /** The keys that an object says a Secret has, by the name of the Secret. */
  private readonly secrets = new Map<string, readonly string[]>();
  /** Workloads whose pods connect to each other. */
  readonly clusters = new Set<Workload>();
  /** Services that an Ingress or a route leads to. */
  readonly routed = new Set<YamlObject>();
  readonly connections: Connection[] = [];
  private readonly nodeConnections: Connection[] = [];
  private readonly clients = new Map<Workload, Connection[]>();
  readonly exposures: Exposure[] = [];
  private readonly needs = new Map<string, OpenNeed>();
  /** Workloads that read content which the function does not have, and where it is: `ConfigMap/api`. */
  readonly unknownContent = new Map<Workload, Message>();
  /** The same of Secrets whose keys are not known, where no annotation states what the workload connects to. */
  readonly unknownSecrets = new Map<Workload, Message>();
  private readonly declarations = new Map<Workload, Declarations>();
  /** Workload to the ports at which metrics are collected: no answer to who else connects. */
  readonly scraped = new Map<Workload, Set<number>>();
  /** Workloads with a need for the API server: one piece of evidence is enough. */
  readonly heldForApiServer = new Set<Workload>();
  /** Names that an Ingress or a route of the build serves: `*.example.com` with its first label. */
  readonly servedHosts = new Set<string>();
  /** IngressClasses of the build by name. */
  readonly ingressClasses = new Map<string, YamlObject>();
  /** ReferenceGrants of the build. */
  readonly referenceGrants: YamlObject[] = [];
  private readonly reports = new Map<string, PlacedReport>();
  private readonly missingBackends = new Map<string, MissingBackend>();
  readonly missingHosts: MissingHost[] = [];
  private readonly uses: ServiceUse[] = [];

  constructor(
    resources: readonly Placed[],
    /** The keys of the annotations that sources read. */
    readonly annotations: AnnotationNames,
    readonly peers: ExternalPeers = EXTERNAL_PEERS,
  ) {
    this.index = workloadIndexOf(resources);
    this.workloads = this.index.workloads;
    for (const { at, field } of this.index.invalidLabels)
      this.report(
        { at, field },
        words('has label values that are not strings, which the API server rejects'),
        'quote them',
      );
    for (const { resource } of resources) {
      const { kind, name, namespace = '' } = resourceRef(resource);
      const key = keyOf(namespace, name);
      if (isService(resource)) this.services.set(key, resource);
      if (kind === 'Namespace' && groupOf(resource) === '') this.namespaces.add(name);
      if (kind === 'ConfigMap') this.configMaps.set(key, stringsIn(resource.data));
      const secret = readSecretKeys(resource);
      if (secret !== undefined) this.secrets.set(keyOf(namespace, secret.name), secret.keys);
    }
  }

  topology(): Topology {
    const [workloads, reports] = [[...this.workloads.values()], [...this.reports.values()]];
    return {
      workloads,
      namespaces: this.namespaces,
      reports,
      connections: this.connections,
      exposures: this.exposures,
      needs: [...this.needs.values()],
      unknownContent: this.unknownContent,
      unknownSecrets: this.unknownSecrets,
      missingBackends: [...this.missingBackends.values()],
      missingHosts: this.missingHosts,
      uses: this.uses,
      selectedBy: this.selectedBy.bind(this),
    };
  }

  /** Whether the build shows a client of some ports of a workload, besides its own pods and those that collect metrics. */
  hasClients(workload: Workload, ports: readonly Port[]): boolean {
    const isOther = ({ from }: Connection) =>
      from.is === 'workload'
        ? from.workload !== workload
        : from.is !== 'pods' || from.pods !== this.peers.monitoring;
    const clients = this.clients.get(workload) ?? [];
    return clients.some((one) => isOther(one) && haveCommonPort(one.ports, ports));
  }

  /** Connections of pods in the network of the node that no declaration of the other end answers. */
  undeclaredNodeConnections(): Connection[] {
    return this.nodeConnections.filter(({ from, to, ports }) => {
      if (from.is !== 'workload' || to.is !== 'workload') return false;
      if (from.workload.usesHostNetwork) return !this.declaresClients(to.workload, ports);
      return !this.declarationsOf(from.workload).opened.opensAddresses(ports.map(({ port }) => port));
    });
  }

  /** What the annotations of a workload state about its traffic. */
  declarationsOf(workload: Workload): Declarations {
    const declarations = this.declarations.get(workload) ?? readDeclarations(workload, this.annotations);
    this.declarations.set(workload, declarations);
    return declarations;
  }

  /** Adds a need that no declaration of the workload answers; a pod in the network of the node has none. */
  addNeed(need: OpenNeed): void {
    const { workload, direction, evidence } = need;
    if (workload.usesHostNetwork) return;
    const { connectsTo, acceptsFrom } = this.declarationsOf(workload);
    const declared = direction === 'egress' ? connectsTo : acceptsFrom;
    if (declared?.length === 0 && need.isUnknownContent !== true) return;
    const { kind, namespace, name } = workload;
    const key = keyOf(kind, namespace, name, direction, evidence.raw);
    if (!this.needs.has(key)) this.needs.set(key, need);
  }

  /** Whether the annotation accepts-from of a workload names clients of one of some ports of its pods, or none at all. */
  declaresClients(workload: Workload, ports: readonly Port[]): boolean {
    const { acceptsFrom } = this.declarationsOf(workload);
    if (acceptsFrom === undefined) return false;
    return acceptsFrom.length === 0 || acceptsFrom.some(({ port }) => haveCommonPort([port], ports));
  }

  /**
   * Whether the annotations of a workload open a host outside the build, or state that nothing is needed.
   *
   * @param port undefined: not known
   */
  declaresHost(workload: Workload, host: string, port: PortReference, isPublic: boolean): boolean {
    const { connectsTo, internetEgress, opened } = this.declarationsOf(workload);
    if (connectsTo?.length === 0 || opened.opens(host, port)) return true;
    if (!isPublic || internetEgress === undefined) return false;
    return (
      internetEgress.length === 0 || internetEgress.some((one) => port === undefined || one.port === port)
    );
  }

  /** Whether a name is one that the build itself serves to its public. */
  isServed(host: string): boolean {
    const name = host.toLowerCase();
    return this.servedHosts.has(name) || this.servedHosts.has(name.replace(/^[^.]+/, '*'));
  }

  /** undefined: not in the build. */
  service({ name, namespace, isOfPod }: ServiceReference): YamlObject | undefined {
    const service = this.services.get(keyOf(namespace, name));
    return service !== undefined && isOfPod && !isHeadless(objectAt(service, 'spec')) ? undefined : service;
  }

  /** The texts in a ConfigMap by key; undefined: it is not in the build. */
  configMap(namespace: string, name: string): Readonly<Record<string, string>> | undefined {
    return this.configMaps.get(keyOf(namespace, name));
  }

  /** The keys of a Secret; undefined: the build does not list them. */
  secretKeys(namespace: string, name: string): readonly string[] | undefined {
    return this.secrets.get(keyOf(namespace, name));
  }

  /** The workloads that a Service selects; a label that a controller adds counts if some of the pods can have it. */
  selectedBy(matchLabels: Labels, namespace: string): readonly Workload[] {
    return this.index.selectedBy(matchLabels, namespace);
  }

  /** @param cause what requires it, and by what: `Deployment/web env API_URL -> Service/api`; default: the reason */
  connect(
    from: ConnectionEnd,
    to: ConnectionEnd,
    ports: readonly Port[],
    reason: Message,
    cause: Message = reason,
  ): void {
    if (ports.length === 0) return;
    const workloads = [from, to].flatMap((end) => (end.is === 'workload' ? [end.workload] : []));
    // An empty selector would select every pod.
    const bound = workloads.filter(({ usesHostNetwork }) => !usesHostNetwork);
    const unselectable = bound.filter(({ selector }) => Object.keys(selector).length === 0);
    for (const at of unselectable) {
      const isBare = Object.keys(at.labels).length === 0;
      // Labels that are no strings are reported already.
      if (!isBare && !this.index.tooGeneral.has(at)) continue;
      const problem = words(
        isBare
          ? 'has pods without labels, which no NetworkPolicy can select'
          : 'has pods with labels that other pods have too, so no NetworkPolicy can select them alone',
      );
      this.report({ at, field: labelsPath(at.pod) }, problem, 'add a label of its own to the pod template');
    }
    if (unselectable.length > 0) return;
    const connection = { from, to, ports, reason, cause };
    if (to.is === 'workload') append(this.clients, to.workload, connection);
    if (bound.length === workloads.length) this.connections.push(connection);
    // No policy applies at the end in the network of the node. At the other one, a pod has the address of its node.
    else if (bound.length > 0) this.nodeConnections.push(connection);
    if (from.is !== 'workload') return;
    if (to.is === 'workload' && to.workload === from.workload) this.clusters.add(from.workload);
  }

  /** @param remedy words of the function */
  report(origin: Origin, text: Message, remedy: string, highest: Severity = 'error', counts?: Counted): void {
    const { at, field, part, isGuess = false } = origin;
    const severity = isGuess ? 'info' : highest;
    const problem = part === undefined ? text : message`${part} ${text}`;
    const key = JSON.stringify([resourceRef(at.resource), problem.raw]);
    this.reports.set(key, { at, report: { problem, remedy: words(remedy), field, severity, counts } });
  }

  /** What an Ingress or a route names is for the rule ingress-backend to report. */
  private reportBackend(origin: Origin, reference: ServiceReference, text: Message, remedy: string): void {
    const { at, field, part } = origin;
    const problem = part === undefined ? text : message`${part} ${text}`;
    const key = JSON.stringify([resourceRef(at.resource), problem.raw]);
    const { name, namespace } = reference;
    const report = { problem, remedy: words(remedy), field };
    this.missingBackends.set(key, { at, report, name, namespace, service: this.service(reference) });
  }

  /** Connects to every workload that a Service selects, on the ports on which its pods listen. */
  connectToService(from: ConnectionEnd, reference: ServiceReference, origin: Origin): void {
    const { kind, name: client } = resourceRef(origin.at.resource);
    const part = origin.part === undefined ? words('') : message` ${origin.part}`;
    const reason = message`${kind}/${client}${part} requires it`;
    const cause = message`${kind}/${client}${part}${origin.detail ?? words('')} -> Service/${reference.name}`;
    for (const { workload, ports } of this.podsOf(
      reference,
      origin,
      from.is === 'workload' ? from.workload : undefined,
    ))
      this.connect(from, { is: 'workload', workload }, ports, reason, cause);
  }

  /**
   * The workloads that a Service selects, and the ports on which their pods listen; reports what is missing.
   *
   * @param client undefined: no workload of the build, and the Service counts as routed
   */
  podsOf(reference: ServiceReference, origin: Origin, client?: Workload): ServedPods[] {
    const { name, namespace, port, targetPort, byName = client !== undefined } = reference;
    const { namespace: home = '' } = resourceRef(origin.at.resource);
    const service = this.service(reference);
    const report = (problem: Message, remedy: string, severity?: 'info') => {
      if (severity === undefined && isBackend(origin)) this.reportBackend(origin, reference, problem, remedy);
      else this.report(origin, problem, remedy, severity);
    };
    if (service === undefined) {
      const elsewhere = message`refers to Service/${name} in namespace ${namespace}, which is not part of this build`;
      const missing = message`refers to Service/${name}, which is not in the build`;
      if (namespace !== home) report(elsewhere, 'add NetworkPolicies that allow this traffic', 'info');
      else report(missing, 'use the name of an existing Service, or add the Service');
      return [];
    }
    if (client === undefined) this.routed.add(service);
    this.uses.push({ service, at: origin.at, part: origin.part });
    const spec = objectAt(service, 'spec');
    const obstacle = obstacleIn(name, spec);
    if (obstacle !== undefined) {
      if (obstacle.isUnknown === true && client !== undefined)
        this.addServiceNeed(client, name, spec, port, origin);
      else report(obstacle.problem, obstacle.remedy, obstacle.severity);
      return [];
    }
    // The rule service-target reports a Service that selects no pods, or a port that none of them has.
    const selected = this.selectedBy(stringsIn(spec.selector), namespace);
    const targets = targetPorts(spec, port, byName);
    if (targets.length === 0) {
      if (port === undefined)
        report(
          message`refers to Service/${name}, which has no ports`,
          'add a port to spec.ports of the Service',
        );
      else
        report(
          message`refers to Service/${name}, which has no port ${port}`,
          'use a port of the Service, or add the port to its spec.ports',
        );
    }
    const served = selected.map((workload) => ({
      workload,
      ports: targets.flatMap((target) => podPorts(target, workload)),
    }));
    if (targetPort === undefined) return served;
    const chosen = served.map(({ workload, ports }) => ({
      workload,
      ports: ports.filter((one) => one.port === targetPort),
    }));
    if (targets.length > 0 && selected.length > 0 && chosen.every(({ ports }) => ports.length === 0))
      report(
        message`refers to Service/${name}, which has no targetPort ${targetPort}`,
        'use a targetPort of the Service, or the name of one of its ports',
      );
    return chosen;
  }

  /** A client of a Service without pods of the build: of type ExternalName, or without a selector. */
  private addServiceNeed(
    workload: Workload,
    name: string,
    { type, externalName }: YamlObject,
    port: PortReference,
    { field, part = words('') }: Origin,
  ): void {
    const isExternalName = type === 'ExternalName' && typeof externalName === 'string';
    const host = isExternalName ? externalName : name;
    const read = isExternalName ? readHost(host) : undefined;
    if (this.declaresHost(workload, host, port, !isExternalName || read?.is === 'internet')) return;
    const leads = isExternalName ? message`leads to ${host}` : words('has no selector');
    const evidence = message`${part} names Service/${name}, which ${leads}`;
    const entry = message`${host}:${port ?? 'PORT'}`;
    const answer: OpenNeed['answer'] =
      read === undefined || read.is === 'private' || read.is === 'local'
        ? message`add the addresses behind Service/${name} to ${words(this.annotations.connectsTo)}, such as 10.0.0.5:${port ?? 'PORT'}`
        : { annotation: 'connects-to', entry };
    this.addNeed({ workload, direction: 'egress', evidence, field, answer });
  }
}

/** Why the pods that a Service selects are not known, with a remedy. */
interface Obstacle {
  readonly problem: Message;
  readonly remedy: string;
  readonly severity?: 'info';
  /** The Service leads to something that is no pod of the build. */
  readonly isUnknown?: true;
}

function obstacleIn(name: string, { type, selector }: YamlObject): Obstacle | undefined {
  if (!isLabels(selector))
    return {
      problem: message`refers to Service/${name}, whose selector has values that are not strings`,
      remedy: 'quote them',
    };
  const labels = stringsIn(selector);
  if (type !== 'ExternalName' && Object.keys(labels).length > 0) {
    if (!areUndecided(labels)) return undefined;
    const undecided = words('whose selector has only labels with values that the cluster chooses');
    return {
      problem: message`refers to Service/${name}, ${undecided}`,
      remedy: 'select a label of the pod template too',
      severity: 'info',
    };
  }
  const cause = words(type === 'ExternalName' ? 'is of type ExternalName' : 'has no selector');
  return {
    problem: message`refers to Service/${name}, which ${cause}, so its destination is not known`,
    remedy: 'add a NetworkPolicy that allows this traffic',
    severity: 'info',
    isUnknown: true,
  };
}

/** The groups of Ingresses and of the routes whose backends the API does not check. */
const BACKEND_GROUPS = new Set(['networking.k8s.io', 'gateway.networking.k8s.io', 'route.openshift.io']);

function isBackend({ at: { resource }, isGuess = false }: Origin): boolean {
  return !isGuess && BACKEND_GROUPS.has(groupOf(resource));
}

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
