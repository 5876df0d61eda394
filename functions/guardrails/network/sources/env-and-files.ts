import { type Message, message, words } from '../../message';
import type { FieldPath } from '../../yaml/field-path';
import { isUnknownContent } from '../../krm/unknown-content';
import type { Workload } from '../connection';
import { Field } from '../decode';
import { nginxUpstreams } from './nginx-upstreams';
import { readHost } from '../hosts';
import { serviceReferences } from '../services';
import type { Source, TopologyBuilder } from '../topology-builder';
import { type HostMention, hostMentions, urlsIn } from './host-mentions';
import {
  type Given,
  type UnknownGiven,
  addHostNeed,
  addMissingHost,
  addUnknownContent,
  addUnknownNeed,
  isAddressKey,
} from './host-needs';

/**
 * A workload connects to the hosts that its env, its command and its ConfigMaps name: to Services of the build by a rule;
 * another host is a need that holds its isolation back. In files only names of Services of the build count.
 */
export const readEnvAndFiles: Source<Workload> = (workload, topology) => {
  const { known, unknown } = givenTo(workload, topology);
  const seen = new Set<string>();
  const inFiles = new Map<string, Given>();
  for (const given of known)
    for (const mention of mentionsIn(given)) {
      if (connect(workload, given, mention, seen, topology)) continue;
      if (!given.isFile) addHostNeed(workload, given, mention, topology);
      else {
        addMissingHost(workload, given, mention.host, true, topology);
        if (mention.form === 'url') inFiles.set(mention.host, given);
      }
    }
  for (const given of unknown) {
    if (given.isUnknownContent === true) addUnknownContent(workload, given, topology);
    else addUnknownNeed(workload, given, topology);
  }
  reportFiles(workload, inFiles, topology);
};

function mentionsIn({ text, isFile }: Given): HostMention[] {
  if (!isFile) return hostMentions(text);
  const upstreams = nginxUpstreams(text).map((one) => ({
    ...one,
    form: 'host:port' as const,
    isWhole: false,
  }));
  return [...urlsIn(text), ...upstreams];
}

/** Connects to the Services of the build that a mention names. @returns whether there are any */
function connect(
  workload: Workload,
  { part, field, key, isFile }: Given,
  { host, port, form, isWhole }: HostMention,
  seen: Set<string>,
  topology: TopologyBuilder,
): boolean {
  const references = serviceReferences(host, port, workload.namespace).filter(
    (one) => topology.service(one) !== undefined,
  );
  const origin = { at: workload, part, field, isGuess: isFile };
  for (const reference of references) {
    const id = JSON.stringify([part.raw, reference]);
    if (seen.has(id)) continue;
    seen.add(id);
    if (form !== 'host') topology.connectToService({ is: 'workload', workload }, reference, origin);
    else if (isWhole && isAddressKey(key))
      topology.connectToService({ is: 'workload', workload }, reference, origin);
    else if (isWhole) {
      const problem = message`is the name of Service/${reference.name}, and is not read as an address`;
      const remedy = `if the pods connect to it, add it to ${topology.annotations.connectsTo}`;
      topology.report(origin, problem, remedy, 'info');
    }
  }
  return references.length > 0;
}

/** Most URLs in files are those of licences, schemas and comments. */
function reportFiles(workload: Workload, hosts: ReadonlyMap<string, Given>, topology: TopologyBuilder): void {
  const outside = [...hosts].filter(([host]) => !topology.isServed(host) && readHost(host) !== undefined);
  const [first] = outside;
  if (first === undefined) return;
  const [host, { part, field }] = first;
  const more = outside.length === 1 ? words('') : message` and ${outside.length - 1} more hosts`;
  const problem = message`mounts a file that names ${host} (${part})${more}, to which no connection is opened`;
  const remedy = `if the pods connect to them, add them to ${topology.annotations.connectsTo}`;
  topology.report({ at: workload, field }, problem, remedy, 'info');
}

interface AllGiven {
  readonly known: readonly Given[];
  readonly unknown: readonly UnknownGiven[];
}

function givenTo(workload: Workload, topology: TopologyBuilder): AllGiven {
  const { pod, namespace } = workload;
  const known: Given[] = [];
  const unknown: UnknownGiven[] = [];
  for (const { value, path } of pod.containers) {
    const container = new Field(value, path);
    const env = envOf(container, namespace, topology);
    unknown.push(...env.unknown);
    for (const [key, { text, from, field, isHidden }] of env.values) {
      const part = message`env ${key}`;
      if (from !== undefined)
        unknown.push({ part, field, key, from, ...(isHidden && { isUnknownContent: true }) });
      else known.push({ part, field, key, text, isFile: false });
    }
    known.push(...argumentsOf(container, env.values));
  }
  for (const given of filesOf(workload, topology)) {
    if ('from' in given) unknown.push(given);
    else known.push(given);
  }
  return { known, unknown };
}

const FLAG = /^--?([A-Za-z][\w.-]*)(?:=([^]*))?$/;

/** The words of command and args; a word after a flag is its value. */
function argumentsOf(container: Field, env: Env): Given[] {
  let flag = '';
  return [...container.at('command').entries(), ...container.at('args').entries()].flatMap(
    ({ value, path: field }): Given[] => {
      if (typeof value !== 'string') return [];
      const word = expand(value, env);
      const [, name, text = name === undefined ? word : ''] = FLAG.exec(word) ?? [];
      const key = name ?? flag;
      flag = name !== undefined && text === '' ? name : '';
      return [{ part: words('args'), field, key, text, isFile: false }];
    },
  );
}

function filesOf({ pod, namespace }: Workload, topology: TopologyBuilder): (Given | UnknownGiven)[] {
  const volumes = new Field(pod.value, pod.path).at('volumes').entries();
  return volumes.flatMap((volume) =>
    [volume, ...volume.at('projected').at('sources').entries()].flatMap((source) => {
      const name = nameOf(source.at('configMap'));
      const [field, from] = [volume.path, message`ConfigMap/${name}`];
      return Object.entries(topology.configMap(namespace, name) ?? {}).map(([key, text]) => {
        if (isUnknownContent(key, text))
          return { part: from, field, key, from, isUnknownContent: true as const };
        return { part: message`${from} ${key}`, field, key: '', text, isFile: true };
      });
    }),
  );
}

/** The value of a variable, or the object that it comes from. */
interface Variable {
  readonly text: string;
  readonly from?: Message;
  readonly field: FieldPath;
  /** The function does not have its content. */
  readonly isHidden?: true;
}

type Env = Map<string, Variable>;

interface ContainerEnv {
  readonly values: Env;
  readonly unknown: UnknownGiven[];
}

function envOf(container: Field, namespace: string, topology: TopologyBuilder): ContainerEnv {
  const values: Env = new Map();
  const unknown: UnknownGiven[] = [];
  for (const source of container.at('envFrom').entries()) {
    const prefix = textIn(source.at('prefix'));
    const field = source.path;
    const [configMap, secret] = [nameOf(source.at('configMapRef')), nameOf(source.at('secretRef'))];
    const from = secret === '' ? message`ConfigMap/${configMap}` : message`Secret/${secret}`;
    const texts = secret === '' ? topology.configMap(namespace, configMap) : {};
    const keys = secret === '' ? [] : topology.secretKeys(namespace, secret);
    const unlisted = { part: words('envFrom'), field, key: undefined, from };
    if (configMap + secret !== '' && (texts === undefined || keys === undefined)) unknown.push(unlisted);
    for (const [key, text] of Object.entries(texts ?? {})) {
      if (isUnknownContent(key, text)) unknown.push({ ...unlisted, isUnknownContent: true });
      else values.set(prefix + key, { text, field });
    }
    for (const key of keys ?? []) {
      if (isUnknownContent(key, '')) unknown.push({ ...unlisted, isUnknownContent: true, isSecret: true });
      else values.set(prefix + key, { text: '', from, field });
    }
  }
  // env overrides envFrom, and may use the variables before it.
  for (const entry of container.at('env').entries()) {
    const { value: name } = entry.at('name');
    if (typeof name !== 'string') continue;
    const variable = variableOf(entry, values, namespace, topology);
    if (variable === undefined) values.delete(name);
    else values.set(name, variable);
  }
  return { values, unknown };
}

/** undefined: its value names no host, such as that of a field of the pod. */
function variableOf(
  entry: Field,
  env: Env,
  namespace: string,
  topology: TopologyBuilder,
): Variable | undefined {
  const { value } = entry.at('value');
  const field = entry.path;
  if (typeof value === 'string') return { text: expand(value, env), field };
  const source = entry.at('valueFrom');
  const [secret, configMap] = [nameOf(source.at('secretKeyRef')), nameOf(source.at('configMapKeyRef'))];
  if (secret !== '') return { text: '', from: message`Secret/${secret}`, field };
  if (configMap === '') return undefined;
  const key = textIn(source.at('configMapKeyRef').at('key'));
  const texts = topology.configMap(namespace, configMap) ?? {};
  const [text, from] = [texts[key], message`ConfigMap/${configMap}`];
  if (text !== undefined && !isUnknownContent(key, text)) return { text, field };
  const isHidden = Object.entries(texts).some(([one, value]) => isUnknownContent(one, value));
  return { text: '', from, field, ...(isHidden && { isHidden }) };
}

function nameOf(reference: Field): string {
  return textIn(reference.at('name'));
}

/** Empty where the field is no text. */
function textIn({ value }: Field): string {
  return typeof value === 'string' ? value : '';
}

/** In characters; a value that would become longer is not expanded. */
const LONGEST_EXPANDED = 65_536;

/** Replaces `$(NAME)` as the kubelet does; limited, because values can double at every step. */
function expand(text: string, env: Env): string {
  const parts = text.split(/(\$\$|\$\([-._A-Za-z0-9]{1,253}\))/).map((part) => {
    if (part === '$$') return '$';
    const variable = part.startsWith('$(') ? env.get(part.slice(2, -1)) : undefined;
    return variable === undefined || variable.from !== undefined ? part : variable.text;
  });
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return length > Math.max(LONGEST_EXPANDED, text.length) ? text : parts.join('');
}
