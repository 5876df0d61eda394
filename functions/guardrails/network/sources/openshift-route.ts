import { groupOf, resourceRef } from '../../krm/resource';
import { words } from '../../message';
import type { YamlValue } from '../../yaml/yaml';
import { Field } from '../decode';
import type { ServiceReference } from '../services';
import type { Source } from '../topology-builder';

/**
 * The router connects to the Services that a Route of OpenShift names.
 * https://docs.redhat.com/en/documentation/openshift_container_platform/4.16/html/network_apis/route-route-openshift-io-v1
 */
export const readOpenShiftRoute: Source = (at, topology) => {
  const { resource } = at;
  if (resource.kind !== 'Route' || groupOf(resource) !== 'route.openshift.io') return;
  const { namespace = '' } = resourceRef(resource);
  const router = { is: 'pods', pods: topology.peers.router, name: words('the router') } as const;
  const spec = new Field(resource).at('spec');
  const port = portOf(spec.at('port').at('targetPort').value);
  for (const target of [spec.at('to'), ...spec.at('alternateBackends').entries()]) {
    const { value: name } = target.at('name');
    const { value: kind = 'Service' } = target.at('kind');
    if (kind !== 'Service' || typeof name !== 'string') continue;
    topology.connectToService(router, { name, namespace, ...port }, { at, field: target.path });
  }
};

/**
 * The router compares the text of a targetPort with the names of the endpoints' ports, which are those of the Service,
 * and with their numbers, which are those of the pods (openshift/router, endpointsForAlias).
 */
function portOf(value: YamlValue | undefined): Pick<ServiceReference, 'port' | 'targetPort'> {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === 'number') return { port: undefined, targetPort: number };
  return { port: typeof value === 'string' && value !== '' ? value : undefined };
}
