import { isObject, parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';
import { expandLists } from '../../functions/guardrails/krm/resource';
import { annotationNames } from '../../functions/guardrails/kubernetes/annotation-names';
import { type WantedPolicy, specOf, wantedPolicies } from '../../functions/guardrails/network/generate';
import { EXTERNAL_PEERS } from '../../functions/guardrails/network/external-peers';
import type { ConnectionEnd } from '../../functions/guardrails/network/connection';
import { readTopology } from '../../functions/guardrails/network/topology';
import { formatPath } from '../../functions/guardrails/yaml/field-path';

/** The required traffic of a build: `from -> to: ports` for each connection but DNS, what is reported, and what holds back. */
function read(...documents: string[]) {
  const resources = parseYaml(documents.join('---\n'), 'test')
    .map(valueOf)
    .flatMap((value) => (isObject(value) ? expandLists(value) : []));
  const topology = readTopology(resources, annotationNames());
  const connections = topology.connections
    .filter(({ to }) => to.is !== 'dns')
    .map(({ from, to, ports }) => {
      const list = ports.map(({ protocol, port }) => `${protocol} ${port}`).join(', ');
      return `${nameOf(from)} -> ${nameOf(to)}: ${list}`;
    });
  const all = [...topology.reports, ...topology.missingBackends];
  const reports = all.map(({ report }) => `${report.severity ?? 'error'}: ${report.problem.raw}`);
  const fields = all.map(({ report }) => formatPath(report.field));
  const clients = topology.connections.filter(({ to }) => to.is === 'dns').map(({ from }) => nameOf(from));
  const policies = () => wantedPolicies(topology, EXTERNAL_PEERS);
  const needs = topology.needs.map(({ workload, direction, evidence, answer }) => ({
    of: nameOf({ is: 'workload', workload }),
    direction,
    evidence: evidence.raw,
    answer: 'annotation' in answer ? `${answer.annotation} ${answer.entry.raw}` : answer.raw,
  }));
  return { connections, reports, fields, clients, policies, topology, needs };
}

function nameOf(end: ConnectionEnd): string {
  if (end.is === 'pods') return `pods of ${end.pods.namespace}`;
  if (end.is !== 'workload') return end.is;
  const { kind, name, namespace } = end.workload;
  return `${kind}/${name}${namespace === '' ? '' : ` in ${namespace}`}`;
}

interface Pod {
  env?: Record<string, string>;
  ports?: string;
  annotations?: string;
  labels?: string;
  namespace?: string;
}

function metadata(name: string, { namespace, annotations = '{}' }: Pod): string {
  return `metadata: { name: ${name}, annotations: ${annotations}${namespace === undefined ? '' : `, namespace: ${namespace}`} }`;
}

function template(name: string, { env = {}, ports = '[]', labels = `{ app: ${name} }` }: Pod): string {
  const entries = Object.entries(env).map(([key, value]) => `{ name: ${key}, value: '${value}' }`);
  return `{ metadata: { labels: ${labels} }, spec: { containers: [{ name: c, image: 'i:1', env: [${entries.join(', ')}], ports: ${ports} }] } }`;
}

function workload(kind: string, name: string, pod: Pod = {}): string {
  const selector = `selector: { matchLabels: ${pod.labels ?? `{ app: ${name} }`} }`;
  return `apiVersion: apps/v1
kind: ${kind}
${metadata(name, pod)}
spec: { ${selector}, template: ${template(name, pod)} }
`;
}

function service(name: string, spec: string, namespace?: string): string {
  return `apiVersion: v1
kind: Service
${metadata(name, namespace === undefined ? {} : { namespace })}
spec: ${spec}
`;
}

function namespace(name: string): string {
  return `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${name} }\n`;
}

const API = workload('Deployment', 'api', { ports: '[{ name: web, containerPort: 8080 }]' });
const API_SERVICE = service(
  'api',
  '{ selector: { app: api }, ports: [{ name: http, port: 80, targetPort: web }] }',
);
const CALLS_API = { env: { API_URL: 'http://api:80/v1' } };

/** A rule that lets pods resolve names. */
const TO_DNS = {
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

function specsByName(policies: readonly WantedPolicy[]) {
  return new Map(policies.map((policy) => [policy.name, specOf(policy)]));
}

describe('who is a client', () => {
  test('a Job', () => {
    const job = `apiVersion: batch/v1\nkind: Job\n${metadata('once', {})}\nspec: { template: ${template('once', CALLS_API)} }\n`;
    const { connections, clients } = read(API, API_SERVICE, job);
    expect(connections).toEqual(['Job/once -> Deployment/api: TCP 8080']);
    // Every pod resolves names, whether it opens connections or not.
    expect(clients).toEqual(['Deployment/api', 'Job/once']);
  });

  test('a CronJob', () => {
    const cron = `apiVersion: batch/v1\nkind: CronJob\n${metadata('nightly', {})}\nspec: { jobTemplate: { spec: { template: ${template('nightly', CALLS_API)} } } }\n`;
    expect(read(API, API_SERVICE, cron).connections).toEqual(['CronJob/nightly -> Deployment/api: TCP 8080']);
  });

  test('a Pod alone, and a DaemonSet', () => {
    const pod = `apiVersion: v1\nkind: Pod\nmetadata: { name: p, labels: { app: p } }\nspec: { containers: [{ name: c, image: 'i:1', env: [{ name: A, value: 'api:80' }] }] }\n`;
    expect(read(API, API_SERVICE, pod, workload('DaemonSet', 'agent', CALLS_API)).connections).toEqual([
      'Pod/p -> Deployment/api: TCP 8080',
      'DaemonSet/agent -> Deployment/api: TCP 8080',
    ]);
  });

  test('a StatefulSet whose pods call each other through their headless Service', () => {
    const pod = {
      env: { PEERS: 'db-0.db:5432,db-1.db.shop.svc.cluster.local:5432' },
      ports: '[{ containerPort: 5432 }]',
      namespace: 'shop',
      annotations: '{ todo.example.com/accepts-from: none }',
    };
    const headless = service(
      'db',
      '{ clusterIP: None, selector: { app: db }, ports: [{ port: 5432 }] }',
      'shop',
    );
    const { connections, reports, policies } = read(workload('StatefulSet', 'db', pod), headless);
    expect(new Set(connections)).toEqual(
      new Set(['StatefulSet/db in shop -> StatefulSet/db in shop: TCP 5432']),
    );
    expect(reports).toEqual([]);
    const [db, ...others] = policies();
    const members = [{ podSelector: { matchLabels: { app: 'db' } } }];
    const ports = [{ protocol: 'TCP', port: 5432 }];
    expect({ others, name: db?.name, spec: db && specOf(db) }).toEqual({
      others: [],
      name: 'db',
      spec: {
        podSelector: { matchLabels: { app: 'db' } },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ from: members, ports }],
        egress: [{ to: members, ports }, TO_DNS],
      },
    });
  });
});

describe('how a Service is named', () => {
  const DB = workload('Deployment', 'db');
  const DB2 = workload('Deployment', 'db2');
  const services = ['db', 'db2'].map((name) =>
    service(
      name,
      `{ selector: { app: ${name} }, ports: [{ name: sql, port: 5432 }, { name: web, port: 80 }, { name: metrics, port: 9187 }] }`,
    ),
  );
  const named = (...documents: string[]) => read(DB, DB2, ...services, ...documents);
  const TO = (name: string, ports: string) => `Deployment/web -> Deployment/${name}: ${ports}`;

  const web = (container: string, volumes = '[]') =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { selector: { matchLabels: { app: web } }, template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: c, image: 'i:1', ${container} }], volumes: ${volumes} } } }\n`;

  test.each<[string, string, string[]]>([
    ['DB', 'jdbc:postgresql://db:5432/app', [TO('db', 'TCP 5432')]],
    ['DB', 'postgresql+asyncpg://u:p@db/app', [TO('db', 'TCP 5432')]],
    ['DB', 'postgres://u:p@db:5432,db2:5432/app?x=y', [TO('db', 'TCP 5432'), TO('db2', 'TCP 5432')]],
    ['DB', 'http://db,http://db2:9187/x', [TO('db', 'TCP 80'), TO('db2', 'TCP 9187')]],
    ['DB', 'http://db:80;http://db2:80', [TO('db', 'TCP 80'), TO('db2', 'TCP 80')]],
    ['DB', 'db:5432/app', [TO('db', 'TCP 5432')]],
    ['DB', 'user:pass@tcp(db:5432)/app?parseTime=true', [TO('db', 'TCP 5432')]],
    ['DB', 'host=db port=9187 user=app', [TO('db', 'TCP 9187')]],
    ['DB', 'user=app host=db', [TO('db', 'TCP 5432')]],
    ['DB', 'port=9187 host=db user=db2', [TO('db', 'TCP 9187')]],
    ['DB_URL', 'host=db port=9187 user=db2', [TO('db', 'TCP 9187')]],
    ['DB_HOST', 'ask db at night', []],
    ['DB_HOST', 'db, db2', [TO('db', 'TCP 5432, TCP 80, TCP 9187'), TO('db2', 'TCP 5432, TCP 80, TCP 9187')]],
    ['DB', '{"api": "http://db:80", "other": ["db2:5432"]}', [TO('db', 'TCP 80'), TO('db2', 'TCP 5432')]],
    ['DB_HOST', 'db', [TO('db', 'TCP 5432, TCP 80, TCP 9187')]],
    ['DB', 'http://example.com/db:80', []],
    ['DB', 'https://db.example.com', []],
    ['DB', 'http://user:db@example.com', []],
  ])('env %s: %s', (key, value, connections) => {
    const env = `env: [{ name: ${key}, value: ${JSON.stringify(value)} }]`;
    expect(named(web(env))).toMatchObject({ connections, reports: [] });
  });

  test('a bare word under another key is reported, and is no connection', () => {
    expect(named(web('env: [{ name: DB, value: db }]'))).toMatchObject({
      connections: [],
      reports: ['info: env DB is the name of Service/db, and is not read as an address'],
    });
  });

  const map = (name: string, data: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: ${data}\n`;

  test.each<[string, string[], string[]]>([
    [
      'the command and its arguments',
      [web(`command: [app, '--db=http://db:5432'], args: ['--other', 'db2:80']`)],
      [TO('db', 'TCP 5432'), TO('db2', 'TCP 80')],
    ],
    [
      'a variable in a value',
      [
        web(
          `env: [{ name: D, value: b }, { name: U, value: 'http://d$(D):80' }, { name: V, value: 'http://$$(D)' }]`,
        ),
      ],
      [TO('db', 'TCP 80')],
    ],
    [
      'a variable in an argument',
      [web(`env: [{ name: D, value: b }], args: ['http://d$(D):80']`)],
      [TO('db', 'TCP 80')],
    ],
    [
      'a ConfigMap as env, with a prefix',
      [web(`envFrom: [{ prefix: DB_, configMapRef: { name: m } }]`), map('m', '{ HOST: db2 }')],
      [TO('db2', 'TCP 5432, TCP 80, TCP 9187')],
    ],
    [
      'env wins over a ConfigMap',
      [
        web(`envFrom: [{ configMapRef: { name: m } }], env: [{ name: U, value: 'http://db2' }]`),
        map('m', '{ U: "http://db" }'),
      ],
      [TO('db2', 'TCP 80')],
    ],
    [
      'a Secret instead of the value of a ConfigMap',
      [
        web(
          `envFrom: [{ configMapRef: { name: m } }], env: [{ name: U, valueFrom: { secretKeyRef: { name: s, key: k } } }]`,
        ),
        map('m', '{ U: "http://db" }'),
      ],
      [],
    ],
    [
      'a ConfigMap that is mounted: URLs',
      [
        web('', '[{ name: v, configMap: { name: m } }]'),
        map('m', '{ nginx.conf: "proxy_pass http://db:80; # db2:80" }'),
      ],
      [TO('db', 'TCP 80')],
    ],
    [
      'a ConfigMap in a projected volume',
      [
        web('', '[{ name: v, projected: { sources: [{ configMap: { name: m } }] } }]'),
        map('m', '{ a: "http://db" }'),
      ],
      [TO('db', 'TCP 80')],
    ],
    ['a ConfigMap that no pod uses', [web(''), map('m', '{ U: "http://db" }')], []],
  ])('%s', (_, documents, connections) => {
    expect(named(...documents)).toMatchObject({ connections, reports: [] });
  });
});

describe('a long text that is nearly something, of which no search may start anew at every letter', () => {
  test.each(['a', 'a.', '$(', 'a:', 'http:', 'host=', 'http://a,'])('%s', (part) => {
    const text = part.repeat(1_000_000 / part.length);
    const map = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: m }\ndata: { k: ${JSON.stringify(text)} }\n`;
    const pod = `apiVersion: v1\nkind: Pod\nmetadata: { name: p, labels: { app: p } }\nspec: { containers: [{ name: c, image: i, args: [${JSON.stringify(text)}] }], volumes: [{ name: v, configMap: { name: m } }] }\n`;
    expect(read(API, API_SERVICE, map, pod).connections).toEqual([]);
  });
});

test('variables that double at every step end somewhere', () => {
  const doubling = Array.from({ length: 60 }, (_, i) => `{ name: A${i + 1}, value: '$(A${i})$(A${i})' }`);
  const pod = `apiVersion: v1\nkind: Pod\nmetadata: { name: p, labels: { app: p } }\nspec: { containers: [{ name: c, image: i, env: [{ name: A0, value: 'api:80 ' }, ${doubling.join(', ')}] }] }\n`;
  expect(new Set(read(API, API_SERVICE, pod).connections)).toEqual(
    new Set(['Pod/p -> Deployment/api: TCP 8080']),
  );
});

describe('where a Service leads', () => {
  const client = workload('Deployment', 'web', CALLS_API);
  const leadsTo = (spec: string, more: readonly string[] = []) =>
    read(API, client, service('api', spec), ...more);

  test.each([
    ['a port by number', '{ selector: { app: api }, ports: [{ port: 80, targetPort: 9000 }] }', 'TCP 9000'],
    ['a port by name', '{ selector: { app: api }, ports: [{ port: 80, targetPort: web }] }', 'TCP 8080'],
    ['a port without a target', '{ selector: { app: api }, ports: [{ port: 80 }] }', 'TCP 80'],
    [
      'one of two ports',
      '{ selector: { app: api }, ports: [{ port: 80, targetPort: 1, name: a }, { port: 81, targetPort: 2, name: b }] }',
      'TCP 1',
    ],
    [
      'headless: the number that the client names, whatever the target',
      '{ clusterIP: None, selector: { app: api }, ports: [{ port: 80, targetPort: 9000 }] }',
      'TCP 80',
    ],
  ])('%s', (_, spec, ports) => {
    expect(leadsTo(spec)).toMatchObject({
      connections: [`Deployment/web -> Deployment/api: ${ports}`],
      reports: [],
    });
  });

  test.each([
    [
      'api-0.api:80',
      '{ clusterIP: None, selector: { app: api }, ports: [{ port: 80 }] }',
      ['Deployment/caller -> Deployment/api: TCP 80'],
    ],
    ['api-0.api:80', '{ selector: { app: api }, ports: [{ port: 80 }] }', []],
    ['www.api.example.com:80', '{ clusterIP: None, selector: { app: api }, ports: [{ port: 80 }] }', []],
  ])('the name of a pod before it, %s: only of a headless one', (host, spec, connections) => {
    const caller = workload('Deployment', 'caller', { env: { PEER: host } });
    expect(read(API, caller, service('api', spec))).toMatchObject({ connections, reports: [] });
  });

  test('headless: controllers go to the pods, on the port that the target names', () => {
    const ingress = `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: i }\nspec: { defaultBackend: { service: { name: api, port: { number: 80 } } } }\n`;
    const headless = service(
      'api',
      '{ clusterIP: None, selector: { app: api }, ports: [{ port: 80, targetPort: web }] }',
    );
    expect(read(API, headless, ingress).connections).toEqual([
      'ingress-controller -> Deployment/api: TCP 8080',
    ]);
  });

  test('headless: on each protocol that the port has', () => {
    const dns = service(
      'api',
      '{ clusterIP: None, selector: { app: api }, ports: [{ name: a, port: 80, protocol: UDP }, { name: b, port: 80 }] }',
    );
    expect(read(API, client, dns).connections).toEqual(['Deployment/web -> Deployment/api: UDP 80, TCP 80']);
  });

  test('pods that expressions distinguish are selected by all of their labels', () => {
    const other = (name: string, role: string) =>
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: ${name} }\nspec: { selector: { matchLabels: { app: s }, matchExpressions: [{ key: r, operator: In, values: [${role}] }] }, template: { metadata: { labels: { app: s, r: ${role} } }, spec: { containers: [{ name: c, image: 'i:1', env: [{ name: U, value: 'http://api' }] }] } } }\n`;
    const specs = specsByName(read(API, API_SERVICE, other('a', 'x')).policies());
    const podSelector = { matchLabels: { app: 's', r: 'x' } };
    expect(specs.get('api')?.ingress).toMatchObject([{ from: [{ podSelector }] }]);
    expect(specs.get('a')).toMatchObject({ podSelector });
  });

  test('to every workload that it selects', () => {
    const canary = workload('Deployment', 'api-canary', {
      labels: '{ app: api, track: canary }',
      ports: '[{ name: web, containerPort: 9090 }]',
    });
    const { connections } = leadsTo('{ selector: { app: api }, ports: [{ port: 80, targetPort: web }] }', [
      canary,
    ]);
    expect(connections).toEqual([
      'Deployment/web -> Deployment/api: TCP 8080',
      'Deployment/web -> Deployment/api-canary: TCP 9090',
    ]);
  });

  test.each([
    [
      'a missing port',
      '{ selector: { app: api }, ports: [{ port: 81 }] }',
      'error: env API_URL refers to Service/api, which has no port 80',
    ],
    [
      'a selector with a value that is not a string',
      '{ selector: { app: api, version: 2 }, ports: [{ port: 80 }] }',
      'error: env API_URL refers to Service/api, whose selector has values that are not strings',
    ],
  ])('%s: reported, not guessed', (_, spec, report) => {
    expect(leadsTo(spec)).toMatchObject({ connections: [], reports: [report] });
  });

  test.each([
    [
      'ExternalName',
      '{ type: ExternalName, externalName: api.example.com }',
      'env API_URL names Service/api, which leads to api.example.com',
      'connects-to api.example.com:80',
    ],
    [
      'no selector',
      '{ ports: [{ port: 80 }] }',
      'env API_URL names Service/api, which has no selector',
      'add the addresses behind Service/api to todo.example.com/connects-to, such as 10.0.0.5:80',
    ],
  ])('%s: to something that is no pod of the build, which holds egress back', (_, spec, evidence, answer) => {
    const { connections, reports, needs } = leadsTo(spec);
    expect({ connections, reports }).toEqual({ connections: [], reports: [] });
    expect(needs).toEqual([{ of: 'Deployment/web', direction: 'egress', evidence, answer }]);
  });

  test('pods with labels that are not strings: no policy is generated, and they are reported', () => {
    const { connections, reports } = read(
      API,
      API_SERVICE,
      workload('Deployment', 'web', { ...CALLS_API, labels: '{ app: web, version: 2 }' }),
    );
    expect(connections).toEqual([]);
    expect(reports).toEqual(['error: has label values that are not strings, which the API server rejects']);
  });
});

describe('connects-to', () => {
  const asks = (entry: string) =>
    workload('Deployment', 'web', { annotations: `{ todo.example.com/connects-to: '${entry}' }` });

  test.each([
    ['api:80', ['Deployment/web -> Deployment/api: TCP 8080']],
    ['api:http', ['Deployment/web -> Deployment/api: TCP 8080']],
    [
      'api:80, api:80',
      ['Deployment/web -> Deployment/api: TCP 8080', 'Deployment/web -> Deployment/api: TCP 8080'],
    ],
    // Of another package, and outside the cluster.
    ['db.data:5432', ['Deployment/web -> pods of data: TCP 5432']],
    ['api.default.example.com:80', ['Deployment/web -> internet: TCP 80']],
  ])('%s', (entry, connections) => {
    expect(read(API, API_SERVICE, asks(entry))).toMatchObject({ connections, reports: [] });
  });

  test.each([
    [
      'api',
      'error: annotation todo.example.com/connects-to has the invalid entry "api": it must be name:port',
    ],
    [
      'http://api:80',
      'error: annotation todo.example.com/connects-to has the invalid entry "http://api:80": it must be name:port',
    ],
    ['api:81', 'error: annotation todo.example.com/connects-to refers to Service/api, which has no port 81'],
    [
      'gone:80',
      'error: annotation todo.example.com/connects-to has the invalid entry "gone:80": the build has no Service/gone',
    ],
  ])('%s: reported, not guessed', (entry, report) => {
    expect(read(API, API_SERVICE, asks(entry))).toMatchObject({ connections: [], reports: [report] });
  });

  test('the pods of a headless Service, by name', () => {
    const headless = service('db', '{ clusterIP: None, selector: { app: api }, ports: [{ port: 5432 }] }');
    expect(read(API, headless, asks('db-0.db:5432'))).toMatchObject({
      connections: ['Deployment/web -> Deployment/api: TCP 5432'],
      reports: [],
    });
  });
});

describe('a report names the field that requires the connection', () => {
  const web = (spec: string, annotations = '{}') =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: web, labels: { app: web }, annotations: ${annotations} }\nspec: ${spec}\n`;
  const none = service('api', '{ selector: { app: none }, ports: [{ port: 81 }] }');
  const backend = '{ service: { name: gone, port: { number: 80 } } }';

  test.each([
    [
      'an annotation',
      web('{ containers: [] }', `{ todo.example.com/connects-to: 'gone:80' }`),
      'metadata.annotations."todo.example.com/connects-to"',
    ],
    [
      'env',
      web(
        '{ containers: [{ name: a }, { name: b, env: [{ name: A, value: a }, { name: U, value: "http://api" }] }] }',
      ),
      'spec.containers[1].env[1]',
    ],
    [
      'args',
      web('{ initContainers: [{ name: a, args: [-x, "http://api"] }] }'),
      'spec.initContainers[0].args[1]',
    ],
    [
      'an Ingress',
      `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: i }\nspec: { rules: [{}, { http: { paths: [{ backend: ${backend} }] } }] }\n`,
      'spec.rules[1].http.paths[0].backend.service',
    ],
    [
      'a route',
      `apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: { name: r }\nspec: { rules: [{ backendRefs: [{ name: gone }] }] }\n`,
      'spec.rules[0].backendRefs[0]',
    ],
  ])('%s', (_, resource, field) => {
    expect(read(none, resource).fields).toEqual([field]);
  });
});

describe('two namespaces in one build', () => {
  const shop = { ports: '[{ containerPort: 8080 }]', namespace: 'shop' };
  const build = [
    workload('Deployment', 'api', shop),
    service('api', '{ selector: { app: api }, ports: [{ port: 80, targetPort: 8080 }] }', 'shop'),
    workload('Deployment', 'web', { env: { URL: 'http://api.shop.svc:80' }, namespace: 'front' }),
    workload('Deployment', 'other', {
      env: { URL: 'http://api:80' },
      namespace: 'front',
      annotations: '{ todo.example.com/connects-to: none }',
    }),
  ];

  test('a name with a namespace leads there, one without stays at home', () => {
    expect(read(...build).connections).toEqual([
      'Deployment/web in front -> Deployment/api in shop: TCP 8080',
    ]);
  });

  test('a name without one that is no Service at home holds egress back', () => {
    const stray = workload('Deployment', 'stray', { env: { URL: 'http://api:80' }, namespace: 'front' });
    const { needs, policies } = read(...build, stray);
    expect(needs).toEqual([
      {
        of: 'Deployment/stray in front',
        direction: 'egress',
        evidence: 'env URL names api, and the build has no Service/api',
        answer: 'connects-to api.front:80',
      },
    ]);
    expect(specsByName(policies()).get('stray')).toEqual({
      podSelector: { matchLabels: { app: 'stray' } },
      policyTypes: ['Ingress'],
    });
  });

  const namesIn = (policies: readonly WantedPolicy[]) =>
    policies.map(({ name, namespace }) => `${namespace}/${name}`);

  test('each namespace has its policies, and each peer names the other namespace', () => {
    const policies = read(...build).policies();
    expect(namesIn(policies)).toEqual(['front/other', 'front/web', 'shop/api']);
    const specs = specsByName(policies);
    const peer = (of: string, app: string) => [
      {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': of } },
        podSelector: { matchLabels: { app } },
      },
    ];
    const isolated = { policyTypes: ['Ingress', 'Egress'] };
    const ports = [{ protocol: 'TCP', port: 8080 }];
    expect(specs.get('api')).toEqual({
      podSelector: { matchLabels: { app: 'api' } },
      ...isolated,
      ingress: [{ from: peer('front', 'web'), ports }],
      egress: [TO_DNS],
    });
    expect(specs.get('web')).toEqual({
      podSelector: { matchLabels: { app: 'web' } },
      ...isolated,
      egress: [{ to: peer('shop', 'api'), ports }, TO_DNS],
    });
    expect(specs.get('other')).toEqual({
      podSelector: { matchLabels: { app: 'other' } },
      ...isolated,
      egress: [TO_DNS],
    });
  });

  test.each([
    ['both', ['front', 'shop'], ['front/default-deny', 'shop/default-deny']],
    ['one', ['shop'], ['shop/default-deny']],
    ['one without pods', ['empty'], []],
  ])('a default deny where the build has the Namespace: %s', (_, names, denials) => {
    const policies = read(...build, ...names.map(namespace)).policies();
    expect(namesIn(policies)).toEqual([...denials, 'front/other', 'front/web', 'shop/api']);
    for (const policy of policies.filter(({ name }) => name === 'default-deny'))
      expect(specOf(policy)).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  });
});

describe('the Gateway API', () => {
  const route = (kind: string, backend: string, namespace = 'shop') =>
    `apiVersion: gateway.networking.k8s.io/v1\nkind: ${kind}\nmetadata: { name: r, namespace: ${namespace} }\nspec: { rules: [{ backendRefs: [${backend}] }] }\n`;
  const shop = [
    workload('Deployment', 'api', { ports: '[{ name: web, containerPort: 8080 }]', namespace: 'shop' }),
    service('api', '{ selector: { app: api }, ports: [{ port: 80, targetPort: web }] }', 'shop'),
  ];

  test.each(['HTTPRoute', 'GRPCRoute', 'TCPRoute', 'TLSRoute'])('%s', (kind) => {
    expect(read(...shop, route(kind, '{ name: api, port: 80 }')).connections).toEqual([
      'gateway -> Deployment/api in shop: TCP 8080',
    ]);
  });

  test('a Service in another namespace', () => {
    const grant = `apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: { name: g, namespace: shop }\nspec: { from: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: edge }], to: [{ group: '', kind: Service }] }\n`;
    expect(
      read(...shop, route('HTTPRoute', '{ name: api, namespace: shop, port: 80 }', 'edge'), grant)
        .connections,
    ).toEqual(['gateway -> Deployment/api in shop: TCP 8080']);
  });

  test('copies of requests', () => {
    const mirror =
      '{ filters: [{ type: RequestMirror, requestMirror: { backendRef: { name: api, port: 80 } } }] }';
    const mirrored = `apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: { name: r, namespace: shop }\nspec: { rules: [${mirror}] }\n`;
    expect(read(...shop, mirrored).connections).toEqual(['gateway -> Deployment/api in shop: TCP 8080']);
  });

  test('other backends than Services are ignored; a missing Service is reported', () => {
    const bucket = '{ group: storage.example.com, kind: Bucket, name: api }';
    expect(read(...shop, route('HTTPRoute', bucket))).toMatchObject({ connections: [], reports: [] });
    expect(read(...shop, route('HTTPRoute', '{ name: gone, port: 80 }'))).toMatchObject({
      connections: [],
      reports: ['error: refers to Service/gone, which is not in the build'],
    });
  });

  test('the gateway is named as the configuration says', () => {
    const { policies } = read(...shop, route('HTTPRoute', '{ name: api, port: 80 }'));
    expect([...specsByName(policies())]).toEqual([
      [
        'api',
        {
          podSelector: { matchLabels: { app: 'api' } },
          policyTypes: ['Ingress', 'Egress'],
          ingress: [
            {
              from: [
                {
                  namespaceSelector: {
                    matchLabels: { 'kubernetes.io/metadata.name': 'envoy-gateway-system' },
                  },
                  podSelector: {
                    matchExpressions: [
                      { key: 'app.kubernetes.io/component', operator: 'In', values: ['proxy'] },
                      { key: 'app.kubernetes.io/managed-by', operator: 'In', values: ['envoy-gateway'] },
                    ],
                  },
                },
              ],
              ports: [{ protocol: 'TCP', port: 8080 }],
            },
          ],
          egress: [TO_DNS],
        },
      ],
    ]);
  });

  test('a Gateway with certificates from cert-manager lets the solver be reached', () => {
    const gateway = `apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: g, namespace: shop, annotations: { cert-manager.io/cluster-issuer: le } }\nspec: {}\n`;
    expect(read(...shop, gateway).connections).toEqual(['gateway -> acme-solver: TCP 8089']);
  });
});

describe('the policies of a build', () => {
  const job = (kind: string, apiVersion: string) =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: once }\nspec: { template: { spec: { containers: [{ name: c, image: 'i:1', env: [{ name: U, value: 'http://api' }] }] } } }\n`;

  test('are named as the workloads, with the kind where two share a name', () => {
    const set = workload('StatefulSet', 'api', { labels: '{ app: set }' });
    const specs = specsByName(read(API, set, workload('Deployment', 'web')).policies());
    expect([...specs.keys()]).toEqual(['api-deployment', 'api-statefulset', 'web']);
    expect(specs.get('api-statefulset')).toMatchObject({ podSelector: { matchLabels: { app: 'set' } } });
  });

  test('have a reason at each rule: all of them where several require it', () => {
    const web = workload('Deployment', 'web', {
      env: { A: 'http://api', B: 'http://api:80' },
      annotations: `{ todo.example.com/internet-egress: '443' }`,
    });
    const ingress = `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: i }\nspec: { rules: [{ http: { paths: [{ path: /a, backend: { service: { name: api, port: { number: 80 } } } }] } }], defaultBackend: { service: { name: api, port: { number: 80 } } } }\n`;
    const reasons = read(API, API_SERVICE, web, ingress)
      .policies()
      .map(({ name, rules }) => [
        name,
        rules.ingress?.map((rule) => rule.reasons),
        rules.egress?.map((rule) => rule.reasons),
      ]);
    const ofWeb = ['Deployment/web env A -> Service/api', 'Deployment/web env B -> Service/api'];
    expect(reasons).toEqual([
      ['api', [['Ingress/i -> Service/api', 'Ingress/i /a -> Service/api'], ofWeb], [['DNS']]],
      ['web', [], [ofWeb, ['annotation todo.example.com/internet-egress'], ['DNS']]],
    ]);
  });

  test.each([
    ['Job', 'batch/v1', { 'batch.kubernetes.io/job-name': 'once' }],
    ['Service', 'serving.knative.dev/v1', { 'serving.knative.dev/service': 'once' }],
  ])('%s without labels at its pods: by the label that its controller adds', (kind, version, labels) => {
    const { policies, reports } = read(API, API_SERVICE, job(kind, version));
    const specs = specsByName(policies());
    const podSelector = { matchLabels: labels };
    expect(reports).toEqual([]);
    expect(specs.get('once')).toMatchObject({ podSelector });
    expect(specs.get('api')?.ingress).toMatchObject([{ from: [{ podSelector }] }]);
  });

  test('pods without labels have none, and a connection of theirs is reported', () => {
    const { policies, reports } = read(API, API_SERVICE, job('Deployment', 'apps/v1'));
    expect([...specsByName(policies()).keys()]).toEqual(['api']);
    expect(reports).toEqual(['error: has pods without labels, which no NetworkPolicy can select']);
  });

  test('pods of the ACME solver are selected by the label that cert-manager gives them', () => {
    const ingress = `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: i, annotations: { cert-manager.io/cluster-issuer: le } }\nspec: { tls: [{ hosts: [a.example.com] }] }\n`;
    const solver = specsByName(read(API, ingress).policies()).get('acme-solver');
    expect(solver).toMatchObject({
      podSelector: {
        matchExpressions: [{ key: 'acme.cert-manager.io/http01-solver', operator: 'In', values: ['true'] }],
      },
      policyTypes: ['Ingress'],
      ingress: [{ ports: [{ protocol: 'TCP', port: 8089 }] }],
    });
  });
});

describe('a default deny', () => {
  const deniedIn = (name: string, defaultDeny?: 'namespace') => {
    const api = workload('Deployment', 'api', { namespace: name });
    const { topology } = read(api, namespace(name));
    return wantedPolicies(topology, { ...EXTERNAL_PEERS, defaultDeny }).map((policy) => policy.name);
  };

  test.each([
    ['shop', undefined, ['default-deny', 'api']],
    ['default', undefined, ['api']],
    ['kube-system', undefined, ['api']],
    ['kube-public', undefined, ['api']],
    ['kube-node-lease', undefined, ['api']],
    ['default', 'namespace', ['default-deny', 'api']],
  ] as const)('in namespace %s, spec.network.defaultDeny: %s', (name, defaultDeny, names) => {
    expect(deniedIn(name, defaultDeny)).toEqual(names);
  });

  test('where the build has no Namespace: only with spec.network.defaultDeny: namespace', () => {
    const { topology } = read(workload('Deployment', 'api', { namespace: 'shop' }));
    const namesWith = (defaultDeny?: 'namespace') =>
      wantedPolicies(topology, { ...EXTERNAL_PEERS, defaultDeny }).map(({ name }) => name);
    expect(namesWith()).toEqual(['api']);
    expect(namesWith('namespace')).toEqual(['default-deny', 'api']);
  });
});
