import { type YamlObject, textOf, objectAt, objectsIn } from '../yaml/yaml';
import { resourceRef } from '../krm/resource';
import { type PodSpec } from '../kubernetes/workload';

/** What may be the name of a Service. */
export interface ServiceReference {
  readonly name: string;
  /** undefined: the workload's own. */
  readonly namespace: string | undefined;
  /** A port of the Service, by number or name; undefined: every one of them. */
  readonly port: number | string | undefined;
  /** A pod stands before the Service, `db-0.db`: a headless one is meant, or nothing. */
  readonly isOfPod?: true;
  /** `env API_URL`, `args`, `ConfigMap/nginx nginx.conf`. */
  readonly where: string;
}

/** Ports that a URL means when it names none. */
const SCHEME_PORTS = new Map([
  ['http', 80],
  ['ws', 80],
  ['https', 443],
  ['wss', 443],
  ['grpc', 80],
  ['redis', 6379],
  ['rediss', 6379],
  ['postgres', 5432],
  ['postgresql', 5432],
  ['mysql', 3306],
  ['mongodb', 27017],
  ['amqp', 5672],
  ['amqps', 5671],
  ['nats', 4222],
]);
/** Keys under which a bare word may be a host. */
const HOST_KEY = /(HOST|ADDR|URL|SERVICE)$/i;

/** Characters; variables in a value are not put in beyond that. */
const LONGEST_EXPANDED = 65_536;

/** The data of the ConfigMaps of a build. */
export class ConfigMaps {
  private readonly data = new Map<string, YamlObject>();

  constructor(resources: readonly YamlObject[]) {
    for (const resource of resources)
      if (resource.kind === 'ConfigMap') {
        const { name, namespace = '' } = resourceRef(resource);
        this.data.set(JSON.stringify([namespace, name]), objectAt(resource, 'data'));
      }
  }

  /** Those of one namespace: name to data, empty where there is none. */
  of(namespace: string): (name: unknown) => YamlObject {
    return (name) => this.data.get(JSON.stringify([namespace, name])) ?? {};
  }
}

/** A text of a workload in which a Service may be named. */
interface Source {
  readonly where: string;
  readonly text: string;
  /** Which words beside URLs are hosts there. */
  readonly words: 'none' | 'with port' | 'any';
}

/** What the env, the command and the ConfigMaps of a workload may name. */
export function serviceReferences(
  pod: PodSpec,
  configMap: (name: unknown) => YamlObject,
): ServiceReference[] {
  const sources = [
    ...pod.containers.flatMap(({ value }) => sourcesOf(value, configMap)),
    ...mountedConfigMaps(pod.value).flatMap((name) =>
      textsIn(configMap(name)).map(([key, text]) => ({
        where: `ConfigMap/${name} ${key}`,
        text,
        words: 'none' as const,
      })),
    ),
  ];
  const seen = new Set<string>();
  return sources.flatMap(referencesIn).filter((one) => {
    const key = JSON.stringify(one);
    return !seen.has(key) && seen.add(key);
  });
}

function sourcesOf(container: YamlObject, configMap: (name: unknown) => YamlObject): Source[] {
  const env = new Map<string, string>();
  for (const source of objectsIn(container.envFrom)) {
    const prefix = typeof source.prefix === 'string' ? source.prefix : '';
    for (const [key, text] of textsIn(configMap(objectAt(source, 'configMapRef').name)))
      env.set(prefix + key, text);
  }
  // What stands in env wins, and may name what is above it. Values that double so at every step stay as they are.
  const expand = (text: string) => {
    const parts = text.split(/(\$\$|\$\([-._A-Za-z0-9]{1,253}\))/).map((part) => {
      if (part === '$$') return '$';
      return part.startsWith('$(') ? (env.get(part.slice(2, -1)) ?? part) : part;
    });
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    return length > Math.max(LONGEST_EXPANDED, text.length) ? text : parts.join('');
  };
  for (const entry of objectsIn(container.env)) {
    if (typeof entry.name !== 'string') continue;
    const from = objectAt(objectAt(entry, 'valueFrom'), 'configMapKeyRef');
    const text = entry.value ?? configMap(from.name)[textOf(from.key)];
    if (typeof text === 'string') env.set(entry.name, entry.value === undefined ? text : expand(text));
    else env.delete(entry.name);
  }
  const words = [container.command, container.args].flatMap((list) => (Array.isArray(list) ? list : []));
  return [
    ...[...env].map(([key, text]) => ({
      where: `env ${key}`,
      text,
      words: HOST_KEY.test(key) ? ('any' as const) : ('with port' as const),
    })),
    ...words.flatMap((word) =>
      typeof word === 'string' ? [{ where: 'args', text: expand(word), words: 'with port' as const }] : [],
    ),
  ];
}

function mountedConfigMaps(pod: YamlObject): string[] {
  const sources = objectsIn(pod.volumes).flatMap((volume) => [
    volume,
    ...objectsIn(objectAt(volume, 'projected').sources),
  ]);
  return sources.flatMap((source) => {
    const { name } = objectAt(source, 'configMap');
    return typeof name === 'string' ? [name] : [];
  });
}

function textsIn(data: YamlObject): [string, string][] {
  return Object.entries(data).flatMap(([key, text]): [string, string][] =>
    typeof text === 'string' ? [[key, text]] : [],
  );
}

/** A scheme, and all that stands before a path: `user:password@a:1,b:2`. */
const URL_START =
  /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}):\/\/((?:[^\s,/?#"'`;<>()[\]{}]|,(?![a-z][a-z0-9+.-]{0,30}:\/\/))+)/gi;
const HOST_PORT = /^([a-z0-9.-]+)(?::(\d+))?$/i;

/** What a text may name: URLs, `host:port`, `host=... port=...` of libpq, or a host alone. */
function referencesIn({ where, text, words }: Source): ServiceReference[] {
  const urls = [...text.matchAll(URL_START)].flatMap(([, scheme = '', authority = '']) => {
    const usual = SCHEME_PORTS.get(scheme.toLowerCase().replace(/\+.*/, ''));
    const hosts = authority.slice(authority.lastIndexOf('@') + 1).split(',');
    return hosts.flatMap((one) => {
      const [, host, port] = HOST_PORT.exec(one) ?? [];
      return host === undefined ? [] : hostReferences(host, port === undefined ? usual : Number(port), where);
    });
  });
  if (words === 'none') return urls;
  const rest = text.replace(URL_START, ' ');
  const [, libpqHost] = /(?:^|\s)host=([a-z0-9.-]+)/i.exec(rest) ?? [];
  if (libpqHost !== undefined) {
    const [, port] = /(?:^|\s)port=(\d+)/i.exec(rest) ?? [];
    return [...urls, ...hostReferences(libpqHost, Number(port ?? SCHEME_PORTS.get('postgres')), where)];
  }
  const areHosts = words === 'any' && text.split(',').every((one) => HOST_PORT.test(one.trim()));
  const hosts = rest.split(/[\s,;=@"'`<>()[\]{}]+/).flatMap((word) => {
    const [, host, port] = HOST_PORT.exec(word.replace(/[/?].*/, '')) ?? [];
    if (host === undefined || (port === undefined && !areHosts)) return [];
    return hostReferences(host, port === undefined ? undefined : Number(port), where);
  });
  return [...urls, ...hosts];
}

/**
 * `name`, `name.namespace`, `name.namespace.svc`, `name.namespace.svc.<cluster domain>`, and each of them behind the name
 * of a pod (kubernetes.io, "DNS for Services and Pods").
 */
export function hostReferences(
  host: string,
  port: number | string | undefined,
  where: string,
): ServiceReference[] {
  const labels = host.toLowerCase().replace(/\.$/, '').split('.');
  const named = ([name = '', namespace, svc]: readonly string[]) =>
    name === '' || (svc !== undefined && svc !== 'svc') ? [] : [{ name, namespace, port, where }];
  return [...named(labels), ...named(labels.slice(1)).map((one) => ({ ...one, isOfPod: true as const }))];
}
