import { type Message, message, words } from '../../message';
import type { FieldPath } from '../../yaml/field-path';
import { textOf } from '../../yaml/yaml';
import type { Workload } from '../connection';
import { Field } from '../decode';
import type { Source, TopologyBuilder } from '../topology-builder';
import { type HostWords, serviceMentions } from './service-mentions';

/** Env variables whose value may be a host alone. */
const HOST_KEY = /(HOST|ADDR|URL|SERVICE)$/i;

/** A workload connects to the Services that its env, its command and its ConfigMaps name. */
export const readEnvAndFiles: Source<Workload> = (workload, topology) => {
  const seen = new Set<string>();
  for (const { part, field, text, hostWords } of textsOf(workload, topology))
    for (const reference of serviceMentions(text, hostWords, workload.namespace)) {
      const key = JSON.stringify([part.raw, reference]);
      // Most values that look like a host do not name a Service of the build.
      if (seen.has(key) || topology.service(reference) === undefined) continue;
      seen.add(key);
      topology.connectToService({ is: 'workload', workload }, reference, { at: workload, part, field });
    }
};

/** A text in which a Service may be named. */
interface Text {
  /** `env API_URL`, `args`, `ConfigMap/nginx nginx.conf`. */
  readonly part: Message;
  readonly field: FieldPath;
  readonly text: string;
  readonly hostWords: HostWords;
}

function textsOf({ pod, namespace }: Workload, topology: TopologyBuilder): Text[] {
  const ofContainers = pod.containers.flatMap(({ value, path }) => {
    const container = new Field(value, path);
    const env = envOf(container, namespace, topology);
    const ofEnv = [...env].map(([key, variable]): Text => {
      const hostWords = HOST_KEY.test(key) ? 'any' : 'with port';
      return { part: message`env ${key}`, ...variable, hostWords };
    });
    const ofCommand = [...container.at('command').entries(), ...container.at('args').entries()].flatMap(
      ({ value: word, path: field }): Text[] => {
        if (typeof word !== 'string') return [];
        return [{ part: words('args'), field, text: expand(word, env), hostWords: 'with port' }];
      },
    );
    return [...ofEnv, ...ofCommand];
  });
  const volumes = new Field(pod.value, pod.path).at('volumes').entries();
  const ofFiles = volumes.flatMap((volume) =>
    [volume, ...volume.at('projected').at('sources').entries()].flatMap((source) => {
      const { value: name } = source.at('configMap').at('name');
      return Object.entries(topology.configMap(namespace, name)).map(([key, text]): Text => {
        const part = message`ConfigMap/${textOf(name)} ${key}`;
        return { part, field: volume.path, text, hostWords: 'none' };
      });
    }),
  );
  return [...ofContainers, ...ofFiles];
}

type Env = Map<string, Pick<Text, 'text' | 'field'>>;

function envOf(container: Field, namespace: string, topology: TopologyBuilder): Env {
  const env: Env = new Map();
  for (const source of container.at('envFrom').entries()) {
    const prefix = source.at('prefix').value;
    const texts = topology.configMap(namespace, source.at('configMapRef').at('name').value);
    for (const [key, text] of Object.entries(texts))
      env.set(typeof prefix === 'string' ? prefix + key : key, { text, field: source.path });
  }
  // env overrides envFrom, and may use the variables before it.
  for (const entry of container.at('env').entries()) {
    const [name, value] = [entry.at('name').value, entry.at('value').value];
    if (typeof name !== 'string') continue;
    const from = entry.at('valueFrom').at('configMapKeyRef');
    const texts = topology.configMap(namespace, from.at('name').value);
    const text = value ?? texts[textOf(from.at('key').value)];
    if (typeof text !== 'string') env.delete(name);
    else env.set(name, { text: value === undefined ? text : expand(text, env), field: entry.path });
  }
  return env;
}

/** In characters; a value that would become longer is not expanded. */
const LONGEST_EXPANDED = 65_536;

/** Replaces `$(NAME)` as the kubelet does; limited, because values can double at every step. */
function expand(text: string, env: Env): string {
  const parts = text.split(/(\$\$|\$\([-._A-Za-z0-9]{1,253}\))/).map((part) => {
    if (part === '$$') return '$';
    return part.startsWith('$(') ? (env.get(part.slice(2, -1))?.text ?? part) : part;
  });
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return length > Math.max(LONGEST_EXPANDED, text.length) ? text : parts.join('');
}
