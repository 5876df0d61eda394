import { type YamlObject, textOf } from '../krm/yaml';
import { resourceRef } from '../kubernetes/resource';
import { type PodSpec, objectAt, objectsIn } from '../kubernetes/workload';

/** A value in a workload's environment that may name a Service. */
export interface ServiceReference {
  readonly name: string;
  /** undefined: the workload's own. */
  readonly namespace: string | undefined;
  /** A port of the Service, by number or name; undefined: every one of them. */
  readonly port: number | string | undefined;
  /** A pod stands before the Service, `db-0.db`: a headless one is meant, or nothing. */
  readonly isOfPod?: true;
  /** `env API_URL`. */
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

/** What the values of a workload's env, and of the ConfigMaps that it takes its env from, may name. */
export function serviceReferences(
  pod: PodSpec,
  configMap: (name: unknown) => YamlObject,
): ServiceReference[] {
  const references = pod.containers.flatMap(({ value }) => {
    const own = objectsIn(value.env).flatMap((entry) => {
      const from = objectAt(objectAt(entry, 'valueFrom'), 'configMapKeyRef');
      const text = entry.value ?? configMap(from.name)[textOf(from.key)];
      return typeof text === 'string' && typeof entry.name === 'string' ? [{ key: entry.name, text }] : [];
    });
    const taken = objectsIn(value.envFrom).flatMap((source) =>
      Object.entries(configMap(objectAt(source, 'configMapRef').name)).flatMap(([key, text]) =>
        typeof text === 'string' ? [{ key, text }] : [],
      ),
    );
    return [...own, ...taken].flatMap(({ key, text }) => referencesIn(key, text));
  });
  const seen = new Set<string>();
  return references.filter((one) => {
    const key = JSON.stringify(one);
    return !seen.has(key) && seen.add(key);
  });
}

/** What one value may name: a URL, `host:port`, or a host alone; several with commas or blanks between. */
export function referencesIn(key: string, text: string): ServiceReference[] {
  const where = `env ${key}`;
  return text.split(/[\s,]+/).flatMap((word) => {
    const [, scheme, urlHost, urlPort] =
      /^([a-z][a-z0-9+.-]*):\/\/(?:[^@/]*@)?([^:/?#@[\]]+)(?::(\d+))?(?:[/?#]|$)/i.exec(word) ?? [];
    if (scheme !== undefined && urlHost !== undefined) {
      const port = urlPort === undefined ? SCHEME_PORTS.get(scheme.toLowerCase()) : Number(urlPort);
      return hostReference(urlHost, port, where);
    }
    const [, host, port] = /^([a-z0-9.-]+)(?::(\d+))?$/i.exec(word) ?? [];
    if (host === undefined || (port === undefined && !HOST_KEY.test(key))) return [];
    return hostReference(host, port === undefined ? undefined : Number(port), where);
  });
}

/**
 * `name`, `name.namespace`, `name.namespace.svc`, `name.namespace.svc.<cluster domain>`, and each of them behind the name
 * of a pod (kubernetes.io, "DNS for Services and Pods").
 */
function hostReference(host: string, port: number | undefined, where: string): ServiceReference[] {
  const labels = host.toLowerCase().replace(/\.$/, '').split('.');
  const named = ([name = '', namespace, svc]: readonly string[]) =>
    name === '' || (svc !== undefined && svc !== 'svc') ? [] : [{ name, namespace, port, where }];
  return [...named(labels), ...named(labels.slice(1)).map((one) => ({ ...one, isOfPod: true as const }))];
}
