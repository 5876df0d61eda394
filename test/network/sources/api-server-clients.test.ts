import { EXTERNAL_PEERS, type ExternalPeers } from '../../../functions/guardrails/network/external-peers';
import { readBuild, readNeeds } from '../../support/network-build';

const deployment = (pod: string, annotations = '{}', namespace = '') => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: "${namespace}", annotations: ${annotations}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      ${pod}
      containers: [{name: web, image: "web:1"}]
`;
/** Uses nothing of the API server. */
const NEIGHBOUR = deployment('automountServiceAccountToken: false').replaceAll('web', 'neighbour');
const account = (name: string, rest = '') => `apiVersion: v1
kind: ServiceAccount
metadata: {name: ${name}}
${rest}
`;
const binding = (
  subject: string,
  kind = 'RoleBinding',
  namespace = '',
) => `apiVersion: rbac.authorization.k8s.io/v1
kind: ${kind}
metadata: {name: web, namespace: "${namespace}"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [${subject}]
`;
const NO_TOKEN = 'automountServiceAccountToken: false';
const BOUND = [
  deployment('serviceAccountName: web'),
  account('web'),
  binding('{kind: ServiceAccount, name: web}'),
];

const need = (evidence: string) =>
  `Deployment/web egress: ${evidence}; set spec.network.apiServer in the configuration, or automountServiceAccountToken: false where the pods do not call the API server`;
const BY_BINDING = need('ServiceAccount/web is bound by RoleBinding/web');
const BY_TOKEN = need('it mounts the token of ServiceAccount/web');
const DEFAULT_BOUND = need('ServiceAccount/default is bound by RoleBinding/web');
const BY_VOLUME =
  'Deployment/web egress: volume api holds a token for the API server; set spec.network.apiServer in the configuration';

describe('needs', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['a ServiceAccount that a RoleBinding binds (20a, d2)', BOUND, [BY_BINDING]],
    ['the token of a ServiceAccount without a binding', [deployment('serviceAccountName: web')], [BY_TOKEN]],
    ['the deprecated name of the field', [deployment('serviceAccount: web')], [BY_TOKEN]],
    ['the default ServiceAccount without a binding', [deployment('')], []],
    ['the default ServiceAccount by name', [deployment('serviceAccountName: default')], []],
    [
      'the default ServiceAccount, bound (d13)',
      [deployment(''), binding('{kind: ServiceAccount, name: default}')],
      [DEFAULT_BOUND],
    ],
    [
      'the pod mounts no token',
      [deployment(`serviceAccountName: web\n      ${NO_TOKEN}`), ...BOUND.slice(1)],
      [],
    ],
    [
      'the ServiceAccount mounts no token',
      [
        deployment('serviceAccountName: web'),
        account('web', NO_TOKEN),
        binding('{kind: ServiceAccount, name: web}'),
      ],
      [],
    ],
    [
      'the pod overrides the ServiceAccount',
      [
        deployment('serviceAccountName: web\n      automountServiceAccountToken: true'),
        account('web', NO_TOKEN),
      ],
      [BY_TOKEN],
    ],
    [
      'another ServiceAccount mounts no token',
      [deployment('serviceAccountName: web'), account('other', NO_TOKEN)],
      [BY_TOKEN],
    ],
  ])('%s', (_, build, needs) => {
    expect(readNeeds([...build, NEIGHBOUR])).toEqual(needs);
    // A binding may come before what it binds.
    expect(readNeeds([NEIGHBOUR, ...build.toReversed()])).toEqual(needs);
  });

  test.each<[string, string, readonly string[]]>([
    ['an account', binding('{kind: ServiceAccount, name: default, namespace: shop}'), [DEFAULT_BOUND]],
    [
      'the second subject',
      binding('{kind: User, name: eve}, {kind: ServiceAccount, name: default, namespace: shop}'),
      [DEFAULT_BOUND],
    ],
    [
      'the namespace of the binding',
      binding('{kind: ServiceAccount, name: default}', 'RoleBinding', 'shop'),
      [DEFAULT_BOUND],
    ],
    [
      'an account of another namespace',
      binding('{kind: ServiceAccount, name: default, namespace: other}'),
      [],
    ],
    [
      'another namespace of the binding',
      binding('{kind: ServiceAccount, name: default}', 'RoleBinding', 'other'),
      [],
    ],
    ['another account', binding('{kind: ServiceAccount, name: other, namespace: shop}'), []],
    [
      'a ClusterRoleBinding',
      binding('{kind: ServiceAccount, name: default, namespace: shop}', 'ClusterRoleBinding'),
      [need('ServiceAccount/default is bound by ClusterRoleBinding/web')],
    ],
    ['all accounts', binding('{kind: Group, name: "system:serviceaccounts"}'), [DEFAULT_BOUND]],
    [
      'the accounts of the namespace',
      binding('{kind: Group, name: "system:serviceaccounts:shop"}'),
      [DEFAULT_BOUND],
    ],
    ['the accounts of another namespace', binding('{kind: Group, name: "system:serviceaccounts:other"}'), []],
    ['another group', binding('{kind: Group, name: "system:masters"}'), []],
    [
      'the account as a user',
      binding('{kind: User, name: "system:serviceaccount:shop:default"}'),
      [DEFAULT_BOUND],
    ],
    ['another account as a user', binding('{kind: User, name: "system:serviceaccount:shop:other"}'), []],
    [
      'a binding of another API',
      binding('{kind: ServiceAccount, name: default}').replace(
        'rbac.authorization.k8s.io/v1',
        'example.com/v1',
      ),
      [],
    ],
  ])('subjects: %s', (_, bound, needs) => {
    expect(readNeeds([deployment('', '{}', 'shop'), bound])).toEqual(needs);
    expect(readNeeds([deployment(NO_TOKEN, '{}', 'shop'), bound])).toEqual([]);
  });

  test('a build whose namespace kubectl apply chooses', () => {
    const elsewhere = binding('{kind: ServiceAccount, name: default, namespace: shop}');
    expect(readNeeds([deployment(''), elsewhere])).toEqual([DEFAULT_BOUND]);
  });

  const projected = (source: string) =>
    deployment(
      `${NO_TOKEN}\n      volumes: [{name: api, projected: {sources: [{configMap: {name: a}}, ${source}]}}]`,
    );

  test.each<[string, string, readonly string[]]>([
    ['a token', projected('{serviceAccountToken: {path: token}}'), [BY_VOLUME]],
    ['a token for another audience', projected('{serviceAccountToken: {path: token, audience: vault}}'), []],
    ['the namespace', projected('{downwardAPI: {items: []}}'), []],
  ])('a projected volume: %s', (_, web, needs) => {
    expect(readNeeds([web])).toEqual(needs);
  });

  test('a CronJob, and a Pod', () => {
    const job = `apiVersion: batch/v1
kind: CronJob
metadata: {name: job}
spec:
  jobTemplate:
    spec:
      template:
        metadata: {labels: {app: job}}
        spec: {serviceAccountName: web, containers: [{name: job, image: "job:1"}]}
`;
    const pod = `apiVersion: v1
kind: Pod
metadata: {name: one, labels: {app: one}}
spec: {serviceAccountName: web, containers: [{name: one, image: "one:1"}]}
`;
    expect(readNeeds([job, pod])).toEqual([
      BY_TOKEN.replace('Deployment/web', 'CronJob/job'),
      BY_TOKEN.replace('Deployment/web', 'Pod/one'),
    ]);
  });

  test('pods in the network of the node have none', () => {
    expect(readNeeds([deployment('serviceAccountName: web\n      hostNetwork: true')])).toEqual([]);
  });
});

describe('answers', () => {
  test.each<[string, string, readonly string[]]>([
    ['none', 'none', []],
    ['its address', '10.0.0.1:443', []],
    ['its addresses', '172.16.0.0/28:6443, api.example.com:443', []],
    ['addresses on another port', '10.0.0.0/8:5432', [BY_TOKEN]],
    // A policy cannot select it by the name of its Service (20b).
    ['its Service', 'kubernetes.default:443', [BY_TOKEN]],
  ])('connects-to: %s', (_, text, needs) => {
    const annotations = `{todo.example.com/connects-to: "${text}"}`;
    expect(readNeeds([deployment('serviceAccountName: web', annotations)])).toEqual(needs);
  });

  test('none in another annotation', () => {
    const annotations = '{todo.example.com/accepts-from: none, todo.example.com/internet-egress: none}';
    expect(readNeeds([deployment('serviceAccountName: web', annotations)])).toEqual([BY_TOKEN]);
  });
});

describe('spec.network.apiServer', () => {
  const peers: ExternalPeers = {
    ...EXTERNAL_PEERS,
    apiServer: { addresses: ['10.0.0.1/32', 'fd00::1/128'], ports: [443, 6443] },
  };

  test('a connection in place of the need', () => {
    const build = [...BOUND, NEIGHBOUR];
    expect(readNeeds(build, peers)).toEqual([]);
    expect(readBuild(build, peers).connections).toEqual([
      'Deployment/web -> 10.0.0.1/32, fd00::1/128: TCP 443, TCP 6443',
      'Deployment/web -> dns: UDP 53, TCP 53',
      'Deployment/neighbour -> dns: UDP 53, TCP 53',
    ]);
    expect(readBuild(build, peers).policies.web).toMatchObject({
      egress: [
        {},
        {
          to: [{ ipBlock: { cidr: '10.0.0.1/32' } }, { ipBlock: { cidr: 'fd00::1/128' } }],
          ports: [
            { protocol: 'TCP', port: 443 },
            { protocol: 'TCP', port: 6443 },
          ],
        },
      ],
    });
  });

  test('no connection where connects-to says none', () => {
    const none = deployment('serviceAccountName: web', '{todo.example.com/connects-to: none}');
    expect(readBuild([none], peers).connections).toEqual(['Deployment/web -> dns: UDP 53, TCP 53']);
  });
});

test('an address of the API server and a token for it are one need, and one piece of evidence', () => {
  const env = 'env: [{name: KUBE_URL, value: "https://kubernetes.default.svc"}]';
  const [web = '', ...rest] = BOUND;
  const build = [web.replace('image: "web:1"', `image: "web:1", ${env}`), ...rest];
  expect(readNeeds(build)).toEqual([
    'Deployment/web egress: env KUBE_URL names kubernetes.default.svc; set spec.network.apiServer in the configuration',
  ]);
});

test('1,000 workloads, each with an account and a binding of its own', () => {
  const build = Array.from({ length: 1000 }, (_, i) =>
    BOUND.map((one) => one.replaceAll('web', `web-${i}`)),
  ).flat();
  const start = performance.now();
  const needs = readNeeds(build);
  expect(needs).toHaveLength(1000);
  expect(needs[999]).toBe(BY_BINDING.replaceAll('web', 'web-999'));
  expect(performance.now() - start).toBeLessThan(20_000);
});
