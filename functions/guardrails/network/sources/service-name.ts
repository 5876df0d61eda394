import type { PortReference } from '../connection';
import type { ServiceReference } from '../topology-builder';

/**
 * The Services that a host name may mean to a pod in the namespace `home`: `name`, `name.namespace`, `name.namespace.svc`,
 * `name.namespace.svc.<cluster domain>`, and each of them after the name of a pod (kubernetes.io, "DNS for Services and
 * Pods").
 */
export function serviceReferences(
  host: string,
  port: PortReference | undefined,
  home: string,
): ServiceReference[] {
  const labels = host.toLowerCase().replace(/\.$/, '').split('.');
  const named = ([name = '', namespace = home, svc]: readonly string[]): ServiceReference[] =>
    name === '' || (svc !== undefined && svc !== 'svc') ? [] : [{ name, namespace, port }];
  return [...named(labels), ...named(labels.slice(1)).map((one) => ({ ...one, isOfPod: true as const }))];
}
