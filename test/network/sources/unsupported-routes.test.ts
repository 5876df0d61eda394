import { annotationNames } from '../../../functions/guardrails/kubernetes/annotation-names';
import { readTopology } from '../../../functions/guardrails/network/topology';
import { messageOf, printMessage } from '../../../functions/guardrails/findings/print';
import { resourceRef } from '../../../functions/guardrails/krm/resource';
import { checkBuild, readNeeds, resourcesIn, withPolicies } from '../../support/network-build';

const document = (apiVersion: string, kind: string) => `apiVersion: ${apiVersion}
kind: ${kind}
metadata: {name: shop}
spec: {hosts: [shop.example.com], http: [{route: [{destination: {host: shop}}]}]}
`;

/** `severity message` of each report. */
function read(documents: readonly string[], domain?: string): string[] {
  return readTopology(resourcesIn(documents), annotationNames(domain)).reports.map(({ at, report }) => {
    const { problem, remedy, severity = 'error' } = report;
    const finding = { severity, problem, remedy, resource: resourceRef(at.resource), overlays: [] };
    return `${severity} ${printMessage(messageOf(finding), (text) => text)}`;
  });
}

test.each([
  ['networking.istio.io/v1', 'VirtualService'],
  ['networking.istio.io/v1beta1', 'VirtualService'],
  ['traefik.io/v1alpha1', 'IngressRoute'],
  ['traefik.containo.us/v1alpha1', 'IngressRouteTCP'],
  ['traefik.io/v1alpha1', 'IngressRouteUDP'],
  ['projectcontour.io/v1', 'HTTPProxy'],
  ['getambassador.io/v3alpha1', 'Mapping'],
  ['getambassador.io/v2', 'TCPMapping'],
])('%s %s is reported once', (apiVersion, kind) => {
  expect(read([document(apiVersion, kind)])).toEqual([
    `info ${kind}/shop is not understood: the Services that it leads to are not known; state the clients of those workloads in the annotation todo.example.com/accepts-from`,
  ]);
});

test.each([
  ['example.com/v1', 'VirtualService'],
  ['networking.istio.io/v1', 'DestinationRule'],
  ['networking.istio.io/v1', 'IngressRoute'],
  ['traefik.io/v1alpha1', 'Middleware'],
  ['v1', 'Mapping'],
])('%s %s is not', (apiVersion, kind) => {
  expect(read([document(apiVersion, kind)])).toEqual([]);
});

test('the annotation has the domain of the configuration', () => {
  expect(read([document('projectcontour.io/v1', 'HTTPProxy')], 'acme.test')).toEqual([
    expect.stringContaining('in the annotation acme.test/accepts-from'),
  ]);
});

describe('the Services of the build to which a route leads', () => {
  const deployment = (name: string, annotations = '', env = '') => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop, annotations: {${annotations}}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: c, image: "c:1", env: [${env}]}]}
`;
  const service = (name: string) => `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 80, targetPort: 8080}, {name: stats, port: 81, targetPort: 9090}]}
`;
  const route = (
    apiVersion: string,
    kind: string,
    spec: string,
    namespace = 'shop',
  ) => `apiVersion: ${apiVersion}
kind: ${kind}
metadata: {name: out, namespace: ${namespace}}
spec: ${spec}
`;
  /** A client in the build leads to it too, which does not answer who else connects. */
  const client = deployment(
    'front',
    'todo.example.com/accepts-from: none',
    '{name: WEB_URL, value: "http://web"}, {name: API_URL, value: "http://api"}',
  );
  const build = (annotations = '') => [
    deployment('web', annotations),
    service('web'),
    deployment('api'),
    service('api'),
    client,
  ];
  const need = (kind: string, name = 'web', port = 8080) =>
    `Deployment/${name} ingress: ${kind}/out leads to it through Service/${name}; name its clients in todo.example.com/accepts-from, such as NAMESPACE/app=client:${port} or 10.0.0.0/8:${port}, or none`;
  const ISTIO = 'networking.istio.io/v1';
  const GATEWAYS = 'hosts: [shop.example.com], gateways: [istio-ingress/public]';
  const NOT_KNOWN = /the Services that it leads to are not known/;

  test.each<[string, string, string, string, readonly string[]]>([
    [
      'a destination',
      ISTIO,
      'VirtualService',
      `{${GATEWAYS}, http: [{route: [{destination: {host: web, port: {number: 80}}}]}]}`,
      [need('VirtualService')],
    ],
    [
      'without a port',
      ISTIO,
      'VirtualService',
      `{${GATEWAYS}, tcp: [{route: [{destination: {host: web.shop}}]}]}`,
      [need('VirtualService')],
    ],
    [
      'another port',
      ISTIO,
      'VirtualService',
      `{${GATEWAYS}, tls: [{route: [{destination: {host: web.shop.svc.cluster.local, port: {number: 81}}}]}]}`,
      [need('VirtualService', 'web', 9090)],
    ],
    [
      'a port that the Service does not have',
      ISTIO,
      'VirtualService',
      `{${GATEWAYS}, http: [{route: [{destination: {host: web, port: {number: 8080}}}]}]}`,
      [need('VirtualService')],
    ],
    [
      'two destinations and a mirror, once each',
      ISTIO,
      'VirtualService',
      `{${GATEWAYS}, http: [{route: [{destination: {host: web, subset: v1}}, {destination: {host: web, subset: v2}}], mirror: {host: api}}]}`,
      [need('VirtualService'), need('VirtualService', 'api')],
    ],
    [
      'mirrors',
      ISTIO,
      'VirtualService',
      `{${GATEWAYS}, http: [{route: [{destination: {host: web}}], mirrors: [{destination: {host: api}}]}]}`,
      [need('VirtualService'), need('VirtualService', 'api')],
    ],
    [
      'the mesh: another Service than the one that clients name',
      ISTIO,
      'VirtualService',
      '{hosts: [web], http: [{route: [{destination: {host: web.shop}}, {destination: {host: api}}]}]}',
      [need('VirtualService', 'api')],
    ],
    [
      'the mesh and a gateway',
      ISTIO,
      'VirtualService',
      '{hosts: [web], gateways: [mesh, istio-ingress/public], http: [{route: [{destination: {host: web}}]}]}',
      [need('VirtualService')],
    ],
    [
      'services',
      'traefik.io/v1alpha1',
      'IngressRoute',
      '{routes: [{match: "Host(`a.example.com`)", services: [{name: web, port: http}, {name: api, namespace: shop, port: 80}]}]}',
      [need('IngressRoute'), need('IngressRoute', 'api')],
    ],
    [
      'services',
      'traefik.containo.us/v1alpha1',
      'IngressRouteTCP',
      '{routes: [{services: [{name: web, port: 81}]}]}',
      [need('IngressRouteTCP', 'web', 9090)],
    ],
    [
      'services',
      'projectcontour.io/v1',
      'HTTPProxy',
      '{routes: [{services: [{name: web, port: 80}]}], tcpproxy: {services: [{name: api, port: 80}]}}',
      [need('HTTPProxy'), need('HTTPProxy', 'api')],
    ],
    ['a host', 'getambassador.io/v3alpha1', 'Mapping', '{prefix: /, service: web}', [need('Mapping')]],
    [
      'a URL',
      'getambassador.io/v3alpha1',
      'Mapping',
      '{prefix: /, service: "https://web.shop:81/"}',
      [need('Mapping', 'web', 9090)],
    ],
    [
      'a host and a port',
      'getambassador.io/v2',
      'TCPMapping',
      '{port: 2222, service: "api.shop:80"}',
      [need('TCPMapping', 'api')],
    ],
  ])('%s: %s %s %s', (_, apiVersion, kind, spec, needs) => {
    const one = route(apiVersion, kind, spec);
    for (const all of [
      [...build(), one],
      [one, ...build()],
    ]) {
      expect(readNeeds(all).toSorted()).toEqual([...needs].sort());
      expect(read(all)).toEqual([]);
    }
  });

  test.each([
    [
      'of the mesh, to the Service that clients name',
      ISTIO,
      'VirtualService',
      '{hosts: [web.shop], gateways: [mesh], http: [{route: [{destination: {host: web}}]}]}',
      0,
    ],
    [
      'to another namespace',
      ISTIO,
      'VirtualService',
      `{${GATEWAYS}, http: [{route: [{destination: {host: web.other}}]}]}`,
      1,
    ],
    ['without destinations', ISTIO, 'VirtualService', `{${GATEWAYS}, http: [{redirect: {uri: /}}]}`, 1],
    [
      'to a kind of its own',
      'traefik.io/v1alpha1',
      'IngressRoute',
      '{routes: [{services: [{kind: TraefikService, name: web}]}]}',
      1,
    ],
    ['to other routes', 'projectcontour.io/v1', 'HTTPProxy', '{includes: [{name: web}]}', 1],
    ['without a service', 'getambassador.io/v2', 'Mapping', '{prefix: /}', 1],
  ])('none: a route %s', (_, apiVersion, kind, spec, reports) => {
    const all = [...build(), route(apiVersion, kind, spec)];
    expect(readNeeds(all)).toEqual([]);
    expect(read(all)).toHaveLength(reports);
    for (const one of read(all)) expect(one).toMatch(NOT_KNOWN);
  });

  const toWeb = route(
    ISTIO,
    'VirtualService',
    `{${GATEWAYS}, http: [{route: [{destination: {host: web, port: {number: 80}}}]}]}`,
  );

  test.each([
    ['the clients', '"istio-ingress/istio=ingressgateway:8080"', []],
    ['none', 'none', []],
    ['clients of another port', '"istio-ingress/istio=ingressgateway:9090"', [need('VirtualService')]],
  ])('accepts-from: %s', (_, text, needs) => {
    const all = [...build(`todo.example.com/accepts-from: ${text}`), toWeb];
    expect(readNeeds(all)).toEqual(needs);
  });

  test('one finding, and no second one that the Service has no client', () => {
    const all = [deployment('web'), service('web'), toWeb];
    expect(checkBuild(withPolicies(all))).toEqual([
      `error ${need('VirtualService').replace(' ingress: ', ' is not isolated for ingress: ')}`,
    ]);
  });

  test('a Service of the build beside one that is not', () => {
    const spec = `{${GATEWAYS}, http: [{route: [{destination: {host: web}}, {destination: {host: gone}}]}]}`;
    const all = [...build(), route(ISTIO, 'VirtualService', spec)];
    expect(readNeeds(all)).toEqual([need('VirtualService')]);
    expect(read(all)).toEqual([expect.stringMatching(NOT_KNOWN)]);
  });
});
