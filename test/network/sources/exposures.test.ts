import { checkBuild, readBuild, withPolicies } from '../../support/network-build';

const WEB = (annotations = '', ports = '[{name: http, containerPort: 8080}]') => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {${annotations}}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", ports: ${ports}}]}
`;
const service = (type: string) => `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: ${type}, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
`;
/** A hand-written policy that isolates the pods for ingress. */
const policy = (ingress: string) => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: mine}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [${ingress}]}
`;
const HOST_PORT = '[{name: http, containerPort: 8080, hostPort: 80}]';
const ANSWER =
  'name its clients in todo.example.com/accepts-from, such as NAMESPACE/app=client:8080 or 10.0.0.0/8:8080, or none';

describe.each<[string, (annotations?: string) => string[], string]>([
  [
    'a LoadBalancer',
    (annotations) => [WEB(annotations), service('LoadBalancer')],
    'Service/web is of type LoadBalancer',
  ],
  ['a NodePort', (annotations) => [WEB(annotations), service('NodePort')], 'Service/web is of type NodePort'],
  ['a hostPort', (annotations) => [WEB(annotations, HOST_PORT)], 'has a hostPort'],
])('%s', (_, build, evidence) => {
  test('holds ingress back', () => {
    expect(readBuild(build()).policies.web?.policyTypes).toEqual(['Egress']);
    expect(checkBuild(withPolicies(build()))).toEqual([
      `error Deployment/web is not isolated for ingress: ${evidence}; ${ANSWER}`,
    ]);
  });

  test('is answered by its clients', () => {
    const answered = build('todo.example.com/accepts-from: "203.0.113.0/24:8080"');
    expect(readBuild(answered).policies.web).toMatchObject({
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        { from: [{ ipBlock: { cidr: '203.0.113.0/24' } }], ports: [{ protocol: 'TCP', port: 8080 }] },
      ],
    });
    expect(checkBuild(withPolicies(answered))).toEqual([]);
  });

  test('is answered by none', () => {
    const answered = build('todo.example.com/accepts-from: none');
    const { policyTypes, ingress } = readBuild(answered).policies.web ?? {};
    expect({ policyTypes, ingress }).toEqual({ policyTypes: ['Ingress', 'Egress'], ingress: undefined });
    expect(checkBuild(withPolicies(answered))).toEqual([]);
  });

  test('is answered by a hand-written policy with a rule for addresses', () => {
    const mine = policy('{from: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 8080}]}');
    const found = checkBuild(withPolicies([...build(), mine]));
    expect(found.filter((line) => !line.startsWith('info '))).toEqual([]);
  });

  test('one that has no rule for outside gives a warning, once', () => {
    for (const rule of ['', '{from: [{podSelector: {matchLabels: {app: api}}}]}']) {
      const found = checkBuild(withPolicies([...build(), policy(rule)]));
      expect(found.filter((line) => !line.startsWith('info '))).toEqual([
        `warning Deployment/web is isolated for ingress by NetworkPolicy/mine, which may cut off what is not known: ${evidence}; ${ANSWER}`,
      ]);
    }
  });
});

test('a hand-written policy that lets other namespaces in, but no address, gives a warning at the Service', () => {
  const mine = policy('{from: [{namespaceSelector: {matchLabels: {team: edge}}}], ports: [{port: 8080}]}');
  const found = checkBuild(withPolicies([WEB(), service('LoadBalancer'), mine]));
  expect(found.filter((line) => !line.startsWith('info '))).toEqual([
    'warning Service/web is of type LoadBalancer, but no NetworkPolicy allows external traffic to Deployment/web; add a NetworkPolicy that allows the intended clients',
  ]);
});

test.each([
  ['a hostPort of 0, which is none', [WEB('', '[{containerPort: 8080, hostPort: 0}]')]],
  [
    'a NodePort to which an Ingress leads',
    [
      WEB(),
      service('NodePort'),
      `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec: {defaultBackend: {service: {name: web, port: {number: 80}}}}\n`,
    ],
  ],
])('%s: nothing is held back', (_, build) => {
  expect(readBuild(build).policies.web?.policyTypes).toEqual(['Ingress', 'Egress']);
  expect(checkBuild(withPolicies(build))).toEqual([]);
});
