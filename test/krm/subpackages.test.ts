import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { type WireInput, readWire } from '../../functions/guardrails/krm/wire';
import { newItem } from '../../functions/guardrails/krm/item';
import { run } from '../../functions/guardrails/run';
import { type Bundle, buildBundle } from '../support/bundle';
import { describeWithTool, findKustomizeForTests } from '../support/tools';
import { type Tree, editFile, readTree, writeTree } from '../support/tree';

// `kpt fn render` sends the files of a subpackage with paths relative to the subpackage.

const PATH = 'internal.config.kubernetes.io/path';
const PACKAGE_PATH = 'internal.config.kubernetes.io/package-path';
const CONFIG = {
  apiVersion: 'todo.example.com/v1alpha1',
  kind: 'Guardrails',
  metadata: { name: 'guardrails' },
};

interface Sent {
  metadata: { name?: string; annotations?: Record<string, string | undefined> };
}

/** A resource as kpt sends it: `file` is relative to the package `folder`, if there is one. */
function sent<T extends object>(resource: T, file: string, folder?: string): T & Sent {
  const { metadata = {} } = resource as { metadata?: object };
  const ofPackage = folder === undefined ? {} : { [PACKAGE_PATH]: folder };
  const annotations = { [PATH]: file, 'internal.config.kubernetes.io/index': '0', ...ofPackage };
  return { ...resource, metadata: { ...metadata, annotations } };
}

function configMap(name: string, file: string, folder?: string): Sent {
  return sent({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } }, file, folder);
}

function listOf(items: readonly object[], functionConfig?: object) {
  return { apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', items, functionConfig };
}

const FORMS: [string, (list: object) => string][] = [
  ['block', (list) => stringify(list, { indentSeq: false })],
  ['wide block', (list) => stringify(list)],
  ['JSON', (list) => JSON.stringify(list)],
];

function pathsOf({ items }: WireInput): (string | undefined)[] {
  return items.map((item) => item.path);
}

describe.each(FORMS)('paths are relative to the root package: %s', (_, form) => {
  const read = (items: readonly object[], functionConfig?: object) =>
    pathsOf(readWire(form(listOf(items, functionConfig))));
  const ofRoot = sent(CONFIG, 'guardrails.yaml', '/tmp/k/a');

  test.each([
    ['the package of the functionConfig', ofRoot],
    ['without a functionConfig, the package that contains all others', undefined],
    ['with a functionConfig that kpt makes of configMap, the same', { kind: 'ConfigMap', data: {} }],
  ])('%s', (_case, functionConfig) => {
    const items = [
      configMap('y', 'cm.yaml', '/tmp/k/a/db/x/y'),
      configMap('db', 'cm.yaml', '/tmp/k/a/db'),
      configMap('deep', 'base/cm.yaml', '/tmp/k/a/db'),
      configMap('root', 'cm.yaml', '/tmp/k/a'),
    ];
    expect(read(items, functionConfig)).toEqual([
      'db/x/y/cm.yaml',
      'db/cm.yaml',
      'db/base/cm.yaml',
      'cm.yaml',
    ]);
  });

  test('the functionConfig is above all items that selectors leave', () => {
    const items = [configMap('db', 'cm.yaml', '/tmp/k/a/db')];
    expect(read(items, ofRoot)).toEqual(['db/cm.yaml']);
    expect(read(items)).toEqual(['cm.yaml']);
  });

  test('two subpackages without their root keep apart', () => {
    const items = [configMap('b', 'cm.yaml', '/tmp/k/a/b'), configMap('bb', 'cm.yaml', '/tmp/k/a/bb')];
    expect(read(items)).toEqual(['b/cm.yaml', 'bb/cm.yaml']);
  });

  test('without packages, or with packages that have nothing in common, paths stay', () => {
    expect(read([configMap('a', 'db/cm.yaml')], sent(CONFIG, 'guardrails.yaml'))).toEqual(['db/cm.yaml']);
    expect(read([configMap('a', 'db/cm.yaml')], ofRoot)).toEqual(['db/cm.yaml']);
    const items = [configMap('a', 'a.yaml', '/a'), configMap('b', 'b.yaml', '/b')];
    expect(read(items)).toEqual(['a.yaml', 'b.yaml']);
    expect(read([{ apiVersion: 'v1', kind: 'A' }], ofRoot)).toEqual([undefined]);
  });

  test('an item outside the package of the functionConfig is refused', () => {
    expect(() => read([configMap('b', 'cm.yaml', '/tmp/k/ab')], ofRoot)).toThrow(
      'standard input: ConfigMap/b is from the package /tmp/k/ab, which is not in the package of the functionConfig (/tmp/k/a); send only items of that package and its subpackages',
    );
  });

  test('a path that leaves its subpackage stays recognizable', () => {
    expect(read([configMap('b', '../cm.yaml', '/tmp/k/a/b')], ofRoot)).toEqual(['b/../cm.yaml']);
  });

  test.each([
    ['root.yaml', 'root.yaml', '/tmp/k/a'],
    ['base/new.yaml', 'base/new.yaml', '/tmp/k/a'],
    ['db/new.yaml', 'new.yaml', '/tmp/k/a/db'],
    ['db/base/new.yaml', 'base/new.yaml', '/tmp/k/a/db'],
    ['db/x/y/new.yaml', 'new.yaml', '/tmp/k/a/db/x/y'],
    ['dbx/new.yaml', 'dbx/new.yaml', '/tmp/k/a'],
  ])('the new file %s goes into its package', (file, inPackage, packagePath) => {
    const items = ['', '/db', '/db/x/y'].map((dir) => configMap('a', 'cm.yaml', `/tmp/k/a${dir}`));
    const wire = readWire(form(listOf(items, ofRoot)));
    const value = { apiVersion: 'v1', kind: 'ConfigMap' };
    const added = [newItem(stringify(value), value, file, 0)];
    const printed = parse(wire.print([], { edits: new Map(), removed: new Set(), added })) as {
      items: Sent[];
    };
    const annotations = printed.items.at(-1)?.metadata.annotations;
    expect(annotations).toMatchObject({ [PATH]: inPackage, [PACKAGE_PATH]: packagePath });
    expect(pathsOf(readWire(form(printed)))).toEqual([...pathsOf(wire), file]);
  });
});

test('YAML documents with package paths are read like a ResourceList', () => {
  const items = [configMap('db', 'cm.yaml', '/tmp/k/a/db'), configMap('root', 'cm.yaml', '/tmp/k/a')];
  const wire = readWire(items.map((one) => stringify(one)).join('---\n'));
  expect(pathsOf(wire)).toEqual(['db/cm.yaml', 'cm.yaml']);
});

const KUSTOMIZATION = (...resources: string[]) => ({
  apiVersion: 'kustomize.config.k8s.io/v1beta1',
  kind: 'Kustomization',
  resources,
});
const deployment = (name: string, image: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name, image }] } },
  },
});
const kptfile = (name: string, pipeline?: object) => ({
  apiVersion: 'kpt.dev/v1',
  kind: 'Kptfile',
  metadata: { name, annotations: { 'config.kubernetes.io/local-config': 'true' } },
  pipeline,
});

test('a generated policy gets the path in its subpackage, and a second run changes nothing', async () => {
  const items = [
    sent(KUSTOMIZATION('../db/base'), 'prod/kustomization.yaml', '/tmp/k/a'),
    sent(KUSTOMIZATION('db.yaml'), 'base/kustomization.yaml', '/tmp/k/a/db'),
    sent(deployment('db', 'db:1'), 'base/db.yaml', '/tmp/k/a/db'),
  ];
  const runOn = (list: object) =>
    run(Buffer.from(stringify(list)), () => Promise.resolve(findKustomizeForTests()));
  const first = await runOn(listOf(items, sent(CONFIG, 'guardrails.yaml', '/tmp/k/a')));
  expect(first).toMatchObject({ exitCode: 0, stderr: '' });
  const list = parse(first.stdout) as { items: (Sent & { kind: string })[] };
  const policies = list.items.filter(({ kind }) => kind === 'NetworkPolicy');
  expect(policies.map(({ metadata }) => metadata.annotations)).toMatchObject([
    { [PATH]: 'base/network-policies.yaml', [PACKAGE_PATH]: '/tmp/k/a/db' },
  ]);
  const second = await runOn({ ...list, results: undefined });
  expect((parse(second.stdout) as { items: object[] }).items).toEqual(list.items);
});

describeWithTool('kpt', 'kpt fn render of a package with subpackages', (kpt) => {
  let bundle: Bundle;
  let scratch: string;
  beforeAll(() => {
    bundle = buildBundle();
  });
  afterAll(() => {
    bundle.remove();
  });
  beforeEach(() => {
    scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'subpackages-')));
  });
  afterEach(() => {
    rmSync(scratch, { recursive: true });
  });

  const files = (resources: Record<string, object>): Tree =>
    Object.fromEntries(Object.entries(resources).map(([file, one]) => [file, stringify(one)]));
  const root = (config = 'guardrails.yaml'): Tree =>
    files({
      Kptfile: kptfile('root', {
        mutators: [{ exec: `${process.execPath} ${bundle.guardrails}`, configPath: config }],
      }),
      [config]: { ...CONFIG, spec: {} },
    });
  /** Writes the package twice: for kpt, and for the command line. */
  const write = (tree: Tree) => {
    for (const copy of ['kpt', 'npm']) {
      mkdirSync(path.join(scratch, copy));
      writeTree(path.join(scratch, copy), tree);
    }
  };
  const withKpt = () =>
    spawnSync(kpt, ['fn', 'render', '--allow-exec', '--truncate-output=false'], {
      cwd: path.join(scratch, 'kpt'),
      encoding: 'utf8',
    });
  const withNpm = (copy: string, ...args: string[]) =>
    spawnSync(process.execPath, [...bundle.render, path.join(scratch, copy), ...args], { encoding: 'utf8' });
  const written = (copy: string) =>
    readTree(path.join(scratch, copy), (file) => !/^dist\/|(^|\/)Kptfile$/.test(file));

  /** Renders with both, and compares the files; then neither changes one of them again. */
  const expectAlike = () => {
    expect(withKpt()).toMatchObject({ status: 0 });
    expect(withNpm('npm')).toMatchObject({ status: 0 });
    const tree = written('kpt');
    expect(tree).toEqual(written('npm'));
    expect(withKpt()).toMatchObject({ status: 0 });
    expect(written('kpt')).toEqual(tree);
    expect(withNpm('kpt', '--check').stdout).toContain('no file would change');
    return tree;
  };

  test('a base in the root package builds on a subpackage', () => {
    write({
      ...root('base/guardrails.yaml'),
      ...files({
        'overlays/prod/kustomization.yaml': KUSTOMIZATION('../../base'),
        'base/kustomization.yaml': KUSTOMIZATION('web.yaml', '../db'),
        'base/web.yaml': deployment('web', 'web:1'),
        'db/Kptfile': kptfile('db'),
        'db/kustomization.yaml': KUSTOMIZATION('db.yaml'),
        'db/db.yaml': deployment('db', 'db:1'),
      }),
    });
    const tree = expectAlike();
    expect(tree['db/db.yaml']).toContain('runAsNonRoot: true');
    expect(Object.keys(tree)).toContain('base/network-policies.yaml');
  });

  test.each(['db', 'db/base', 'db/x/y'])('policies are written beside a kustomization in %s', (dir) => {
    const nested: Record<string, object> = dir === 'db/x/y' ? { 'db/x/y/Kptfile': kptfile('y') } : {};
    write({
      ...root(),
      ...files({
        'overlays/dev/kustomization.yaml': KUSTOMIZATION(`../../${dir}`),
        'overlays/prod/kustomization.yaml': KUSTOMIZATION(`../../${dir}`),
        'db/Kptfile': kptfile('db'),
        ...nested,
        [`${dir}/kustomization.yaml`]: KUSTOMIZATION('web.yaml'),
        [`${dir}/web.yaml`]: deployment('web', 'web:1'),
      }),
    });
    const tree = expectAlike();
    expect(Object.keys(tree).filter((file) => file.endsWith('network-policies.yaml'))).toEqual([
      `${dir}/network-policies.yaml`,
    ]);
    // An outdated policy is replaced in the same file.
    editFile(path.join(scratch, 'kpt'), `${dir}/network-policies.yaml`, /\n *- Egress/, '');
    expect(withNpm('kpt', '--check')).toMatchObject({ status: 1 });
    expect(withKpt()).toMatchObject({ status: 0 });
    expect(written('kpt')).toEqual(tree);
  });

  test('two packages have files of the same path: the right one is reported', () => {
    write({
      ...root(),
      ...files({
        'kustomization.yaml': KUSTOMIZATION('deploy.yaml', 'mysql'),
        'deploy.yaml': deployment('web', 'web:1'),
        'mysql/Kptfile': kptfile('mysql'),
        'mysql/kustomization.yaml': KUSTOMIZATION('deploy.yaml'),
        'mysql/deploy.yaml': deployment('mysql', 'mysql:latest'),
      }),
    });
    const before = written('kpt');
    const finding =
      /Deployment\/mysql container "mysql" runs mysql:latest, which has the tag latest \(mysql\/deploy\.yaml:\d+\)/;
    const { status, stderr } = withKpt();
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(finding) as string });
    expect(withNpm('npm', '--check')).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(finding) as string,
    });
    expect(written('kpt')).toEqual(before);
    for (const copy of ['kpt', 'npm'])
      writeTree(path.join(scratch, copy), files({ 'mysql/deploy.yaml': deployment('mysql', 'mysql:8') }));
    expectAlike();
  });

  test('a subpackage with a pipeline of its own is the root of its paths', () => {
    write({
      ...files({ Kptfile: kptfile('top') }),
      ...Object.fromEntries(Object.entries(root()).map(([file, text]) => [`app/${file}`, text])),
      ...files({
        'app/kustomization.yaml': KUSTOMIZATION('db'),
        'app/db/Kptfile': kptfile('db'),
        'app/db/kustomization.yaml': KUSTOMIZATION('deploy.yaml'),
        'app/db/deploy.yaml': deployment('db', 'db:1'),
      }),
    });
    expect(withKpt()).toMatchObject({ status: 0 });
    expect(Object.keys(written('kpt'))).toContain('app/db/network-policies.yaml');
    cpSync(path.join(scratch, 'kpt/app'), path.join(scratch, 'app'), { recursive: true });
    expect(withNpm('app', '--check').stdout).toContain('no file would change');
  });
});
