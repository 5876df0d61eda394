// What the sources find in a build holds isolation back: what is generated then, and what is reported, by direction.
import { EXTERNAL_PEERS, type ExternalPeers } from '../../../functions/guardrails/network/external-peers';
import { checkBuild, findings, readBuild, readNeeds, typesIn } from '../../support/network-build';

interface Workload {
  readonly kind?: 'Deployment' | 'CronJob';
  readonly name?: string;
  readonly namespace?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly annotations?: string;
  /** More keys of the pods, and of their container. */
  readonly pod?: string;
  readonly container?: string;
}

function workload(one: Workload = {}): string {
  const { kind = 'Deployment', name = 'web', namespace = 'shop', env = {}, annotations = '' } = one;
  const variables = Object.entries(env).map(([key, value]) => `{name: ${key}, value: "${value}"}`);
  const containers = `containers: [{name: main, image: "x:1", env: [${variables.join(', ')}]${one.container ?? ''}}]`;
  const metadata = `{name: ${name}, namespace: ${namespace}, annotations: {${annotations}}}`;
  const labels = kind === 'CronJob' ? `{app: ${name}-job}` : `{app: ${name}}`;
  const template = `{metadata: {labels: ${labels}}, spec: {${one.pod ?? ''}${containers}}}`;
  const [apiVersion, spec] =
    kind === 'CronJob'
      ? ['batch/v1', `{schedule: "@daily", jobTemplate: {spec: {template: ${template}}}}`]
      : ['apps/v1', `{selector: {matchLabels: ${labels}}, template: ${template}}`];
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: ${metadata}\nspec: ${spec}\n`;
}

const service = (name = 'web', spec = 'ports: [{port: 80, targetPort: 8080}]', app = name) => `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop, labels: {app: ${name}}}
spec: {selector: {app: ${app}}, ${spec}}
`;
const namespace = (name: string, labels = '') => `apiVersion: v1
kind: Namespace
metadata: {name: ${name}, labels: {${labels}}}
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
const ALONE = 'Service/web has no client in this build';
const CLIENTS =
  'name its clients in todo.example.com/accepts-from, such as NAMESPACE/app=client:8080 or 10.0.0.0/8:8080, or none';
const BOTH = ['Ingress', 'Egress'];
const DNS = {
  to: [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
      podSelector: { matchExpressions: [{ key: 'k8s-app', operator: 'In', values: ['kube-dns'] }] },
    },
    { ipBlock: { cidr: '169.254.20.10/32' } },
  ],
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
};

describe('a need in one direction', () => {
  test('egress: a policy for ingress alone, with the known clients', () => {
    const client = workload({
      name: 'front',
      env: { WEB_URL: 'http://web' },
      annotations: 'todo.example.com/accepts-from: none',
    });
    const build = [workload({ env: OUTSIDE }), service(), client];
    expect(readBuild(build).policies.web).toEqual({
      podSelector: { matchLabels: { app: 'web' } },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [{ podSelector: { matchLabels: { app: 'front' } } }],
          ports: [{ protocol: 'TCP', port: 8080 }],
        },
      ],
    });
    expect(findings(build)).toEqual([`error Deployment/web is not isolated for egress: ${PAY}; ${ADD_PAY}`]);
  });

  test('ingress: a policy for egress alone', () => {
    const build = [workload(), service()];
    expect(readBuild(build).policies).toEqual({
      web: { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Egress'], egress: [DNS] },
    });
    expect(findings(build)).toEqual([
      `error Deployment/web is not isolated for ingress: ${ALONE}; ${CLIENTS}`,
    ]);
  });
});

describe('needs in both directions', () => {
  const build = [workload({ env: OUTSIDE }), service()];

  test('no policy, and two errors', () => {
    expect(readBuild(build).policies).toEqual({});
    expect(findings(build)).toEqual([
      `error Deployment/web is not isolated for ingress: ${ALONE}; ${CLIENTS}`,
      `error Deployment/web is not isolated for egress: ${PAY}; ${ADD_PAY}`,
    ]);
  });

  test('spec.network.unresolved: warning lowers both', () => {
    expect(findings(build, { ...EXTERNAL_PEERS, unresolved: 'warning' })).toEqual([
      `warning Deployment/web is not isolated for ingress: ${ALONE}; ${CLIENTS}`,
      `warning Deployment/web is not isolated for egress: ${PAY}; ${ADD_PAY}`,
    ]);
  });

  test('one answer ends the need of its direction', () => {
    const half = [workload({ env: OUTSIDE, annotations: 'todo.example.com/accepts-from: none' }), service()];
    expect(typesIn(half)).toEqual({ web: ['Ingress'] });
    expect(findings(half)).toEqual([`error Deployment/web is not isolated for egress: ${PAY}; ${ADD_PAY}`]);
  });
});

describe('the default deny of a namespace', () => {
  const quiet = workload({ name: 'quiet' });
  const other = [workload({ name: 'other', namespace: 'bank' }), namespace('bank')];
  const BY_KEY = { ...EXTERNAL_PEERS, defaultDeny: 'namespace' } as const;

  test.each([
    ['egress', [workload({ env: OUTSIDE })], { web: ['Ingress'] }],
    ['ingress', [workload(), service()], { web: ['Egress'] }],
    ['both directions', [workload({ env: OUTSIDE }), service()], {}],
  ])('a workload is held back for %s: none there, one elsewhere', (_, held, types) => {
    const build = [...held, quiet, namespace('shop'), ...other];
    expect(typesIn(build)).toEqual({ 'default-deny': BOTH, other: BOTH, quiet: BOTH, ...types });
    expect(typesIn([...held, quiet], BY_KEY)).toEqual({ quiet: BOTH, ...types });
  });

  test('all are answered: one in each namespace', () => {
    const annotations =
      'todo.example.com/connects-to: "pay.example.com:443", todo.example.com/accepts-from: "front/*:8080"';
    const build = [workload({ env: OUTSIDE, annotations }), service(), quiet];
    expect(typesIn(build)).toEqual({ quiet: BOTH, web: BOTH });
    expect(typesIn([...build, namespace('shop')])).toEqual({ 'default-deny': BOTH, quiet: BOTH, web: BOTH });
    expect(typesIn(build, BY_KEY)).toEqual({ 'default-deny': BOTH, quiet: BOTH, web: BOTH });
    expect(findings([...build, namespace('shop')])).toEqual([]);
    expect(findings(build, BY_KEY)).toEqual([]);
  });
});

describe('a hand-written policy that isolates the pods for ingress', () => {
  const web = [workload(), service()];
  const client = workload({
    name: 'front',
    env: { WEB_URL: 'http://web:81' },
    annotations: 'todo.example.com/accepts-from: none',
  });
  /** It has a client for its second port, and a third one with a Service of its own. */
  const build = [
    workload(),
    service('web', 'ports: [{port: 81, targetPort: 8081}]'),
    client,
    service('api', 'ports: [{port: 80, targetPort: 8080}]', 'web'),
  ];
  const ingress = (rules: string) =>
    policy('mine', `{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [${rules}]}`);
  const OF_API = 'Service/api has no client in this build';

  test('without it, the pods are held back', () => {
    expect(typesIn(build)).toEqual({ front: BOTH, web: ['Egress'] });
    expect(findings(build)).toEqual([
      `error Deployment/web is not isolated for ingress: ${OF_API}; ${CLIENTS}`,
    ]);
  });

  test('the known connections are opened beside it, and the rest is one warning', () => {
    const all = [...build, ingress('')];
    expect(readBuild(all).policies.web).toEqual({
      podSelector: { matchLabels: { app: 'web' } },
      policyTypes: BOTH,
      ingress: [
        {
          from: [{ podSelector: { matchLabels: { app: 'front' } } }],
          ports: [{ protocol: 'TCP', port: 8081 }],
        },
      ],
      egress: [DNS],
    });
    expect(findings(all)).toEqual([
      `warning Deployment/web is isolated for ingress by NetworkPolicy/mine, which may cut off what is not known: ${OF_API}; ${CLIENTS}`,
    ]);
  });

  test.each([
    '{from: [{namespaceSelector: {matchLabels: {team: shop}}}], ports: [{port: 8080}]}',
    '{from: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 8000, endPort: 8080}]}',
  ])('with a rule that leads outside on the port: %s', (rule) => {
    // That it allows more than what is required is an info.
    expect(findings([...web, ingress(rule)]).filter((one) => !one.startsWith('info '))).toEqual([]);
  });

  test.each([
    '{from: [{namespaceSelector: {matchLabels: {team: shop}}}], ports: [{port: 80}]}',
    '{from: [{podSelector: {matchLabels: {app: front}}}], ports: [{port: 8080}]}',
  ])('with a rule that does not: %s', (rule) => {
    expect(findings([...web, ingress(rule)]).filter((one) => !one.startsWith('info '))).toEqual([
      `warning Deployment/web is isolated for ingress by NetworkPolicy/mine, which may cut off what is not known: ${ALONE}; ${CLIENTS}`,
    ]);
  });

  test('it says nothing about egress', () => {
    const all = [workload({ env: OUTSIDE }), service(), ingress('')];
    expect(typesIn(all)).toEqual({ web: ['Ingress'] });
    expect(findings(all)).toEqual([
      `warning Deployment/web is isolated for ingress by NetworkPolicy/mine, which may cut off what is not known: ${ALONE}; ${CLIENTS}`,
      `error Deployment/web is not isolated for egress: ${PAY}; ${ADD_PAY}`,
    ]);
  });
});

describe('a generated policy that isolates pods with an open need', () => {
  const cutsOff = (severity: string, direction: string, name: string, rest: string) =>
    `${severity} Deployment/web is isolated for ${direction} by NetworkPolicy/${name}, which cuts off what is not known: ${rest}`;

  test('of their own: one error', () => {
    const stale = policy(
      'web',
      '{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}',
      GENERATED,
    );
    const build = [
      workload(),
      service(),
      stale,
      policy(
        'dns',
        `{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [${JSON.stringify(DNS)}]}`,
        GENERATED,
      ),
    ];
    expect(checkBuild(build)).toEqual([cutsOff('error', 'ingress', 'web', `${ALONE}; ${CLIENTS}`)]);
    expect(checkBuild(build, { ...EXTERNAL_PEERS, unresolved: 'warning' })).toEqual([
      cutsOff('warning', 'ingress', 'web', `${ALONE}; ${CLIENTS}`),
    ]);
  });

  test('a default deny: one error for each direction', () => {
    const deny = policy('default-deny', '{podSelector: {}, policyTypes: [Ingress, Egress]}', GENERATED);
    const all = [workload({ env: OUTSIDE }), service(), deny];
    expect(checkBuild(all).filter((one) => one.includes('is not known'))).toEqual([
      cutsOff('error', 'ingress', 'default-deny', `${ALONE}; ${CLIENTS}`),
      cutsOff('error', 'egress', 'default-deny', `${PAY}; ${ADD_PAY}`),
    ]);
  });
});

describe('much evidence', () => {
  const env = {
    A_URL: 'https://a.example.com',
    B_URL: 'http://b.bank:8080',
    C_HOST: '10.1.2.3:5432',
    D_URL: 'http://d.corp:81',
    E_URL: 'https://a.example.com/again',
  };
  const evidence =
    'env A_URL names a.example.com, env B_URL names b.bank, env C_HOST names 10.1.2.3 and 2 more';
  const entries = '"a.example.com:443, b.bank:8080, 10.1.2.3:5432"';
  const rest = 'add the addresses of d.corp to todo.example.com/connects-to, such as 10.0.0.0/8:81';

  test('three pieces; every entry once, in one annotation, then the sentences', () => {
    expect(findings([workload({ env })])).toEqual([
      `error Deployment/web is not isolated for egress: ${evidence}; add todo.example.com/connects-to: ${entries}; ${rest}`,
    ]);
  });

  test('the annotation is there', () => {
    const annotations = 'todo.example.com/connects-to: "z.example.com:443"';
    expect(findings([workload({ env, annotations })])).toEqual([
      `error Deployment/web is not isolated for egress: ${evidence}; add ${entries} to todo.example.com/connects-to; ${rest}`,
    ]);
  });

  test('three pieces are all shown', () => {
    const three = { A_URL: env.A_URL, B_URL: env.B_URL, C_HOST: env.C_HOST };
    expect(findings([workload({ env: three })])).toEqual([
      `error Deployment/web is not isolated for egress: ${evidence.replace(' and 2 more', '')}; add todo.example.com/connects-to: ${entries}`,
    ]);
  });
});

describe('every kind of evidence at once', () => {
  const HOST_NETWORK = 'hostNetwork: true, ';
  const route = (apiVersion: string, kind: string, spec: string) =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: in, namespace: shop}\nspec: ${spec}\n`;
  const LED = '{name: led, port: 443, targetPort: 8080}, {name: metrics, port: 9090}';
  const build = [
    namespace('shop', 'istio-injection: enabled'),
    workload({
      env: {
        ...OUTSIDE,
        USERS_URL: 'http://users.accounts:8080',
        CACHE_HOST: 'cache:6379',
        LEGACY_URL: 'http://legacy.corp:8000',
        DB_ADDR: '10.1.2.3:5432',
        EXT_URL: 'https://ext',
        BARE_URL: 'http://bare:81',
        NODE_URL: 'http://node:90',
      },
      pod: 'serviceAccountName: web, dnsPolicy: Default, ',
      container:
        ', args: [--broker-url=https://broker.example.com], envFrom: [{secretRef: {name: keys}}], ports: [{containerPort: 8080, hostPort: 80}]',
    }),
    service('web', `ports: [${LED}]`),
    service('lonely', 'ports: [{port: 80, targetPort: 8081}]', 'web'),
    service('lb', 'type: LoadBalancer, ports: [{port: 80, targetPort: 8080}]', 'web'),
    service('ext', 'type: ExternalName, externalName: ext.example.org'),
    service('bare', 'ports: [{port: 81}]').replace('selector: {app: bare}, ', ''),
    workload({ name: 'node', pod: HOST_NETWORK }),
    service('node', 'ports: [{port: 90}]'),
    workload({ name: 'agent', pod: HOST_NETWORK, env: { WEB_URL: 'https://web' } }),
    route(
      'networking.k8s.io/v1',
      'Ingress',
      '{ingressClassName: alb, defaultBackend: {service: {name: web, port: {number: 443}}}}',
    ),
    route('projectcontour.io/v1', 'HTTPProxy', '{routes: [{services: [{name: web, port: 443}]}]}'),
    route('apiregistration.k8s.io/v1', 'APIService', '{service: {name: web, namespace: shop}}'),
    route(
      'monitoring.coreos.com/v1',
      'ServiceMonitor',
      '{selector: {matchLabels: {app: web}}, endpoints: [{port: metrics}]}',
    ),
  ];
  const INGRESS = [
    'Ingress/in has the class alb, whose controller is not known',
    'HTTPProxy/in leads to it through Service/web',
    'APIService/in leads to it through Service/web',
    'ServiceMonitor/in collects metrics of Service/web',
    'Service/lb is of type LoadBalancer',
    'has a hostPort',
    'Service/lonely has no client in this build',
    'Deployment/agent connects to it from the addresses of its nodes (hostNetwork)',
    'label istio-injection of Namespace/shop puts it in a service mesh',
  ];
  const EGRESS = [
    PAY,
    'env USERS_URL names users.accounts',
    'env CACHE_HOST names cache, and the build has no Service/cache',
    'env LEGACY_URL names legacy.corp',
    'env DB_ADDR names 10.1.2.3',
    'env EXT_URL names Service/ext, which leads to ext.example.org',
    'env BARE_URL names Service/bare, which has no selector',
    'args names broker.example.com',
    'envFrom names Secret/keys, whose keys the build does not list',
    'it mounts the token of ServiceAccount/web',
    'dnsPolicy Default means the DNS servers of its nodes, whose addresses are not known',
    'it connects to Deployment/node at the addresses of its nodes (hostNetwork)',
    'label istio-injection of Namespace/shop puts it in a service mesh',
  ];

  test('each is a need, once', () => {
    const needs = readNeeds(build);
    const lines = [
      ...INGRESS.map((one) => `Deployment/web ingress: ${one}`),
      ...EGRESS.map((one) => `Deployment/web egress: ${one}`),
    ];
    expect(needs.map((one) => one.replace(/; .*/, '')).toSorted()).toEqual(lines.toSorted());
  });

  test('one finding for each direction', () => {
    expect(readBuild(build).policies).toEqual({});
    const ofWeb = findings(build).filter((one) => !one.includes('to which NetworkPolicies do not apply'));
    expect(ofWeb).toHaveLength(2);
    const [ingress = '', egress = ''] = ofWeb;
    expect(ingress.split('; ')).toEqual([
      `error Deployment/web is not isolated for ingress: ${INGRESS.slice(0, 3).join(', ')} and 6 more`,
      'add alb to spec.network.ingressControllers of the configuration',
      CLIENTS,
      'set spec.network.apiServer in the configuration, or name the addresses of the API server in todo.example.com/accepts-from',
      'set spec.network.monitoring in the configuration, or name the clients in todo.example.com/accepts-from',
      CLIENTS.replaceAll('8080', '8081'),
      'add the range of the nodes to todo.example.com/accepts-from, such as 10.0.0.0/16:8080',
      'set spec.network.mesh: istio in the configuration',
    ]);
    expect(egress.split('; ')).toEqual([
      `error Deployment/web is not isolated for egress: ${EGRESS.slice(0, 3).join(', ')} and 10 more`,
      'add todo.example.com/connects-to: "pay.example.com:443, users.accounts:8080, cache.shop:6379, 10.1.2.3:5432, ext.example.org:443, broker.example.com:443"',
      'add the addresses of legacy.corp to todo.example.com/connects-to, such as 10.0.0.0/8:8000',
      'add the addresses behind Service/bare to todo.example.com/connects-to, such as 10.0.0.5:81',
      'state its hosts in todo.example.com/connects-to, such as db.example.com:5432, or none',
      'set spec.network.apiServer in the configuration, or automountServiceAccountToken: false where the pods do not call the API server',
      'add them to spec.network.dns.addresses of the configuration, or to todo.example.com/connects-to, such as 10.0.0.2:53/UDP',
      'add the range of the nodes to todo.example.com/connects-to, such as 10.0.0.0/16:90',
      'set spec.network.mesh: istio in the configuration',
    ]);
  });

  test('none in both annotations answers all', () => {
    const annotations = 'todo.example.com/accepts-from: none, todo.example.com/connects-to: none';
    const all = build.map((one) =>
      one.includes('serviceAccountName')
        ? one.replace('annotations: {}', `annotations: {${annotations}}`)
        : one,
    );
    expect(readNeeds(all)).toEqual([]);
    expect(typesIn(all)).toEqual({ 'default-deny': BOTH, web: BOTH });
  });
});

describe('a Deployment and a CronJob of one name', () => {
  const job = { kind: 'CronJob', env: { MAIL_URL: 'https://mail.example.com' } } as const;
  const ofJob = (severity = 'error') =>
    `${severity} CronJob/web is not isolated for egress: env MAIL_URL names mail.example.com; add todo.example.com/connects-to: "mail.example.com:443"`;

  test('each has its own needs', () => {
    const build = [workload({ env: OUTSIDE }), service(), workload(job)];
    expect(typesIn(build)).toEqual({ 'web-cronjob': ['Ingress'] });
    expect(findings(build)).toEqual([
      `error Deployment/web is not isolated for ingress: ${ALONE}; ${CLIENTS}`,
      `error Deployment/web is not isolated for egress: ${PAY}; ${ADD_PAY}`,
      ofJob(),
    ]);
  });

  test('an answer of one does not answer the other', () => {
    const annotations =
      'todo.example.com/connects-to: "pay.example.com:443", todo.example.com/accepts-from: none';
    const build = [workload({ env: OUTSIDE, annotations }), service(), workload(job)];
    expect(typesIn(build)).toEqual({ 'web-cronjob': ['Ingress'], 'web-deployment': BOTH });
    expect(findings(build)).toEqual([ofJob()]);
    expect(findings(build, { ...EXTERNAL_PEERS, unresolved: 'warning' })).toEqual([ofJob('warning')]);
  });
});

describe('what leads to a Service', () => {
  const MONITORED = service(
    'web',
    'ports: [{name: http, port: 80, targetPort: 8080}, {name: stats, port: 81, targetPort: 9090}]',
  );
  const monitor = `apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: web, namespace: shop}
spec: {selector: {matchLabels: {app: web}}, endpoints: [{port: stats}]}
`;
  const webhook = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: web}
webhooks: [{name: a.example.com, clientConfig: {service: {name: web, namespace: shop, port: 80}}}]
`;
  const route = `apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: web, namespace: shop}
spec: {to: {kind: Service, name: web}, port: {targetPort: http}}
`;
  const PEERS: ExternalPeers = {
    ...EXTERNAL_PEERS,
    apiServer: { addresses: ['10.0.0.1/32'], ports: [6443] },
    monitoring: { namespace: 'monitoring', podLabels: {} },
  };

  test.each([
    ['a monitor alone, and another port', [monitor], [`Deployment/web ingress: ${ALONE}; ${CLIENTS}`]],
    ['a monitor and a webhook', [monitor, webhook], []],
    ['a monitor and a Route', [monitor, route], []],
    ['a webhook', [webhook], []],
    ['a Route', [route], []],
  ])('%s', (_, more, needs) => {
    const build = [workload(), MONITORED, ...more];
    expect(readNeeds(build, PEERS)).toEqual(needs);
    expect(typesIn(build, PEERS)).toEqual({ web: needs.length === 0 ? BOTH : ['Egress'] });
  });

  test('a monitor alone, of all ports', () => {
    const build = [workload(), service('web', 'ports: [{name: stats, port: 81, targetPort: 9090}]'), monitor];
    expect(readNeeds(build, PEERS)).toEqual([]);
    expect(findings(build, PEERS)).toEqual([]);
  });
});
