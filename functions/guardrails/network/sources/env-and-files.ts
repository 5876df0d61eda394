import type { PodSpec } from '../../kubernetes/workload';
import { type Message, message, words } from '../../message';
import type { FieldPath } from '../../yaml/field-path';
import { type YamlObject, type YamlValue, entriesIn, objectAt, textOf } from '../../yaml/yaml';
import type { Workload } from '../connection';
import type { Source } from '../topology-builder';
import { type HostWords, serviceMentions } from './service-mentions';

/** Env variables whose value may be a host alone. */
const HOST_KEY = /(HOST|ADDR|URL|SERVICE)$/i;

/** A workload connects to the Services that its env, its command and its ConfigMaps name. */
export const readEnvAndFiles: Source<Workload> = (workload, topology) => {
  const { pod, namespace } = workload;
  const configMap = (name: YamlValue | undefined) =>
    typeof name === 'string' ? topology.configMap(namespace, name) : {};
  const seen = new Set<string>();
  for (const { part, field, text, hostWords } of textsOf(pod, configMap))
    for (const reference of serviceMentions(text, hostWords, namespace)) {
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

/** The texts in a ConfigMap by name. */
type ConfigMapTexts = (name: YamlValue | undefined) => Readonly<Record<string, string>>;

function textsOf(pod: PodSpec, configMap: ConfigMapTexts): Text[] {
  const ofContainers = pod.containers.flatMap(({ value, path }) => {
    const env = envOf(value, path, configMap);
    const ofEnv = [...env].map(([key, variable]): Text => {
      const hostWords = HOST_KEY.test(key) ? 'any' : 'with port';
      return { part: message`env ${key}`, ...variable, hostWords };
    });
    const ofCommand = ['command', 'args'].flatMap((list) =>
      listIn(value[list]).flatMap((word, i): Text[] => {
        if (typeof word !== 'string') return [];
        const text = expand(word, env);
        return [{ part: words('args'), field: [...path, list, i], text, hostWords: 'with port' }];
      }),
    );
    return [...ofEnv, ...ofCommand];
  });
  const ofFiles = mountedConfigMaps(pod).flatMap(({ name, field }) =>
    Object.entries(configMap(name)).map(([key, text]): Text => {
      return { part: message`ConfigMap/${name} ${key}`, field, text, hostWords: 'none' };
    }),
  );
  return [...ofContainers, ...ofFiles];
}

type Env = Map<string, Pick<Text, 'text' | 'field'>>;

function envOf(container: YamlObject, path: FieldPath, configMap: ConfigMapTexts): Env {
  const env: Env = new Map();
  entriesIn(container.envFrom).forEach((source, i) => {
    const texts = configMap(objectAt(source, 'configMapRef').name);
    const prefix = typeof source.prefix === 'string' ? source.prefix : '';
    for (const [key, text] of Object.entries(texts))
      env.set(prefix + key, { text, field: [...path, 'envFrom', i] });
  });
  // env overrides envFrom, and may use the variables before it.
  entriesIn(container.env).forEach((entry, i) => {
    if (typeof entry.name !== 'string') return;
    const from = objectAt(objectAt(entry, 'valueFrom'), 'configMapKeyRef');
    const text = entry.value ?? configMap(from.name)[textOf(from.key)];
    const field = [...path, 'env', i];
    if (typeof text !== 'string') env.delete(entry.name);
    else env.set(entry.name, { text: entry.value === undefined ? text : expand(text, env), field });
  });
  return env;
}

/** Characters; variables in a value are not expanded beyond that. */
const LONGEST_EXPANDED = 65_536;

/** Replaces `$(NAME)` as the kubelet does; keeps a text that grows too long, as values do that double at every step. */
function expand(text: string, env: Env): string {
  const parts = text.split(/(\$\$|\$\([-._A-Za-z0-9]{1,253}\))/).map((part) => {
    if (part === '$$') return '$';
    return part.startsWith('$(') ? (env.get(part.slice(2, -1))?.text ?? part) : part;
  });
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return length > Math.max(LONGEST_EXPANDED, text.length) ? text : parts.join('');
}

function mountedConfigMaps({ value, path }: PodSpec): { readonly name: string; readonly field: FieldPath }[] {
  return entriesIn(value.volumes).flatMap((volume, i) => {
    const sources = [volume, ...entriesIn(objectAt(volume, 'projected').sources)];
    return sources.flatMap((source) => {
      const { name } = objectAt(source, 'configMap');
      return typeof name === 'string' ? [{ name, field: [...path, 'volumes', i] }] : [];
    });
  });
}

function listIn(value: YamlValue | undefined): readonly YamlValue[] {
  return Array.isArray(value) ? value : [];
}
