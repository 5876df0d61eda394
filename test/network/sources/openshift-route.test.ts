import { EXTERNAL_PEERS } from '../../../functions/guardrails/network/external-peers';
import { checkBuild, readBuild, withPolicies } from '../../support/network-build';

const deployment = (name: string, annotations = '') => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, annotations: {${annotations}}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: c, image: "c:1", ports: [{name: web, containerPort: 8080}, {containerPort: 9090}]}]}
`;
const service = (name: string, ports: string) => `apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {selector: {app: ${name}}, ports: ${ports}}
`;
const route = (spec: string, apiVersion = 'route.openshift.io/v1') => `apiVersion: ${apiVersion}
kind: Route
metadata: {name: shop}
spec: {${spec}}
`;
const PORTS = '[{name: http, port: 80, targetPort: web}, {name: admin, port: 90, targetPort: 9090}]';
const BUILD = [
  deployment('shop'),
  service('shop', PORTS),
  deployment('other', 'todo.example.com/accepts-from: none'),
  service('other', '[{port: 8080}]'),
];
const TO_SHOP = 'to: {kind: Service, name: shop}';
const ROUTER =
  'openshift-ingress ingresscontroller.operator.openshift.io/deployment-ingresscontroller=default';
const to = (ports: string, name = 'shop') => `${ROUTER} -> Deployment/${name}: ${ports}`;

function read(documents: readonly string[], peers = EXTERNAL_PEERS) {
  const { connections, reports } = readBuild(documents, peers);
  return { connections: connections.filter((line) => !line.includes('-> dns')), reports };
}

describe('targetPort', () => {
  test.each([
    ['none: all ports', TO_SHOP, 'TCP 8080, TCP 9090'],
    ['the name of a port of the Service', `${TO_SHOP}, port: {targetPort: http}`, 'TCP 8080'],
    ['a number, of a named port of the pods', `${TO_SHOP}, port: {targetPort: 8080}`, 'TCP 8080'],
    ['a number of the pods', `${TO_SHOP}, port: {targetPort: 9090}`, 'TCP 9090'],
    ['a number as text', `${TO_SHOP}, port: {targetPort: "9090"}`, 'TCP 9090'],
    ['no kind, which is a Service', 'to: {name: shop}, port: {targetPort: admin}', 'TCP 9090'],
  ])('%s', (_, spec, ports) => {
    expect(read([...BUILD, route(spec)])).toEqual({ connections: [to(ports)], reports: [] });
  });

  test.each([
    ['a port of the Service that is none of the pods', '80', 'no targetPort 80'],
    ['the name of a port of the pods', 'web', 'no port web'],
    ['a number that is neither', '8443', 'no targetPort 8443'],
  ])('is missing: %s', (_, port, text) => {
    expect(read([...BUILD, route(`${TO_SHOP}, port: {targetPort: ${port}}`)])).toEqual({
      connections: [],
      reports: [`error: refers to Service/shop, which has ${text}`],
    });
  });
});

test('alternate backends', () => {
  const spec = `${TO_SHOP}, alternateBackends: [{kind: Service, name: other, weight: 10}], port: {targetPort: 8080}`;
  expect(read([...BUILD, route(spec)])).toEqual({
    connections: [to('TCP 8080'), to('TCP 8080', 'other')],
    reports: [],
  });
});

test('a missing Service is reported', () => {
  expect(read([...BUILD, route('to: {kind: Service, name: gone}')])).toEqual({
    connections: [],
    reports: ['error: refers to Service/gone, which is not in the build'],
  });
});

test.each([
  ['a Route of Knative', route(TO_SHOP, 'serving.knative.dev/v1')],
  ['another kind of target', route('to: {kind: Bucket, name: shop}')],
  ['no target', route('host: shop.example.com')],
])('no connection: %s', (_, one) => {
  expect(read([...BUILD, one])).toEqual({ connections: [], reports: [] });
});

test('the router is the one of the configuration', () => {
  const peers = { ...EXTERNAL_PEERS, router: { namespace: 'edge', podLabels: { app: 'router' } } };
  const build = [...BUILD, route(`${TO_SHOP}, port: {targetPort: http}`)];
  expect(read(build, peers).connections).toEqual(['edge app=router -> Deployment/shop: TCP 8080']);
  expect(readBuild(build, peers).policies.shop).toMatchObject({
    ingress: [
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'edge' } },
            podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['router'] }] },
          },
        ],
        ports: [{ protocol: 'TCP', port: 8080 }],
      },
    ],
  });
  expect(checkBuild(withPolicies(build, peers), peers)).toEqual([]);
});
