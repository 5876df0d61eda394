import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isObject, parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';
import { expandLists } from '../../functions/guardrails/krm/resource';
import { annotationNames } from '../../functions/guardrails/kubernetes/annotation-names';
import { readConnectionMap } from '../../functions/guardrails/network/connection-map';
import { EXTERNAL_PEERS } from '../../functions/guardrails/network/external-peers';
import { PROTOCOLS, isNetworkPolicy, readPolicy } from '../../functions/guardrails/network/policy';
import { PolicySet } from '../../functions/guardrails/network/policy-set';
import { printTable } from '../../functions/guardrails/formats/connection-table';
import { portText } from '../../functions/guardrails/formats/diagram';
import { printDot } from '../../functions/guardrails/formats/dot';
import { printMermaid } from '../../functions/guardrails/formats/mermaid';
import { type OverlayName, buildText } from '../support/built-overlay';
import { type Bundle, buildBundle } from '../support/bundle';

const ROOT = path.join(__dirname, '../..');

const asIs = (text: string) => text;

function mapOf(text: string) {
  const resources = parseYaml(text, 'test')
    .map(valueOf)
    .flatMap((value) => (isObject(value) ? expandLists(value) : []));
  return readConnectionMap(resources, EXTERNAL_PEERS, annotationNames());
}

/** `outside -> controller: ports`, one line each. */
function linesOf(text: string): string[] {
  const { entrances, connections } = mapOf(text);
  return [
    ...entrances.map(
      ({ through, hosts, ports }) => `${hosts.join(' ')} -> ${through.name}: ${portText(ports)}`,
    ),
    ...connections.map(({ from, to, ports }) => `${from.name} -> ${to.name}: ${portText(ports)}`),
  ];
}

/** The ends of the traffic of the Todo App. A workload that is added later has traffic of its own. */
const ENDS = [
  ...['todo.local', 'todo.example.com', 'todo-frontend', 'todo-backend'],
  ...['ingress controller', 'ACME solver', 'DNS', 'internet'],
];

function linesOfTodoApp(overlay: OverlayName): string[] {
  return linesOf(buildText(overlay)).filter((line) => {
    const [, from = '', to = ''] = /^(.*) -> (.*): /.exec(line) ?? [];
    return ENDS.includes(from) && ENDS.includes(to);
  });
}

describe('allowed traffic, typed from the specification', () => {
  test('dev', () => {
    expect(linesOfTodoApp('dev')).toEqual([
      'todo.local -> ingress controller: TCP 80',
      'ingress controller -> todo-backend: TCP 8000',
      'ingress controller -> todo-frontend: TCP 3000',
      'todo-backend -> DNS: TCP 53; UDP 53',
      'todo-backend -> internet: TCP 443, 5432',
      'todo-frontend -> todo-backend: TCP 8000',
      'todo-frontend -> DNS: TCP 53; UDP 53',
    ]);
  });

  test('prod', () => {
    expect(linesOfTodoApp('prod')).toEqual([
      'todo.example.com -> ingress controller: TCP 80, 443',
      'ingress controller -> todo-backend: TCP 8000',
      'ingress controller -> todo-frontend: TCP 3000',
      'ingress controller -> ACME solver: TCP 8089',
      'todo-backend -> DNS: TCP 53; UDP 53',
      'todo-backend -> internet: TCP 443, 5432',
      'todo-frontend -> todo-backend: TCP 8000',
      'todo-frontend -> DNS: TCP 53; UDP 53',
    ]);
  });
});

function deployment(name: string, namespace = 'shop'): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: c, image: 'i:1', ports: [{ name: web, containerPort: 8080 }] }] }
---
`;
}

function policy(name: string, spec: string, namespace = 'shop'): string {
  return `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${spec}
---
`;
}

const DENY = policy('deny', '{ podSelector: {}, policyTypes: [Ingress, Egress] }');
const APP = '{ matchLabels: { app: web } }';

describe('what a policy allows is drawn, required or not', () => {
  test('no policy: everything, but nothing between external nodes', () => {
    const lines = linesOf(deployment('web'));
    expect(lines).toContain('internet -> web: everything');
    expect(lines).toContain('web -> private addresses: everything');
    expect(lines).toContain('any pod in another namespace -> web: everything');
    expect(lines).toContain('web -> web: everything');
    expect(lines).not.toContain('internet -> DNS: everything');
  });

  test.each([
    [
      'a range of ports',
      `{ podSelector: ${APP}, ingress: [{ ports: [{ port: 1000, endPort: 2000 }], from: [{ podSelector: {} }] }] }`,
      [
        'web -> web: TCP 1000-2000',
        'ACME solver -> web: TCP 1000-2000',
        'any other pod -> web: TCP 1000-2000',
      ],
    ],
    [
      'two adjacent ranges',
      `{ podSelector: ${APP}, ingress: [{ ports: [{ port: 1, endPort: 80 }, { port: 81, endPort: 65535 }], from: [{ ipBlock: { cidr: 10.0.0.0/8 } }] }] }`,
      ['10.0.0.0/8 -> web: TCP every port'],
    ],
    [
      'a named port',
      `{ podSelector: ${APP}, ingress: [{ ports: [{ port: web }], from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ops } } }] }] }`,
      ['any pod in ops -> web: TCP 8080'],
    ],
    [
      'pods with a label of their own',
      `{ podSelector: ${APP}, ingress: [{ ports: [{ port: 1 }], from: [{ podSelector: { matchLabels: { role: admin } } }] }] }`,
      ['pods with role=admin -> web: TCP 1'],
    ],
    [
      'namespaces with a label',
      `{ podSelector: ${APP}, ingress: [{ ports: [{ port: 1, protocol: SCTP }], from: [{ namespaceSelector: { matchLabels: { team: ops } }, podSelector: { matchLabels: { role: admin } } }] }] }`,
      ['pods with role=admin in namespaces with team=ops -> web: SCTP 1'],
    ],
    [
      'a part of the internet',
      `{ podSelector: ${APP}, policyTypes: [Egress], egress: [{ ports: [{ port: 443 }], to: [{ ipBlock: { cidr: 203.0.113.0/24 } }] }] }`,
      ['web -> 203.0.113.0/24: TCP 443'],
    ],
  ])('%s', (_, spec, lines) => {
    // The other end is open, so this policy alone decides.
    const open = policy('open', `{ podSelector: {}, policyTypes: [Egress], egress: [{}] }`);
    const isEgress = spec.includes('Egress');
    const text = deployment('web') + DENY + (isEgress ? '' : open) + policy('one', spec);
    const found = linesOf(text).filter((line) =>
      isEgress ? line.startsWith('web ->') : line.includes('-> web:'),
    );
    expect(found).toEqual(lines);
  });

  test('at every port, the verdict of the policies', () => {
    const rules =
      '[{ ports: [{ port: 80 }, { port: 82, endPort: 90 }, { port: 91, endPort: 91 }, { protocol: UDP, port: 1, endPort: 65535 }, { port: 65535 }, { port: web }], from: [{ podSelector: {} }] }]';
    const text = deployment('web') + policy('one', `{ podSelector: ${APP}, ingress: ${rules} }`);
    const connections = mapOf(text).connections.filter(({ to }) => to.name === 'web');
    const policies = parseYaml(text, 'test').map(valueOf).filter(isObject).filter(isNetworkPolicy);
    const set = new PolicySet(policies.map((one) => readPolicy(one).policy));
    const web = connections[0]?.to.ends[0];
    const otherPod = connections.find(({ from }) => from.name === 'any other pod')?.from.ends[0];
    if (web === undefined || otherPod === undefined) throw new Error('no connection');
    const ranges = connections.find(({ from }) => from.ends[0] === otherPod)?.ports ?? [];
    for (const protocol of PROTOCOLS)
      for (let port = 1; port <= 65535; port++) {
        const isIn = ranges.some((one) => one.protocol === protocol && one.first <= port && port <= one.last);
        const { allowed } = set.verdict({ from: otherPod, to: web, protocol, port });
        if (isIn !== allowed) throw new Error(`${protocol} ${port}: drawn ${isIn}, allowed ${allowed}`);
      }
    expect(portText(ranges)).toBe('TCP 80, 82-91, 8080, 65535; UDP every port');
  });

  test('both ends must allow it', () => {
    const ingress = policy(
      'in',
      `{ podSelector: ${APP}, ingress: [{ from: [{ podSelector: { matchLabels: { app: api } } }] }] }`,
    );
    const egress = policy(
      'out',
      `{ podSelector: { matchLabels: { app: api } }, policyTypes: [Egress], egress: [{ to: [{ podSelector: ${APP} }], ports: [{ port: 8080 }] }] }`,
    );
    const apps = deployment('web') + deployment('api') + DENY;
    expect(linesOf(apps + ingress)).toEqual([]);
    expect(linesOf(apps + egress)).toEqual([]);
    expect(linesOf(apps + ingress + egress)).toEqual(['api -> web: TCP 8080']);
  });

  test('two namespaces in one build; workloads of one name', () => {
    const text =
      deployment('web') +
      deployment('web', 'other') +
      DENY +
      policy('deny', '{ podSelector: {}, policyTypes: [Ingress, Egress] }', 'other') +
      policy(
        'in',
        `{ podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: shop } } }] }] }`,
        'other',
      ) +
      policy(
        'out',
        `{ podSelector: ${APP}, policyTypes: [Egress], egress: [{ to: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: other } }, podSelector: ${APP} }] }] }`,
      );
    const { connections } = mapOf(text);
    expect(connections.map(({ from, to }) => [from.namespace, from.name, to.namespace, to.name])).toEqual([
      ['shop', 'Deployment/web', 'other', 'Deployment/web'],
    ]);
  });

  test('a Gateway, by its listeners', () => {
    const gateway = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: g, namespace: shop }
spec: { gatewayClassName: c, listeners: [{ name: a, port: 443, protocol: HTTPS, hostname: a.example.com }, { name: b, port: 80, protocol: HTTP }] }
`;
    expect(linesOf(deployment('web') + DENY + gateway)).toEqual(['a.example.com * -> gateway: TCP 80, 443']);
  });
});

/** The ingress to web that is allowed, where all egress is. */
function letIn(from: string, more = ''): string[] {
  const text =
    deployment('web') +
    DENY +
    policy('open', '{ podSelector: {}, policyTypes: [Egress], egress: [{}] }') +
    policy('in', `{ podSelector: ${APP}, ingress: [{ ports: [{ port: 1 }], from: ${from} }] }`) +
    more;
  return linesOf(text).filter((line) => line.includes('-> web: '));
}

describe('pods that only a policy describes', () => {
  const TO_ALL =
    'policyTypes: [Egress], egress: [{ ports: [{ port: 443 }], to: [{ ipBlock: { cidr: 0.0.0.0/0 } }] }]';

  test.each([
    ['{ matchLabels: { cluster: pg } }', ['cluster=pg']],
    ['{ matchExpressions: [{ key: job, operator: Exists }] }', ['job=any']],
    ['{ matchExpressions: [{ key: job, operator: In, values: [a, b] }] }', ['job=a', 'job=b']],
  ])('pods that it selects: %s', (podSelector, labels) => {
    const text = deployment('web') + DENY + policy('one', `{ podSelector: ${podSelector}, ${TO_ALL} }`);
    expect(linesOf(text)).toEqual(
      labels.flatMap((label) => [
        `pods with ${label} -> DNS: TCP 443`,
        `pods with ${label} -> internet: TCP 443`,
        `pods with ${label} -> private addresses: TCP 443`,
      ]),
    );
  });

  test.each([
    ['{ key: job, operator: DoesNotExist }', ['job=any']],
    ['{ key: job, operator: NotIn, values: [a, b] }', ['job=a', 'job=b']],
  ])('pods that it excepts: %s', (expression, labels) => {
    const deny = policy(
      'deny',
      `{ podSelector: { matchExpressions: [${expression}] }, policyTypes: [Ingress, Egress] }`,
    );
    expect(
      linesOf(deployment('web') + deny).filter((line) => line.endsWith('-> internet: everything')),
    ).toEqual(labels.map((label) => `pods with ${label} -> internet: everything`));
  });

  test('in a namespace without workloads', () => {
    const deny = policy('deny', '{ podSelector: {}, policyTypes: [Ingress, Egress] }', 'ops');
    const allow = policy('one', `{ podSelector: { matchLabels: { cluster: pg } }, ${TO_ALL} }`, 'ops');
    const { connections } = mapOf(deployment('web') + DENY + deny + allow);
    expect(connections.map(({ from, to }) => [from.namespace, from.name, to.name])).toEqual([
      ['ops', 'pods with cluster=pg', 'DNS'],
      ['ops', 'pods with cluster=pg', 'internet'],
      ['ops', 'pods with cluster=pg', 'private addresses'],
    ]);
  });

  test('some of the pods of the ingress controller', () => {
    const nginx = 'app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller';
    const namespace = 'namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ingress-nginx } }';
    const from = (labels: string) => `[{ ${namespace}, podSelector: { matchLabels: { ${labels} } } }]`;
    expect(letIn(from(nginx))).toEqual(['ingress controller -> web: TCP 1']);
    expect(letIn(from(`${nginx}, instance: internal`))).toEqual([
      'pods with app.kubernetes.io/component=controller, app.kubernetes.io/name=ingress-nginx, instance=internal in ingress-nginx -> web: TCP 1',
    ]);
  });

  test('the ingress controller does not represent its namespace', () => {
    const ops =
      'namespaceSelector: { matchExpressions: [{ key: kubernetes.io/metadata.name, operator: In, values: [ingress-nginx, ops] }] }';
    expect(letIn(`[{ ${ops} }]`)).toEqual([
      'ingress controller -> web: TCP 1',
      'any pod in ingress-nginx -> web: TCP 1',
      'any pod in ops -> web: TCP 1',
    ]);
  });

  test('some of the pods of a workload', () => {
    const from = '[{ podSelector: { matchLabels: { canary: "yes", app: api } } }]';
    expect(letIn(from, deployment('api'))).toEqual(['pods with app=api, canary=yes -> web: TCP 1']);
  });

  test('a workload represents its pods, whatever other labels of theirs a policy names', () => {
    const api = deployment('api').replace('{ labels: { app: api } }', '{ labels: { app: api, tier: back } }');
    const tier = policy(
      'tier',
      '{ podSelector: { matchLabels: { app: api, tier: back } }, policyTypes: [Egress] }',
    );
    const from = '[{ podSelector: { matchLabels: { app: api } } }]';
    expect(letIn(from, api + tier)).toEqual(['api -> web: TCP 1']);
  });

  test('in each namespace that a peer selects, by the labels of its Namespace', () => {
    const namespace = `apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { team: a } }
---
`;
    const admins = (team: string) =>
      `[{ namespaceSelector: { matchLabels: { team: ${team} } }, podSelector: { matchLabels: { role: admin } } }]`;
    expect(letIn(admins('a'), namespace)).toEqual([
      'pods with role=admin in namespaces with team=a -> web: TCP 1',
      'pods with role=admin -> web: TCP 1',
    ]);
    expect(letIn(admins('b'), namespace)).toEqual([
      'pods with role=admin in namespaces with team=b -> web: TCP 1',
    ]);
    const both = '{ kubernetes.io/metadata.name: shop, team: b }';
    expect(letIn(`[{ namespaceSelector: { matchLabels: ${both} } }]`, namespace)).toEqual([]);
  });
});

describe('addresses, by the ranges that a policy names', () => {
  test.each([
    ['an address', ['{ cidr: 203.0.113.7/32 }'], ['203.0.113.7/32']],
    ['private ones', ['{ cidr: 10.0.0.0/8 }'], ['10.0.0.0/8']],
    ['IPv6, however long it is written', ['{ cidr: "2001:0DB8:0:0::/32" }'], ['2001:db8::/32']],
    [
      'the internet',
      [
        '{ cidr: 0.0.0.0/0, except: [0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.0.0.0/24, 192.0.2.0/24, 192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15, 198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/4, 240.0.0.0/4] }',
      ],
      ['internet'],
    ],
    ['every address', ['{ cidr: "::/0" }'], ['internet', 'private addresses']],
    ['a range without a part', ['{ cidr: 10.0.0.0/8, except: [10.1.0.0/16] }'], ['10.0.0.0/8']],
    [
      'that part by another block',
      ['{ cidr: 10.0.0.0/8, except: [10.1.0.0/16] }', '{ cidr: 10.0.0.0/9 }'],
      ['10.0.0.0/9', '10.1.0.0/16', '10.0.0.0/8'],
    ],
    ['the internet and private ones in one range', ['{ cidr: 8.0.0.0/5 }'], ['8.0.0.0/5']],
    [
      'a range that starts at the address of DNS',
      ['{ cidr: 169.254.20.10/31 }'],
      ['DNS', '169.254.20.10/31'],
    ],
  ])('%s', (_, blocks, names) => {
    const from = blocks.map((block) => `{ ipBlock: ${block} }`).join();
    expect(letIn(`[${from}]`)).toEqual(names.map((name) => `${name} -> web: TCP 1`));
  });
});

test('two external nodes, where the build has policies for one of them', () => {
  const nginx = (name: string, spec: string) => policy(name, spec, 'ingress-nginx');
  const text =
    deployment('web') +
    DENY +
    nginx('deny', '{ podSelector: {}, policyTypes: [Ingress, Egress] }') +
    nginx(
      'in',
      '{ podSelector: { matchLabels: { app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller } }, ingress: [{ ports: [{ port: 443 }], from: [{ ipBlock: { cidr: 203.0.113.0/24 } }] }] }',
    );
  const { connections } = mapOf(text);
  expect(
    connections.map(({ from, to, ports }) => [from.name, to.namespace, to.name, portText(ports)]),
  ).toEqual([['203.0.113.0/24', 'ingress-nginx', 'ingress controller', 'TCP 443']]);
});

describe('between any two nodes, the verdict of the policies on their ends', () => {
  const PORTS = [1, 52, 53, 54, 79, 80, 81, 443, 999, 1000, 1001, 2000, 2001, 5432, 8000, 8080, 65535];

  test.each([
    ['dev', () => buildText('dev')],
    ['prod', () => buildText('prod')],
    ['no policy', () => deployment('web') + deployment('api', 'other')],
    [
      'selectors and ranges across namespaces',
      () =>
        deployment('web') +
        deployment('api', 'other') +
        DENY +
        policy(
          'one',
          `{ podSelector: ${APP}, policyTypes: [Ingress, Egress], ingress: [{ ports: [{ port: web }, { port: 1000, endPort: 2000 }], from: [{ namespaceSelector: {}, podSelector: { matchExpressions: [{ key: role, operator: In, values: [a, b] }] } }] }], egress: [{ to: [{ ipBlock: { cidr: 10.0.0.0/8, except: [10.1.0.0/16] } }, { ipBlock: { cidr: 0.0.0.0/1 } }] }, { ports: [{ protocol: UDP, port: 53 }] }] }`,
        ) +
        policy(
          'two',
          `{ podSelector: { matchLabels: { role: a } }, ingress: [{ from: [{ podSelector: {} }, { ipBlock: { cidr: 10.0.0.0/9 } }], ports: [{ port: 80 }] }] }`,
          'other',
        ),
    ],
  ])('%s', (_, build) => {
    const text = build();
    const { connections } = mapOf(text);
    const policies = parseYaml(text, 'test').map(valueOf).filter(isObject).filter(isNetworkPolicy);
    const set = new PolicySet(policies.map((one) => readPolicy(one).policy));
    const nodes = [...new Set(connections.flatMap(({ from, to }) => [from, to]))];
    for (const from of nodes)
      for (const to of nodes) {
        if (from.namespace === undefined && to.namespace === undefined) continue;
        const drawn = connections.find((one) => one.from === from && one.to === to)?.ports ?? [];
        for (const protocol of PROTOCOLS)
          for (const port of PORTS) {
            const isIn = drawn.some(
              (one) => one.protocol === protocol && one.first <= port && port <= one.last,
            );
            const isAllowed = from.ends.some((source) =>
              to.ends.some((target) => set.verdict({ from: source, to: target, protocol, port }).allowed),
            );
            expect([from.name, to.name, protocol, port, isIn]).toEqual([
              from.name,
              to.name,
              protocol,
              port,
              isAllowed,
            ]);
          }
      }
  });
});

describe('output formats', () => {
  const text =
    deployment('web') +
    DENY +
    policy(
      'one',
      `{ podSelector: ${APP}, ingress: [{ ports: [{ port: 8080 }], from: [{ namespaceSelector: { matchLabels: { a_b: x_y } } }] }] }`,
    );

  test('a table, with the syntax of Markdown escaped', () => {
    expect(printTable(mapOf(text), asIs)).toBe(
      '| From                                 | To         | Ports    |\n' +
        '| ------------------------------------ | ---------- | -------- |\n' +
        '| any pod in namespaces with a\\_b=x\\_y | web (shop) | TCP 8080 |\n',
    );
  });

  test('a name cannot break out of its quotes or cell', () => {
    const name = '"x\\n```\\n# owned <b>"';
    const map = mapOf(
      deployment(name).replaceAll(`app: ${name}`, 'app: web') +
        DENY +
        policy('one', `{ podSelector: ${APP}, ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/8 } }] }] }`),
    );
    expect(printMermaid(map, asIs)).toContain(
      'n2["x#92;u#123;a#125;#96;#96;#96;#92;u#123;a#125;#35; owned #60;b#62;"]\n',
    );
    expect(printTable(map, asIs)).toContain('| ```` x\\u{a}```\\u{a}# owned <b> (shop) ```` |');
  });

  test('Mermaid', () => {
    expect(printMermaid(mapOf(text), asIs)).toBe(`flowchart LR
  n1["any pod in namespaces with a_b=x_y"]
  subgraph g1["shop"]
    n2["web"]
  end
  n1 -->|"TCP 8080"| n2
`);
  });

  test('DOT: quoted names, a cluster for each namespace', () => {
    const dot = printDot(mapOf(text), 'a "title"', asIs);
    expect(dot).toContain('label="a \\"title\\""');
    expect(dot).toMatch(/subgraph cluster_1 \{\nlabel="  shop"[^\n]*\nn2 \[label="web"/);
    expect(dot).toContain('n1 -> n2 [label=" TCP 8080 "');
  });
});

describe('npm run graph', () => {
  let bundle: Bundle;
  let dir: string;
  beforeAll(() => {
    bundle = buildBundle();
  });
  afterAll(() => {
    bundle.remove();
  });
  beforeEach(() => {
    dir = realpathSync(mkdtempSync(path.join(tmpdir(), 'graph-test-')));
    for (const entry of ['base', 'docs', 'overlays', 'Kptfile', '.krmignore', 'README.md'])
      cpSync(path.join(ROOT, entry), path.join(dir, entry), { recursive: true });
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  const read = (file: string) => readFileSync(path.join(dir, file), 'utf8');
  const graph = (...args: string[]) => {
    const run = spawnSync(process.execPath, [bundle.cli, 'graph', ...args], {
      encoding: 'utf8',
    });
    return { status: run.status, stdout: run.stdout, stderr: run.stderr };
  };

  test('the diagrams of this repository are up to date', () => {
    expect(graph(ROOT, '--check')).toEqual({
      status: 0,
      stdout: 'the diagrams are up to date\n',
      stderr: '',
    });
  });

  test('deleted diagrams are restored byte for byte', () => {
    const files = ['README.md', 'docs/connections/dev.svg', 'docs/connections/prod.svg'];
    const before = files.map(read);
    const readme = read('README.md').replace(
      /(<!-- connections:start -->\n)[^]*(<!-- connections:end -->)/,
      '$1$2',
    );
    writeFileSync(path.join(dir, 'README.md'), readme);
    for (const file of files.slice(1)) rmSync(path.join(dir, file));
    expect(graph(dir, '--check')).toMatchObject({ status: 1 });
    expect(read('README.md')).toBe(readme);
    expect(graph(dir)).toEqual({
      status: 0,
      stdout:
        'docs/connections/dev.svg was updated\ndocs/connections/prod.svg was updated\nREADME.md was updated\n',
      stderr: '',
    });
    expect(files.map(read)).toEqual(before);
  });

  test('a changed policy changes the README and the diagrams', () => {
    writeFileSync(
      path.join(dir, 'base/network-policies.yaml'),
      read('base/network-policies.yaml').replace('port: 5432', 'port: 5433'),
    );
    expect(graph(dir).status).toBe(0);
    for (const file of ['README.md', 'docs/connections/dev.svg']) {
      expect(read(file)).toContain('TCP 443, 5433');
      expect(read(file)).not.toContain('TCP 443, 5432');
    }
  });

  test('a folder with Markdown syntax in its name', () => {
    cpSync(path.join(dir, 'overlays/dev'), path.join(dir, 'overlays/dev (eu) [x]_y'), { recursive: true });
    expect(graph(dir).status).toBe(0);
    expect(read('README.md')).toContain('### ` overlays/dev (eu) [x]_y `\n');
    expect(read('README.md')).toContain('(docs/connections/dev%20%28eu%29%20%5Bx%5D_y.svg)');
    expect(graph(dir, '--check').status).toBe(0);
  });

  test('CRLF line endings are kept', () => {
    writeFileSync(path.join(dir, 'README.md'), read('README.md').replaceAll('\n', '\r\n'));
    expect(graph(dir, '--check').stdout).toBe('the diagrams are up to date\n');
  });

  test.each([
    [
      'no markers',
      () => {
        writeFileSync(path.join(dir, 'README.md'), '# none\n');
      },
      /^README\.md must contain the lines <!-- connections:start -->/,
    ],
    [
      'the first marker twice',
      () => {
        const start = '<!-- connections:start -->\n';
        writeFileSync(
          path.join(dir, 'README.md'),
          read('README.md').replace(start, `${start}prose\n${start}`),
        );
      },
      /^README\.md must contain the lines .* each once and in this order/,
    ],
    [
      'the markers in the wrong order',
      () => {
        writeFileSync(path.join(dir, 'README.md'), '<!-- connections:end -->\n<!-- connections:start -->\n');
      },
      /^README\.md must contain the lines /,
    ],
    [
      'no README',
      () => {
        rmSync(path.join(dir, 'README.md'));
      },
      /^README\.md must contain the lines/,
    ],
    [
      'a symbolic link instead of the README',
      () => {
        rmSync(path.join(dir, 'README.md'));
        symlinkSync('/etc/hostname', path.join(dir, 'README.md'));
      },
      /^README\.md cannot be read \(ELOOP\);/,
    ],
    [
      'a symbolic link instead of a diagram',
      () => {
        rmSync(path.join(dir, 'docs/connections/dev.svg'));
        symlinkSync('/etc/hostname', path.join(dir, 'docs/connections/dev.svg'));
      },
      /^docs\/connections\/dev\.svg cannot be read \(ELOOP\);/,
    ],
  ])('%s: exit 2, and nothing is written', (_, change, message) => {
    writeFileSync(path.join(dir, 'docs/connections/prod.svg'), 'old');
    change();
    const { status, stdout, stderr } = graph(dir);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(read('docs/connections/prod.svg')).toBe('old');
  });
});
