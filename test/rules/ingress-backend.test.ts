import { findingsInPackage, findingsOf } from '../support/build-findings';

const find = (documents: string[], spec?: Record<string, unknown>) =>
  findingsOf('ingress-backend', documents.join('---\n'), spec);

const WEB =
  "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, labels: {app: web}}\nspec: {containers: [{name: web, image: 'web:1'}]}\n---\n" +
  'apiVersion: v1\nkind: Service\nmetadata: {name: backend, namespace: shop}\nspec: {selector: {app: web}, ports: [{port: 80, name: http}]}\n';
const GATEWAY = 'gateway.networking.k8s.io/v1';
const object = (apiVersion: string, kind: string, spec: string, metadata = '') =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: own, namespace: shop${metadata}}\nspec: ${spec}\n`;
const ingress = (spec: string, metadata = '') => object('networking.k8s.io/v1', 'Ingress', spec, metadata);
const path = (service: string) =>
  `{rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: ${service}}}]}}]}`;

describe('a Service, or a port of it, that is not in the build', () => {
  it.each<[string, (name: string, port: string) => string, string]>([
    [
      'Ingress',
      (name, port) => ingress(path(`{name: ${name}, port: {number: ${port}}}`)),
      'Ingress/own spec.rules[0].http.paths[0].backend.service',
    ],
    [
      'defaultBackend',
      (name, port) => ingress(`{defaultBackend: {service: {name: ${name}, port: {number: ${port}}}}}`),
      'Ingress/own spec.defaultBackend.service',
    ],
    ...['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'].map(
      (kind) =>
        [
          kind,
          (name: string, port: string) =>
            object(GATEWAY, kind, `{rules: [{backendRefs: [{name: ${name}, port: ${port}}]}]}`),
          `${kind}/own spec.rules[0].backendRefs[0]`,
        ] as [string, (name: string, port: string) => string, string],
    ),
  ])('%s', async (_, route, subject) => {
    expect(await find([WEB, route('backend', '80')])).toEqual([]);
    expect(await find([WEB, route('gone', '80')])).toEqual([
      `error ${subject}: refers to Service/gone, which is not in the build; use the name of an existing Service, or add the Service; list Service/gone under spec.external if it exists outside of the package`,
    ]);
    expect(await find([WEB, route('bakcend', '80')])).toEqual([
      `error ${subject}: refers to Service/bakcend, which is not in the build; did you mean backend?`,
    ]);
    expect(await find([WEB, route('backend', '81')])).toEqual([
      `error ${subject}: refers to Service/backend, which has no port 81; use one of its ports, 80 (http), or add the port to spec.ports of Service/backend`,
    ]);
    expect(await find([WEB, route('gone', '80')], { external: ['Service/g*'] })).toEqual([]);
  });

  it('Route of OpenShift', async () => {
    const route = (name: string, port: string) =>
      object(
        'route.openshift.io/v1',
        'Route',
        `{to: {kind: Service, name: ${name}}, port: {targetPort: ${port}}}`,
      );
    expect(await find([WEB, route('backend', 'http')])).toEqual([]);
    expect(await find([WEB, route('gone', 'http')])).toHaveLength(1);
    expect(await find([WEB, route('backend', 'grpc')])).toHaveLength(1);
  });

  it.each<[string, string]>([
    ['a port by its name', ingress(path('{name: backend, port: {name: http}}'))],
    ['an action of a load balancer', ingress(path('{name: ssl-redirect, port: {name: use-annotation}}'))],
    [
      'a resource',
      ingress('{defaultBackend: {resource: {apiGroup: k8s.example.com, kind: Bucket, name: b}}}'),
    ],
    [
      'another kind',
      object(GATEWAY, 'HTTPRoute', '{rules: [{backendRefs: [{group: example.com, kind: Bucket, name: b}]}]}'),
    ],
    [
      'a Service of another namespace',
      object(GATEWAY, 'HTTPRoute', '{rules: [{backendRefs: [{name: api, namespace: other, port: 80}]}]}'),
    ],
    ['a variable', ingress(path("{name: '${SERVICE}', port: {number: 80}}"))],
    [
      'a Service of an operator',
      `${object('databases.example.com/v1', 'Database', '{}')}---\n${ingress(path('{name: own-web, port: {number: 80}}'))}`,
    ],
  ])('%s is legal', async (_, document) => {
    expect(await find([WEB, document])).toEqual([]);
  });

  it('a name that only the base has', async () => {
    const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
    const files = {
      'base/kustomization.yaml': `${KUSTOMIZATION}resources: [web.yaml]\n`,
      'base/web.yaml': WEB,
      'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base, route.yaml]\nnamePrefix: prod-\n`,
      // kustomize does not correct names in an HTTPRoute.
      'overlays/prod/route.yaml': object(
        GATEWAY,
        'HTTPRoute',
        '{rules: [{backendRefs: [{name: backend, port: 80}]}]}',
      ),
    };
    expect(await findingsInPackage('ingress-backend', files)).toEqual([
      'error overlays/prod: HTTPRoute/prod-own refers to Service/backend, which the build has as Service/prod-backend (overlays/prod/route.yaml:4); write prod-backend, or let kustomize correct the name: nameReference under configurations, or a replacement',
    ]);
  });
});

describe('cert-manager', () => {
  const ISSUER = ', annotations: {cert-manager.io/cluster-issuer: le}';
  it('an issuer without tls', async () => {
    expect(await find([WEB, ingress('{}', ISSUER)])).toEqual([
      'error Ingress/own metadata.annotations."cert-manager.io/cluster-issuer": has the annotation cert-manager.io/cluster-issuer, but no tls, so cert-manager makes no certificate; add spec.tls with the hosts and a secretName, or remove the annotation',
    ]);
  });
  it.each([
    ['with tls', ingress('{tls: [{hosts: [a.example.com], secretName: t}]}', ISSUER)],
    ['without an issuer', ingress('{}')],
  ])('%s', async (_, document) => {
    expect(await find([WEB, document])).toEqual([]);
  });
});

describe('one host and path twice', () => {
  const web = path('{name: backend, port: {number: 80}}');
  const second = (document: string) => document.replace('name: own', 'name: second');
  it.each<[string, string, string]>([
    ['in two Ingresses', ingress(web), second(ingress(web))],
    [
      'in two of a class',
      ingress(web.replace('{rules', '{ingressClassName: nginx, rules')),
      second(ingress(web, ', annotations: {kubernetes.io/ingress.class: nginx}')),
    ],
  ])('%s', async (_, one, two) => {
    expect(await find([WEB, one, two])).toEqual([
      'warning Ingress/second spec.rules[0].http.paths[0]: serves a.example.com /, as Ingress/own does; remove one of them: which one counts depends on the controller',
    ]);
  });
  it.each<[string, string]>([
    ['a canary', ingress(web, ", annotations: {nginx.ingress.kubernetes.io/canary: 'true'}")],
    ['another class', ingress(web.replace('{rules', '{ingressClassName: internal, rules'))],
    ['another path', ingress(web.replace('path: /,', 'path: /api,'))],
    ['another type of path', ingress(web.replace('Prefix', 'Exact'))],
    ['another host', ingress(web.replace('a.example', 'b.example'))],
    [
      'another entry point of Traefik',
      ingress(web, ', annotations: {traefik.ingress.kubernetes.io/router.entrypoints: web}'),
    ],
  ])('%s is not', async (_, two) => {
    expect(await find([WEB, ingress(web), second(two)])).toEqual([]);
  });
  it('load balancers of their own', async () => {
    const gce = ingress(web, ', annotations: {kubernetes.io/ingress.class: gce}');
    expect(await find([WEB, gce, second(gce)])).toEqual([]);
  });
});
