import { annotationsOf } from '../krm/resource';
import type { AnnotationNames } from '../kubernetes/annotation-names';
import { type Message, message, words } from '../message';
import { isAbsent, textOf } from '../yaml/yaml';
import type { Port, PortReference, Workload } from './connection';
import type { SelectedPods } from './selector';
import { readRange } from './hosts';
import type { IpRange } from './ip-range';
import type { Protocol } from './policy';
import { isLabel } from './selector';

/** An entry of `connects-to`: a host, or addresses, and a port. */
export interface DeclaredHost {
  readonly text: string;
  readonly host: string;
  /** undefined: `host` is a name. */
  readonly range: IpRange | undefined;
  readonly port: NonNullable<PortReference>;
  readonly protocol: Protocol;
}

/** An entry of `accepts-from`: pods, or addresses, and a port of the workload's pods. */
export interface DeclaredClient {
  readonly text: string;
  readonly from: SelectedPods | IpRange;
  readonly port: Port;
}

/** An entry, or an annotation, that is not valid. */
export interface InvalidEntry {
  readonly key: string;
  readonly problem: Message;
  readonly remedy: string;
}

/** What the annotations of a workload state about its traffic; undefined: there is no such annotation. `none` is an empty list. */
export interface Declarations {
  readonly connectsTo: readonly DeclaredHost[] | undefined;
  /** The hosts and addresses of `connectsTo`. */
  readonly opened: DeclaredHosts;
  readonly internetEgress: readonly Port[] | undefined;
  readonly acceptsFrom: readonly DeclaredClient[] | undefined;
  readonly invalid: readonly InvalidEntry[];
}

const NONE = 'none';
/** What precedes the port, then the port, then the protocol. */
const ENTRY = /^(.+):([a-z0-9-]+)(?:\/(TCP|UDP))?$/;
const PORT_ONLY = /^(\d+)(?:\/(TCP|UDP))?$/;
const HOST = /^[a-z0-9_.-]+$/i;
/** A namespace, then one label or `*`. */
const PODS = /^([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\/(?:\*|([^=]+)=([^=]*))$/;

/** The entries of `connects-to`, so that each need finds its answer at once. */
export class DeclaredHosts {
  private readonly ports = new Map<string, Set<PortReference>>();
  private readonly portsOfRanges = new Set<PortReference>();

  constructor(declared: readonly DeclaredHost[]) {
    for (const { host, range, port } of declared) {
      if (range !== undefined) this.portsOfRanges.add(port);
      else
        for (const name of namesOf(host)) this.ports.set(name, (this.ports.get(name) ?? new Set()).add(port));
    }
  }

  /** Whether addresses are opened on one of some ports. */
  opensAddresses(ports: readonly number[]): boolean {
    return ports.some((port) => this.portsOfRanges.has(port));
  }

  /** @param port undefined: any */
  opens(host: string, port: PortReference): boolean {
    const [name = ''] = namesOf(host);
    return [this.ports.get(name), this.portsOfRanges].some(
      (ports) => ports !== undefined && (port === undefined ? ports.size > 0 : ports.has(port)),
    );
  }
}

/** A host without what the cluster adds, then its first label: `db.data.svc` is `db.data`, and may be meant by `db`. */
function namesOf(host: string): readonly string[] {
  const name = host.toLowerCase().replace(/\.$|\.svc(?:\..*)?$/, '');
  return [name, name.split('.')[0] ?? ''];
}

/** Reads the annotations of a workload about its traffic. */
export function readDeclarations(
  workload: Workload,
  { connectsTo, internetEgress, acceptsFrom }: AnnotationNames,
): Declarations {
  const invalid: InvalidEntry[] = [];
  const read = <T>(
    key: string,
    readEntry: (text: string) => T | undefined,
    expected: string,
    remedy: string,
  ) =>
    readAnnotation(workload, key, invalid, (text) => {
      const entry = readEntry(text);
      if (entry === undefined)
        invalid.push({
          key,
          problem: message`has the invalid entry ${JSON.stringify(text)}: it must be ${words(expected)}`,
          remedy,
        });
      return entry ?? [];
    });
  const declared = read(
    connectsTo,
    readDeclaredHost,
    'name:port',
    'write a Service or a host and its port, such as backend:80',
  );
  return {
    connectsTo: declared,
    opened: new DeclaredHosts(declared ?? []),
    internetEgress: read(internetEgress, readPort, 'a port', 'write a port such as 443 or 53/UDP'),
    acceptsFrom: read(
      acceptsFrom,
      (text) => readDeclaredClient(text, workload),
      'namespace/label=value:port, namespace/*:port or range:port, with a port of the pods',
      'write clients and a port, such as monitoring/app=prometheus:9090 or 10.0.0.0/8:8080',
    ),
    invalid,
  };
}

function readAnnotation<T>(
  { resource }: Workload,
  key: string,
  invalid: InvalidEntry[],
  readEntry: (text: string) => T | readonly T[],
): readonly T[] | undefined {
  const value = annotationsOf(resource)[key];
  if (isAbsent(value)) return undefined;
  const entries = textOf(value)
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  if (entries.length === 1 && entries[0] === NONE) return [];
  if (entries.length === 0)
    invalid.push({ key, problem: words('is empty'), remedy: 'write none where nothing is needed' });
  const others = entries.filter((entry) => entry !== NONE);
  if (others.length < entries.length)
    invalid.push({
      key,
      problem: words('has none beside other entries'),
      remedy: 'remove none, or the others',
    });
  return others.flatMap((entry) => readEntry(entry));
}

function readDeclaredHost(text: string): DeclaredHost | undefined {
  const [, host = '', port = '', protocol] = ENTRY.exec(text) ?? [];
  const range = readRange(host);
  const number = portNumber(port);
  if (range === undefined && !HOST.test(host)) return undefined;
  if (/^\d+$/.test(port) && number === undefined) return undefined;
  return port === ''
    ? undefined
    : { text, host, range, port: number ?? port, protocol: protocolOf(protocol) };
}

function readPort(text: string): Port | undefined {
  const [, digits = '', protocol] = PORT_ONLY.exec(text) ?? [];
  const port = portNumber(digits);
  return port === undefined ? undefined : { protocol: protocolOf(protocol), port };
}

function readDeclaredClient(text: string, { ports }: Workload): DeclaredClient | undefined {
  const [, clients = '', port = '', protocol] = ENTRY.exec(text) ?? [];
  const named = ports.find(({ name }) => name !== undefined && name === port);
  const number = portNumber(port);
  const target = number === undefined ? named : { protocol: protocolOf(protocol), port: number };
  const from = readRange(clients) ?? podsIn(clients);
  return target === undefined || from === undefined
    ? undefined
    : { text, from, port: { protocol: target.protocol, port: target.port } };
}

function podsIn(text: string): SelectedPods | undefined {
  const [, namespace, key, value = ''] = PODS.exec(text) ?? [];
  if (namespace === undefined || (key !== undefined && !isLabel(key, value))) return undefined;
  return { namespace, podLabels: key === undefined ? {} : { [key]: value } };
}

function portNumber(text: string): number | undefined {
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function protocolOf(text: string | undefined): Protocol {
  return text === 'UDP' ? 'UDP' : 'TCP';
}
