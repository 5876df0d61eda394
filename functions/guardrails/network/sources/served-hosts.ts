import { groupOf, resourceRef } from '../../krm/resource';
import { type YamlObject, type YamlValue, objectAt, objectsIn } from '../../yaml/yaml';
import type { Source } from '../topology-builder';
import { isGatewayRoute } from './gateway-route';

/** `Host(`a`, `b`)` in the match of a route of Traefik. */
const HOST_MATCH = /\bHost(?:SNI)?\(([^()]*)\)/g;
const QUOTED = /[`"]([^`"]+)[`"]/g;

/** The names that Ingresses and routes of the build serve: its own public origins. */
export const readServedHosts: Source = ({ resource }, topology) => {
  for (const host of hostsIn(resource)) if (isPublic(host)) topology.servedHosts.add(host.toLowerCase());
};

/** Whether a host is a name that a pod cannot take for that of a Service. */
function isPublic(host: YamlValue | undefined): host is string {
  return typeof host === 'string' && /[^.]\.[^.]/.test(host) && !/\.svc(?:\.|$)/i.test(host);
}

function hostsIn(resource: YamlObject): readonly (YamlValue | undefined)[] {
  const spec = objectAt(resource, 'spec');
  if (isGatewayRoute(resource)) return listOf(spec.hostnames);
  switch (`${groupOf(resource)}/${resourceRef(resource).kind}`) {
    case 'networking.k8s.io/Ingress':
      return [
        ...objectsIn(spec.rules).map(({ host }) => host),
        ...objectsIn(spec.tls).flatMap(({ hosts }) => listOf(hosts)),
      ];
    case 'gateway.networking.k8s.io/Gateway':
      return objectsIn(spec.listeners).map(({ hostname }) => hostname);
    case 'route.openshift.io/Route':
      return hostsOfRoute(spec);
    case 'networking.istio.io/VirtualService':
      // Without a gateway, the hosts are names within the mesh.
      return listOf(spec.gateways).some((one) => one !== 'mesh') ? listOf(spec.hosts) : [];
    case 'traefik.io/IngressRoute':
    case 'traefik.io/IngressRouteTCP':
    case 'traefik.containo.us/IngressRoute':
    case 'traefik.containo.us/IngressRouteTCP':
      return objectsIn(spec.routes).flatMap(({ match }) =>
        typeof match === 'string' ? matchedBy(match) : [],
      );
    case 'projectcontour.io/HTTPProxy':
      return [objectAt(spec, 'virtualhost').fqdn];
    case 'getambassador.io/Mapping':
      return [spec.hostname];
    default:
      return [];
  }
}

/** With the wildcard policy Subdomain, a Route serves the names beside its host (openshift/api, route/v1). */
function hostsOfRoute({ host, wildcardPolicy }: YamlObject): readonly (YamlValue | undefined)[] {
  const isWildcard = typeof host === 'string' && wildcardPolicy === 'Subdomain';
  return isWildcard ? [host, host.replace(/^[^.]+/, '*')] : [host];
}

/** https://doc.traefik.io/traefik/reference/routing-configuration/http/routing/rules-and-priority/ */
function matchedBy(match: string): string[] {
  const lists = [...match.matchAll(HOST_MATCH)].map(([, list = '']) => list);
  return lists.flatMap((list) => [...list.matchAll(QUOTED)].map(([, host = '']) => host));
}

function listOf(value: YamlValue | undefined): readonly YamlValue[] {
  return Array.isArray(value) ? value : [];
}
