import { annotationNames } from '../../../functions/guardrails/kubernetes/annotation-names';
import { readServedHosts } from '../../../functions/guardrails/network/sources/served-hosts';
import { TopologyBuilder } from '../../../functions/guardrails/network/topology-builder';
import { resourcesIn } from '../../support/network-build';

function hostsIn(...documents: string[]): string[] {
  const resources = resourcesIn(documents);
  const topology = new TopologyBuilder(resources, annotationNames());
  for (const at of resources) readServedHosts(at, topology);
  return [...topology.servedHosts];
}
const document = (apiVersion: string, kind: string, spec: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: web}\nspec: ${spec}\n`;
const GATEWAY_API = 'gateway.networking.k8s.io/v1';
const ISTIO = 'networking.istio.io/v1';
const TRAEFIK = 'traefik.io/v1alpha1';

test.each<[string, string, string, string, string[]]>([
  [
    'the rules and the certificates of an Ingress',
    'networking.k8s.io/v1',
    'Ingress',
    '{rules: [{host: A.example.com}, {http: {}}], tls: [{hosts: [b.example.com, "*.c.example.com"]}, {}]}',
    ['a.example.com', 'b.example.com', '*.c.example.com'],
  ],
  ['an Ingress without hosts', 'networking.k8s.io/v1', 'Ingress', '{defaultBackend: {}}', []],
  [
    'an Ingress of another API',
    'networking.internal.knative.dev/v1',
    'Ingress',
    '{rules: [{host: a.example.com}]}',
    [],
  ],
  [
    'names that pods look up in the cluster',
    'networking.k8s.io/v1',
    'Ingress',
    '{rules: [{host: todo}, {host: ""}, {host: web.shop.svc}, {host: web.shop.svc.cluster.local}]}',
    [],
  ],
  [
    'hosts that are no texts',
    'networking.k8s.io/v1',
    'Ingress',
    '{rules: [{host: 1.5}], tls: [{hosts: a.example.com}]}',
    [],
  ],
  [
    'an HTTPRoute',
    GATEWAY_API,
    'HTTPRoute',
    '{hostnames: [a.example.com, "*.b.example.com"]}',
    ['a.example.com', '*.b.example.com'],
  ],
  [
    'a route of a service mesh',
    GATEWAY_API,
    'HTTPRoute',
    '{parentRefs: [{kind: Service, name: web}], hostnames: [a.example.com]}',
    [],
  ],
  [
    'a Gateway',
    GATEWAY_API,
    'Gateway',
    '{listeners: [{hostname: "*.example.com"}, {port: 80}]}',
    ['*.example.com'],
  ],
  ['a Route', 'route.openshift.io/v1', 'Route', '{host: shop.apps.example.com}', ['shop.apps.example.com']],
  [
    'a Route with a wildcard',
    'route.openshift.io/v1',
    'Route',
    '{host: www.acme.test, wildcardPolicy: Subdomain}',
    ['www.acme.test', '*.acme.test'],
  ],
  [
    'a VirtualService of a gateway',
    ISTIO,
    'VirtualService',
    '{hosts: [shop.example.com, "*", reviews], gateways: [edge, mesh]}',
    ['shop.example.com'],
  ],
  [
    'a VirtualService of the mesh',
    ISTIO,
    'VirtualService',
    '{hosts: [shop.example.com], gateways: [mesh]}',
    [],
  ],
  ['a VirtualService without gateways', ISTIO, 'VirtualService', '{hosts: [shop.example.com]}', []],
  [
    'an IngressRoute',
    TRAEFIK,
    'IngressRoute',
    '{routes: [{match: "Host(`a.example.com`) && PathPrefix(`/c.example.com`)"}, {match: "Host(`b.example.com`, `d.example.com`) || HostRegexp(`e.example.com`)"}]}',
    ['a.example.com', 'b.example.com', 'd.example.com'],
  ],
  [
    'an IngressRouteTCP',
    'traefik.containo.us/v1alpha1',
    'IngressRouteTCP',
    '{routes: [{match: "HostSNI(`db.example.com`)"}, {match: "HostSNI(`*`)"}]}',
    ['db.example.com'],
  ],
  [
    'an HTTPProxy',
    'projectcontour.io/v1',
    'HTTPProxy',
    '{virtualhost: {fqdn: a.example.com}}',
    ['a.example.com'],
  ],
  ['a Mapping', 'getambassador.io/v3alpha1', 'Mapping', '{hostname: a.example.com}', ['a.example.com']],
  [
    'a resource of another kind',
    'example.com/v1',
    'Site',
    '{hosts: [a.example.com], rules: [{host: b.example.com}]}',
    [],
  ],
])('%s', (_, apiVersion, kind, spec, hosts) => {
  expect(hostsIn(document(apiVersion, kind, spec))).toEqual(hosts);
});

test('a match of a megabyte takes no time', () => {
  const route = document(TRAEFIK, 'IngressRoute', `{routes: [{match: "${'Host('.repeat(200_000)}"}]}`);
  const [at] = resourcesIn([route]);
  if (at === undefined) throw new Error('no resource');
  const topology = new TopologyBuilder([at], annotationNames());
  const start = performance.now();
  readServedHosts(at, topology);
  expect(performance.now() - start).toBeLessThan(500);
  expect(topology.servedHosts.size).toBe(0);
});

test('a name is served, and one below a wildcard', () => {
  const resources = resourcesIn([
    document(GATEWAY_API, 'HTTPRoute', '{hostnames: [a.example.com, "*.b.example.com"]}'),
  ]);
  const topology = new TopologyBuilder(resources, annotationNames());
  for (const at of resources) readServedHosts(at, topology);
  const served = ['A.example.com', 'x.b.example.com', 'b.example.com', 'c.example.com', 'a'].filter((host) =>
    topology.isServed(host),
  );
  expect(served).toEqual(['A.example.com', 'x.b.example.com']);
});
