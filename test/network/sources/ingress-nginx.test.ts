import { annotationNames } from '../../../functions/guardrails/kubernetes/annotation-names';
import { EXTERNAL_PEERS } from '../../../functions/guardrails/network/external-peers';
import { readTopology } from '../../../functions/guardrails/network/topology';
import { readBuild, resourcesIn } from '../../support/network-build';

const deployment = (name: string, port: number, metadata = '') => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}${metadata}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: c, image: "c:1", ports: [{containerPort: ${port}}]}]}
`;
const service = (name: string, ports: string, metadata = '', spec = '') => `apiVersion: v1
kind: Service
metadata: {name: ${name}${metadata}}
spec: {${spec}selector: {app: ${name}}, ports: ${ports}}
`;
const ingress = (annotations: Record<string, string>, metadata = '', spec = '') =>
  `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web${metadata}, annotations: ${JSON.stringify(
    Object.fromEntries(
      Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]),
    ),
  )}}
spec: {${spec}defaultBackend: {service: {name: web, port: {number: 80}}}}
`;
/** A build in one namespace, or in the one that kubectl chooses. */
const build = (metadata = '') => [
  deployment('web', 8080, metadata),
  service('web', '[{port: 80, targetPort: 8080}]', metadata),
  deployment('auth', 4180, metadata),
  service('auth', '[{port: 80, targetPort: 4180}, {port: 4180}]', metadata),
  deployment('errors', 8081, metadata),
  service('errors', '[{port: 80, targetPort: 8081}, {port: 9090}]', metadata),
];
const SHOP = ', namespace: shop';
const WEB = 'ingress-controller -> Deployment/web: TCP 8080';
const AUTH = 'ingress-controller -> Deployment/auth: TCP 4180';

function read(documents: readonly string[], peers = EXTERNAL_PEERS) {
  const { connections, reports } = readBuild(documents, peers);
  return { connections: connections.filter((line) => !line.includes('-> dns')), reports };
}

describe('default-backend', () => {
  test('the first port of the Service', () => {
    expect(read([...build(), ingress({ 'default-backend': 'errors' })])).toEqual({
      connections: [WEB, 'ingress-controller -> Deployment/errors: TCP 8081'],
      reports: [],
    });
  });

  test('a Service of another namespace is another one', () => {
    const elsewhere = [
      deployment('errors', 8081, ', namespace: a'),
      service('errors', '[{port: 80}]', ', namespace: a'),
    ];
    const shop = build(SHOP).slice(0, 4);
    expect(read([...shop, ...elsewhere, ingress({ 'default-backend': 'errors' }, SHOP)])).toEqual({
      connections: [WEB],
      reports: [
        'error: annotation nginx.ingress.kubernetes.io/default-backend refers to Service/errors, which is not in the build',
      ],
    });
  });

  test('a Service without ports', () => {
    const none = build().map((one) => one.replace('[{port: 80, targetPort: 8081}, {port: 9090}]', '[]'));
    expect(read([...none, ingress({ 'default-backend': 'errors' })])).toEqual({
      connections: [WEB],
      reports: [
        'error: annotation nginx.ingress.kubernetes.io/default-backend refers to Service/errors, which has no ports',
      ],
    });
  });
});

describe('auth-url and mirror-target', () => {
  test.each([
    ['all of its name', 'http://auth.shop.svc.cluster.local:4180/oauth2/auth', [AUTH]],
    ['a cluster domain of its own', 'http://auth.shop.svc.k8s.acme:4180/', [AUTH]],
    ['the port of the scheme', 'http://auth.shop.svc.cluster.local/verify?rd=$escaped_request_uri', [AUTH]],
    ['a user in the URL', 'http://user:pw@auth.shop.svc:4180/', [AUTH]],
    ['the path in a variable', 'http://auth.shop.svc.cluster.local$request_uri', [AUTH]],
    ['the host in a variable', 'https://$host/oauth2/auth', []],
    ['a part of the host in a variable', 'http://auth.$namespace.svc.cluster.local:4180/', []],
    ['the scheme in a variable', '$scheme://auth.shop.svc:4180/', []],
    ['the port in a variable', 'http://auth.shop.svc:$port/', []],
    ['a public host', 'https://login.example.com/auth', []],
    ['a Service that is not in the build', 'http://sso.shop.svc:4180/', []],
    ['a Service of another namespace', 'http://auth.sso.svc:4180/', []],
    ['a name of one label, which nginx cannot look up', 'http://auth:4180/', []],
    ['not a URL', 'auth.shop.svc:4180', []],
    ['an empty text', '', []],
  ])('%s', (_, url, connections) => {
    for (const name of ['auth-url', 'mirror-target'])
      expect(read([...build(SHOP), ingress({ [name]: url }, SHOP)])).toEqual({
        connections: [WEB, ...connections],
        reports: [],
      });
  });

  test('the namespace of the build is not known', () => {
    const url = 'http://auth.shop.svc.cluster.local:4180/oauth2/auth';
    expect(read([...build(), ingress({ 'auth-url': url })])).toEqual({
      connections: [WEB, AUTH],
      reports: [],
    });
  });

  test('a missing port is reported; a headless Service translates none', () => {
    const url = { 'auth-url': 'http://auth.shop.svc:9999/' };
    expect(read([...build(SHOP), ingress(url, SHOP)])).toEqual({
      connections: [WEB],
      reports: [
        'error: annotation nginx.ingress.kubernetes.io/auth-url refers to Service/auth, which has no port 9999',
      ],
    });
    const headless = build(SHOP).with(3, service('auth', '[{port: 80}]', SHOP, 'clusterIP: None, '));
    expect(read([...headless, ingress(url, SHOP)])).toEqual({
      connections: [WEB, 'ingress-controller -> Deployment/auth: TCP 9999'],
      reports: [],
    });
  });

  test('other annotations name no Service', () => {
    const annotations = { 'auth-signin': 'http://auth.shop.svc:4180/', 'rewrite-target': '/errors' };
    expect(read([...build(SHOP), ingress(annotations, SHOP)])).toEqual({ connections: [WEB], reports: [] });
  });
});

describe('the controller that reads the annotations', () => {
  const annotated = (name: string) =>
    ingress({ 'default-backend': 'errors' }, '', `ingressClassName: ${name}, `);
  const peers = {
    ...EXTERNAL_PEERS,
    ingressControllers: new Map([
      ['internal', { namespace: 'internal', podLabels: { app: 'nginx' } }],
      ['alb', { cidrs: ['10.1.0.0/16'] }],
    ]),
  };

  test('one of a class of its own', () => {
    expect(read([...build(), annotated('internal')], peers).connections).toEqual([
      'internal app=nginx -> Deployment/web: TCP 8080',
      'internal app=nginx -> Deployment/errors: TCP 8081',
    ]);
  });

  test('a load balancer does not', () => {
    expect(read([...build(), annotated('alb')], peers).connections).toEqual([
      '10.1.0.0/16 -> Deployment/web: TCP 8080',
    ]);
  });

  test('one that is not known holds the isolation of their pods back', () => {
    const withoutAuth = build().toSpliced(2, 2);
    const { needs } = readTopology(resourcesIn([...withoutAuth, annotated('kong')]), annotationNames());
    expect(needs.map(({ workload, direction }) => `${workload.name} ${direction}`)).toEqual([
      'web ingress',
      'errors ingress',
    ]);
  });
});
