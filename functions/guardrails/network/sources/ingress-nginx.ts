import { type Placed, annotationsOf, resourceRef } from '../../krm/resource';
import { words } from '../../message';
import { objectAt, objectsIn } from '../../yaml/yaml';
import { readHost } from '../hosts';
import { type ServiceReference, portReference } from '../services';
import type { Origin, TopologyBuilder } from '../topology-builder';

/** https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/ */
const PREFIX = 'nginx.ingress.kubernetes.io/';
/** Annotations with a URL that the controller requests. */
const URLS = ['auth-url', 'mirror-target'];
const PORTS = new Map([
  ['http:', 80],
  ['https:', 443],
]);

/** A Service that an Ingress names. */
export interface IngressBackend {
  readonly reference: ServiceReference;
  readonly origin: Origin;
}

/** The Services that annotations of an Ingress name for ingress-nginx. */
export function annotatedServices(at: Placed, topology: TopologyBuilder): IngressBackend[] {
  const annotations = annotationsOf(at.resource);
  const { namespace = '' } = resourceRef(at.resource);
  const backends = ['default-backend', ...URLS].map((name) => {
    const text = annotations[`${PREFIX}${name}`];
    if (typeof text !== 'string') return [];
    const reference =
      name === 'default-backend'
        ? defaultBackend(text, namespace, topology)
        : serviceOfUrl(text, namespace, topology);
    if (reference === undefined) return [];
    const field = ['metadata', 'annotations', `${PREFIX}${name}`];
    return [{ reference, origin: { at, field, part: words(`annotation ${PREFIX}${name}`) } }];
  });
  return backends.flat();
}

/** The controller connects to the first port of a default backend (kubernetes/ingress-nginx, controller.go). */
function defaultBackend(
  name: string,
  namespace: string,
  topology: TopologyBuilder,
): ServiceReference | undefined {
  if (name === '') return undefined;
  const reference = { name, namespace, port: undefined };
  const service = topology.service(reference);
  const [first] = service === undefined ? [] : objectsIn(objectAt(service, 'spec').ports);
  return { ...reference, port: portReference(first?.port) };
}

/**
 * The Service of the build that a URL names with its namespace: nginx looks names up without search domains. The
 * namespace counts as that of an Ingress without one, for which `kubectl apply` chooses it.
 */
function serviceOfUrl(text: string, home: string, topology: TopologyBuilder): ServiceReference | undefined {
  const url = parseUrl(text);
  if (url === undefined) return undefined;
  const host = readHost(url.hostname);
  const port = url.port === '' ? PORTS.get(url.protocol) : Number(url.port);
  if (host?.is !== 'service' || port === undefined) return undefined;
  const namespaces = home === '' ? [host.namespace, ''] : [host.namespace];
  return namespaces
    .map((namespace) => ({ name: host.name, namespace, port, byName: true }))
    .find((reference) => topology.service(reference) !== undefined);
}

/** A URL in which variables of nginx may occur; one whose host has a variable names no host. */
function parseUrl(text: string): URL | undefined {
  // `https://mirror.shop.svc$request_uri`: the value of the variable starts with a slash.
  const withoutUri = text.trim().replace(/\$(?:request_)?uri\b.*$/s, '');
  return URL.canParse(withoutUri) ? new URL(withoutUri) : undefined;
}
