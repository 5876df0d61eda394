import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { findKustomizeForTests } from '../support/tools';
import { CONFIG_MAP, KUSTOMIZATION, useHostileRun } from '../support/hostile-run';
import { Loopback } from '../support/loopback';
import { type Tree, writeTree } from '../support/tree';

const run = useHostileRun();
const OVERLAY = 'overlays/prod/kustomization.yaml';
let loopback: Loopback;
beforeAll(async () => {
  loopback = new Loopback();
  await loopback.listen();
});
afterAll(() => loopback.close());

const mark = () => path.join(run().scratch, 'started');
const PROGRAMS = ['git', 'helm', 'curl', 'ssh', 'docker', 'podman', 'sh'];
beforeEach(() => {
  run().realKustomize();
  for (const name of PROGRAMS) run().program(name, `#!/bin/sh\n: >'${mark()}'\nexit 1\n`);
});

/** URL stands for one of the listener. */
const withUrl = (text: string) =>
  text.replaceAll('URL', `http://127.0.0.1:${loopback.port}/a`).replaceAll('PORT', String(loopback.port));
const G = 'configMapGenerator:\n- name: g\n  ';
const S = 'secretGenerator:\n- name: g\n  ';
const plugin = (kind: string, fields: string) =>
  `- |-\n  apiVersion: builtin\n  kind: ${kind}\n  metadata: {name: p}\n  ${fields}\n`;

const forms: readonly [string, string, Tree?][] = [
  ['resources', 'resources: [URL]\n'],
  ['resources, a query', "resources: ['URL?ref=main']\n"],
  ['resources, a double slash', 'resources: [http://127.0.0.1:PORT//a//b?ref=main]\n'],
  ['resources, .git', 'resources: [http://127.0.0.1:PORT/a.git]\n'],
  ['resources, git::', "resources: ['git::http://127.0.0.1:PORT/a.git']\n"],
  ['resources, GIT::', "resources: ['GIT::http://127.0.0.1:PORT/a.git']\n"],
  ['resources, HTTP in capitals', 'resources: [HTTP://127.0.0.1:PORT/a]\n'],
  ['resources, ssh', 'resources: [ssh://git@127.0.0.1:PORT/a]\n'],
  ['resources, git@', "resources: ['git@127.0.0.1:a/b']\n"],
  ['resources, another user', "resources: ['org-1234@127.0.0.1:a/b']\n"],
  ['resources, file', 'resources: [file:///tmp/a.git]\n'],
  ['resources, github.com', 'resources: [github.com/a/b]\n'],
  ['resources, www.github.com', 'resources: [www.github.com/a/b]\n'],
  ['resources in a folded text', 'resources:\n- >-\n  URL\n'],
  ['resources by an alias', 'namePrefix: &u URL\nresources: [*u]\n'],
  ['resources by a merge key', 'metadata: &m {resources: [URL]}\n<<: *m\n'],
  ['resources in JSON', '{"resources": ["URL"]}'],
  ['resources with an escape', 'resources: ["\\x68ttp://127.0.0.1:PORT/a"]\n'],
  ['bases', 'bases: [URL]\n'],
  ['components', 'components: [URL]\n'],
  ['crds', 'resources: [map.yaml]\ncrds: [URL]\n'],
  ['configurations', 'resources: [map.yaml]\nconfigurations: [URL]\n'],
  ['openapi', 'resources: [map.yaml]\nopenapi: {path: URL}\n'],
  ['patches', 'resources: [map.yaml]\npatches: [{path: URL}]\n'],
  [
    'patchesJson6902',
    'resources: [map.yaml]\npatchesJson6902: [{path: URL, target: {version: v1, kind: ConfigMap, name: plain}}]\n',
  ],
  ['patchesStrategicMerge', 'resources: [map.yaml]\npatchesStrategicMerge: [URL]\n'],
  [
    'patchesStrategicMerge, a URL that is a mapping',
    "resources: [map.yaml]\npatchesStrategicMerge: ['URL: b']\n",
  ],
  [
    'patchesStrategicMerge, a URL that is a mapping in a block',
    'resources: [map.yaml]\npatchesStrategicMerge:\n- |-\n  URL: b\n',
  ],
  [
    'patchesStrategicMerge, a URL before a resource',
    'resources: [map.yaml]\npatchesStrategicMerge:\n- |-\n  URL\n  ---\n  kind: ConfigMap\n  metadata: {name: plain}\n',
  ],
  ['replacements', 'resources: [map.yaml]\nreplacements: [{path: URL}]\n'],
  ['generators', 'generators: [URL]\n'],
  ['transformers', 'resources: [map.yaml]\ntransformers: [URL]\n'],
  ['validators', 'resources: [map.yaml]\nvalidators: [URL]\n'],
  ['transformers, a URL that is a mapping', "resources: [map.yaml]\ntransformers: ['URL: b']\n"],
  ['a generator, files', `${G}files: [URL]\n`],
  ['a generator, files with a key', `${G}files: ['k=URL']\n`],
  ['a generator, envs', `${G}envs: [URL]\n`],
  ['a generator, env', `${G}env: URL\n`],
  ['a generator of Secrets, files', `${S}files: [URL]\n`],
  ['a generator of Secrets, envs', `${S}envs: [URL]\n`],
  ['a field in capitals', 'RESOURCES: [URL]\n'],
  ['a field in mixed case', 'resources: [map.yaml]\nopenAPI: {PATH: URL}\n'],
  ['a field with a long s', 'reſources: [URL]\n'],
  ['a field of a patch in capitals', 'resources: [map.yaml]\npatches: [{PATH: URL}]\n'],
  ['a field of a generator in capitals', `${G}FILES: [URL]\n`],
  [
    'a plugin, paths',
    `resources: [map.yaml]\ntransformers:\n${plugin('PatchStrategicMergeTransformer', 'paths: [URL]')}`,
  ],
  [
    'a plugin, PATHS',
    `resources: [map.yaml]\ntransformers:\n${plugin('PatchStrategicMergeTransformer', 'PATHS: [URL]')}`,
  ],
  [
    'a plugin, Paths, a URL that is a mapping',
    `resources: [map.yaml]\ntransformers:\n${plugin('PatchStrategicMergeTransformer', "paths: ['URL: b']")}`,
  ],
  ['a plugin, path', `resources: [map.yaml]\ntransformers:\n${plugin('PatchTransformer', 'path: URL')}`],
  [
    'a plugin, PATH',
    `resources: [map.yaml]\ntransformers:\n${plugin('PatchJson6902Transformer', 'PATH: URL\n  target: {version: v1, kind: ConfigMap, name: plain}')}`,
  ],
  [
    'a plugin, replacements',
    `resources: [map.yaml]\ntransformers:\n${plugin('ReplacementTransformer', 'replacements: [{path: URL}]')}`,
  ],
  ['a plugin, files', `generators:\n${plugin('ConfigMapGenerator', 'files: [URL]')}`],
  ['a plugin, ENVS', `generators:\n${plugin('SecretGenerator', 'ENVS: [URL]')}`],
  [
    'a plugin in a file',
    'resources: [map.yaml]\ntransformers: [p.yaml]\n',
    {
      'overlays/prod/p.yaml':
        'apiVersion: builtin\nkind: PatchStrategicMergeTransformer\nmetadata: {name: p}\nPATHS: [URL]\n',
    },
  ],
  ['helmCharts', 'helmCharts: [{name: a, repo: URL, version: 1.0.0}]\n'],
  ['helmChartInflationGenerator', 'helmChartInflationGenerator: [{chartName: a, chartRepoUrl: URL}]\n'],
  [
    'HelmChartInflationGenerator',
    `generators:\n${plugin('HelmChartInflationGenerator', 'name: a\n  repo: URL')}`,
  ],
  [
    'a function in a container',
    "transformers:\n- |-\n  apiVersion: x/v1\n  kind: F\n  metadata: {name: p, annotations: {config.kubernetes.io/function: 'container: {image: 127.0.0.1:PORT/a}'}}\n",
  ],
  [
    'a function that is a program',
    "resources: [map.yaml]\ntransformers:\n- |-\n  apiVersion: x/v1\n  kind: F\n  metadata: {name: p, annotations: {config.kubernetes.io/function: 'exec: {path: ./sh}'}}\n",
  ],
  [
    'a Component',
    'resources: [map.yaml]\ncomponents: [../../part]\n',
    {
      'part/kustomization.yaml':
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatchesStrategicMerge: ['URL: b']\n",
    },
  ],
  [
    'a Component, a field in capitals',
    'resources: [map.yaml]\ncomponents: [../../part]\n',
    {
      'part/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nRESOURCES: [URL]\n',
    },
  ],
  [
    'a base of a base',
    'resources: [../../b]\n',
    { 'b/kustomization.yaml': 'resources: [../c]\n', 'c/kustomization.yaml': 'resources: [URL]\n' },
  ],
  [
    'a file of configurations',
    'resources: [map.yaml]\nconfigurations: [c.yaml]\n',
    {
      'overlays/prod/c.yaml':
        'apiVersion: x/v1\nkind: C\nmetadata: {name: c}\nPATHS: [URL]\nresources: [URL]\n',
    },
  ],
];

describe('the network is not reached, and no program is started but kustomize', () => {
  test.each(forms)('%s', (_, kustomization, more = {}) => {
    const before = loopback.connections;
    const text = withUrl(kustomization);
    run().write({
      '.krmignore': 'dist/\n',
      'overlays/prod/map.yaml': CONFIG_MAP,
      [OVERLAY]: text.startsWith('{') ? text : `${KUSTOMIZATION}${text}`,
      ...Object.fromEntries(Object.entries(more).map(([file, content]) => [file, withUrl(content)])),
    });
    const { status, stderr } = run().render();
    expect([0, 1, 2, 3]).toContain(status);
    expect(stderr).not.toContain('internal error');
    expect(loopback.connections).toBe(before);
    expect(existsSync(mark())).toBe(false);
  });

  test('without the function, kustomize reaches the listener', () => {
    const { command, args } = findKustomizeForTests();
    const before = loopback.connections;
    writeTree(run().dir, { 'kustomization.yaml': withUrl('resources: [URL]\n') });
    spawnSync(command, [...args, run().dir], { env: { PATH: path.join(run().scratch, 'bin') } });
    expect(loopback.connections).toBeGreaterThan(before);
  });

  test('without the function, kustomize starts the git on PATH', () => {
    const { command, args } = findKustomizeForTests();
    writeTree(run().dir, { 'kustomization.yaml': withUrl('resources: [http://127.0.0.1:PORT/a.git]\n') });
    spawnSync(command, [...args, run().dir], { env: { PATH: path.join(run().scratch, 'bin') } });
    expect(existsSync(mark())).toBe(true);
  });
});

describe('a kustomize that tries to connect', () => {
  const ISOLATE = ['--user', '--map-root-user', '--net', '/bin/true'];
  if (spawnSync('/usr/bin/unshare', ISOLATE).status !== 0) {
    test.skip('needs a network namespace: not permitted', () => undefined);
    return;
  }

  test.each([
    ['a connection', "require('node:net').connect(PORT, '127.0.0.1').on('error', () => {})"],
    ['a request', "fetch('http://127.0.0.1:PORT/').catch(() => {})"],
    ['a connection to localhost', "require('node:net').connect(PORT, 'localhost').on('error', () => {})"],
  ])('%s: has no network', (_, script) => {
    const before = loopback.connections;
    const program = withUrl(script);
    run().program(
      'kustomize',
      `#!/bin/sh\n'${process.execPath}' -e "${program}"\nprintf '%s' '${CONFIG_MAP}'\n`,
    );
    run().write({
      '.krmignore': 'dist/\n',
      'overlays/prod/map.yaml': CONFIG_MAP,
      [OVERLAY]: `${KUSTOMIZATION}resources: [map.yaml]\n`,
    });
    expect(run().render()).toMatchObject({ status: 0, stderr: '' });
    expect(loopback.connections).toBe(before);
  });
});
