import { type Message, message, words } from '../../message';
import { withoutHash } from '../../krm/unknown-content';
import type { FieldPath } from '../../yaml/field-path';
import type { AnnotationEntry, MissingHost, Workload } from '../connection';
import { type Host, readHost, readRange } from '../hosts';
import { DIRECTIONS } from '../policy';
import type { TopologyBuilder } from '../topology-builder';
import { connectToApiServer } from './api-server-clients';
import type { HostMention } from './host-mentions';

/** What a process is given to connect with: an env variable, an argument, or a mounted file. */
export interface Given {
  /** `env API_URL`, `args`, `ConfigMap/nginx nginx.conf`. */
  readonly part: Message;
  readonly field: FieldPath;
  /** The name of the variable or of the flag; empty for none. */
  readonly key: string;
  readonly text: string;
  readonly isFile: boolean;
}

/** What a process is given from an object whose content is not in the build, or is secret. */
export interface UnknownGiven {
  readonly part: Message;
  readonly field: FieldPath;
  /** undefined: the keys are not known either. */
  readonly key: string | undefined;
  /** `Secret/db`. */
  readonly from: Message;
  /** The function does not have the content, which is in the package. */
  readonly isUnknownContent?: true;
  /** Of that content. */
  readonly isSecret?: true;
}

/** Names of variables and flags whose value may be a host alone. */
const ADDRESS_KEY =
  /(?:HOST|HOSTS|ADDR|ADDRESS|ADDRESSES|URL|URLS|URI|URIS|DSN|SERVICE|ENDPOINT|ENDPOINTS|SERVER|SERVERS|BROKER|BROKERS)$/i;
/** Of these, those whose value is as often the name of a program or of the workload itself. */
const SERVICE_KEY = /SERVICE$/i;
/** Values for browsers: the public origin of the package, and what it allows. */
const BROWSER_KEY = /^(?:NEXT_PUBLIC_|VITE_|REACT_APP_)|ORIGIN|CORS/i;
/** Of addresses on which the process itself listens. */
const LISTEN_KEY = /(?:^|[_.-])(?:LISTEN|BIND|ADVERTISE)(?:ING)?(?:$|[_.-])/i;
const IMAGE_KEY = /IMAGE/i;
const NO_HOST = /^(?:true|false|yes|no|on|off|none|null|nil|default|auto|disabled|enabled)$/i;
/** A smaller number after a colon is more often the tag of an image. */
const FIRST_PORT = 80;

export function isAddressKey(key: string): boolean {
  return ADDRESS_KEY.test(key);
}

/** A host that is no Service of the build, as a need of a workload. */
export function addHostNeed(
  workload: Workload,
  { part, field, key }: Given,
  mention: HostMention,
  topology: TopologyBuilder,
): void {
  const { host, port } = mention;
  const read = readHost(host);
  if (read === undefined || !isEvidence(mention, read, key) || topology.isServed(host)) return;
  if (isApiServer(read, workload)) {
    connectToApiServer(workload, topology, message`${part} names ${host}`, field);
    return;
  }
  if (topology.declaresHost(workload, host, port, read.is === 'internet')) return;
  addMissingHost(workload, { part, field }, host, false, topology);
  const missing = read.is === 'local' ? message`, and the build has no Service/${host}` : words('');
  const evidence = message`${part} names ${host}${missing}`;
  const answer = answerOf(read, mention, workload, topology);
  const ports = port === undefined ? undefined : [{ protocol: 'TCP' as const, port: Number(port) }];
  const need = { workload, direction: 'egress', evidence, field, answer, ports } as const;
  const service = serviceNamed(read, workload);
  topology.addNeed(service === undefined ? need : { ...need, missing: service });
}

/** A host that may be the name of a Service, and is not the name of one in the build. */
export function addMissingHost(
  workload: Workload,
  { part, field }: Pick<Given, 'part' | 'field'>,
  host: string,
  isFile: boolean,
  topology: TopologyBuilder,
): void {
  const service = serviceNamed(readHost(host), workload);
  if (service !== undefined) topology.missingHosts.push({ workload, part, field, host, isFile, ...service });
}

/** The Service that a host names to a workload; undefined: it names none. */
function serviceNamed(
  host: Host | undefined,
  { namespace }: Workload,
): Pick<MissingHost, 'name' | 'namespace'> | undefined {
  if (host?.is === 'local') return { name: host.name, namespace };
  return host?.is === 'service' ? { name: host.name, namespace: host.namespace } : undefined;
}

/** https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
function isApiServer(read: Host, { namespace }: Workload): boolean {
  if (read.is === 'local') return read.name === 'kubernetes' && namespace === 'default';
  return read.is === 'service' && read.name === 'kubernetes' && read.namespace === 'default';
}

function isEvidence({ form, port, isWhole }: HostMention, read: Host, key: string): boolean {
  if (BROWSER_KEY.test(key) || LISTEN_KEY.test(key) || !isWhole) return false;
  if (form === 'url') return true;
  if (form === 'host:port')
    return isAddressKey(key) || (!IMAGE_KEY.test(key) && (read.is !== 'local' || Number(port) >= FIRST_PORT));
  const isName = read.is === 'local' && (SERVICE_KEY.test(key) || NO_HOST.test(read.name));
  return isAddressKey(key) && !isName;
}

function answerOf(
  read: Host,
  { host, port = 'PORT' }: HostMention,
  { namespace }: Workload,
  topology: TopologyBuilder,
): AnnotationEntry | Message {
  if (read.is === 'local') {
    const name = message`${host}.${namespace || words('NAMESPACE')}`;
    return { annotation: 'connects-to', entry: message`${name}:${port}` };
  }
  if (read.is === 'private' && readRange(host) === undefined)
    return message`add the addresses of ${host} to ${words(topology.annotations.connectsTo)}, such as 10.0.0.0/8:${port}`;
  return { annotation: 'connects-to', entry: message`${host}:${port}` };
}

/**
 * Content that is in the package and not in the input of the function: nothing is known of what the workload connects to.
 * The values of Secrets are never read, so that an annotation about its egress answers one.
 */
export function addUnknownContent(
  workload: Workload,
  { field, from, isSecret }: UnknownGiven,
  topology: TopologyBuilder,
): void {
  if (isSecret === true && declaresEgress(workload, topology)) return;
  const name = message`${withoutHash(from.raw)}`;
  const unknown = isSecret === true ? topology.unknownSecrets : topology.unknownContent;
  unknown.set(workload, name);
  const evidence = message`the content of ${name} is not known`;
  const answer = words('run `guardrails fix` on the directory, which has the file');
  for (const direction of isSecret === true ? (['egress'] as const) : DIRECTIONS)
    topology.addNeed({ workload, direction, evidence, field, answer, isUnknownContent: true });
}

function declaresEgress(workload: Workload, topology: TopologyBuilder): boolean {
  const { connectsTo, internetEgress } = topology.declarationsOf(workload);
  return connectsTo !== undefined || internetEgress !== undefined;
}

/** A variable whose value is not known, as a need of a workload; an annotation about its egress answers it. */
export function addUnknownNeed(
  workload: Workload,
  { part, field, key, from }: UnknownGiven,
  topology: TopologyBuilder,
): void {
  if (declaresEgress(workload, topology)) return;
  if (key !== undefined && (!isAddressKey(key) || BROWSER_KEY.test(key))) return;
  const evidence =
    key === undefined
      ? message`envFrom names ${from}, whose keys the build does not list`
      : message`${part} comes from ${from}`;
  const answer = message`state its hosts in ${words(topology.annotations.connectsTo)}, such as db.example.com:5432, or none`;
  topology.addNeed({ workload, direction: 'egress', evidence, field, answer });
}
