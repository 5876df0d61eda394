import { checkBuild, readBuild, withPolicies } from '../../support/network-build';

const statefulSet = (spec: string, pod = '') => `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: couch, annotations: {todo.example.com/accepts-from: none}}
spec:
  ${spec}
  selector: {matchLabels: {app: couch}}
  template:
    metadata: {labels: {app: couch}}
    spec:
      ${pod}
      containers:
      - {name: couch, image: "couch:1", ports: [{containerPort: 4369}, {name: dist, containerPort: 9100}]}
`;
const service = (name: string, spec: string) => `apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: ${spec}
`;
const HEADLESS = service(
  'couch',
  '{clusterIP: None, selector: {app: couch}, ports: [{name: epmd, port: 4369}, {name: dist, port: 80, targetPort: dist}]}',
);
const DNS = 'StatefulSet/couch -> dns: UDP 53, TCP 53';

test('the pods of a StatefulSet connect to each other on the ports of its headless Service', () => {
  const build = [statefulSet('serviceName: couch'), HEADLESS];
  expect(readBuild(build)).toMatchObject({
    connections: ['StatefulSet/couch -> StatefulSet/couch: TCP 4369, TCP 9100', DNS],
    reports: [],
  });
  expect(readBuild(build).policies.couch).toMatchObject({
    ingress: [
      {
        from: [{ podSelector: { matchLabels: { app: 'couch' } } }],
        ports: [
          { protocol: 'TCP', port: 4369 },
          { protocol: 'TCP', port: 9100 },
        ],
      },
    ],
  });
  expect(checkBuild(withPolicies(build))).toEqual([]);
});

test('they do not say who else connects to them', () => {
  const unanswered = statefulSet('serviceName: couch').replace('todo.example.com/accepts-from: none', '');
  const build = [unanswered, HEADLESS];
  expect(readBuild(build).policies.couch?.policyTypes).toEqual(['Egress']);
  expect(checkBuild(withPolicies(build))).toEqual([
    'error StatefulSet/couch is not isolated for ingress: Service/couch has no client in this build; name its clients in todo.example.com/accepts-from, such as NAMESPACE/app=client:4369 or 10.0.0.0/8:4369, or none',
  ]);
});

test('a Service that comes before its StatefulSet, for UDP', () => {
  const udp = service(
    'gossip',
    '{clusterIP: None, selector: {app: couch}, ports: [{port: 7946, protocol: UDP}]}',
  );
  expect(readBuild([udp, statefulSet('serviceName: gossip')]).connections).toEqual([
    'StatefulSet/couch -> StatefulSet/couch: UDP 7946',
    DNS,
  ]);
});

describe('no connection', () => {
  test.each([
    ['a missing Service', []],
    ['a Service without ports', [service('couch', '{clusterIP: None, selector: {app: couch}}')]],
    ['a Service with an address', [service('couch', '{selector: {app: couch}, ports: [{port: 4369}]}')]],
    [
      'a Service of other pods',
      [service('couch', '{clusterIP: None, selector: {app: other}, ports: [{port: 4369}]}')],
    ],
    ['a Service without a selector', [service('couch', '{clusterIP: None, ports: [{port: 4369}]}')]],
    [
      'a Service in another namespace',
      [HEADLESS.replace('{name: couch}', '{name: couch, namespace: elsewhere}')],
    ],
    [
      'a port that the pods do not name',
      [service('couch', '{clusterIP: None, selector: {app: couch}, ports: [{port: 1, targetPort: gone}]}')],
    ],
    [
      'a Deployment, which has no serviceName',
      [HEADLESS, statefulSet('serviceName: couch').replace('kind: StatefulSet', 'kind: Deployment')],
    ],
  ])('%s', (_, [first, second]) => {
    const build =
      second === undefined ? [statefulSet('serviceName: couch'), first ?? ''] : [first ?? '', second];
    const { connections, reports } = readBuild(build);
    // Every pod resolves names.
    expect({ connections, reports }).toEqual({
      connections: [expect.stringMatching(/^\w+\/couch -> dns: UDP 53, TCP 53$/)],
      reports: [],
    });
  });

  test('with hostNetwork', () => {
    const build = [statefulSet('serviceName: couch', 'hostNetwork: true'), HEADLESS];
    expect(readBuild(build)).toMatchObject({ connections: [], reports: [], policies: {} });
  });
});

describe('a StatefulSet without a serviceName', () => {
  const warning = (name: string) =>
    `warning: has no serviceName, so connections between its pods through the headless Service/${name} are not allowed`;

  test.each([
    ['a headless Service selects it', [HEADLESS], [warning('couch')]],
    [
      'two headless Services select it',
      [HEADLESS, HEADLESS.replace('name: couch', 'name: peers')],
      [warning('couch'), warning('peers')],
    ],
    ['a Service with an address selects it', [HEADLESS.replace('clusterIP: None, ', '')], []],
    ['a headless Service selects others', [HEADLESS.replace('app: couch', 'app: web')], []],
    ['no Service selects it', [], []],
  ])('%s', (_, services, reports) => {
    expect(readBuild([statefulSet(''), ...services])).toMatchObject({ connections: [DNS], reports });
  });

  test('no warning where env names the other pods', () => {
    const named = statefulSet('').replace(
      'image: "couch:1",',
      'image: "couch:1", env: [{name: PEERS, value: "couch-0.couch:4369"}],',
    );
    expect(readBuild([named, HEADLESS])).toMatchObject({
      connections: ['StatefulSet/couch -> StatefulSet/couch: TCP 4369', DNS],
      reports: [],
    });
  });

  test('no warning where it names another Service', () => {
    expect(readBuild([statefulSet('serviceName: other'), HEADLESS]).reports).toEqual([]);
  });
});
