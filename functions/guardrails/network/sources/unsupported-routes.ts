import { groupOf, resourceRef } from '../../krm/resource';
import { words } from '../../message';
import type { Source } from '../topology-builder';

/** Kinds that lead external traffic to Services, by group. */
const KINDS = new Map<string, readonly string[]>([
  ['networking.istio.io', ['VirtualService']],
  ['traefik.io', ['IngressRoute', 'IngressRouteTCP', 'IngressRouteUDP']],
  ['traefik.containo.us', ['IngressRoute', 'IngressRouteTCP', 'IngressRouteUDP']],
  ['projectcontour.io', ['HTTPProxy']],
  ['getambassador.io', ['Mapping', 'TCPMapping']],
]);

/** A route of a kind that is not read leads traffic to Services that are not known. */
export const reportUnsupportedRoute: Source = (at, topology) => {
  const { resource } = at;
  if (KINDS.get(groupOf(resource))?.includes(resourceRef(resource).kind) !== true) return;
  topology.report(
    { at, field: ['spec'] },
    words('is not understood: the Services that it leads to are not known'),
    `state the clients of those workloads in the annotation ${topology.annotations.acceptsFrom}`,
    'info',
    'not understood',
  );
};
