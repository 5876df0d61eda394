import { readBuild } from '../../support/network-build';

const API = `apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: back}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: "api:1", ports: [{containerPort: 9000}]}]}
`;
const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: api, namespace: back}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: 9000}]}
`;
const route = (spec: string, namespace = ', namespace: front', kind = 'HTTPRoute') =>
  `apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: {name: r${namespace}}
spec: {${spec}}
`;
const PARENT = 'parentRefs: [{name: gw, namespace: infra}]';
const BACKEND = '{name: api, namespace: back, port: 80}';
const TO_API = `${PARENT}, rules: [{backendRefs: [${BACKEND}]}]`;
const FROM = '{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: front}';
const grant = (
  from: string,
  to: string,
  namespace = 'back',
  apiVersion = 'gateway.networking.k8s.io/v1beta1',
) =>
  `apiVersion: ${apiVersion}
kind: ReferenceGrant
metadata: {name: g, namespace: ${namespace}}
spec: {from: [${from}], to: [${to}]}
`;
const CONNECTION = 'gateway -> Deployment/api: TCP 9000';
const WARNING = 'warning: refers to Service/api in namespace back without a ReferenceGrant there';

function read(...documents: string[]) {
  const { connections, reports } = readBuild([API, SERVICE, ...documents]);
  return { connections: connections.filter((line) => !line.includes('-> dns')), reports };
}

describe('a Service of another namespace', () => {
  test.each<[string, string]>([
    ['all Services', grant(FROM, '{group: "", kind: Service}')],
    ['no group, which is the core group', grant(FROM, '{kind: Service}')],
    ['the Service by name', grant(FROM, '{group: "", kind: Service, name: api}')],
    [
      'several entries',
      grant(
        `{group: a, kind: HTTPRoute, namespace: front}, ${FROM}`,
        '{kind: Secret, group: ""}, {kind: Service}',
      ),
    ],
    ['the version v1', grant(FROM, '{kind: Service}', 'back', 'gateway.networking.k8s.io/v1')],
  ])('with a ReferenceGrant: %s', (_, one) => {
    expect(read(route(TO_API), one)).toEqual({ connections: [CONNECTION], reports: [] });
    expect(read(one, route(TO_API))).toEqual({ connections: [CONNECTION], reports: [] });
  });

  test.each<[string, string[]]>([
    ['no ReferenceGrant', []],
    ['one in the namespace of the route', [grant(FROM, '{kind: Service}', 'front')]],
    ['one for another namespace', [grant(FROM.replace('front', 'shop'), '{kind: Service}')]],
    ['one for routes of another kind', [grant(FROM.replace('HTTPRoute', 'GRPCRoute'), '{kind: Service}')]],
    ['one for routes of another group', [grant(FROM.replace('gateway.', 'gw.'), '{kind: Service}')]],
    ['one for another Service', [grant(FROM, '{kind: Service, name: web}')]],
    ['one for Secrets', [grant(FROM, '{group: "", kind: Secret}')]],
    ['two of which each has a part', [grant(FROM, ''), grant('', '{kind: Service}')]],
    ['one of another API group', [grant(FROM, '{kind: Service}', 'back', 'example.com/v1')]],
  ])('without one: %s', (_, grants) => {
    expect(read(route(TO_API), ...grants)).toEqual({ connections: [], reports: [WARNING] });
  });

  test('the kind of the route counts', () => {
    const grpc = grant(FROM.replace('HTTPRoute', 'GRPCRoute'), '{kind: Service}');
    expect(read(route(TO_API, ', namespace: front', 'GRPCRoute'), grpc)).toEqual({
      connections: [CONNECTION],
      reports: [],
    });
  });

  test('copies of requests need one too', () => {
    const mirror = `${PARENT}, rules: [{filters: [{requestMirror: {backendRef: ${BACKEND}}}]}]`;
    expect(read(route(mirror))).toEqual({ connections: [], reports: [WARNING] });
  });

  test('not in the build', () => {
    const gone = TO_API.replace('name: api', 'name: gone');
    expect(read(route(gone))).toEqual({
      connections: [],
      reports: ['info: refers to Service/gone in namespace back, which is not part of this build'],
    });
  });
});

test.each([
  ['the same namespace', ', namespace: back'],
  ['a route whose namespace kubectl chooses', ''],
])('no ReferenceGrant is needed: %s', (_, namespace) => {
  expect(read(route(TO_API, namespace))).toEqual({ connections: [CONNECTION], reports: [] });
});

describe('the parents of a route', () => {
  const withParents = (parents: string) =>
    route(`parentRefs: ${parents}, rules: [{backendRefs: [{name: api, port: 80}]}]`, ', namespace: back');

  test.each([
    ['a Gateway', '[{name: gw}]', [CONNECTION]],
    [
      'a Gateway with its kind',
      '[{group: gateway.networking.k8s.io, kind: Gateway, name: gw}]',
      [CONNECTION],
    ],
    ['none', '[]', [CONNECTION]],
    ['a Service', '[{group: "", kind: Service, name: api}]', []],
    ['two Services', '[{kind: Service, name: api}, {kind: Service, name: web}]', []],
    ['a Service and a Gateway', '[{kind: Service, name: api}, {name: gw}]', [CONNECTION]],
  ])('%s', (_, parents, connections) => {
    expect(read(withParents(parents))).toEqual({ connections, reports: [] });
  });
});
