import type { PlacedReport } from '../../findings/finding';
import { type Placed, annotationsOf, groupOf, resourceRef } from '../../krm/resource';
import { message, words } from '../../message';
import { type YamlObject, type YamlValue, isAbsent, objectAt, objectsIn, textOf } from '../../yaml/yaml';
import { listOf } from '../lists';
import { isPublicHost } from './hosts';

const GROUP = 'gateway.networking.k8s.io';
/** Classes whose gateways serve private networks. */
const PRIVATE_CLASS = /internal|private|waypoint|mesh|(?:^|-)rilb(?:-|$)/i;

/** Gateways that serve public hosts by HTTP alone. Beside a listener with TLS, one for HTTP redirects to it. */
export function checkGateways(resources: readonly Placed[]): PlacedReport[] {
  return resources.flatMap((at): PlacedReport[] => {
    const { resource } = at;
    if (resource.kind !== 'Gateway' || groupOf(resource) !== GROUP || isPrivate(resource)) return [];
    const listeners = objectsIn(objectAt(resource, 'spec').listeners);
    if (listeners.length === 0 || listeners.some(({ protocol }) => protocol !== 'HTTP')) return [];
    const names = listeners.flatMap(({ hostname }) => (isAbsent(hostname) ? [] : [hostname]));
    const hosts = (names.length > 0 ? names : hostsOfRoutes(resource, resources)).filter(isPublicHost);
    // Without a name in the build, nothing shows who is served.
    if (hosts.length === 0) return [];
    return [
      {
        at,
        report: {
          problem: message`serves ${listOf([...new Set(hosts)])} without TLS: it has no listener of protocol HTTPS`,
          remedy: words('add a listener with protocol: HTTPS and a certificate under tls'),
          field: ['spec', 'listeners'],
          severity: 'warning',
        },
      },
    ];
  });
}

function isPrivate(gateway: YamlObject): boolean {
  const spec = objectAt(gateway, 'spec');
  const ofInfrastructure = objectAt(objectAt(spec, 'infrastructure'), 'annotations');
  const annotations = { ...annotationsOf(gateway), ...ofInfrastructure };
  if (PRIVATE_CLASS.test(textOf(spec.gatewayClassName))) return true;
  return Object.entries(annotations).some(
    ([key, value]) =>
      (key === 'networking.istio.io/service-type' && value === 'ClusterIP') ||
      (/internal/i.test(key) && textOf(value) !== 'false') ||
      /^internal$/i.test(textOf(value)),
  );
}

/** The names of the routes of a build that have the Gateway as a parent. */
function hostsOfRoutes(gateway: YamlObject, resources: readonly Placed[]): YamlValue[] {
  const { name } = resourceRef(gateway);
  return resources.flatMap(({ resource }) => {
    if (resource.kind !== 'HTTPRoute' || groupOf(resource) !== GROUP) return [];
    const { parentRefs, hostnames } = objectAt(resource, 'spec');
    const isParent = objectsIn(parentRefs).some((parent) => parent.name === name);
    return isParent && Array.isArray(hostnames) ? hostnames : [];
  });
}
