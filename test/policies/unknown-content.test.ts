import { readConfig } from '../../functions/guardrails/config/read-config';
import { expandLists } from '../../functions/guardrails/krm/resource';
import { packageOf } from '../../functions/guardrails/kustomize/package';
import { wantedPolicies } from '../../functions/guardrails/network/generate';
import { readTopology } from '../../functions/guardrails/network/topology';
import { committedPolicies, withCommitted } from '../../functions/guardrails/policies/unknown-content';
import { KUSTOMIZATION, SERVICE, WORKLOAD } from '../support/generator-packages';
import { itemsOf } from '../support/fix-package';

const { annotations, network } = readConfig(undefined);

/** A build in which the content of the files of `web` and `old` is not known, with its committed policies. */
const BUILT = [
  WORKLOAD('web', {
    container: '          envFrom:\n            - configMapRef:\n                name: files\n',
  }),
  WORKLOAD('api'),
  SERVICE('api', 8080),
  'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: files\ndata:\n  GUARDRAILS_PLACEHOLDER_61: <?>\n',
];

const policy = (name: string, types: string, rules = '', metadata = '') => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ${name}
${metadata}  labels:
    todo.example.com/generated-by: guardrails
spec:
  podSelector:
    matchLabels:
      app: ${name}
  policyTypes: [${types}]
${rules}`;
const rule = (key: string, peer: string, comment = '') =>
  `${comment}    - ${key}:\n        - ${peer}\n      ports:\n        - {protocol: TCP, port: 8080}\n`;
const pods = (app: string) => `podSelector: {matchLabels: {app: ${app}}}`;

/** What is required where some policies are committed: `name direction peers`, with the reasons. */
function required(committed: readonly string[], kustomization = ''): string[] {
  const files = {
    'kustomization.yaml': KUSTOMIZATION(`resources: [network-policies.yaml]\n${kustomization}`),
    'network-policies.yaml': committed.join('---\n'),
  };
  const pkg = packageOf(itemsOf(files));
  if (pkg === undefined) throw new Error('no package');
  const resources = itemsOf({ 'built.yaml': BUILT.join('---\n') }).flatMap(({ value }) => expandLists(value));
  const topology = withCommitted(readTopology(resources, annotations, network), committedPolicies(pkg, '.'));
  return wantedPolicies(topology, network).flatMap(({ name, rules }) =>
    Object.entries(rules).map(([direction, list]) => {
      const peers = list
        .filter(({ reasons }) => !reasons.includes('DNS'))
        .map(({ rule: { from, to, ports }, reasons }) => JSON.stringify([from ?? to, ports, reasons]));
      return [name, direction, ...peers].join(' ');
    }),
  );
}

const PORTS = '[{"protocol":"TCP","port":8080}]';
const end = (app: string, ...reasons: readonly string[]) =>
  `[[{"podSelector":{"matchLabels":{"app":"${app}"}}}],${PORTS},${JSON.stringify(reasons)}]`;
const NO_REASON = 'content that is not in the input';

test('without committed policies nothing isolates the pods, nor the Service that they may name', () => {
  expect(required([])).toEqual(['api egress']);
});

test('a committed rule is kept at both ends, with its comment', () => {
  const comment = '    # Deployment/web env API_URL -> Service/api\n';
  const web = policy('web', 'Ingress, Egress', `  egress:\n${rule('to', pods('api'), comment)}`);
  const api = policy('api', 'Ingress, Egress', `  ingress:\n${rule('from', pods('web'), comment)}`);
  const reason = 'Deployment/web env API_URL -> Service/api';
  expect(required([web, api])).toEqual([
    `api ingress ${end('web', reason)}`,
    'api egress',
    'web ingress',
    `web egress ${end('api', reason)}`,
  ]);
});

test('comments are those of their rule, in whatever order the directions are', () => {
  const web = policy(
    'web',
    'Ingress, Egress',
    `  egress:\n${rule('to', pods('api'), '    # one\n    # two\n')}  ingress:\n${rule('from', pods('web'), '    # three\n')}`,
  );
  expect(required([web])).toEqual([
    'api egress',
    `web ingress ${end('web', 'three')}`,
    `web egress ${end('api', 'one', 'two')} ${end('web', 'three')}`,
  ]);
});

test('a direction in which no committed policy isolates stays open', () => {
  expect(required([policy('web', 'Ingress')])).toEqual(['api egress', 'web ingress']);
});

test.each([
  ['pods that the build does not have', pods('gone')],
  [
    'pods of another namespace',
    `{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: data}}, ${pods('api')}}`,
  ],
  ['expressions', 'podSelector: {matchExpressions: [{key: app, operator: In, values: [api]}]}'],
  ['every pod', 'podSelector: {}'],
  ['the internet', 'ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}'],
])('a committed rule for %s is not kept', (_, peer) => {
  const web = policy('web', 'Ingress, Egress', `  egress:\n${rule('to', peer)}`);
  expect(required([web])).toEqual(['api egress', 'web ingress', 'web egress']);
});

test('addresses, such as those of the API server, are kept', () => {
  const web = policy('web', 'Egress', `  egress:\n${rule('to', 'ipBlock: {cidr: 10.0.0.1/32}')}`);
  expect(required([web])).toEqual([
    'api egress',
    `web egress [[{"ipBlock":{"cidr":"10.0.0.1/32"}}],${PORTS},["${NO_REASON}"]]`,
  ]);
});

test('what content that is known decides is not kept: egress of other pods, ingress from other pods', () => {
  const api = policy(
    'api',
    'Ingress, Egress',
    `  ingress:\n${rule('from', pods('api'))}  egress:\n${rule('to', pods('web'))}`,
  );
  expect(required([api])).toEqual(['api ingress', 'api egress']);
});

test('policies of other pods, of all pods and of another namespace say nothing', () => {
  const all = policy('web', 'Ingress, Egress').replace(/podSelector:\n.*\n.*\n/, 'podSelector: {}\n');
  const elsewhere = policy('web', 'Ingress, Egress', '', '  namespace: data\n');
  expect(required([policy('gone', 'Ingress, Egress'), all, elsewhere])).toEqual(['api egress']);
});

test('a policy in the namespace that a kustomization sets is not one of pods without a namespace', () => {
  expect(required([policy('web', 'Ingress')], 'namespace: shop\n')).toEqual(['api egress']);
});

test('policies without the label of the function say nothing', () => {
  const mine = policy('web', 'Ingress').replace('generated-by', 'written-by');
  expect(required([mine])).toEqual(['api egress']);
});
