import { type Placed, groupOf, resourceRef } from '../../krm/resource';
import { message, words } from '../../message';
import { type YamlObject, type YamlValue, isObject, objectAt, objectsIn } from '../../yaml/yaml';
import type { PortReference } from '../connection';
import { type ServiceReference, portReference, serviceReferences, targetPorts } from '../services';
import type { Source, TopologyBuilder } from '../topology-builder';
import { clientsAnswer } from './exposures';

/** A Service as a route names it; undefined: it names something else. */
type Target = { readonly host: YamlValue | undefined; readonly port: PortReference } | undefined;

/** The Services to which the spec of a route leads external traffic, by its group and kind. */
const ROUTES = new Map<string, (spec: YamlObject) => readonly Target[]>([
  ['networking.istio.io/VirtualService', ofVirtualService],
  ...['traefik.io', 'traefik.containo.us'].flatMap((group) =>
    ['IngressRoute', 'IngressRouteTCP', 'IngressRouteUDP'].map(
      (kind) => [`${group}/${kind}`, ({ routes }: YamlObject) => backendsOf(objectsIn(routes))] as const,
    ),
  ),
  [
    'projectcontour.io/HTTPProxy',
    (spec) => backendsOf([...objectsIn(spec.routes), objectAt(spec, 'tcpproxy')]),
  ],
  ['getambassador.io/Mapping', ofMapping],
  ['getambassador.io/TCPMapping', ofMapping],
]);

/** The clients of the Services to which a route leads are not known where the function does not know its controller. */
export const readUnsupportedRoute: Source = (at, topology) => {
  const { resource } = at;
  const targetsIn = ROUTES.get(`${groupOf(resource)}/${resourceRef(resource).kind}`);
  if (targetsIn === undefined) return;
  const targets = targetsIn(objectAt(resource, 'spec'));
  const services = targets.map((target) => target && serviceOf(target, at, topology));
  const own = hostsInMesh(resource).map((host) => serviceOf({ host, port: undefined }, at, topology));
  const isOwn = ({ name, namespace }: ServiceReference) =>
    own.some((one) => one?.name === name && one.namespace === namespace);
  for (const service of services) if (service && !isOwn(service)) lead(service, at, topology);
  if (services.length > 0 && services.every((one) => one !== undefined)) return;
  topology.report(
    { at, field: ['spec'] },
    words('is not understood: the Services that it leads to are not known'),
    `state the clients of those workloads in the annotation ${topology.annotations.acceptsFrom}`,
    'info',
    'not understood',
  );
};

function lead(reference: ServiceReference, at: Placed, topology: TopologyBuilder): void {
  const { kind, name } = resourceRef(at.resource);
  const evidence = message`${kind}/${name} leads to it through Service/${reference.name}`;
  for (const { workload, ports } of topology.podsOf(reference, { at, field: ['spec'], isGuess: true }))
    if (ports.length > 0 && !topology.declaresClients(workload, ports))
      topology.addNeed({
        workload,
        direction: 'ingress',
        evidence,
        field: ['spec'],
        answer: clientsAnswer(ports, topology),
        ports,
      });
}

/** The Service of the build that a target names; all of its ports where it does not have the one that is given. */
function serviceOf(
  { host, port }: NonNullable<Target>,
  { resource }: Placed,
  topology: TopologyBuilder,
): ServiceReference | undefined {
  if (typeof host !== 'string') return undefined;
  const references = serviceReferences(host, port, resourceRef(resource).namespace ?? '');
  const reference = references.find((one) => one.isOfPod !== true && topology.service(one) !== undefined);
  const spec = objectAt((reference && topology.service(reference)) ?? {}, 'spec');
  const isKnown = targetPorts(spec, port, false).length > 0;
  return reference && (isKnown ? reference : { ...reference, port: undefined });
}

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/ */
function ofVirtualService(spec: YamlObject): Target[] {
  const routes = [spec.http, spec.tls, spec.tcp].flatMap(objectsIn);
  const destinations = routes.flatMap(({ route, mirror, mirrors }) => [
    ...destinationsIn(route),
    ...(isObject(mirror) ? [mirror] : []),
    ...destinationsIn(mirrors),
  ]);
  return destinations.map((one) => ({ host: one.host, port: portReference(objectAt(one, 'port').number) }));
}

function destinationsIn(list: YamlValue | undefined): YamlObject[] {
  return objectsIn(list).map((one) => objectAt(one, 'destination'));
}

/** The hosts to which the clients of a route connect that are in the mesh alone. */
function hostsInMesh(resource: YamlObject): readonly YamlValue[] {
  const { gateways, hosts } = objectAt(resource, 'spec');
  const isMesh = !Array.isArray(gateways) || gateways.every((one) => one === 'mesh');
  return resourceRef(resource).kind === 'VirtualService' && isMesh && Array.isArray(hosts) ? hosts : [];
}

/**
 * https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/crd/http/ingressroute/
 * https://projectcontour.io/docs/main/config/api/
 */
function backendsOf(routes: readonly YamlObject[]): Target[] {
  return routes
    .flatMap(({ services }) => objectsIn(services))
    .map(({ kind = 'Service', name, namespace, port }) => {
      if (kind !== 'Service' || typeof name !== 'string') return undefined;
      const host = typeof namespace === 'string' && namespace !== '' ? `${name}.${namespace}` : name;
      return { host, port: portReference(port) };
    });
}

/** https://emissary-ingress.dev/docs/3.10/topics/using/intro-mappings/ */
function ofMapping({ service }: YamlObject): Target[] {
  const text = typeof service === 'string' ? service.replace(/^[a-z]+:\/\//i, '') : '';
  const [, host, port] = /^([a-z0-9.-]+)(?::(\d{1,5}))?\/?$/i.exec(text) ?? [];
  return host === undefined ? [] : [{ host, port: port === undefined ? undefined : Number(port) }];
}
