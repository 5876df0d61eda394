import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isObject, parseYaml, valueOf } from '../../functions/guardrails/krm/yaml';
import { expandLists } from '../../functions/guardrails/kubernetes/resource';
import { readConnectionMap } from '../../functions/guardrails/network/allowed';
import { evaluate } from '../../functions/guardrails/network/evaluate';
import { NETWORK_PEERS } from '../../functions/guardrails/network/peers';
import { PROTOCOLS, isNetworkPolicy, readPolicy } from '../../functions/guardrails/network/policy';
import { portText, printDot, printMermaid, printTable } from '../../functions/guardrails/network/picture';
import { buildText } from '../support/built-overlay';
import { type Bundle, buildBundle } from '../support/bundle';

const ROOT = path.join(__dirname, '../..');

function mapOf(text: string) {
  const resources = parseYaml(text, 'test')
    .map(valueOf)
    .flatMap((value) => (isObject(value) ? expandLists(value) : []));
  return readConnectionMap(resources, NETWORK_PEERS);
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

describe('who may talk to whom, typed from the specification', () => {
  test('dev', () => {
    expect(linesOf(buildText('dev'))).toEqual([
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
    expect(linesOf(buildText('prod'))).toEqual([
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

describe('what a policy lets pass is drawn, needed or not', () => {
  test('no policy: everything, but between others nothing is said', () => {
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
      'two ranges that touch',
      `{ podSelector: ${APP}, ingress: [{ ports: [{ port: 1, endPort: 80 }, { port: 81, endPort: 65535 }], from: [{ ipBlock: { cidr: 10.0.0.0/8 } }] }] }`,
      ['private addresses -> web: TCP every port'],
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
      ['web -> internet: TCP 443'],
    ],
  ])('%s', (_, spec, lines) => {
    // The other end is open: what is let in is let pass by this policy alone.
    const open = policy('open', `{ podSelector: {}, policyTypes: [Egress], egress: [{}] }`);
    const isEgress = spec.includes('Egress');
    const text = deployment('web') + DENY + (isEgress ? '' : open) + policy('one', spec);
    const found = linesOf(text).filter((line) =>
      isEgress ? line.startsWith('web ->') : line.includes('-> web:'),
    );
    expect(found).toEqual(lines);
  });

  test('at every port, what the evaluator says of it', () => {
    const rules =
      '[{ ports: [{ port: 80 }, { port: 82, endPort: 90 }, { port: 91, endPort: 91 }, { protocol: UDP, port: 1, endPort: 65535 }, { port: 65535 }, { port: web }], from: [{ podSelector: {} }] }]';
    const text = deployment('web') + policy('one', `{ podSelector: ${APP}, ingress: ${rules} }`);
    const connections = mapOf(text).connections.filter(({ to }) => to.name === 'web');
    const policies = parseYaml(text, 'test').map(valueOf).filter(isObject).filter(isNetworkPolicy);
    const read = policies.map((one) => readPolicy(one).policy);
    const web = connections[0]?.to.ends[0];
    const stranger = connections.find(({ from }) => from.name === 'any other pod')?.from.ends[0];
    if (web === undefined || stranger === undefined) throw new Error('nobody is let in');
    const ranges = connections.find(({ from }) => from.ends[0] === stranger)?.ports ?? [];
    for (const protocol of PROTOCOLS)
      for (let port = 1; port <= 65535; port++) {
        const isIn = ranges.some((one) => one.protocol === protocol && one.first <= port && port <= one.last);
        const { allowed } = evaluate(read, { from: stranger, to: web, protocol, port });
        if (isIn !== allowed) throw new Error(`${protocol} ${port}: drawn ${isIn}, allowed ${allowed}`);
      }
    expect(portText(ranges)).toBe('TCP 80, 82-91, 8080, 65535; UDP every port');
  });

  test('both ends have to let it pass', () => {
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

describe('how it is written', () => {
  const text =
    deployment('web') +
    DENY +
    policy(
      'one',
      `{ podSelector: ${APP}, ingress: [{ ports: [{ port: 8080 }], from: [{ namespaceSelector: { matchLabels: { a_b: x_y } } }] }] }`,
    );

  test('a table, with what Markdown would read escaped', () => {
    expect(printTable(mapOf(text))).toBe(
      '| From                                 | To         | Ports    |\n' +
        '| ------------------------------------ | ---------- | -------- |\n' +
        '| any pod in namespaces with a\\_b=x\\_y | web (shop) | TCP 8080 |\n',
    );
  });

  test('Mermaid', () => {
    expect(printMermaid(mapOf(text))).toBe(`flowchart LR
  n1["any pod in namespaces with a_b=x_y"]
  subgraph g1["shop"]
    n2["web"]
  end
  n1 -->|"TCP 8080"| n2
`);
  });

  test('DOT: names in quotes, the namespace in a frame', () => {
    const dot = printDot(mapOf(text), 'a "title"');
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
    for (const entry of ['base', 'overlays', 'Kptfile', '.krmignore', 'README.md'])
      cpSync(path.join(ROOT, entry), path.join(dir, entry), { recursive: true });
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  const read = (file: string) => readFileSync(path.join(dir, file), 'utf8');
  const graph = (...args: string[]) => {
    const run = spawnSync(process.execPath, [path.join(bundle.dist, 'graph.js'), ...args], {
      encoding: 'utf8',
    });
    return { status: run.status, stdout: run.stdout, stderr: run.stderr };
  };

  test('the pictures of this repository are fresh', () => {
    expect(graph(ROOT, '--check')).toEqual({
      status: 0,
      stdout: 'the pictures are up to date\n',
      stderr: '',
    });
  });

  test('are made again from nothing, byte for byte', () => {
    const files = ['README.md', 'overlays/dev/connections.svg', 'overlays/prod/connections.svg'];
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
        'overlays/dev/connections.svg is brought up to date\noverlays/prod/connections.svg is brought up to date\nREADME.md is brought up to date\n',
      stderr: '',
    });
    expect(files.map(read)).toEqual(before);
  });

  test('a policy that changes shows in all three', () => {
    writeFileSync(
      path.join(dir, 'base/network-policies.yaml'),
      read('base/network-policies.yaml').replace('port: 5432', 'port: 5433'),
    );
    expect(graph(dir).status).toBe(0);
    for (const file of ['README.md', 'overlays/dev/connections.svg']) {
      expect(read(file)).toContain('TCP 443, 5433');
      expect(read(file)).not.toContain('TCP 443, 5432');
    }
  });

  test('lines that end in CRLF go on to', () => {
    writeFileSync(path.join(dir, 'README.md'), read('README.md').replaceAll('\n', '\r\n'));
    expect(graph(dir, '--check').stdout).toBe('the pictures are up to date\n');
  });

  test.each([
    [
      'no markers',
      () => {
        writeFileSync(path.join(dir, 'README.md'), '# none\n');
      },
      /^README\.md: lacks the lines <!-- connections:start -->/,
    ],
    [
      'no README',
      () => {
        rmSync(path.join(dir, 'README.md'));
      },
      /^README\.md: lacks the lines/,
    ],
    [
      'a link for a README',
      () => {
        rmSync(path.join(dir, 'README.md'));
        symlinkSync('/etc/hostname', path.join(dir, 'README.md'));
      },
      /^README\.md: cannot be read \(ELOOP\)/,
    ],
    [
      'a link for a picture',
      () => {
        rmSync(path.join(dir, 'overlays/dev/connections.svg'));
        symlinkSync('/etc/hostname', path.join(dir, 'overlays/dev/connections.svg'));
      },
      /^overlays\/dev\/connections\.svg: cannot be read \(ELOOP\)/,
    ],
  ])('%s: exit 2, and nothing is written', (_, change, message) => {
    writeFileSync(path.join(dir, 'overlays/prod/connections.svg'), 'old');
    change();
    const { status, stdout, stderr } = graph(dir);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(read('overlays/prod/connections.svg')).toBe('old');
  });
});
