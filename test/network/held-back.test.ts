// A workload is isolated in a direction only where all of its traffic is known: what is generated, and what is reported.
import { EXTERNAL_PEERS } from '../../functions/guardrails/network/external-peers';
import { checkBuild, findings, typesIn } from '../support/network-build';

interface Workload {
  readonly kind?: 'Deployment' | 'CronJob';
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly annotations?: string;
}

function workload({ kind = 'Deployment', name = 'web', env = {}, annotations = '' }: Workload): string {
  const variables = Object.entries(env).map(([key, value]) => `{name: ${key}, value: "${value}"}`);
  const containers = `containers: [{name: main, image: "x:1", env: [${variables.join(', ')}]}]`;
  const metadata = `{name: ${name}, namespace: shop, annotations: {${annotations}}}`;
  const template = `{metadata: {labels: {app: ${name}, kind: ${kind}}}, spec: {${containers}}}`;
  const spec =
    kind === 'CronJob'
      ? `{schedule: "@daily", jobTemplate: {spec: {template: ${template}}}}`
      : `{selector: {matchLabels: {app: ${name}, kind: ${kind}}}, template: ${template}}`;
  return `apiVersion: ${kind === 'CronJob' ? 'batch/v1' : 'apps/v1'}\nkind: ${kind}\nmetadata: ${metadata}\nspec: ${spec}\n`;
}

const service = (name = 'web') => `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${name}}, ports: [{port: 80, targetPort: 8080}]}
`;
const NAMESPACE = `apiVersion: v1
kind: Namespace
metadata: {name: shop}
`;
const policy = (name: string, spec: string, labels = '') => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ${name}, namespace: shop, labels: {${labels}}}
spec: ${spec}
`;
const GENERATED = 'todo.example.com/generated-by: guardrails';
const OUTSIDE = { PAY_URL: 'https://pay.example.com' };
const PAY = 'env PAY_URL names pay.example.com';
const ADD_PAY = 'add todo.example.com/connects-to: "pay.example.com:443"';
const CLIENTS =
  'name its clients in todo.example.com/accepts-from, such as NAMESPACE/app=client:8080 or 10.0.0.0/8:8080, or none';

test('a need in one direction: the other one is isolated', () => {
  const build = [workload({ env: OUTSIDE })];
  expect(typesIn(build)).toEqual({ web: ['Ingress'] });
  expect(findings(build)).toEqual([`error Deployment/web is not isolated for egress: ${PAY}; ${ADD_PAY}`]);
});

test('needs in both directions: no policy, and one finding for each', () => {
  const build = [workload({ env: OUTSIDE }), service()];
  expect(typesIn(build)).toEqual({});
  expect(findings(build)).toEqual([
    `error Deployment/web is not isolated for ingress: Service/web has no client in this build; ${CLIENTS}`,
    `error Deployment/web is not isolated for egress: ${PAY}; ${ADD_PAY}`,
  ]);
});

test('the answers isolate it', () => {
  const annotations =
    'todo.example.com/connects-to: "pay.example.com:443", todo.example.com/accepts-from: "front/*:8080"';
  const build = [workload({ env: OUTSIDE, annotations }), service()];
  expect(typesIn(build)).toEqual({ web: ['Ingress', 'Egress'] });
  expect(findings(build)).toEqual([]);
});

describe('the default deny of a namespace', () => {
  const others = [workload({ name: 'quiet' }), NAMESPACE];
  const byKey = { ...EXTERNAL_PEERS, defaultDeny: 'namespace' } as const;

  test('is not written while a workload is held back', () => {
    const build = [workload({ env: OUTSIDE }), ...others];
    expect(typesIn(build)).toEqual({ quiet: ['Ingress', 'Egress'], web: ['Ingress'] });
    expect(typesIn(build.slice(0, 2), byKey)).toEqual({ quiet: ['Ingress', 'Egress'], web: ['Ingress'] });
  });

  test('is written when it is answered', () => {
    const annotations = 'todo.example.com/connects-to: none';
    const build = [workload({ env: OUTSIDE, annotations }), ...others];
    const all = ['Ingress', 'Egress'];
    expect(typesIn(build)).toEqual({ 'default-deny': all, quiet: all, web: all });
    expect(typesIn(build.slice(0, 2), byKey)).toEqual({ 'default-deny': all, quiet: all, web: all });
    expect(findings(build)).toEqual([]);
  });
});

test('spec.network.unresolved: warning', () => {
  expect(findings([workload({ env: OUTSIDE })], { ...EXTERNAL_PEERS, unresolved: 'warning' })).toEqual([
    `warning Deployment/web is not isolated for egress: ${PAY}; ${ADD_PAY}`,
  ]);
});

describe('a hand-written policy that isolates the pods', () => {
  const db = [workload({ name: 'db' }), service('db')];
  const client = workload({ env: { ...OUTSIDE, DB_URL: 'postgres://db:80' } });
  const egress = (rules: string) =>
    policy('mine', `{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [${rules}]}`);

  test('ends the holding back: what is known is opened, and the rest is a doubt', () => {
    const build = [client, ...db, egress('')];
    expect(typesIn(build)).toEqual({ db: ['Ingress', 'Egress'], web: ['Ingress', 'Egress'] });
    expect(findings(build)).toEqual([
      `warning Deployment/web is isolated for egress by NetworkPolicy/mine, which may cut off what is not known: ${PAY}; ${ADD_PAY}`,
    ]);
  });

  test.each([
    '{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 443}]}',
    '{to: [{namespaceSelector: {matchLabels: {a: b}}}], ports: [{port: 400, endPort: 500}]}',
    '{to: [{ipBlock: {cidr: 203.0.113.0/24}}]}',
  ])('has a rule that may serve the need: %s', (rule) => {
    const reports = findings([client, ...db, egress(rule)]).filter((one) => !one.startsWith('info'));
    expect(reports).toEqual([]);
  });

  test.each([
    '{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 8443}]}',
    '{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 443, protocol: UDP}]}',
    '{to: [{podSelector: {matchLabels: {app: proxy}}}], ports: [{port: 443}]}',
  ])('has a rule that does not serve it: %s', (rule) => {
    const reports = findings([client, ...db, egress(rule)]).filter((one) => one.startsWith('warning'));
    expect(reports).toEqual([
      `warning Deployment/web is isolated for egress by NetworkPolicy/mine, which may cut off what is not known: ${PAY}; ${ADD_PAY}`,
    ]);
  });
});

test('a generated policy that isolates pods with an open need is an error', () => {
  const stale = policy('web', '{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}', GENERATED);
  const reports = checkBuild([workload({ env: OUTSIDE }), stale]).filter((one) => one.includes('cuts off'));
  expect(reports).toEqual([
    `error Deployment/web is isolated for egress by NetworkPolicy/web, which cuts off what is not known: ${PAY}; ${ADD_PAY}`,
  ]);
});

test('much evidence: three pieces of it, and every entry of the answer', () => {
  const env = Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`URL_${n}`, `https://h${n}.example.com`]));
  expect(findings([workload({ env })])).toEqual([
    'error Deployment/web is not isolated for egress: env URL_1 names h1.example.com, env URL_2 names h2.example.com, env URL_3 names h3.example.com and 2 more; add todo.example.com/connects-to: "h1.example.com:443, h2.example.com:443, h3.example.com:443, h4.example.com:443, h5.example.com:443"',
  ]);
});

test('an annotation that is there gets another entry', () => {
  const annotations = 'todo.example.com/connects-to: "10.0.0.5:5432"';
  expect(findings([workload({ env: OUTSIDE, annotations })])).toEqual([
    `error Deployment/web is not isolated for egress: ${PAY}; add "pay.example.com:443" to todo.example.com/connects-to`,
  ]);
});

test('workloads of one name and two kinds', () => {
  const build = [workload({ env: OUTSIDE }), workload({ kind: 'CronJob' })];
  expect(typesIn(build)).toEqual({ 'web-cronjob': ['Ingress', 'Egress'], 'web-deployment': ['Ingress'] });
  expect(findings(build)).toEqual([`error Deployment/web is not isolated for egress: ${PAY}; ${ADD_PAY}`]);
});

describe('a port for metrics is no answer to who else connects', () => {
  const pods = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "x:1", ports: [{name: http, containerPort: 8080}, {name: stats, containerPort: 9090}]}]}
`;
  const monitor = `apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web, namespace: shop}
spec: {selector: {matchLabels: {app: web}}, endpoints: [{port: stats}]}
`;
  const exposing = (ports: string) => `apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {selector: {app: web}, ports: [${ports}]}
`;
  const [HTTP, STATS] = [
    '{name: http, port: 80, targetPort: http}',
    '{name: stats, port: 81, targetPort: stats}',
  ];
  const monitoring = { namespace: 'monitoring', podLabels: {} };

  test('a Service with another port', () => {
    expect(
      findings([pods, monitor, exposing(`${HTTP}, ${STATS}`)], { ...EXTERNAL_PEERS, monitoring }),
    ).toEqual([
      `error Deployment/web is not isolated for ingress: Service/web has no client in this build; ${CLIENTS}`,
    ]);
  });

  test('a Service whose only port has metrics and more, by its name', () => {
    const onHttp = monitor.replace('port: stats', 'port: http');
    expect(findings([pods, onHttp, exposing(HTTP)], { ...EXTERNAL_PEERS, monitoring })).toEqual([
      `error Deployment/web is not isolated for ingress: Service/web has no client in this build; ${CLIENTS}`,
    ]);
  });

  test('a Service for metrics alone', () => {
    const build = [pods, monitor, exposing(STATS)];
    expect(findings(build, { ...EXTERNAL_PEERS, monitoring })).toEqual([]);
    expect(findings(build)).toEqual([
      'error Deployment/web is not isolated for ingress: ServiceMonitor/web collects metrics of Service/web; set spec.network.monitoring in the configuration, or name the clients in todo.example.com/accepts-from',
    ]);
  });
});
