import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { diffLines } from 'diff';
import { parse, parseAllDocuments } from 'yaml';
import type { Result } from '../../functions/guardrails/krm/result';
import { type Bundle, buildBundle } from '../support/bundle';
import { describeWithTool, findKustomizeForTests } from '../support/tools';
import { type Tree, editFile, readTree, writeTree } from '../support/tree';

const ROOT = path.join(__dirname, '../..');
const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
const COMPONENT = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n';
const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\ndata: {}\n';
const DEPLOYMENT = (name: string, more = '') =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\n${more}spec:\n  template:\n    spec:\n      containers:\n        - name: ${name}\n          image: ${name}:v1\n`;

let built: Bundle;
let program: readonly string[];
let bundle: string;
beforeAll(() => {
  built = buildBundle();
  program = built.render;
  bundle = built.guardrails;
});
afterAll(() => {
  built.remove();
});

let scratch: string;
let dir: string;
beforeEach(() => {
  scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'harden-test-')));
  dir = path.join(scratch, 'package');
  for (const folder of ['bin', 'package']) mkdirSync(path.join(scratch, folder));
});
afterEach(() => {
  rmSync(scratch, { recursive: true });
});

const write = (files: Readonly<Tree>) => {
  writeTree(dir, files);
};

function read(file: string): string {
  return readFileSync(path.join(dir, file), 'utf8');
}

const edit = (file: string, from: string | RegExp, to: string) => {
  editFile(dir, file, from, to);
};

function copyRepository(): void {
  for (const entry of ['base', 'overlays', 'Kptfile', '.krmignore'])
    cpSync(path.join(ROOT, entry), path.join(dir, entry), { recursive: true });
}

const tree = (root = dir) => readTree(root, (file) => !file.startsWith('dist'));

function render(args: readonly string[] = [], env: NodeJS.ProcessEnv = process.env) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, dir, ...args], {
    cwd: scratch,
    encoding: 'utf8',
    env,
    maxBuffer: 1 << 26,
  });
  return { status, stdout, stderr };
}

/** A run whose kustomize always builds a resource that passes every rule: for tests of changes at the source. */
function renderSource(args: readonly string[] = []) {
  const kustomize = path.join(scratch, 'bin/kustomize');
  writeFileSync(kustomize, `#!/bin/sh\nprintf '%s' '${CONFIG_MAP}'\n`);
  chmodSync(kustomize, 0o755);
  const result = render(args, { ...process.env, PATH: path.join(scratch, 'bin') });
  expect(result.stderr).toBe('');
  return result;
}

/** Lines of `before` that are not in `after`, in order. */
function removedLines(before: string, after: string): string[] {
  return diffLines(before, after)
    .filter(({ removed }) => removed)
    .flatMap(({ value }) => value.trimEnd().split('\n'));
}

describe('the function is the source of the hardening', () => {
  /** A text without the blocks whose first line matches, and without the keys that they leave empty. */
  function withoutBlocks(text: string, starts: readonly RegExp[]): string {
    const indentOf = (line: string) => /^ */.exec(line)?.[0].length ?? 0;
    const kept: string[] = [];
    let below = Infinity;
    for (const line of text.trimEnd().split('\n')) {
      if (indentOf(line) > below) continue;
      below = starts.some((start) => start.test(line)) ? indentOf(line) : Infinity;
      if (below === Infinity) kept.push(line);
    }
    const isEmptied = (line: string, i: number) =>
      /^ *(volumes|volumeMounts):$/.test(line) && indentOf(kept[i + 1] ?? '') <= indentOf(line);
    return `${kept.filter((line, i) => !isEmptied(line, i)).join('\n')}\n`;
  }

  test('what it wrote is restored byte for byte after it was removed from base', () => {
    copyRepository();
    const committed = tree();
    for (const file of ['base/backend/backend-deployment.yaml', 'base/frontend/frontend-deployment.yaml']) {
      for (const block of [
        /^ {10}securityContext:$/,
        /^ {10}resources:$/,
        /^ {8}runAsNonRoot: true$/,
        /^ {8}seccompProfile:$/,
        /^ +- name: guardrails-/,
      ]) {
        const text = read(file);
        const less = withoutBlocks(text, [block]);
        expect({ file, block, length: less.length }).not.toEqual({ file, block, length: text.length });
        write({ [file]: less });
      }
      expect(read(file)).not.toMatch(/guardrails-|readOnly|allowPriv|drop:|limits|NonRoot|seccomp/);
    }
    expect(render(['--check']).status).toBe(1);
    const { status, stderr } = render();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(tree()).toEqual(committed);
    expect(render(['--check']).status).toBe(0);
  });
});

const LABELS = (name: string, indent: number) =>
  `selector:\n  matchLabels:\n    app: ${name}\n`.replace(/^(?=.)/gm, ' '.repeat(indent));
/** A component as a user adds it, in the form in which kpt writes files. */
const WORKER: Record<string, string> = {
  'base/added/kustomization.yaml': `${KUSTOMIZATION}resources:\n  - worker-deployment.yaml\n  - report-cronjob.yaml\n  - cache-statefulset.yaml\n  - agent-daemonset.yaml\n`,
  'base/added/worker-deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: todo-worker # takes jobs off the queue
spec:
${LABELS('todo-worker', 2)}  template:
    metadata:
      labels:
        app: todo-worker
    spec:
      initContainers:
        - name: migrate
          image: todo-migrate
          args: ['--up']
      containers:
        - name: worker
          image: todo-worker:latest
          env:
            - name: QUEUE
              value: 'yes'
        # The proxy's author knows what it takes.
        - name: proxy
          image: envoyproxy/envoy:v1.33.0
          resources: {}
          securityContext:
            runAsUser: 101
`,
  'base/added/report-cronjob.yaml': `apiVersion: batch/v1
kind: CronJob
metadata:
  name: todo-report
spec:
  schedule: '0 6 * * *'
  jobTemplate:
    spec:
      template:
        metadata:
          labels:
            app: todo-report
        spec:
          restartPolicy: Never
          containers:
            - name: report
              image: todo-report:latest
              resources:
                limits:
                  memory: 64Mi
`,
  'base/added/cache-statefulset.yaml': `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: todo-cache
  annotations:
    todo.example.com/writable-paths: /run/cache=16Mi
spec:
  serviceName: todo-cache
${LABELS('todo-cache', 2)}  template:
    metadata:
      labels:
        app: todo-cache
    spec:
      containers:
        - name: cache
          image: redis:7.4.2
          volumeMounts:
            - name: data
              mountPath: /data
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes:
          - ReadWriteOnce
        resources:
          requests:
            storage: 1Gi
`,
  'base/added/agent-daemonset.yaml': `apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: todo-agent
  annotations:
    todo.example.com/connects-to: none
spec:
${LABELS('todo-agent', 2)}  template:
    metadata:
      labels:
        app: todo-agent
    spec:
      serviceAccountName: todo-agent
      containers:
        - name: agent
          image: fluent/fluent-bit:3.2.4
`,
};

function addWorker(): void {
  copyRepository();
  write(WORKER);
  edit('base/kustomization.yaml', '  - ingress\n', '  - ingress\n  - added\n');
  edit('base/guardrails.yaml', 'spec:\n', 'spec:\n  external: [ServiceAccount/todo-agent]\n');
  const pins = ['todo-worker', 'todo-migrate', 'todo-report'].map(
    (name) => `  - name: ${name}\n    newName: registry.example.com/todo/${name}\n    newTag: v1.0.0\n`,
  );
  edit('overlays/prod/kustomization.yaml', 'replicas:\n', `${pins.join('')}replicas:\n`);
}

describe('a third component', () => {
  const HARDENED = Object.keys(WORKER).filter((file) => !file.endsWith('kustomization.yaml'));
  const POLICIES = 'base/network-policies.yaml';

  /** `DaemonSet/todo-agent gets 11 fields to comply with ... (base/added/agent-daemonset.yaml)`, and so on. */
  const SUMMARY = [
    'DaemonSet/todo-agent gets 11 fields to comply with run-as-non-root, seccomp-profile, privilege-escalation, capabilities, read-only-root-filesystem, resources (base/added/agent-daemonset.yaml)',
    'StatefulSet/todo-cache gets 14 fields to comply with run-as-non-root, seccomp-profile, privilege-escalation, capabilities, read-only-root-filesystem, service-account-token, resources (base/added/cache-statefulset.yaml)',
    'CronJob/todo-report gets 11 fields to comply with run-as-non-root, seccomp-profile, privilege-escalation, capabilities, read-only-root-filesystem, service-account-token, resources (base/added/report-cronjob.yaml)',
    'Deployment/todo-worker gets 28 fields to comply with run-as-non-root, seccomp-profile, privilege-escalation, capabilities, read-only-root-filesystem, service-account-token, resources (base/added/worker-deployment.yaml)',
    ...['agent', 'cache', 'report', 'worker'].map(
      (name) => `NetworkPolicy/todo-${name} is added (base/network-policies.yaml)`,
    ),
  ];

  const NEEDS = 'gets runAsNonRoot: true and may not start:';
  const SET = 'check the image, and set the missing fields';
  const EFFECTS = [
    `[info] DaemonSet/todo-agent ${NEEDS} the image of container "agent" must set a numeric USER other than 0 (base/added/agent-daemonset.yaml); ${SET}`,
    `[info] StatefulSet/todo-cache ${NEEDS} container "cache" needs runAsUser: 999, runAsGroup: 999; the pod may need fsGroup to write to volume "data" (base/added/cache-statefulset.yaml); ${SET}`,
    `[info] CronJob/todo-report ${NEEDS} the image of container "report" must set a numeric USER other than 0 (base/added/report-cronjob.yaml); ${SET}`,
    `[info] Deployment/todo-worker ${NEEDS} the image of initContainer "migrate" and of container "worker" must set a numeric USER other than 0 (base/added/worker-deployment.yaml); ${SET}`,
    '[info] applying the changes replaces the pods of DaemonSet/todo-agent, StatefulSet/todo-cache, Deployment/todo-worker; choose when to apply them',
  ];

  /** The results for the package as a ResourceList. */
  function resultsOf(files: Readonly<Tree>): Result[] {
    const items = Object.entries(files)
      .filter(([file]) => file.endsWith('.yaml'))
      .flatMap(([file, text]) =>
        parseAllDocuments(text).map((document, index) => {
          const resource = document.toJS() as { metadata?: { annotations?: object } };
          const place = {
            'internal.config.kubernetes.io/path': file,
            'internal.config.kubernetes.io/index': String(index),
          };
          const annotations = { ...resource.metadata?.annotations, ...place };
          return { ...resource, metadata: { ...resource.metadata, annotations } };
        }),
      );
    const functionConfig = parse(files['base/guardrails.yaml'] ?? '') as unknown;
    const list = { apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', items, functionConfig };
    const { status, stdout } = spawnSync(process.execPath, [bundle], {
      input: JSON.stringify(list),
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    expect(status).toBe(0);
    return (parse(stdout) as { results: Result[] }).results;
  }

  /** Paths of scalars, as messages write them. */
  function leaves(value: unknown, at = ''): string[] {
    if (Array.isArray(value)) return value.flatMap((one, i) => leaves(one, `${at}[${i}]`));
    if (typeof value !== 'object' || value === null) return [at];
    return Object.entries(value).flatMap(([key, child]) => leaves(child, at === '' ? key : `${at}.${key}`));
  }

  test('is hardened: only additions, each of them reported, and a second run changes nothing', () => {
    addWorker();
    const before = tree();
    const { status, stdout, stderr } = render();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.split('\n').slice(0, SUMMARY.length + EFFECTS.length + 1)).toEqual([
      ...SUMMARY,
      ...EFFECTS,
      expect.stringMatching(/^overlays\/dev: /),
    ]);
    const results = resultsOf(before);
    const after = tree();
    expect(Object.keys(after).filter((file) => after[file] !== before[file])).toEqual(
      [...HARDENED, POLICIES].sort(),
    );
    expectPoliciesAdded(before[POLICIES] ?? '', after[POLICIES] ?? '');
    for (const file of HARDENED) {
      const [old = '', now = ''] = [before[file], after[file]];
      expect(removedLines(old, now)).toEqual(file.includes('worker-dep') ? ['          resources: {}'] : []);
      const reported = results
        .filter(
          (one) => one.file?.path === file && one.field !== undefined && one.tags?.overlay === undefined,
        )
        .map(
          ({ message }) =>
            /^\w+\/[\w-]+ gets (?:an entry in )?(\S+): .* \(\S+\)$/.exec(message)?.[1] ?? message,
        );
      const had = leaves(parse(old));
      const added = leaves(parse(now)).filter((leaf) => !had.includes(leaf));
      expect(added.length).toBeGreaterThan(10);
      for (const leaf of added) expect(reported.filter((field) => leaf.startsWith(field))).not.toEqual([]);
      for (const field of reported) expect(added.filter((leaf) => leaf.startsWith(field))).not.toEqual([]);
    }
    expect(render()).toMatchObject({ status: 0, stderr: '' });
    expect(tree()).toEqual(after);
    for (const overlay of ['dev', 'prod']) {
      const { command, args } = findKustomizeForTests();
      const build = execFileSync(command, [...args, path.join(dir, 'overlays', overlay)], {
        encoding: 'utf8',
      });
      expect(read(`dist/${overlay}.yaml`)).toBe(build);
    }
    expectHardened();
  });

  /** No connection of the added workloads shows in the build: each gets a policy that allows DNS alone. */
  function expectPoliciesAdded(before: string, after: string): void {
    const policiesIn = (text: string) =>
      parseAllDocuments(text).map((document) => document.toJS() as { metadata: { name: string } });
    const old = policiesIn(before);
    const now = policiesIn(after);
    expect(removedLines(before, after)).toEqual([]);
    expect(old.map(({ metadata }) => metadata.name)).toEqual([
      'default-deny',
      'todo-backend',
      'todo-frontend',
    ]);
    expect(now.map(({ metadata }) => metadata.name)).toEqual([
      'default-deny',
      'todo-agent',
      'todo-backend',
      'todo-cache',
      'todo-frontend',
      'todo-report',
      'todo-worker',
    ]);
    expect(now.filter(({ metadata }) => old.some((one) => one.metadata.name === metadata.name))).toEqual(old);
    const dns = {
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
    for (const name of ['todo-agent', 'todo-cache', 'todo-report', 'todo-worker'])
      expect(now.find(({ metadata }) => metadata.name === name)).toEqual({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name, labels: { 'todo.example.com/generated-by': 'guardrails' } },
        spec: {
          podSelector: {
            // A CronJob has no selector, so all labels of its pods select them.
            matchLabels: {
              app: name,
              ...(name === 'todo-report' && { 'app.kubernetes.io/part-of': 'todo-app' }),
            },
          },
          policyTypes: ['Ingress', 'Egress'],
          egress: [dns],
        },
      });
  }

  /** Checks what each container and each pod gets. */
  function expectHardened(): void {
    const containers = ['initContainers', 'containers'];
    for (const document of parseAllDocuments(read('dist/prod.yaml'))) {
      const resource = document.toJS() as { kind: string; metadata: { name: string }; spec: Spec };
      if (!/^todo-(worker|report|cache|agent)$/.test(resource.metadata.name)) continue;
      if (resource.kind === 'NetworkPolicy') continue;
      const template = resource.spec.jobTemplate?.spec.template ?? resource.spec.template;
      expect(template.spec).toMatchObject({
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        volumes: expect.arrayContaining([
          { name: 'guardrails-tmp', emptyDir: { sizeLimit: '64Mi' } },
        ]) as object,
      });
      expect(template.spec.automountServiceAccountToken).toBe(
        resource.metadata.name === 'todo-agent' ? undefined : false,
      );
      for (const container of containers.flatMap(
        (list) => (template.spec[list] as object[] | undefined) ?? [],
      ))
        expect(container).toMatchObject({
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: expect.arrayContaining([{ name: 'guardrails-tmp', mountPath: '/tmp' }]) as object,
          resources: { requests: { cpu: '100m' }, limits: { cpu: '500m' } },
        });
    }
    const report = read('base/added/report-cronjob.yaml');
    // Never a request above the author's limit.
    expect(parse(report)).toMatchObject({
      spec: {
        jobTemplate: {
          spec: {
            template: {
              spec: {
                containers: [{ resources: { requests: { memory: '64Mi' }, limits: { memory: '64Mi' } } }],
              },
            },
          },
        },
      },
    });
  }

  interface Spec {
    readonly template: { readonly spec: Record<string, unknown> };
    readonly jobTemplate?: {
      readonly spec: { readonly template: { readonly spec: Record<string, unknown> } };
    };
  }

  describeWithTool('kpt', 'by each way to run the function', (kpt) => {
    const withoutKptfile = (files: Record<string, string>) =>
      Object.fromEntries(Object.entries(files).filter(([file]) => file !== 'Kptfile'));

    function kptRender() {
      return spawnSync(kpt, ['fn', 'render', '--allow-exec'], { cwd: dir, encoding: 'utf8' });
    }

    /** The package through standard input and output, written to another folder. */
    function throughStdin(from: string, name: string): string {
      const to = path.join(scratch, name);
      const config = read('base/guardrails.yaml').trimEnd().replaceAll(/^/gm, '  ');
      const input = execFileSync(kpt, ['fn', 'source', from], { encoding: 'utf8' });
      const { status, stdout, stderr } = spawnSync(process.execPath, [bundle], {
        input: `${input}functionConfig:\n${config}\n`,
        encoding: 'utf8',
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      execFileSync(kpt, ['fn', 'sink', to], { input: stdout });
      return to;
    }

    test('the same bytes in each file, twice', () => {
      addWorker();
      expect(render()).toMatchObject({ status: 0, stderr: '' });
      rmSync(path.join(dir, 'dist'), { recursive: true });
      const expected = withoutKptfile(tree());
      rmSync(dir, { recursive: true });

      addWorker();
      edit('Kptfile', /image: .*/, `exec: ${process.execPath} ${bundle}`);
      const isRead = (file: string) => file.endsWith('.yaml');
      const read = Object.fromEntries(Object.entries(expected).filter(([file]) => isRead(file)));
      const once = throughStdin(dir, 'once');
      expect(withoutKptfile(tree(once))).toEqual(read);
      expect(withoutKptfile(tree(throughStdin(once, 'twice')))).toEqual(read);
      for (let round = 1; round <= 2; round++) {
        const { status, stderr } = kptRender();
        expect({ status, stderr }).toMatchObject({ status: 0 });
        expect(withoutKptfile(tree())).toEqual(expected);
      }
    });

    test('with an error, nothing is written although there would be changes', () => {
      addWorker();
      edit('Kptfile', /image: .*/, `exec: ${process.execPath} ${bundle}`);
      edit('overlays/prod/kustomization.yaml', 'newTag: v1.0.0', 'newTag: latest');
      const before = tree();
      const { status, stderr } = kptRender();
      expect(status).not.toBe(0);
      expect(stderr).toContain('todo-backend:latest');
      expect(tree()).toEqual(before);
      const own = render();
      expect(own.status).toBe(1);
      expect(own.stdout).not.toMatch(/ gets /);
      expect(own.stdout).toContain('errors found; nothing was written\n');
      expect(tree()).toEqual(before);
    });
  });
});

describe('what is hardened, and what is kept byte for byte', () => {
  /** Hardens, and returns the files that have changed. */
  function changed(files: Record<string, string>): string[] {
    write({ '.krmignore': 'dist/\n', ...files });
    const before = tree();
    const { status } = renderSource();
    expect(status).toBe(0);
    const after = tree();
    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const [file, text] of Object.entries(before))
      expect(removedLines(text, after[file] ?? '')).toEqual([]);
    return Object.keys(after).filter((file) => after[file] !== before[file]);
  }

  test('a file that two kustomizations name is edited once', () => {
    const files = {
      'shared/web.yaml': DEPLOYMENT('web'),
      'shared/kustomization.yaml': `${KUSTOMIZATION}resources: [web.yaml]\n`,
      'overlays/a/kustomization.yaml': `${KUSTOMIZATION}resources: [../../shared/web.yaml]\n`,
      'overlays/b/kustomization.yaml': `${KUSTOMIZATION}resources: [../../shared]\n`,
    };
    expect(changed(files)).toEqual(['shared/web.yaml']);
    expect(read('shared/web.yaml').match(/readOnlyRootFilesystem/g)).toHaveLength(1);
    expect(changed({})).toEqual([]);
  });

  test('resources of overlays and Components', () => {
    const files = {
      'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [own.yaml]\ncomponents: [../components/extra]\n`,
      'overlays/prod/own.yaml': DEPLOYMENT('own'),
      'overlays/components/extra/kustomization.yaml': `${COMPONENT}resources: [extra.yaml]\n`,
      'overlays/components/extra/extra.yaml': DEPLOYMENT('extra'),
    };
    expect(changed(files).sort()).toEqual(['overlays/components/extra/extra.yaml', 'overlays/prod/own.yaml']);
  });

  const PATCHED = {
    'base/kustomization.yaml': `${KUSTOMIZATION}resources: [web.yaml]\n`,
    'base/web.yaml': DEPLOYMENT('web'),
    'patches/complete.yaml': DEPLOYMENT('web', '  labels: {a: b}\n'),
  };

  test.each([
    ['patches', 'patches: [{path: ../../patches/complete.yaml}]\n'],
    ['patchesStrategicMerge', 'patchesStrategicMerge: [../../patches/complete.yaml]\n'],
    [
      'a PatchTransformer',
      'transformers: ["{apiVersion: builtin, kind: PatchTransformer, metadata: {name: p}, path: ../../patches/complete.yaml, target: {kind: Deployment}}"]\n',
    ],
  ])('a patch that looks like a complete Deployment, under %s', (_, more) => {
    const files = { 'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\n${more}` };
    expect(changed({ ...PATCHED, ...files })).toEqual(['base/web.yaml']);
  });

  test('a file named under resources and, elsewhere, under patches', () => {
    const files = {
      'base/kustomization.yaml': `${KUSTOMIZATION}resources: [web.yaml]\n`,
      'base/web.yaml': DEPLOYMENT('web'),
      'overlays/a/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\npatches: [{path: ../../base/web.yaml}]\n`,
    };
    expect(changed(files)).toEqual([]);
  });

  test('kustomizations, inline patches and generator inputs are not hardened', () => {
    const files = {
      ...PATCHED,
      'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\nconfigMapGenerator:\n- name: m\n  files: [input.yaml]\npatches:\n- patch: |-\n    ${DEPLOYMENT('web').trimEnd().replaceAll('\n', '\n    ')}\n`,
      'overlays/prod/input.yaml': DEPLOYMENT('input'),
    };
    expect(changed(files)).toEqual(['base/web.yaml']);
  });

  test('a workload that is not listed anywhere: a warning; none for local configuration', () => {
    const local = "  annotations:\n    config.kubernetes.io/local-config: 'true'\n";
    write({
      ...PATCHED,
      Kptfile: 'apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata: {name: p}\n',
      '.krmignore': 'dist/\n',
      'loose/web.yaml': DEPLOYMENT('loose'),
      'loose/list.yaml': `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: in-list\n  spec: {containers: []}\n`,
      'loose/local.yaml': DEPLOYMENT('local', local),
      'loose/map.yaml': CONFIG_MAP,
    });
    const before = tree();
    const { status, stdout } = renderSource();
    expect(status).toBe(0);
    const warnings = stdout.split('\n').filter((line) => line.startsWith('[warning]'));
    expect(warnings).toEqual(
      [
        ['Pod/in-list', 'loose/list.yaml'],
        ['Deployment/loose', 'loose/web.yaml'],
        ['Deployment/web', 'patches/complete.yaml'],
      ].map(
        ([resource, file]) =>
          `[warning] ${resource} is not listed in any kustomization, so it is neither hardened nor built (${file}); list its file under resources, or remove it`,
      ),
    );
    expect({ ...tree(), 'base/web.yaml': '' }).toEqual({ ...before, 'base/web.yaml': '' });
  });

  test('outside of a package of kpt, one line for all of them', () => {
    write({ ...PATCHED, 'loose/web.yaml': DEPLOYMENT('loose'), 'loose/map.yaml': CONFIG_MAP });
    expect(renderSource().stdout).toContain(
      '[info] no kustomization names these files with workloads, which are not checked: loose/web.yaml, patches/complete.yaml\n',
    );
  });
});

describe('--check and --diff', () => {
  test('--check writes nothing: 1 where something would change, 0 afterwards', () => {
    addWorker();
    const before = tree();
    const first = render(['--check']);
    expect(first).toMatchObject({ status: 1, stderr: '' });
    expect(first.stdout).toMatch(/5 files would change; nothing was written\n$/);
    expect(tree()).toEqual(before);
    expect(readdirSync(dir)).not.toContain('dist');
    expect(render().status).toBe(0);
    const second = render(['--check']);
    expect(second).toMatchObject({ status: 0, stderr: '' });
    expect(second.stdout).toMatch(/no file would change; nothing was written\n$/);
  });

  for (const [tool, args] of [
    ['git', ['apply', '-p1', '-']],
    ['patch', ['-p1', '--binary', '--no-backup-if-mismatch']],
  ] as const)
    describeWithTool(tool, `${tool} ${args[0]}`, (command) => {
      test('applies --diff to exactly what is written', () => {
        // Only git finds the end of a name with a space in it.
        const spaced = tool === 'git' ? 'with space.yaml' : 'without-space.yaml';
        const files = {
          ...WORKER,
          'base/added/kustomization.yaml': `${KUSTOMIZATION}resources: [worker-deployment.yaml, report-cronjob.yaml, cache-statefulset.yaml, agent-daemonset.yaml, crlf.yaml, open.yaml, bom.yaml, "${spaced}", ünïcode.yaml, d.json]\n`,
          'base/added/crlf.yaml': DEPLOYMENT('crlf').replaceAll('\n', '\r\n'),
          'base/added/open.yaml': DEPLOYMENT('open').trimEnd(),
          'base/added/bom.yaml': `\ufeff${DEPLOYMENT('bom')}`,
          [`base/added/${spaced}`]: DEPLOYMENT('space'),
          'base/added/ünïcode.yaml': DEPLOYMENT('unicode'),
          'base/added/d.json': JSON.stringify(parse(DEPLOYMENT('json')), null, 2),
        };
        write({ '.krmignore': 'dist/\n', ...files });
        const { status, stdout } = renderSource(['--diff', '--check']);
        expect(status).toBe(1);
        expect(stdout.match(/^--- "?a\//gm)).toHaveLength(10);
        const copy = path.join(scratch, 'copy');
        cpSync(dir, copy, { recursive: true });
        const env = { ...process.env, GIT_CEILING_DIRECTORIES: scratch };
        execFileSync(command, args, { cwd: copy, input: stdout, env, stdio: ['pipe', 'pipe', 'inherit'] });
        expect(renderSource(['--diff']).status).toBe(0);
        expect(tree(copy)).toEqual(tree());
      });
    });

  test('--diff shows no value of a Secret', () => {
    const secret = 'apiVersion: v1\nstringData: {key: canary-8a1c}\nkind: Secret\nmetadata:\n  name: s\n';
    write({
      '.krmignore': 'dist/\n',
      'base/kustomization.yaml': `${KUSTOMIZATION}resources: [both.yaml]\n`,
      'base/both.yaml': `${DEPLOYMENT('web')}---\n${secret}`,
    });
    const { stdout } = renderSource(['--diff', '--check']);
    expect(stdout).toContain('stringData: {key: ***}');
    expect(stdout).not.toContain('canary-8a1c');
  });
});

describe('files of every form', () => {
  const one = (file: string, text: string) => ({
    '.krmignore': 'dist/\n',
    'base/kustomization.yaml': `${KUSTOMIZATION}resources: [${file}]\n`,
    [`base/${file}`]: text,
  });

  test.each<[string, string, string]>([
    ['CRLF', 'web.yaml', DEPLOYMENT('web').replaceAll('\n', '\r\n')],
    ['a byte order mark', 'web.yaml', `\ufeff${DEPLOYMENT('web')}`],
    ['no line break at the end', 'web.yaml', DEPLOYMENT('web').trimEnd()],
    ['CRLF, no line break at the end', 'web.yaml', DEPLOYMENT('web').trimEnd().replaceAll('\n', '\r\n')],
    ['a marker first', 'web.yaml', `---\n${DEPLOYMENT('web')}`],
    ['a comment first and last', 'web.yaml', `# first\n---\n${DEPLOYMENT('web')}# last\n`],
    ['an end marker', 'web.yaml', `${DEPLOYMENT('web')}...\n`],
    ['several documents', 'web.yaml', `${CONFIG_MAP}---\n${DEPLOYMENT('web')}---\n${DEPLOYMENT('b')}`],
    [
      'several documents, empty ones among them',
      'web.yaml',
      `---\n# nothing\n---\n${DEPLOYMENT('web')}\n---\n---\n${DEPLOYMENT('b').trimEnd()}`,
    ],
    [
      'several documents with CRLF',
      'web.yaml',
      `${DEPLOYMENT('web')}---\n${DEPLOYMENT('b')}`.replaceAll('\n', '\r\n'),
    ],
    ['JSON', 'web.json', `${JSON.stringify(parse(DEPLOYMENT('web')), null, 2)}\n`],
    ['JSON in one line', 'web.json', JSON.stringify(parse(DEPLOYMENT('web')))],
  ])('%s', (_, file, text) => {
    write(one(file, text));
    expect(renderSource().status).toBe(0);
    const written = read(`base/${file}`);
    expect(written).not.toBe(text);
    expect(written.startsWith('\ufeff')).toBe(text.startsWith('\ufeff'));
    expect(written.endsWith('\n')).toBe(text.endsWith('\n'));
    // JSON in one line is replaced as that line.
    if (file.endsWith('.yaml')) {
      const tidy = (lines: string) => lines.replace(/(?<!\n)$/, text.includes('\r') ? '\r\n' : '\n');
      expect(removedLines(tidy(text), tidy(written))).toEqual([]);
    }
    if (text.includes('\r')) expect(written).not.toMatch(/[^\r]\n/);
    else expect(written).not.toContain('\r');
    const count = (of: string) => of.match(/readOnlyRootFilesystem["']?: ?true/g)?.length ?? 0;
    expect(count(written)).toBe(text.match(/kind["']?: ?"?Deployment/g)?.length);
    expect(renderSource(['--check']).status).toBe(0);
  });

  test.each([
    [
      2000,
      'documents',
      (n: number) => Array.from({ length: n }, (_, i) => DEPLOYMENT(`w${i}`)).join('---\n'),
    ],
    [
      600,
      'items of a List',
      (n: number) =>
        `apiVersion: v1\nkind: List\nitems:\n${Array.from({ length: n }, (_, i) => `- ${DEPLOYMENT(`w${i}`).trimEnd().replaceAll('\n', '\n  ')}\n`).join('')}`,
    ],
  ])('%i resources in one file, as %s: about four times the time of a quarter', (many, _, text) => {
    const seconds = [many / 4, many].map((n) => {
      write(one('many.yaml', text(n)));
      const start = process.hrtime.bigint();
      expect(renderSource().status).toBe(0);
      expect(read('base/many.yaml').match(/readOnlyRootFilesystem/g)).toHaveLength(n);
      return Number(process.hrtime.bigint() - start) / 1e9;
    });
    expect(seconds[1]).toBeLessThan(8 * (seconds[0] ?? 0));
  });
});
