import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { toolPath } from '../support/tools';
import { type Tree, editFile, readTree, writeTree } from '../support/tree';

const ROOT = path.join(__dirname, '../..');
const CLI = path.join(ROOT, 'dist/cli.js');
const FUNCTION = path.join(ROOT, 'dist/guardrails.js');
const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';

type Edit = readonly [file: string, from: string, to: string];

/** What a user adds to the repository, and the policies that are generated for it. */
interface Addition {
  readonly files: Tree;
  readonly edits: readonly Edit[];
  /** File to the documents that are added to it. */
  readonly policies: Readonly<Record<string, readonly string[]>>;
  /** Rules that existing policies get: a text of the file, and what comes after it. */
  readonly rules?: Readonly<Record<string, readonly (readonly [after: string, rule: string])[]>>;
}

const DEPLOYMENT = (name: string, more = '', container = '') => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
${more}spec:
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
        - name: ${name}
          image: registry.example.com/${name}:v1
${container}`;

/** A policy that isolates the pods of an app. */
const POLICY = (
  name: string,
  app: string,
  { ingress = [], egress = [], types = ['Ingress', 'Egress'] }: Rules,
) => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ${name}
  labels:
    todo.example.com/generated-by: guardrails
spec:
  podSelector:
    matchLabels:
      app: ${app}
  policyTypes:
${types.map((type) => `    - ${type}\n`).join('')}${listOf('ingress', ingress)}${listOf('egress', egress)}`;

interface Rules {
  readonly ingress?: readonly string[];
  readonly egress?: readonly string[];
  /** Default: both. */
  readonly types?: readonly string[];
}

function listOf(direction: string, rules: readonly string[]): string {
  return rules.length === 0 ? '' : `  ${direction}:\n${rules.join('')}`;
}

const RULE = (reason: string, key: 'from' | 'to', peers: string, ports: string) => `    # ${reason}
    - ${key}:
${peers}      ports:
${ports}`;

const POD = (app: string) => `        - podSelector:
            matchLabels:
              app: ${app}
`;
const TCP = (port: number) => `        - protocol: TCP
          port: ${port}
`;
const CONTROLLER = `        - namespaceSelector:
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
`;
const DNS = RULE(
  'DNS',
  'to',
  `        - namespaceSelector:
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
`,
  `        - protocol: UDP
          port: 53
        - protocol: TCP
          port: 53
`,
);
const INTERNET = `        - ipBlock:
            cidr: 0.0.0.0/0
            except:
              - 0.0.0.0/8
              - 10.0.0.0/8
              - 100.64.0.0/10
              - 127.0.0.0/8
              - 169.254.0.0/16
              - 172.16.0.0/12
              - 192.0.0.0/24
              - 192.0.2.0/24
              - 192.88.99.0/24
              - 192.168.0.0/16
              - 198.18.0.0/15
              - 198.51.100.0/24
              - 203.0.113.0/24
              - 224.0.0.0/4
              - 240.0.0.0/4
        - ipBlock:
            cidr: ::/0
            except:
              - ::/128
              - ::1/128
              - 64:ff9b:1::/48
              - 100::/64
              - 100:0:0:1::/64
              - 2001::/23
              - 2001:db8::/32
              - 2002::/16
              - 3fff::/20
              - 5f00::/16
              - fc00::/7
              - fe80::/10
              - ff00::/8
`;

const BASE = 'base/network-policies.yaml';
const DEV = 'overlays/dev/network-policies.yaml';

const FRONTEND_CALLS = 'Deployment/todo-frontend env API_INTERNAL_URL -> Service/todo-backend';
const POLLER_CALLS = 'Deployment/todo-poller env BACKEND_URL -> Service/todo-backend';
const BACKEND_CALLS = 'Deployment/todo-backend env REDIS_URL -> Service/redis';

const ADDITIONS: Record<string, Addition> = {
  'a worker that calls the backend by env': {
    files: {
      'base/poller/kustomization.yaml': `${KUSTOMIZATION}resources:\n  - poller-deployment.yaml\n`,
      'base/poller/poller-deployment.yaml': DEPLOYMENT(
        'todo-poller',
        '',
        '          env:\n            - name: BACKEND_URL\n              value: http://todo-backend/api\n',
      ),
    },
    edits: [['base/kustomization.yaml', '  - ingress\n', '  - ingress\n  - poller\n']],
    policies: {
      [BASE]: [
        POLICY('todo-poller', 'todo-poller', {
          egress: [RULE(POLLER_CALLS, 'to', POD('todo-backend'), TCP(8000)), DNS],
        }),
      ],
    },
    rules: {
      [BASE]: [
        [
          RULE(FRONTEND_CALLS, 'from', POD('todo-frontend'), TCP(8000)),
          RULE(POLLER_CALLS, 'from', POD('todo-poller'), TCP(8000)),
        ],
      ],
    },
  },
  'a Redis in dev only': {
    files: {
      'overlays/dev/redis.yaml': `${DEPLOYMENT('redis', '', '          ports:\n            - containerPort: 6379\n')}---
apiVersion: v1
kind: Service
metadata:
  name: redis
spec:
  selector:
    app: redis
  ports:
    - port: 6379
`,
    },
    edits: [
      [
        'overlays/dev/kustomization.yaml',
        '  - backend-secrets.yaml\n',
        '  - backend-secrets.yaml\n  - redis.yaml\n',
      ],
      [
        'overlays/dev/kustomization.yaml',
        '      - LOG_LEVEL=debug\n',
        '      - LOG_LEVEL=debug\n      - REDIS_URL=redis://redis:6379/0\n',
      ],
    ],
    policies: {
      [DEV]: [
        POLICY('redis', 'redis', {
          ingress: [RULE(BACKEND_CALLS, 'from', POD('todo-backend'), TCP(6379))],
          egress: [DNS],
        }),
        POLICY('todo-backend-dev', 'todo-backend', {
          types: ['Egress'],
          egress: [RULE(BACKEND_CALLS, 'to', POD('redis'), TCP(6379))],
        }),
      ],
    },
  },
  'a public Ingress path to a new Service': {
    files: {
      'base/metrics/kustomization.yaml': `${KUSTOMIZATION}resources:\n  - metrics.yaml\n`,
      'base/metrics/metrics.yaml': `${DEPLOYMENT('metrics', '', '          ports:\n            - name: web\n              containerPort: 9090\n')}---
apiVersion: v1
kind: Service
metadata:
  name: metrics
spec:
  selector:
    app: metrics
  ports:
    - port: 80
      targetPort: web
`,
    },
    edits: [
      ['base/kustomization.yaml', '  - ingress\n', '  - ingress\n  - metrics\n'],
      [
        'base/ingress/todo-ingress.yaml',
        '          - path: /\n',
        `          - path: /metrics
            pathType: Prefix
            backend:
              service:
                name: metrics
                port:
                  number: 80
          - path: /\n`,
      ],
    ],
    policies: {
      [BASE]: [
        POLICY('metrics', 'metrics', {
          ingress: [RULE('Ingress/todo-ingress /metrics -> Service/metrics', 'from', CONTROLLER, TCP(9090))],
          egress: [DNS],
        }),
      ],
    },
  },
  'a component that requires the internet on 587': {
    files: {
      'base/mailer/kustomization.yaml': `${KUSTOMIZATION}resources:\n  - mailer-deployment.yaml\n`,
      'base/mailer/mailer-deployment.yaml': DEPLOYMENT(
        'mailer',
        "  annotations:\n    todo.example.com/internet-egress: '587'\n",
      ),
    },
    edits: [['base/kustomization.yaml', '  - ingress\n', '  - ingress\n  - mailer\n']],
    policies: {
      [BASE]: [
        POLICY('mailer', 'mailer', {
          egress: [RULE('annotation todo.example.com/internet-egress', 'to', INTERNET, TCP(587)), DNS],
        }),
      ],
    },
  },
};

let scratch: string;

beforeAll(() => {
  execFileSync(process.execPath, [path.join(ROOT, 'functions/build.mjs')]);
});

beforeEach(() => {
  scratch = mkdtempSync(path.join(tmpdir(), 'network-'));
});

afterEach(() => {
  rmSync(scratch, { recursive: true });
});

/** A copy of the repository's package. */
function copyPackage(name: string): string {
  const root = path.join(scratch, name);
  for (const entry of ['base', 'overlays', 'Kptfile', '.krmignore'])
    cpSync(path.join(ROOT, entry), path.join(root, entry), { recursive: true });
  return root;
}

const treeOf = (root: string) => readTree(root, (file) => !file.startsWith('dist/') && file !== 'Kptfile');

function edit(root: string, edits: readonly Edit[]): void {
  for (const [file, from, to] of edits) editFile(root, file, from, to);
}

function add(root: string, { files, edits }: Addition): void {
  writeTree(root, files);
  edit(root, edits);
}

function remove(root: string, { files, edits }: Addition): void {
  for (const file of Object.keys(files)) rmSync(path.join(root, file));
  edit(
    root,
    edits.toReversed().map(([file, from, to]) => [file, to, from]),
  );
}

const COMMAND_LINES: Record<string, ((root: string) => void) | undefined> = {
  'npm run render': (root) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'render', root], {
      encoding: 'utf8',
    });
    expect({ status, stderr, stdout }).toMatchObject({ status: 0, stderr: '' });
  },
  'kpt fn render, exec': kptRender(toolPath('kpt')),
};

function kptRender(kpt: string | undefined): ((root: string) => void) | undefined {
  if (kpt === undefined) return undefined;
  return (root) => {
    const kptfile = path.join(root, 'Kptfile');
    writeFileSync(kptfile, readFileSync(kptfile, 'utf8').replace(/image: .*/, `exec: node ${FUNCTION}`));
    const args = ['fn', 'render', '--allow-exec', '--truncate-output=false'];
    const { status, stderr } = spawnSync(kpt, args, { cwd: root, encoding: 'utf8' });
    expect({ status, stderr }).toMatchObject({ status: 0 });
  };
}

describe.each(Object.entries(COMMAND_LINES))('%s', (_, render) => {
  if (render === undefined) {
    test.skip('needs kpt: not on PATH', () => undefined);
    return;
  }

  test.each(Object.entries(ADDITIONS))('%s', (_name, addition) => {
    const root = copyPackage('package');
    const before = treeOf(root);
    add(root, addition);
    const added = treeOf(root);
    render(root);
    const rendered = treeOf(root);
    for (const [file, policies] of Object.entries(addition.policies)) {
      const rules = addition.rules?.[file] ?? [];
      const known = rules.reduce((text, [after, rule]) => withLine(text, after, rule), before[file] ?? '');
      // The existing policies are kept, with the rules that they get, in their order.
      expect(documentsOf(rendered[file])).toEqual(inOrder([...documentsOf(known), ...policies]));
    }
    const places = Object.keys(addition.policies);
    for (const file of [BASE, DEV, 'overlays/prod/network-policies.yaml'])
      if (!places.includes(file)) expect(rendered[file]).toBe(before[file]);

    render(root);
    expect(treeOf(root)).toEqual(rendered);

    // The kustomization of an overlay without policies lists the new file; nothing else changes.
    const list = 'overlays/dev/kustomization.yaml';
    if (places.includes(DEV))
      expect(rendered[list]).toBe(withLine(added[list], '  - redis.yaml\n', '  - network-policies.yaml\n'));

    remove(root, addition);
    render(root);
    expect(treeOf(root)).toEqual(before);
  });
});

test('documents of comments alone are kept in a policies file, and so are its line endings', () => {
  const [addition] = Object.values(ADDITIONS);
  const render = COMMAND_LINES['npm run render'];
  if (addition === undefined || render === undefined) throw new Error('nothing to add');
  const root = copyPackage('package');
  const file = path.join(root, BASE);
  const noted = `# head\n---\n${readFileSync(file, 'utf8')}---\n# my note\n`.replaceAll('\n', '\r\n');
  writeFileSync(file, noted);
  const before = treeOf(root);
  add(root, addition);
  render(root);
  const text = readFileSync(file, 'utf8');
  expect(text.length).toBeGreaterThan(noted.length);
  expect(text.startsWith('# head\r\n---\r\napiVersion: ')).toBe(true);
  expect(text.endsWith('---\r\n# my note\r\n')).toBe(true);
  expect(text.match(/(?<!\r)\n/g)).toBeNull();
  remove(root, addition);
  render(root);
  expect(treeOf(root)).toEqual(before);
});

function documentsOf(text = ''): string[] {
  return text === '' ? [] : text.split('---\n');
}

/** The default deny, and the other policies by name. */
function inOrder(documents: readonly string[]): string[] {
  const nameOf = (document: string) => {
    const name = /^ {2}name: (.*)$/m.exec(document)?.[1] ?? '';
    return name === 'default-deny' ? '' : name;
  };
  return [...documents].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function withLine(text = '', after: string, line: string): string {
  if (!text.includes(after)) throw new Error(`the text does not hold ${after}`);
  return text.replace(after, after + line);
}

const kpt = toolPath('kpt');
(kpt === undefined ? test.skip : test)('both command lines write the same bytes (needs kpt)', () => {
  const roots = ['npm', 'kpt'].map(copyPackage);
  for (const root of roots) for (const addition of Object.values(ADDITIONS)) add(root, addition);
  Object.values(COMMAND_LINES).forEach((render, i) => render?.(roots[i] ?? ''));
  const [npm, ofKpt] = roots.map(treeOf);
  expect(npm).toEqual(ofKpt);
});
