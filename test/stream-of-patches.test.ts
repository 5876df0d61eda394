import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { run } from '../functions/guardrails/run';
import { type Bundle, buildBundle } from './support/bundle';
import { describeWithTool, findKustomizeForTests } from './support/tools';
import { type Tree, editFile, readTree, writeTree } from './support/tree';

// Without the kustomizations of a package, a patch looks like a resource. It must never be hardened.

const WAY_OUT =
  'pass the kustomizations to the function: remove selectors and exclude from its step in the Kptfile, --match-* and --exclude-* from the command, or the line in .krmignore that hides them';

/** A complete workload, which nothing is reported on. */
function workload(kind: string, name: string, namespace?: string, apiVersion = 'apps/v1') {
  const securityContext = {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  };
  const amounts = { cpu: '100m', memory: '64Mi' };
  const container = {
    name,
    image: `${name}:1`,
    securityContext,
    resources: { requests: amounts, limits: amounts },
  };
  const spec = {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
  };
  const template = { metadata: { labels: { app: name } }, spec };
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec: { selector: { matchLabels: { app: name } }, template },
  };
}

function withoutSelector(kind: string, name: string, apiVersion?: string) {
  const { spec, ...rest } = workload(kind, name, undefined, apiVersion);
  return { ...rest, spec: { template: spec.template } };
}

function pod(kind: 'Pod' | 'Job', name: string) {
  const { template } = workload('Deployment', name).spec;
  const spec = kind === 'Pod' ? template.spec : { template };
  return { apiVersion: kind === 'Pod' ? 'v1' : 'batch/v1', kind, metadata: { name }, spec };
}

const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

/** A resource, and its file. */
type Entry = readonly [file: string | undefined, resource: Readonly<Record<string, unknown>>];

function resourceList(entries: readonly Entry[]): string {
  const items = entries.map(([file, resource]) => {
    if (file === undefined) return resource;
    const metadata = resource.metadata as { annotations?: object };
    const wire = { 'internal.config.kubernetes.io/path': file, 'internal.config.kubernetes.io/index': '0' };
    return { ...resource, metadata: { ...metadata, annotations: { ...metadata.annotations, ...wire } } };
  });
  return stringify({ apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', items });
}

const runOn = (input: string) => run(Buffer.from(input), () => Promise.resolve(findKustomizeForTests()));

describe('refused in a stream with paths', () => {
  const refused: [string, Entry[], string][] = [
    ...['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'].map((kind): [string, Entry[], string] => [
      `a ${kind} without spec.selector`,
      [['prod/web.patch.yaml', withoutSelector(kind, 'web')]],
      `prod/web.patch.yaml: ${kind}/web has no spec.selector, so it may be a patch, and no kustomization of the input says so; ${WAY_OUT}; if it is not a patch, add spec.selector\n`,
    ]),
    [
      'a patch without spec',
      [['a.yaml', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } }]],
      'a.yaml: Deployment/web has no spec.selector',
    ],
    [
      'a patch in a List',
      [
        [
          'a.yaml',
          {
            apiVersion: 'v1',
            kind: 'List',
            metadata: {},
            items: [withoutSelector('Deployment', 'web')],
          },
        ],
      ],
      'a.yaml: Deployment/web has no spec.selector',
    ],
    [
      'several patches: every file is named',
      [
        ['base/web.yaml', workload('Deployment', 'web')],
        ['dev/a.yaml', withoutSelector('Deployment', 'web')],
        ['prod/a.yaml', withoutSelector('Deployment', 'web')],
      ],
      'dev/a.yaml, prod/a.yaml: Deployment/web has no spec.selector',
    ],
    [
      'one identity in two files',
      [
        ['base/web.yaml', workload('Deployment', 'web')],
        ['prod/set-image.patch.yaml', workload('Deployment', 'web')],
      ],
      `base/web.yaml and prod/set-image.patch.yaml have the same resource, Deployment/web, so one may be a patch, and no kustomization of the input says so; ${WAY_OUT}; if neither is a patch, check each in a package of its own\n`,
    ],
    [
      'one identity in two versions of its group',
      [
        ['a.yaml', workload('Deployment', 'web')],
        ['b.yaml', workload('Deployment', 'web', undefined, 'apps/v1beta2')],
      ],
      'a.yaml and b.yaml have the same resource, Deployment/web,',
    ],
    [
      'a patch of a kind without selector',
      [
        ['a.yaml', pod('Job', 'web')],
        ['b.yaml', pod('Job', 'web')],
      ],
      'a.yaml and b.yaml have the same resource, Job/web,',
    ],
  ];
  test.each(refused)('%s', async (_, entries, expected) => {
    const { stdout, stderr, exitCode } = await runOn(resourceList(entries));
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
    expect(stderr.slice(0, expected.length)).toBe(expected);
  });
});

describe('not refused', () => {
  const local = { annotations: { 'config.kubernetes.io/local-config': 'true' } };
  const passed: [string, Entry[]][] = [
    [
      'complete workloads with paths',
      [
        ['web.yaml', workload('Deployment', 'web')],
        ['db.yaml', workload('StatefulSet', 'db')],
      ],
    ],
    [
      'the same name in two namespaces',
      [
        ['dev/web.yaml', workload('Deployment', 'web', 'dev')],
        ['prod/web.yaml', workload('Deployment', 'web', 'prod')],
      ],
    ],
    [
      'the same name of two kinds, and in two groups',
      [
        ['a.yaml', workload('Deployment', 'web')],
        ['b.yaml', workload('StatefulSet', 'web')],
        ['c.yaml', { ...configMap('web'), apiVersion: 'example.com/v1', kind: 'Deployment' }],
      ],
    ],
    [
      'a Pod and a Job, which need no selector',
      [
        ['a.yaml', pod('Pod', 'web')],
        ['b.yaml', pod('Job', 'web')],
      ],
    ],
    [
      'workloads without paths',
      [
        [undefined, withoutSelector('Deployment', 'web')],
        [undefined, workload('Deployment', 'web')],
      ],
    ],
    [
      'two Jobs that the cluster names',
      [
        ['a.yaml', { ...pod('Job', 'a'), metadata: { generateName: 'a-' } }],
        ['b.yaml', { ...pod('Job', 'a'), metadata: { generateName: 'a-' } }],
      ],
    ],
    [
      'what the cluster never gets',
      [
        ['Kptfile', { ...configMap('a'), apiVersion: 'kpt.dev/v1', kind: 'Kptfile' }],
        ['db/Kptfile', { ...configMap('a'), apiVersion: 'kpt.dev/v1', kind: 'Kptfile' }],
        ['fn.yaml', { ...configMap('a'), metadata: { name: 'a', ...local } }],
        ['db/fn.yaml', { ...configMap('a'), metadata: { name: 'a', ...local } }],
      ],
    ],
  ];
  test.each(passed)('%s', async (_, entries) => {
    const { stderr, exitCode } = await runOn(resourceList(entries));
    expect(exitCode).not.toBe(2);
    expect(stderr).not.toContain('may be a patch');
  });

  test('plain YAML', async () => {
    const both = [withoutSelector('Deployment', 'web'), workload('Deployment', 'web')];
    const { stderr } = await runOn(both.map((one) => stringify(one)).join('---\n'));
    expect(stderr).not.toContain('may be a patch');
  });
});

describeWithTool('kpt', 'kpt that keeps the kustomizations from the function', (kpt) => {
  const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
  let bundle: Bundle;
  let dir: string;
  beforeAll(() => {
    bundle = buildBundle();
  });
  afterAll(() => {
    bundle.remove();
  });
  beforeEach(() => {
    dir = realpathSync(mkdtempSync(path.join(tmpdir(), 'patches-')));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  const program = () => `${process.execPath} ${bundle.guardrails}`;
  const write = (step: object = {}) => {
    const pipeline = { mutators: [{ exec: program(), ...step }] };
    const files: Tree = {
      Kptfile: stringify({ apiVersion: 'kpt.dev/v1', kind: 'Kptfile', metadata: { name: 'a' }, pipeline }),
      'base/kustomization.yaml': `${KUSTOMIZATION}resources:\n  - web.yaml\n`,
      'base/web.yaml': stringify(workload('Deployment', 'web')),
      'prod/kustomization.yaml': `${KUSTOMIZATION}resources:\n  - ../base\npatches:\n  - path: web.patch.yaml\n`,
      'prod/web.patch.yaml': stringify({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: { template: { spec: { containers: [{ name: 'web', image: 'web:2' }] } } },
      }),
    };
    writeTree(dir, files);
  };
  const start = (...args: string[]) => spawnSync(kpt, ['fn', ...args], { cwd: dir, encoding: 'utf8' });
  const tree = () => readTree(dir, (file) => file !== 'Kptfile');
  const check = () =>
    spawnSync(process.execPath, [path.join(bundle.dist, 'cli.js'), 'render', dir, '--check'], {
      encoding: 'utf8',
    });
  const INCOMPLETE = 'prod/web.patch.yaml: Deployment/web has no spec.selector, so it may be a patch';

  const refused: [string, object, string[]][] = [
    ['selectors', { selectors: [{ kind: 'Deployment' }] }, ['render', '--allow-exec']],
    ['exclude', { exclude: [{ kind: 'Kustomization' }] }, ['render', '--allow-exec']],
    ['--match-kind', {}, ['eval', '--match-kind', 'Deployment', '--exec']],
    ['--exclude-kind', {}, ['eval', '--exclude-kind', 'Kustomization', '--exec']],
  ];
  test.each(refused)('%s: exit code 2, and no file is written', (_, step, args) => {
    write(step);
    const before = tree();
    const { status, stderr } = start(...args, ...(args.at(-1) === '--exec' ? [program()] : []));
    expect(status).toBe(1);
    expect(stderr).toContain(INCOMPLETE);
    expect(stderr).toContain('Exit code: 2');
    expect(tree()).toEqual(before);
  });

  test('.krmignore: kpt and the command line refuse it alike', () => {
    write();
    writeTree(dir, { '.krmignore': 'kustomization.yaml\n' });
    const before = tree();
    expect(start('render', '--allow-exec').stderr).toContain(INCOMPLETE);
    expect(check()).toMatchObject({ status: 2, stderr: expect.stringContaining(INCOMPLETE) as string });
    expect(tree()).toEqual(before);
  });

  test('the way out: with the kustomizations both accept it, and the patch stays as it is', () => {
    write({ selectors: [{ kind: 'Deployment' }] });
    expect(start('render', '--allow-exec').status).toBe(1);
    editFile(dir, 'Kptfile', /\n *selectors:\n *- kind: Deployment/, '');
    const patch = tree()['prod/web.patch.yaml'];
    expect(start('render', '--allow-exec')).toMatchObject({ status: 0 });
    expect(tree()['prod/web.patch.yaml']).toBe(patch);
    expect(check()).toMatchObject({ status: 0 });
  });
});
