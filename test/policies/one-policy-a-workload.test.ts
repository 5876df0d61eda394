import { readFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { IpAddress } from '../../functions/guardrails/network/ip-range';
import { isNetworkPolicy, readPolicy } from '../../functions/guardrails/network/policy';
import { PolicySet } from '../../functions/guardrails/network/policy-set';
import { type Endpoint, namespaceLabels } from '../../functions/guardrails/network/traffic';
import { isObject, parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';
import { type Fixed, fix, fixed, namesIn, policiesIn, specsIn } from '../support/fix-package';
import { type PackageFiles, repositoryFiles, withEdit } from '../support/package-files';

const SHARED = 'base/network-policies.yaml';
const OF_DEV = 'overlays/dev/network-policies.yaml';
const OF_PROD = 'overlays/prod/network-policies.yaml';

interface Pod {
  readonly env?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** What the workload states of its clients besides those of the build. */
  readonly acceptsFrom?: 'none';
}

function template(name: string, { env = {}, labels }: Pod) {
  return {
    metadata: labels === undefined ? {} : { labels },
    spec: {
      containers: [
        {
          name: 'main',
          image: `registry.example.com/${name.slice(0, 20)}:v1`,
          env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
          securityContext: { runAsUser: 1000 },
        },
      ],
    },
  };
}

function deployment(name: string, pod: Pod = {}): string {
  const { labels = { app: name }, acceptsFrom } = pod;
  return stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      ...(acceptsFrom && { annotations: { 'todo.example.com/accepts-from': acceptsFrom } }),
    },
    spec: { selector: { matchLabels: labels }, template: template(name, { ...pod, labels }) },
  });
}

function cronJob(name: string, pod: Pod): string {
  const job = { spec: { template: withRestart(template(name, pod)) } };
  return stringify({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name },
    spec: { schedule: '0 3 * * *', jobTemplate: job },
  });
}

function job(name: string, pod: Pod): string {
  return stringify({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { template: withRestart(template(name, pod)) },
  });
}

function withRestart(pod: ReturnType<typeof template>) {
  return { ...pod, spec: { ...pod.spec, restartPolicy: 'Never' } };
}

function service(name: string, app = name): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app }, ports: [{ port: 80, targetPort: 8080 }] },
  });
}

const backend = (name: string) => ({ service: { name, port: { number: 80 } } });

function ingress(paths: Readonly<Record<string, string>>): string {
  const entries = Object.entries(paths).map(([at, name]) => ({
    path: at,
    pathType: 'Prefix',
    backend: backend(name),
  }));
  return stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'public' },
    spec: { rules: [{ host: 'shop.example.com', http: { paths: entries } }] },
  });
}

const namespace = (name: string) => stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

const kustomization = (resources: readonly string[], more: object = {}) => stringify({ resources, ...more });

/** A package with a base that overlays dev and prod share. */
function packageOf(
  base: Readonly<Record<string, string>>,
  overlays: Readonly<Record<string, PackageFiles>> = {},
): PackageFiles {
  const ofOverlay = (name: string) => ({
    'kustomization.yaml': kustomization(['../../base'], { namespace: `shop-${name}` }),
    ...overlays[name],
  });
  const below = (folder: string, files: PackageFiles) =>
    Object.entries(files).map(([file, text]) => [`${folder}/${file}`, text] as const);
  return Object.fromEntries([
    ...below('base', { 'kustomization.yaml': kustomization(Object.keys(base)), ...base }),
    ...['dev', 'prod'].flatMap((name) => below(`overlays/${name}`, ofOverlay(name))),
  ]);
}

const DNS_PODS = { matchExpressions: [{ key: 'k8s-app', operator: 'In', values: ['kube-dns'] }] };
const CONTROLLER_PODS = {
  matchExpressions: [
    { key: 'app.kubernetes.io/component', operator: 'In', values: ['controller'] },
    { key: 'app.kubernetes.io/name', operator: 'In', values: ['ingress-nginx'] },
  ],
};
const inNamespace = (name: string) => ({ matchLabels: { 'kubernetes.io/metadata.name': name } });
const TO_DNS = {
  to: [
    { namespaceSelector: inNamespace('kube-system'), podSelector: DNS_PODS },
    { ipBlock: { cidr: '169.254.20.10/32' } },
  ],
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
};
const ON_8080 = [{ protocol: 'TCP', port: 8080 }];
const FROM_CONTROLLER = {
  from: [{ namespaceSelector: inNamespace('ingress-nginx'), podSelector: CONTROLLER_PODS }],
  ports: ON_8080,
};
const podsOf = (app: string) => ({ podSelector: { matchLabels: { app } } });
const fromPods = (app: string) => ({ from: [podsOf(app)], ports: ON_8080 });
const toPods = (app: string) => ({ to: [podsOf(app)], ports: ON_8080 });
const BOTH = ['Ingress', 'Egress'];

/** Web, which the ingress controller connects to and which calls api. */
const WEB_AND_API = {
  'api.yaml': deployment('api'),
  'api-service.yaml': service('api'),
  'ingress.yaml': ingress({ '/': 'web' }),
  'web.yaml': deployment('web', { env: { API_URL: 'http://api/v1' } }),
  'web-service.yaml': service('web'),
};
const WEB = {
  ...podsOf('web'),
  policyTypes: BOTH,
  ingress: [FROM_CONTROLLER],
  egress: [toPods('api'), TO_DNS],
};
const API = { ...podsOf('api'), policyTypes: BOTH, ingress: [fromPods('web')], egress: [TO_DNS] };
/** Pods that connect to nothing, and nothing to them. */
const isolated = (app: string) => ({ ...podsOf(app), policyTypes: BOTH, egress: [TO_DNS] });

/** The file of policies of WEB_AND_API, in full. */
const TEXT_OF_WEB_AND_API = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: api
  labels:
    todo.example.com/generated-by: guardrails
spec:
  podSelector:
    matchLabels:
      app: api
  policyTypes:
    - Ingress
    - Egress
  ingress:
    # Deployment/web env API_URL -> Service/api
    - from:
        - podSelector:
            matchLabels:
              app: web
      ports:
        - protocol: TCP
          port: 8080
  egress:
    # DNS
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
          podSelector:
            matchExpressions:
              - key: k8s-app
                operator: In
                values:
                  - kube-dns
        - ipBlock:
            cidr: 169.254.20.10/32
      ports:
        - protocol: UDP
          port: 53
        - protocol: TCP
          port: 53
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  labels:
    todo.example.com/generated-by: guardrails
spec:
  podSelector:
    matchLabels:
      app: web
  policyTypes:
    - Ingress
    - Egress
  ingress:
    # Ingress/public / -> Service/web
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: ingress-nginx
          podSelector:
            matchExpressions:
              - key: app.kubernetes.io/component
                operator: In
                values:
                  - controller
              - key: app.kubernetes.io/name
                operator: In
                values:
                  - ingress-nginx
      ports:
        - protocol: TCP
          port: 8080
  egress:
    # Deployment/web env API_URL -> Service/api
    - to:
        - podSelector:
            matchLabels:
              app: api
      ports:
        - protocol: TCP
          port: 8080
    # DNS
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
          podSelector:
            matchExpressions:
              - key: k8s-app
                operator: In
                values:
                  - kube-dns
        - ipBlock:
            cidr: 169.254.20.10/32
      ports:
        - protocol: UDP
          port: 53
        - protocol: TCP
          port: 53
`;

test('a workload has one policy, with a rule for each other end and its reason as a comment', async () => {
  const { files } = await fixed(packageOf(WEB_AND_API));
  expect(files[SHARED]).toBe(TEXT_OF_WEB_AND_API);
  expect(files).not.toHaveProperty([OF_DEV]);
  expect(files).not.toHaveProperty([OF_PROD]);
});

describe('the Todo App with policies of the former form', () => {
  const former = (name: string) => readFileSync(path.join(__dirname, 'former-form', `${name}.yaml`), 'utf8');
  const before = { ...repositoryFiles(), [SHARED]: former('base'), [OF_PROD]: former('prod') };
  const REMOVED = [
    'allow-ingress-controller-to-backend',
    'allow-ingress-controller-to-frontend',
    'allow-frontend-to-backend',
    'allow-frontend-to-backend-egress',
    'allow-backend-to-internet',
    'allow-backend-to-dns',
    'allow-frontend-to-dns',
    'allow-ingress-controller-to-acme-solver',
  ];

  let asItWas: Fixed;
  let after: Fixed;
  beforeAll(async () => {
    asItWas = await fix(before, { asIs: true });
    after = await fix(before);
  });

  test('one run replaces them, and a second one changes nothing', async () => {
    expect(namesIn(before[SHARED])).toEqual(['default-deny', ...REMOVED.slice(0, 7)]);
    expect(namesIn(before[OF_PROD])).toEqual(REMOVED.slice(7));
    const { files, errors } = after;
    expect(errors).toEqual([]);
    expect(namesIn(files[SHARED])).toEqual(['default-deny', 'todo-backend', 'todo-frontend']);
    expect(namesIn(files[OF_PROD])).toEqual(['acme-solver']);
    expect(files).toEqual(repositoryFiles());
    const second = await fix(files);
    expect(second.files).toEqual(files);
    expect(second.reported.filter((message) => message.includes('kubectl'))).toEqual([]);
  });

  test('the report names what to delete from a cluster', () => {
    const { reported } = after;
    expect(reported.filter((message) => message.includes('kubectl'))).toEqual([
      `removed network policies stay in a cluster to which builds are applied without pruning; run \`kubectl delete networkpolicy ${REMOVED.join(' ')}\` in each namespace that has them`,
    ]);
    const changes = reported.filter((message) =>
      /NetworkPolicy\/\S+ is (?:added|updated|removed) /.test(message),
    );
    expect([...changes].sort()).toEqual(
      [
        ...REMOVED.slice(0, 7).map((name) => `NetworkPolicy/${name} is removed (${SHARED})`),
        `NetworkPolicy/allow-ingress-controller-to-acme-solver is removed (${OF_PROD})`,
        `NetworkPolicy/todo-backend is added (${SHARED})`,
        `NetworkPolicy/todo-frontend is added (${SHARED})`,
        `NetworkPolicy/acme-solver is added (${OF_PROD})`,
      ].sort(),
    );
  });

  const pod = (of: string, labels: Record<string, string>): Endpoint => ({
    namespace: of,
    labels,
    namespaceLabels: namespaceLabels(of),
    ports: [],
  });
  const address = (ip: string): Endpoint => ({ ip: new IpAddress(ip) });
  const endpoints = (app: string): Record<string, Endpoint> => ({
    frontend: pod(app, { app: 'todo-frontend', 'app.kubernetes.io/part-of': 'todo-app' }),
    backend: pod(app, { app: 'todo-backend', 'app.kubernetes.io/part-of': 'todo-app' }),
    stranger: pod(app, { app: 'stranger' }),
    solver: pod(app, { 'acme.cert-manager.io/http01-solver': 'true' }),
    'stranger elsewhere': pod('elsewhere', { app: 'stranger' }),
    'frontend elsewhere': pod('elsewhere', { app: 'todo-frontend' }),
    controller: pod('ingress-nginx', {
      'app.kubernetes.io/component': 'controller',
      'app.kubernetes.io/name': 'ingress-nginx',
    }),
    'half a controller': pod('ingress-nginx', { 'app.kubernetes.io/name': 'ingress-nginx' }),
    gateway: pod('envoy-gateway-system', {
      'app.kubernetes.io/component': 'proxy',
      'app.kubernetes.io/managed-by': 'envoy-gateway',
    }),
    'kube-dns': pod('kube-system', { 'k8s-app': 'kube-dns' }),
    'node-local DNS': address('169.254.20.10'),
    '104.18.7.192': address('104.18.7.192'),
    '2606:4700::1': address('2606:4700::1'),
    '10.0.0.1': address('10.0.0.1'),
    '169.254.169.254': address('169.254.169.254'),
    'fd00::1': address('fd00::1'),
  });
  const PORTS = [22, 53, 80, 443, 3000, 5432, 8000, 8080, 8089];

  /** `from -> to: TCP port` for what a build allows, of the traffic with an end in the namespace of the app. */
  function allowedIn(manifests: string, app: string): string[] {
    const policies = parseYaml(manifests, app).map(valueOf).filter(isObject).filter(isNetworkPolicy);
    const set = new PolicySet(policies.map((one) => readPolicy(one).policy));
    const all = Object.entries(endpoints(app));
    const isOfApp = (end: Endpoint) => 'namespace' in end && end.namespace === app;
    return all.flatMap(([source, from]) =>
      all.flatMap(([destination, to]) =>
        (['TCP', 'UDP'] as const).flatMap((protocol) =>
          PORTS.filter(
            (port) => (isOfApp(from) || isOfApp(to)) && set.allows({ from, to, port, protocol }),
          ).map((port) => `${source} -> ${destination}: ${protocol} ${port}`),
        ),
      ),
    );
  }

  const dnsOf = (client: string) =>
    ['kube-dns', 'node-local DNS'].flatMap((to) =>
      ['TCP', 'UDP'].map((protocol) => `${client} -> ${to}: ${protocol} 53`),
    );
  const ALLOWED = [
    'frontend -> backend: TCP 8000',
    ...dnsOf('frontend'),
    ...dnsOf('backend'),
    ...['104.18.7.192', '2606:4700::1'].flatMap((to) =>
      [443, 5432].map((port) => `backend -> ${to}: TCP ${port}`),
    ),
    'controller -> frontend: TCP 3000',
    'controller -> backend: TCP 8000',
  ];

  test.each([
    ['dev', 'todo-dev', ALLOWED],
    ['prod', 'todo-prod', [...ALLOWED, 'controller -> solver: TCP 8089']],
  ])('overlays/%s allows the same traffic before and after', (overlay, app, allowed) => {
    expect(asItWas.errors).toEqual([]);
    const buildOf = ({ builds }: Fixed) => builds[`overlays/${overlay}`] ?? '';
    expect(namesIn(buildOf(asItWas))).toContain('allow-frontend-to-backend');
    expect(namesIn(buildOf(after))).not.toContain('allow-frontend-to-backend');
    expect(allowedIn(buildOf(asItWas), app).sort()).toEqual([...allowed].sort());
    expect(allowedIn(buildOf(after), app).sort()).toEqual([...allowed].sort());
  });
});

describe('comments', () => {
  /** A package with one overlay, which is enough here. */
  const withProd = (base: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(packageOf(base)).filter(([file]) => !file.startsWith('overlays/dev/')));
  let files: PackageFiles;
  let text: string;
  beforeAll(async () => {
    ({ files } = await fixed(withProd(WEB_AND_API)));
    text = files[SHARED] ?? '';
  });

  /** What becomes of the file of policies after an edit. Nothing else changes. */
  async function edited(policies: string): Promise<string | undefined> {
    expect(policies).not.toBe(text);
    const { files: after, errors } = await fix({ ...files, [SHARED]: policies });
    expect(errors).toEqual([]);
    expect(after).toEqual({ ...files, [SHARED]: after[SHARED] });
    return after[SHARED];
  }

  const DNS = '    # DNS\n';

  test.each([
    ['a wrong one', DNS, '    # the resolver\n'],
    ['a missing one', DNS, ''],
    ['an additional one before a rule', DNS, `    # ask the platform team\n${DNS}`],
    [
      'an additional one between the ports',
      '        - protocol: TCP\n',
      '        # HTTP\n        - protocol: TCP\n',
    ],
    ['an additional one before the lists', '  policyTypes:\n', '  # both\n  policyTypes:\n'],
    ['an additional one without a space', DNS, `    #ask the platform team\n${DNS}`],
    ['an additional one on the line of a field', 'port: 53\n', 'port: 53 # DNS\n'],
    ['an additional one at the end', /$/, '    # the last line\n'],
    ['an empty one', DNS, `    #\n${DNS}`],
    ['one twice', DNS, DNS + DNS],
    ['one at another rule', `    # Deployment/web env API_URL -> Service/api\n    - to:`, `    - to:`],
  ])('%s in the spec is corrected', async (_, from, to) => {
    expect(await edited(text.replace(from, to))).toBe(text);
  });

  const CALLS = '    # Deployment/web env API_URL -> Service/api\n';

  test('the comments of two rules in exchange are corrected', async () => {
    const [before = '', after = ''] = text.split(`  egress:\n${CALLS}`);
    expect(await edited(`${before}  egress:\n${DNS}${after.replace(DNS, CALLS)}`)).toBe(text);
  });

  test('a comment that moves to the rule before it is corrected', async () => {
    const moved = text.replace(DNS, '').replace(`  egress:\n${CALLS}`, `  egress:\n${CALLS}${DNS}`);
    expect(await edited(moved)).toBe(text);
  });

  test('comments before apiVersion of a policy that is up to date are kept', async () => {
    const noted = `# Written by guardrails\n${text.replace('---\napi', '---\n# the web server\n# DNS\napi')}`;
    expect(await edited(noted)).toBe(noted);
  });

  test('they are kept where another policy of the file changes', async () => {
    const noted = text.replace('---\napi', '---\n# the web server\napi');
    expect(await edited(noted.replace('# Deployment/web env API_URL', '# it'))).toBe(noted);
  });

  /** A package whose texts come from outside, with what is in quotes in YAML. */
  function quoting(hostile: string): PackageFiles {
    const quoted = JSON.stringify(hostile).replace(
      /[\x7f-\uffff]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    const all = withProd({
      ...WEB_AND_API,
      'ingress.yaml': ingress({ '/TEXT': 'web' }),
      'web.yaml': deployment('web', { env: { TEXT: 'http://api/v1' } }),
    });
    const withPath = withEdit(all, 'base/ingress.yaml', '/TEXT', `"/${quoted.slice(1)}`);
    return withEdit(withPath, 'base/web.yaml', 'name: TEXT', `name: ${quoted}`);
  }

  let harmless: string | undefined;

  test.each([
    ['a line feed', 'A\n  egress: []\nspec: {}', String.raw`A\u{a}  egress: []\u{a}spec: {}`],
    ['a carriage return', 'A\r  egress: []', String.raw`A\u{d}  egress: []`],
    ['both', 'A\r\n---\r\nkind: Secret', String.raw`A\u{d}\u{a}---\u{d}\u{a}kind: Secret`],
    // kustomize prints it as it is, in quotes: a line break of YAML 1.1, which is read as a space.
    ['U+0085', 'A\u0085  egress: []', 'A egress: []'],
    ['U+2028', 'A\u2028  egress: []', String.raw`A\u{2028}  egress: []`],
    ['U+2029', 'A\u2029  egress: []', String.raw`A\u{2029}  egress: []`],
    ['U+FEFF', 'A\ufeff  egress: []', String.raw`A\u{feff}  egress: []`],
    ['a right-to-left override', 'A\u202eB', String.raw`A\u{202e}B`],
    ['a tab and a form feed', 'A\t\fB', String.raw`A\u{9}\u{c}B`],
    ['a number sign', 'A # B #C', 'A # B #C'],
    [
      'quotes and brackets',
      `A'B"C{D}[E]: &F *G !H %I @J \`K\` | > - ?`,
      `A'B"C{D}[E]: &F *G !H %I @J \`K\` | > - ?`,
    ],
    ['a backslash', String.raw`A\nB`, String.raw`A\nB`],
    ['a document marker', '--- A', '--- A'],
    ['a space at the end', 'A ', 'A '],
  ])('%s in a path and in the name of a variable stays in the comment', async (_, hostile, printed) => {
    harmless ??= (await fixed(quoting('A'))).files[SHARED];
    const { files: after } = await fixed(quoting(hostile));
    const policies = after[SHARED] ?? '';
    expect(policies).toMatch(/^[\n\x20-\x7e]*$/);
    expect(policies).toContain(`    # Ingress/public /${printed} -> Service/web\n    - from:\n`);
    expect(policies).toContain(`    # Deployment/web env ${printed} -> Service/api\n    - from:\n`);
    expect(policies).toContain(`    # Deployment/web env ${printed} -> Service/api\n    - to:\n`);
    expect(policies.split('\n')).toHaveLength((harmless ?? '').split('\n').length);
    expect(policiesIn(policies)).toEqual(policiesIn(harmless));
    expect(specsIn(policies)).toEqual({ api: API, web: WEB });
  });
});

describe('names', () => {
  test('two workloads of the same name: with their kinds', async () => {
    const { files } = await fixed(
      packageOf({
        'api.yaml': deployment('api'),
        'nightly.yaml': cronJob('api', { labels: { app: 'api-nightly' } }),
        'web.yaml': deployment('web'),
      }),
    );
    expect(specsIn(files[SHARED])).toEqual({
      'api-cronjob': isolated('api-nightly'),
      'api-deployment': isolated('api'),
      web: isolated('web'),
    });
  });

  test('a workload with the name that another one has with its kind', async () => {
    const { files } = await fixed(
      packageOf({
        'api.yaml': deployment('api'),
        'nightly.yaml': cronJob('api', { labels: { app: 'api-nightly' } }),
        'web.yaml': deployment('api-cronjob'),
      }),
    );
    const specs = specsIn(files[SHARED]);
    expect(Object.keys(specs).sort()).toEqual(['api-cronjob', 'api-cronjob-2', 'api-deployment']);
    expect(new Set(Object.values(specs).map(({ podSelector }) => podSelector.matchLabels?.app))).toEqual(
      new Set(['api', 'api-nightly', 'api-cronjob']),
    );
  });

  test('a workload named default-deny, with and without a default deny', async () => {
    const base = { 'one.yaml': deployment('default-deny') };
    const own = isolated('default-deny');
    const without = await fixed(packageOf(base));
    expect(specsIn(without.files[SHARED])).toEqual({ 'default-deny': own });
    const both = await fixed(packageOf({ ...base, 'namespace.yaml': namespace('shop') }));
    expect(specsIn(both.files[SHARED])).toEqual({
      'default-deny': { podSelector: {}, policyTypes: BOTH },
      'default-deny-2': own,
    });
  });

  test('a hand-written policy that has the name of a workload', async () => {
    const own = stringify({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'web' },
      spec: { ...podsOf('web'), policyTypes: ['Ingress'] },
    });
    const before = packageOf({ ...WEB_AND_API, 'own.yaml': own });
    const { files } = await fixed(before);
    expect(files['base/own.yaml']).toBe(own);
    expect(specsIn(files[SHARED])).toEqual({ api: API, 'web-2': WEB });
  });

  test('a workload named like the second policy of another one', async () => {
    const before = packageOf(
      {
        ...WEB_AND_API,
        'web-dev.yaml': deployment('web-dev'),
        'db.yaml': deployment('db', { acceptsFrom: 'none' }),
      },
      { dev: { 'kustomization.yaml': DEV_WITH_DB, 'db-service.yaml': service('db') } },
    );
    const { files } = await fixed(before);
    expect(namesIn(files[SHARED])).toEqual(['api', 'db', 'web', 'web-dev']);
    expect(specsIn(files[OF_DEV])).toEqual({
      'db-dev': { ...podsOf('db'), policyTypes: ['Ingress'], ingress: [fromPods('web')] },
      'web-dev-2': { ...podsOf('web'), policyTypes: ['Egress'], egress: [toPods('db')] },
    });
  });

  test('two workloads of the same name in two namespaces of a build', async () => {
    const inNamespaceOf = (name: string) =>
      deployment('web').replace('metadata:\n', `metadata:\n  namespace: ${name}\n`);
    const overlay = { 'kustomization.yaml': kustomization(['../../base']) };
    const { files } = await fixed(
      packageOf(
        { 'a.yaml': inNamespaceOf('a'), 'b.yaml': inNamespaceOf('b') },
        { dev: overlay, prod: overlay },
      ),
    );
    const policies = policiesIn(files[SHARED]);
    expect(policies.map(({ metadata }) => [metadata.namespace, metadata.name])).toEqual([
      ['a', 'web'],
      ['b', 'web'],
    ]);
  });

  test('a prefix in each overlay: the policies are shared, and have it in the builds', async () => {
    const overlay = (name: string) => ({
      'kustomization.yaml': kustomization(['../../base'], { namespace: 'shop', namePrefix: `${name}-` }),
    });
    const api = deployment('api', { acceptsFrom: 'none' });
    const base = { ...WEB_AND_API, 'api.yaml': api, 'web.yaml': deployment('web') };
    const { files, builds } = await fixed(packageOf(base, { dev: overlay('dev'), prod: overlay('prod') }));
    expect(specsIn(files[SHARED])).toEqual({
      api: isolated('api'),
      web: { ...podsOf('web'), policyTypes: BOTH, ingress: [FROM_CONTROLLER], egress: [TO_DNS] },
    });
    expect(namesIn(builds['overlays/dev'])).toEqual(['dev-api', 'dev-web']);
    expect(namesIn(builds['overlays/prod'])).toEqual(['prod-api', 'prod-web']);
  });

  test('the report names what to delete as the builds name it', async () => {
    const overlay = (name: string) => ({
      'kustomization.yaml': kustomization(['../../base'], { namespace: 'shop', namePrefix: `${name}-` }),
    });
    const overlays = { dev: overlay('dev'), prod: overlay('prod') };
    const first = await fixed(
      packageOf({ 'web.yaml': deployment('web'), 'tool.yaml': deployment('tool') }, overlays),
    );
    expect(namesIn(first.builds['overlays/dev'])).toEqual(['dev-tool', 'dev-web']);
    const { reported } = await fixed(withEdit(first.files, 'base/kustomization.yaml', '  - tool.yaml\n', ''));
    expect(reported.filter((message) => message.includes('kubectl'))).toEqual([
      'removed network policies stay in a cluster to which builds are applied without pruning; run `kubectl delete networkpolicy dev-tool prod-tool` in each namespace that has them',
    ]);
  });

  test.each(['prod_eu', 'Prod-EU', 'prod eu', 'prod@2'])(
    'an overlay in the folder %s: the name is valid in Kubernetes',
    async (folder) => {
      const files = packageOf(
        {
          ...WEB_AND_API,
          'db.yaml': deployment('db', { acceptsFrom: 'none' }),
          'db-service.yaml': service('db'),
        },
        {},
      );
      const ofFolder = DEV_WITH_DB.replace('  - db-service.yaml\n', '');
      const { files: after } = await fixed({ ...files, [`overlays/${folder}/kustomization.yaml`]: ofFolder });
      const names = namesIn(after[`overlays/${folder}/network-policies.yaml`]);
      expect(names).toHaveLength(2);
      // A DNS subdomain, RFC 1123.
      for (const name of names)
        expect(name).toMatch(/^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/);
    },
  );

  test('a name of 253 characters', async () => {
    const long = `${'a'.repeat(249)}.web`;
    const base = {
      ...WEB_AND_API,
      'web.yaml': deployment(long, { env: { API_URL: 'http://api/v1' }, labels: { app: 'web' } }),
      'db.yaml': deployment('db', { acceptsFrom: 'none' }),
    };
    const patched = DEV_WITH_DB.replaceAll('name: web', `name: ${long}`);
    const dev = { 'kustomization.yaml': patched, 'db-service.yaml': service('db') };
    const { files } = await fixed(packageOf(base, { dev }));
    expect(specsIn(files[SHARED])).toEqual({
      [long]: WEB,
      api: API,
      db: isolated('db'),
    });
    const [ofDb, second = '', ...more] = namesIn(files[OF_DEV]).sort((a, b) => a.length - b.length);
    expect([ofDb, more]).toEqual(['db-dev', []]);
    expect(second).toMatch(/^a{240,}[.a-z]*-[a-z0-9]+$/);
    expect(second.length).toBeLessThanOrEqual(253);
    expect(specsIn(files[OF_DEV])[second]).toEqual({
      ...podsOf('web'),
      policyTypes: ['Egress'],
      egress: [toPods('db')],
    });
  });

  test('two workloads of the same name of 253 characters', async () => {
    const long = 'a'.repeat(253);
    const { files } = await fixed(
      packageOf({
        'one.yaml': deployment(long, { labels: { app: 'one' } }),
        'two.yaml': cronJob(long, { labels: { app: 'two' } }),
      }),
    );
    const specs = specsIn(files[SHARED]);
    expect(Object.values(specs)).toHaveLength(2);
    for (const name of Object.keys(specs)) expect(name).toMatch(/^[a-z][-a-z0-9]{0,251}[a-z0-9]$/);
    expect(Object.values(specs)).toEqual(expect.arrayContaining([isolated('one'), isolated('two')]));
  });
});

/** The overlay dev, in which web calls db too. */
const DEV_WITH_DB = kustomization(['../../base', 'db-service.yaml'], {
  namespace: 'shop-dev',
  patches: [
    {
      target: { kind: 'Deployment', name: 'web' },
      patch: JSON.stringify([
        {
          op: 'add',
          path: '/spec/template/spec/containers/0/env/-',
          value: { name: 'DB_URL', value: 'http://db' },
        },
      ]),
    },
  ],
});

describe('labels that kustomize adds to selectors', () => {
  const labels = { team: 'shop' };

  test.each<[string, object]>([
    ['labels with includeSelectors', { labels: [{ pairs: labels, includeSelectors: true }] }],
    ['commonLabels', { commonLabels: labels }],
  ])('%s: external peers stay as they are, and the pods are selected', async (_, transformer) => {
    const overlay = (name: string) => ({
      'kustomization.yaml': kustomization(['../../base'], { namespace: `shop-${name}`, ...transformer }),
    });
    const { files, builds } = await fixed(
      packageOf(WEB_AND_API, { dev: overlay('dev'), prod: overlay('prod') }),
    );
    const withTeam = (app: string) => ({ podSelector: { matchLabels: { app, team: 'shop' } } });
    expect(namesIn(files[SHARED])).toEqual(['api', 'web']);
    for (const overlay of ['overlays/dev', 'overlays/prod'])
      expect(specsIn(builds[overlay])).toEqual({
        api: {
          ...withTeam('api'),
          policyTypes: BOTH,
          ingress: [{ from: [withTeam('web')], ports: ON_8080 }],
          egress: [TO_DNS],
        },
        web: {
          ...withTeam('web'),
          policyTypes: BOTH,
          ingress: [FROM_CONTROLLER],
          egress: [{ to: [withTeam('api')], ports: ON_8080 }, TO_DNS],
        },
      });
  });

  test('another label in each overlay', async () => {
    const overlay = (name: string) => ({
      'kustomization.yaml': kustomization(['../../base'], {
        namespace: `shop-${name}`,
        commonLabels: { env: name },
      }),
    });
    const { builds } = await fixed(packageOf(WEB_AND_API, { dev: overlay('dev'), prod: overlay('prod') }));
    for (const env of ['dev', 'prod']) {
      const withEnv = (app: string) => ({ podSelector: { matchLabels: { app, env } } });
      expect(Object.values(specsIn(builds[`overlays/${env}`]))).toEqual([
        {
          ...withEnv('api'),
          policyTypes: BOTH,
          ingress: [{ from: [withEnv('web')], ports: ON_8080 }],
          egress: [TO_DNS],
        },
        {
          ...withEnv('web'),
          policyTypes: BOTH,
          ingress: [FROM_CONTROLLER],
          egress: [{ to: [withEnv('api')], ports: ON_8080 }, TO_DNS],
        },
      ]);
    }
  });
});

describe('placement', () => {
  const PATH = (at: string, name: string) => ({
    target: { kind: 'Ingress', name: 'public' },
    patch: JSON.stringify([
      {
        op: 'add',
        path: '/spec/rules/0/http/paths/-',
        value: { path: at, pathType: 'Prefix', backend: backend(name) },
      },
    ]),
  });
  const ENV = (name: string, key: string, value: string) => ({
    target: { kind: 'Deployment', name },
    patch: JSON.stringify([
      { op: 'add', path: '/spec/template/spec/containers/0/env/-', value: { name: key, value } },
    ]),
  });
  const ADMIN = {
    'admin.yaml': deployment('admin', { acceptsFrom: 'none' }),
    'admin-service.yaml': service('admin'),
  };
  const overlayWith = (folder: string, resources: readonly string[], ...patches: readonly object[]) => ({
    'kustomization.yaml': kustomization(resources, { namespace: `shop-${folder}`, patches }),
  });

  test('an Ingress path that an overlay adds: the rule alone, beside the overlay', async () => {
    const dev = overlayWith('dev', ['../../base'], PATH('/admin', 'admin'));
    const { files } = await fixed(packageOf({ ...WEB_AND_API, ...ADMIN }, { dev }));
    expect(specsIn(files[SHARED])).toEqual({ admin: isolated('admin'), api: API, web: WEB });
    expect(files[OF_DEV]).toBe(`apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: admin-dev
  labels:
    todo.example.com/generated-by: guardrails
spec:
  podSelector:
    matchLabels:
      app: admin
  policyTypes:
    - Ingress
  ingress:
    # Ingress/public /admin -> Service/admin
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: ingress-nginx
          podSelector:
            matchExpressions:
              - key: app.kubernetes.io/component
                operator: In
                values:
                  - controller
              - key: app.kubernetes.io/name
                operator: In
                values:
                  - ingress-nginx
      ports:
        - protocol: TCP
          port: 8080
`);
    expect(files).not.toHaveProperty([OF_PROD]);
  });

  test('a variable in one overlay: the rule of each end, beside the overlay', async () => {
    const dev = overlayWith('dev', ['../../base'], ENV('web', 'ADMIN_URL', 'http://admin'));
    const { files, builds } = await fixed(packageOf({ ...WEB_AND_API, ...ADMIN }, { dev }));
    expect(specsIn(files[SHARED])).toEqual({ admin: isolated('admin'), api: API, web: WEB });
    const ofDev = {
      'admin-dev': { ...podsOf('admin'), policyTypes: ['Ingress'], ingress: [fromPods('web')] },
      'web-dev': { ...podsOf('web'), policyTypes: ['Egress'], egress: [toPods('admin')] },
    };
    expect(specsIn(files[OF_DEV])).toEqual(ofDev);
    expect(files).not.toHaveProperty([OF_PROD]);
    expect(namesIn(builds['overlays/dev']).sort()).toEqual(['admin', 'admin-dev', 'api', 'web', 'web-dev']);
    expect(namesIn(builds['overlays/prod']).sort()).toEqual(['admin', 'api', 'web']);
  });

  test('a variable in one overlay, of a workload that is a client nowhere else: DNS is shared', async () => {
    const dev = overlayWith('dev', ['../../base'], ENV('api', 'ADMIN_URL', 'http://admin'));
    const base = { ...WEB_AND_API, ...ADMIN, 'api.yaml': deployment('api', { env: { LOG: 'debug' } }) };
    const { files } = await fixed(packageOf(base, { dev }));
    expect(specsIn(files[SHARED])).toEqual({ admin: isolated('admin'), api: API, web: WEB });
    expect(specsIn(files[OF_DEV])).toEqual({
      'admin-dev': { ...podsOf('admin'), policyTypes: ['Ingress'], ingress: [fromPods('api')] },
      'api-dev': { ...podsOf('api'), policyTypes: ['Egress'], egress: [toPods('admin')] },
    });
  });

  test('another port in each overlay: what is common is shared, and the port is beside each', async () => {
    const port = (number: number) => ({
      target: { kind: 'Service', name: 'api' },
      patch: JSON.stringify([{ op: 'replace', path: '/spec/ports/0/targetPort', value: number }]),
    });
    const [dev, prod] = (
      [
        ['dev', 8081],
        ['prod', 8082],
      ] as const
    ).map(([name, number]) => overlayWith(name, ['../../base'], port(number)));
    const { files } = await fixed(packageOf(WEB_AND_API, { dev: dev ?? {}, prod: prod ?? {} }));
    expect(specsIn(files[SHARED])).toEqual({
      api: isolated('api'),
      web: { ...podsOf('web'), policyTypes: BOTH, ingress: [FROM_CONTROLLER], egress: [TO_DNS] },
    });
    for (const [name, number] of [
      ['dev', 8081],
      ['prod', 8082],
    ] as const) {
      const ports = [{ protocol: 'TCP', port: number }];
      expect(specsIn(files[`overlays/${name}/network-policies.yaml`])).toEqual({
        [`api-${name}`]: {
          ...podsOf('api'),
          policyTypes: ['Ingress'],
          ingress: [{ from: [podsOf('web')], ports }],
        },
        [`web-${name}`]: {
          ...podsOf('web'),
          policyTypes: ['Egress'],
          egress: [{ to: [podsOf('api')], ports }],
        },
      });
    }
  });

  test('a workload of one overlay: beside the overlay, with its own name', async () => {
    const dev = { ...overlayWith('dev', ['../../base', 'tool.yaml']), 'tool.yaml': deployment('tool') };
    const { files } = await fixed(packageOf(WEB_AND_API, { dev }));
    expect(specsIn(files[SHARED])).toEqual({ api: API, web: WEB });
    expect(specsIn(files[OF_DEV])).toEqual({ tool: isolated('tool') });
  });

  test('a policy that moves to another file is not named for deletion', async () => {
    const dev = { ...overlayWith('dev', ['../../base', 'tool.yaml']), 'tool.yaml': deployment('tool') };
    const first = await fixed(packageOf(WEB_AND_API, { dev }));
    const { 'overlays/dev/tool.yaml': tool = '', ...others } = first.files;
    const inBase = withEdit(
      withEdit(others, 'overlays/dev/kustomization.yaml', '  - tool.yaml\n', ''),
      'base/kustomization.yaml',
      '  - api.yaml\n',
      '  - api.yaml\n  - tool.yaml\n',
    );
    const { files, reported } = await fixed({ ...inBase, 'base/tool.yaml': tool });
    expect(namesIn(files[SHARED])).toEqual(['api', 'tool', 'web']);
    expect(files).not.toHaveProperty([OF_DEV]);
    expect(reported.filter((message) => message.includes('kubectl delete'))).toEqual([]);
  });

  test('an overlay on an overlay: what the first one requires is not repeated', async () => {
    const prod = overlayWith('prod', ['../../base'], ENV('web', 'ADMIN_URL', 'http://admin'));
    const eu = overlayWith('prod-eu', ['../prod'], PATH('/admin', 'admin'));
    const before = {
      ...packageOf({ ...WEB_AND_API, ...ADMIN }, { prod }),
      'overlays/prod-eu/kustomization.yaml': eu['kustomization.yaml'],
    };
    const { files, builds } = await fixed(before);
    expect(Object.keys(builds)).toEqual(['overlays/dev', 'overlays/prod', 'overlays/prod-eu']);
    expect(specsIn(files[SHARED])).toEqual({ admin: isolated('admin'), api: API, web: WEB });
    expect(files).not.toHaveProperty([OF_DEV]);
    expect(specsIn(files[OF_PROD])).toEqual({
      'admin-prod': { ...podsOf('admin'), policyTypes: ['Ingress'], ingress: [fromPods('web')] },
      'web-prod': { ...podsOf('web'), policyTypes: ['Egress'], egress: [toPods('admin')] },
    });
    expect(specsIn(files['overlays/prod-eu/network-policies.yaml'])).toEqual({
      'admin-prod-eu': { ...podsOf('admin'), policyTypes: ['Ingress'], ingress: [FROM_CONTROLLER] },
    });
    expect(namesIn(builds['overlays/prod-eu']).sort()).toEqual([
      'admin',
      'admin-prod',
      'admin-prod-eu',
      'api',
      'web',
      'web-prod',
    ]);
  });

  test('what the overlay no longer requires is removed, with its file', async () => {
    const dev = overlayWith('dev', ['../../base'], PATH('/admin', 'admin'));
    const base = { ...WEB_AND_API, ...ADMIN };
    const first = await fixed(packageOf(base, { dev }));
    const kustomizationOfDev = first.files['overlays/dev/kustomization.yaml'] ?? '';
    expect(kustomizationOfDev).toContain('  - network-policies.yaml\n');
    const without = kustomizationOfDev.slice(0, kustomizationOfDev.indexOf('patches:'));
    const { files, reported } = await fixed({ ...first.files, 'overlays/dev/kustomization.yaml': without });
    expect(files).not.toHaveProperty([OF_DEV]);
    expect(files['overlays/dev/kustomization.yaml']).not.toContain('network-policies.yaml');
    expect(files[SHARED]).toBe(first.files[SHARED]);
    expect(reported.filter((message) => message.includes('kubectl'))).toEqual([
      'removed network policies stay in a cluster to which builds are applied without pruning; run `kubectl delete networkpolicy admin-dev` in each namespace that has them',
    ]);
  });
});

describe('default deny', () => {
  const DENY = { podSelector: {}, policyTypes: BOTH };
  const overlayOf = (name: string, created = `shop-${name}`) => ({
    'kustomization.yaml': kustomization(['../../base', 'namespace.yaml'], { namespace: created }),
    'namespace.yaml': namespace(created),
  });
  const config = (spec: object) =>
    stringify({
      apiVersion: 'todo.example.com/v1alpha1',
      kind: 'Guardrails',
      metadata: { name: 'guardrails' },
      spec,
    });

  test('the Namespace in all overlays: in the shared file', async () => {
    const overlays = { dev: overlayOf('dev'), prod: overlayOf('prod') };
    const { files } = await fixed(packageOf(WEB_AND_API, overlays));
    expect(specsIn(files[SHARED])).toEqual({ 'default-deny': DENY, api: API, web: WEB });
    expect(namesIn(files[SHARED])[0]).toBe('default-deny');
    expect(files).not.toHaveProperty([OF_DEV]);
    expect(files).not.toHaveProperty([OF_PROD]);
  });

  test('the Namespace in one overlay: beside that overlay', async () => {
    const { files, builds } = await fixed(packageOf(WEB_AND_API, { dev: overlayOf('dev') }));
    expect(specsIn(files[SHARED])).toEqual({ api: API, web: WEB });
    expect(specsIn(files[OF_DEV])).toEqual({ 'default-deny': DENY });
    expect(files).not.toHaveProperty([OF_PROD]);
    expect(namesIn(builds['overlays/prod'])).not.toContain('default-deny');
  });

  test('the Namespace in no overlay: none, and the workloads are isolated', async () => {
    const { files, builds, errors } = await fixed(packageOf(WEB_AND_API));
    expect(errors).toEqual([]);
    expect(specsIn(files[SHARED])).toEqual({ api: API, web: WEB });
    for (const overlay of ['overlays/dev', 'overlays/prod'])
      expect(specsIn(builds[overlay])).toEqual({ api: API, web: WEB });
  });

  test('the Namespace of other pods alone: none', async () => {
    const dev = {
      ...overlayOf('dev'),
      'kustomization.yaml': kustomization(['../../base', 'namespace.yaml']),
      'namespace.yaml': namespace('monitoring'),
    };
    const { files } = await fixed(packageOf(WEB_AND_API, { dev }));
    expect(specsIn(files[SHARED])).toEqual({ api: API, web: WEB });
    expect(files).not.toHaveProperty([OF_DEV]);
  });

  test.each(['default', 'kube-system', 'kube-public', 'kube-node-lease'])(
    'the namespace %s: none, even if the build has it',
    async (name) => {
      const overlays = { dev: overlayOf('dev', name), prod: overlayOf('prod', name) };
      const { files, builds } = await fixed(packageOf(WEB_AND_API, overlays));
      expect(builds['overlays/dev']).toContain('kind: Namespace\n');
      expect(specsIn(files[SHARED])).toEqual({ api: API, web: WEB });
      expect(files).not.toHaveProperty([OF_DEV]);
    },
  );

  test('spec.network.defaultDeny: namespace: in every namespace', async () => {
    const base = packageOf(WEB_AND_API);
    const guardrails = { 'base/guardrails.yaml': config({ network: { defaultDeny: 'namespace' } }) };
    const { files } = await fixed({ ...base, ...guardrails });
    expect(specsIn(files[SHARED])).toEqual({ 'default-deny': DENY, api: API, web: WEB });
    const overlays = { dev: overlayOf('dev', 'default'), prod: overlayOf('prod', 'kube-public') };
    const inSystem = await fixed({ ...packageOf(WEB_AND_API, overlays), ...guardrails });
    expect(specsIn(inSystem.files[SHARED])).toEqual({ 'default-deny': DENY, api: API, web: WEB });
  });

  test('spec.network.defaultDeny: namespace where it cuts off DNS is an error', async () => {
    const overlay = { 'kustomization.yaml': kustomization(['../../base'], { namespace: 'kube-system' }) };
    const { errors } = await fix({
      ...packageOf(WEB_AND_API, { dev: overlay, prod: overlay }),
      'base/guardrails.yaml': config({ network: { defaultDeny: 'namespace' } }),
    });
    expect(errors.map((error) => error.replace(/:[^:]*$/, ''))).toEqual(
      ['api', 'web'].flatMap((client) =>
        ['UDP', 'TCP'].map(
          (protocol) =>
            `overlays/dev, overlays/prod: NetworkPolicy/default-deny blocks required ingress traffic from Deployment/${client} to DNS on ${protocol} port 53`,
        ),
      ),
    );
  });

  test('spec.network.defaultDeny: namespace for one overlay: beside it', async () => {
    const guardrails = config({
      environments: { 'overlays/prod': { network: { defaultDeny: 'namespace' } } },
    });
    const { files } = await fixed({ ...packageOf(WEB_AND_API), 'base/guardrails.yaml': guardrails });
    expect(specsIn(files[SHARED])).toEqual({ api: API, web: WEB });
    expect(specsIn(files[OF_PROD])).toEqual({ 'default-deny': DENY });
    expect(files).not.toHaveProperty([OF_DEV]);
  });

  test.each([
    ['Deployment', deployment('tool', { labels: {} })],
    ['CronJob', cronJob('tool', {})],
  ])('pods of a %s without labels are an error: a default deny would close their DNS', async (kind, tool) => {
    const error = `overlays/dev, overlays/prod: ${kind}/tool has pods that no NetworkPolicy isolates for ingress and egress (base/tool.yaml:${tool.split('\n').indexOf('spec:') + 1}); add a label of its own to the pod template, so that a NetworkPolicy can select the pods`;
    for (const overlays of [{}, { dev: overlayOf('dev'), prod: overlayOf('prod') }]) {
      const { files, errors } = await fix(packageOf({ ...WEB_AND_API, 'tool.yaml': tool }, overlays));
      expect(errors).toEqual([error]);
      expect(specsIn(files[SHARED])).toEqual({ api: API, web: WEB });
      expect(files).not.toHaveProperty([OF_DEV]);
    }
  });

  const CALLS_API = { env: { API_URL: 'http://api/v1' } };
  const KNATIVE = stringify({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'hello' },
    spec: { template: template('hello', CALLS_API) },
  });

  test.each([
    ['a Job', 'migrate', job('migrate', CALLS_API), { 'batch.kubernetes.io/job-name': 'migrate' }],
    ['a Knative Service', 'hello', KNATIVE, { 'serving.knative.dev/service': 'hello' }],
  ])('%s without labels is selected by the label of its controller', async (_, name, text, matchLabels) => {
    const { files } = await fixed(packageOf({ ...WEB_AND_API, 'more.yaml': text }));
    const pods = { podSelector: { matchLabels } };
    const from = { from: [pods], ports: ON_8080 };
    const rules = specsIn(files[SHARED]);
    expect(Object.keys(rules).sort()).toEqual(['api', name, 'web'].sort());
    expect(rules[name]).toEqual({ ...pods, policyTypes: BOTH, egress: [toPods('api'), TO_DNS] });
    expect(rules.api).toEqual({
      ...podsOf('api'),
      policyTypes: BOTH,
      ingress: expect.arrayContaining([from, fromPods('web')]) as unknown,
      egress: [TO_DNS],
    });
    expect(rules.api?.ingress).toHaveLength(2);
  });

  test('a Job with labels is selected by these and by the label of its controller', async () => {
    const text = job('migrate', { ...CALLS_API, labels: { app: 'migrate' } });
    const { files } = await fixed(packageOf({ ...WEB_AND_API, 'more.yaml': text }));
    expect(specsIn(files[SHARED]).migrate).toEqual({
      podSelector: { matchLabels: { 'batch.kubernetes.io/job-name': 'migrate', app: 'migrate' } },
      policyTypes: BOTH,
      egress: [toPods('api'), TO_DNS],
    });
  });
});

test('60 workloads that each call the next: as many policies, and one for the namespace', async () => {
  const names = Array.from({ length: 60 }, (_, i) => `w${i}`);
  const base = Object.fromEntries(
    names.flatMap((name, i) => [
      [`${name}.yaml`, deployment(name, { env: { NEXT_URL: `http://w${(i + 1) % 60}` } })],
      [`${name}-service.yaml`, service(name)],
    ]),
  );
  const overlay = (name: string) => ({
    'kustomization.yaml': kustomization(['../../base', 'namespace.yaml'], { namespace: `shop-${name}` }),
    'namespace.yaml': namespace(`shop-${name}`),
  });
  const { files, builds } = await fixed(packageOf(base, { dev: overlay('dev'), prod: overlay('prod') }));
  const written = [SHARED, OF_DEV, OF_PROD].flatMap((file) => policiesIn(files[file]));
  expect(written.length).toBeLessThanOrEqual(60 + 2 + 2);
  expect(written.map(({ metadata }) => metadata.name).sort()).toEqual(['default-deny', ...names].sort());
  for (const built of Object.values(builds)) expect(policiesIn(built)).toHaveLength(61);
  expect(specsIn(files[SHARED]).w7).toEqual({
    ...podsOf('w7'),
    policyTypes: BOTH,
    ingress: [fromPods('w6')],
    egress: [toPods('w8'), TO_DNS],
  });
});
