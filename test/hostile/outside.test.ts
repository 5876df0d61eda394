import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Bundle, buildBundle } from '../support/bundle';
import { findKustomizeForTests } from '../support/tools';
import { type Tree, readTree, writeTree } from '../support/tree';

const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\ndata: {}\n';
const OVERLAY = 'overlays/prod/kustomization.yaml';
const CANARY = 'canary-5e2b';
const BASE64 = Buffer.from(CANARY).toString('base64');

let bundle: Bundle;
beforeAll(() => {
  bundle = buildBundle();
});
afterAll(() => {
  bundle.remove();
});

let scratch: string;
let dir: string;
let mark: string;
beforeEach(() => {
  scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'hostile-test-')));
  dir = path.join(scratch, 'package');
  mark = path.join(scratch, 'kustomize-was-started');
  for (const folder of ['bin', 'tmp', 'package']) mkdirSync(path.join(scratch, folder));
});
afterEach(() => {
  rmSync(scratch, { recursive: true });
});

function prod(kustomization: string, more: Tree = {}): Tree {
  return { [OVERLAY]: `${KUSTOMIZATION}${kustomization}`, 'overlays/prod/map.yaml': CONFIG_MAP, ...more };
}

const write = (files: Tree) => {
  writeTree(dir, files);
};

function indent(text: string, columns: number): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(columns));
}

/** An item with the given annotations, which may be unusual YAML. */
function item(annotations: string, text: string): string {
  const annotated = /^metadata:\n/m.test(text)
    ? text.replace(/^metadata:\n/m, `metadata:\n  annotations:\n${indent(annotations, 4)}`)
    : `${text}metadata:\n  annotations:\n${indent(annotations, 4)}`;
  return `- ${indent(annotated, 2).slice(2)}`;
}

function resourceList(files: Tree, functionConfig = ''): string {
  const items = Object.entries(files)
    .filter(([file]) => file.endsWith('.yaml'))
    .map(([file, text]) => item(`internal.config.kubernetes.io/path: ${JSON.stringify(file)}\n`, text));
  return `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${items.join('')}${functionConfig}`;
}

/** A kustomize that leaves a mark when it is started, and prints a ConfigMap. */
function markingKustomize(): void {
  const program = path.join(scratch, 'bin/kustomize');
  writeFileSync(program, `#!/bin/sh\n: >'${mark}'\nprintf '%s' '${CONFIG_MAP}'\n`);
  chmodSync(program, 0o755);
}

/** The real one, under a name that is looked for: the pinned copy of kubectl has another one. */
function realKustomize(): void {
  const { command, args } = findKustomizeForTests();
  symlinkSync(command, path.join(scratch, 'bin', args[0] === 'kustomize' ? 'kubectl' : 'kustomize'));
}

function start(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: scratch,
    input,
    encoding: 'utf8',
    env: {
      PATH: path.join(scratch, 'bin'),
      TMPDIR: path.join(scratch, 'tmp'),
      HOME: path.join(scratch, 'home-canary'),
      TOKEN: 'environment-canary',
      GITHUB_TOKEN: 'environment-canary',
    },
  });
  return { status, stdout, stderr };
}

const onStandardInput = (input: string) => start([bundle.guardrails], input);
const npmRunRender = (...args: string[]) => start([...bundle.render, dir, ...args]);

describe('a kustomization that refers to a path or URL outside the package is refused, and kustomize is not started', () => {
  const GENERATOR = 'resources: [map.yaml]\nconfigMapGenerator:\n- name: g\n';
  const SECRETS = 'resources: [map.yaml]\nsecretGenerator:\n- name: g\n';
  const plugin = (field: string, text: string) =>
    prod(`resources: [map.yaml]\n${field}:\n- |\n${indent(text, 2)}`);
  const BUILTIN = (kind: string) => `apiVersion: builtin\nkind: ${kind}\nmetadata:\n  name: p\n`;
  const FUNCTION = (how: string) =>
    `apiVersion: example.com/v1\nkind: Run\nmetadata:\n  name: p\n  annotations:\n    config.kubernetes.io/function: |\n      ${how}\n`;

  const rows: [string, Tree][] = [
    ['a resource', prod('resources: [/etc/passwd]\n')],
    ['a resource, with parent folders', prod('resources: [../../../../../../../../etc/passwd]\n')],
    ['a resource, in and out', prod('resources: [../prod/../../../map.yaml]\n')],
    ['a resource, escaped', prod('resources: ["\\x2fetc\\x2fpasswd"]\n')],
    ['a resource, in an alias', prod('crds: &out [/etc/passwd]\nresources: *out\n')],
    ['a resource, in a merge', prod('x: &out {resources: [/etc/passwd]}\n<<: *out\n')],
    ['a resource, in the second of two fields', prod('resources: [map.yaml]\nresources: [/etc/passwd]\n')],
    ['a resource, in capitals', prod('Resources: [/etc/passwd]\n')],
    ['a base', prod('bases: [/etc]\n')],
    ['a Component', prod('resources: [map.yaml]\ncomponents: [/etc]\n')],
    ['a patch', prod('resources: [map.yaml]\npatches: [{path: /etc/passwd}]\n')],
    ['a patch in a deprecated field', prod('resources: [map.yaml]\npatchesStrategicMerge: [/etc/passwd]\n')],
    [
      'a JSON 6902 patch in a deprecated field',
      prod('resources: [map.yaml]\npatchesJson6902: [{target: {kind: A}, path: /etc/passwd}]\n'),
    ],
    ['a CRD', prod('resources: [map.yaml]\ncrds: [/etc/passwd]\n')],
    ['a configuration', prod('resources: [map.yaml]\nconfigurations: [/etc/passwd]\n')],
    ['an OpenAPI schema', prod('resources: [map.yaml]\nopenapi: {path: /etc/passwd}\n')],
    ['a replacement', prod('resources: [map.yaml]\nreplacements: [{path: /etc/passwd}]\n')],
    ['a file of a generator', prod(`${GENERATOR}  files: [/etc/passwd]\n`)],
    ['a file of a generator, under a key', prod(`${GENERATOR}  files: [key=/etc/passwd]\n`)],
    ['a file of a generator, with parent folders', prod(`${GENERATOR}  files: [../../../host.txt]\n`)],
    ['variables of a generator', prod(`${GENERATOR}  envs: [/proc/self/environ]\n`)],
    ['variables of a generator, in the singular', prod(`${GENERATOR}  env: /proc/self/environ\n`)],
    ['a file of a generator of Secrets', prod(`${SECRETS}  files: [/etc/shadow]\n`)],
    ['variables of a generator of Secrets', prod(`${SECRETS}  envs: [/proc/self/environ]\n`)],
    [
      'a generator that is a plugin',
      plugin('generators', `${BUILTIN('ConfigMapGenerator')}files: [/etc/passwd]\n`),
    ],
    ['a patch that is a plugin', plugin('transformers', `${BUILTIN('PatchTransformer')}path: /etc/passwd\n`)],
    [
      'a replacement that is a plugin',
      plugin('transformers', `${BUILTIN('ReplacementTransformer')}replacements: [{path: /etc/passwd}]\n`),
    ],
    ['a plugin that is a program', plugin('generators', FUNCTION('exec: {path: /bin/sh}'))],
    ['a plugin that is a container', plugin('transformers', FUNCTION('container: {image: example.com/a}'))],
    ['a plugin in Starlark', plugin('validators', FUNCTION('starlark: {path: /etc/passwd}'))],
    ['a plugin in a file', prod('generators: [/etc/passwd]\n')],
    ['a plugin at a URL', prod('resources: [map.yaml]\ntransformers: [https://example.com/t.yaml]\n')],
    ['Helm charts', prod('helmCharts: [{name: a, repo: https://example.com}]\n')],
    ['Helm charts in a deprecated field', prod('helmChartInflationGenerator: [{chartName: a}]\n')],
    ['settings of Helm', prod('resources: [map.yaml]\nhelmGlobals: {chartHome: /etc}\n')],
    ['a URL', prod('resources: ["https://example.com/a.yaml"]\n')],
    ['a URL of a file', prod('resources: ["file:///etc/passwd"]\n')],
    ['a URL in capitals', prod('resources: ["HTTPS://example.com/a.yaml"]\n')],
    ['a repository', prod('resources: [github.com/example/example]\n')],
    ['a repository over SSH', prod('resources: ["git@example.com:a/b"]\n')],
    ['a repository by another program', prod('resources: ["git::ext::sh -c id"]\n')],
    ['a repository that looks like an option', prod('resources: ["--upload-pack=id"]\n')],
  ];

  test.each(rows)('%s', (_, files) => {
    markingKustomize();
    const input = resourceList(files);
    const list = onStandardInput(input);
    expect(list.status).toBe(1);
    expect(list.stdout.startsWith(input)).toBe(true);
    write(files);
    const before = readTree(dir);
    const npm = npmRunRender();
    expect(npm).toMatchObject({ status: 1 });
    expect(`${list.stderr}${npm.stdout}${npm.stderr}`).not.toMatch(/root:|canary/);
    expect(list.stderr).toContain(OVERLAY);
    expect(existsSync(mark)).toBe(false);
    expect(readTree(dir)).toEqual(before);
    expect(readdirSync(path.join(scratch, 'tmp'))).toEqual([]);
  });

  test('a kustomization that stays inside the package is built', () => {
    markingKustomize();
    expect(onStandardInput(resourceList(prod('resources: [map.yaml]\n')))).toMatchObject({ status: 0 });
    expect(existsSync(mark)).toBe(true);
  });
});

describe('a path annotation outside the package', () => {
  const INTERNAL = 'internal.config.kubernetes.io/path';
  const LEGACY = 'config.kubernetes.io/path';

  test.each([
    ['in and out', `${INTERNAL}: a/../../x.yaml\n`],
    ['parent folders only', `${INTERNAL}: ..\n`],
    ['escaped', `${INTERNAL}: "\\x2e\\x2e/x.yaml"\n`],
    ['absolute, with two slashes', `${INTERNAL}: //etc/x.yaml\n`],
    ['with a zero byte', `${INTERNAL}: "x.yaml\\0"\n`],
    ['legacy alone', `${LEGACY}: ../x.yaml\n`],
    ['of two with one name', `${INTERNAL}: x.yaml\n${INTERNAL}: ../x.yaml\n`],
    ['in an alias', `a: &out ../x.yaml\n${INTERNAL}: *out\n`],
  ])('%s: nothing is started and nothing is written', (_, annotations) => {
    markingKustomize();
    const input = `${resourceList(prod('resources: [map.yaml]\n'))}${item(annotations, CONFIG_MAP)}`;
    const before = readTree(scratch);
    expect(onStandardInput(input)).toMatchObject({ status: 2, stdout: '' });
    expect(existsSync(mark)).toBe(false);
    expect(readTree(scratch)).toEqual(before);
  });
});

describe('links in the package, for npm run render', () => {
  const GUARDRAILS =
    'apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata:\n  name: g\n  annotations:\n    config.kubernetes.io/local-config: "true"\n';
  const KPTFILE =
    'apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: a\npipeline:\n  mutators:\n    - image: example.com/a:v1\n      configPath: g.yaml\n';
  const WORKLOAD =
    'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n        - name: web\n          image: example.com/web:v1\n';
  const PACKAGE = prod('resources: [web.yaml]\nconfigMapGenerator:\n- name: g\n  files: [host.txt]\n', {
    '.krmignore': 'dist/\n',
    Kptfile: KPTFILE,
    'g.yaml': GUARDRAILS,
    'overlays/prod/web.yaml': WORKLOAD,
    'overlays/prod/host.txt': 'harmless\n',
  });

  test.each([
    'Kptfile',
    'g.yaml',
    'overlays',
    'overlays/prod',
    OVERLAY,
    'overlays/prod/web.yaml',
    'overlays/prod/host.txt',
  ])('%s: its target is neither changed nor printed', (file) => {
    realKustomize();
    write(PACKAGE);
    const outside = path.join(scratch, 'outside');
    renameSync(path.join(dir, file), outside);
    symlinkSync(outside, path.join(dir, file));
    const before = readTree(scratch);
    const { status, stdout, stderr } = npmRunRender();
    // A file of a generator is not an item, so only its overlay is refused.
    const isOfOverlay = file.endsWith('host.txt');
    expect(status).toBe(isOfOverlay ? 1 : 2);
    expect(isOfOverlay ? stdout : stderr).toContain('symbolic link');
    expect(`${stdout}${stderr}`).not.toContain('harmless');
    expect(readTree(scratch)).toEqual(before);
  });

  test('a hard link to a file outside: that file is not changed', () => {
    realKustomize();
    write(PACKAGE);
    const outside = path.join(scratch, 'outside.yaml');
    linkSync(path.join(dir, 'overlays/prod/web.yaml'), outside);
    expect(npmRunRender()).toMatchObject({ status: 0, stderr: '' });
    expect(readTree(dir)['overlays/prod/web.yaml']).toContain('runAsNonRoot: true');
    expect(readFileSync(outside, 'utf8')).toBe(WORKLOAD);
  });
});

describe('no value of a Secret, of the environment or of this machine is printed', () => {
  const HEAD = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n';
  const POD =
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  labels: {app: p}\nspec:\n  containers:\n  - name: c\n    image: example.com/a:v1\n';
  const withSecret = (secret: string, more = ''): Tree =>
    prod(`resources: [pod.yaml, secret.yaml]\n${more}`, {
      'overlays/prod/pod.yaml': POD,
      'overlays/prod/secret.yaml': secret,
    });
  const generated = (generator: string, file: string, text: string): Tree =>
    prod(`resources: [pod.yaml]\nsecretGenerator:\n- name: g\n${generator}`, {
      'overlays/prod/pod.yaml': POD,
      [`overlays/prod/${file}`]: text,
    });
  const intoImage = (kind: string, field: string) =>
    `replacements:\n- source: {kind: ${kind}, fieldPath: ${field}}\n  targets: [{select: {kind: Pod}, fieldPaths: [spec.containers.0.image]}]\n`;

  const SOURCES: [string, Tree][] = [
    ['stringData', withSecret(`${HEAD}stringData:\n  k: ${CANARY}\n`)],
    ['data', withSecret(`${HEAD}data:\n  k: ${BASE64}\n`)],
    [
      'data, and an image made of it',
      withSecret(`${HEAD}data:\n  k: ${BASE64}\n`, intoImage('Secret', 'data.k')),
    ],
    [
      'stringData, and an image made of it',
      withSecret(`${HEAD}stringData:\n  k: ${CANARY}\n`, intoImage('Secret', 'stringData.k')),
    ],
    [
      'a literal, and an image made of it',
      prod(
        `resources: [pod.yaml]\nsecretGenerator:\n- name: g\n  literals: [k=${CANARY}]\n${intoImage('Secret', 'data.k')}`,
        { 'overlays/prod/pod.yaml': POD },
      ),
    ],
    ['variables', generated('  envs: [.env]\n', '.env', `K=${CANARY}\n`)],
    ['a key file', generated('  files: [tls.key]\n', 'tls.key', `-----BEGIN KEY-----\n${CANARY}\n`)],
    ['variables that kustomize refuses', generated('  envs: [.env]\n', '.env', `K=${CANARY}\nK=${CANARY}\n`)],
    ['variables that are not UTF-8', generated('  envs: [.env]\n', '.env', `K=${CANARY}\u0000`)],
    ['a Secret that is invalid YAML', withSecret(`${HEAD}stringData:\n  k: "${CANARY}\n`)],
    ['a Secret with a duplicate key', withSecret(`${HEAD}stringData:\n  k: ${CANARY}\n  k: ${CANARY}\n`)],
    ['a Secret instead of the kustomization', { [OVERLAY]: `${HEAD}stringData:\n  k: ${CANARY}\n` }],
    [
      'a Secret in the file of the configuration',
      prod('resources: [map.yaml]\n', { 'g.yaml': `${HEAD}stringData: ${CANARY}\n` }),
    ],
  ];
  const ENDINGS: [string, string, string][] = [
    ['every rule on', '', ''],
    [
      'with the rules off',
      'environments: {overlays/prod: {rules: {plain-secret: off, pinned-image: off, network-policy: off}}}',
      '',
    ],
    ['with an invalid configuration', 'nonsense: true', ''],
    ['with an unknown overlay', 'environments: {overlays/x: {}}', ''],
    ['with a kustomization that fails', '', 'nameReference: [{}]\nnonsense: [1]\n'],
  ];

  const endings = new Set<number | null>();

  describe.each(SOURCES)('%s', (source, files) => {
    test.each(ENDINGS)('%s', (_, spec, more) => {
      realKustomize();
      const config = `apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata:\n  name: g\nspec: {${spec}}\n`;
      const all: Tree = {
        ...files,
        ...(more && { [OVERLAY]: `${files[OVERLAY] ?? ''}${more}` }),
        'config.yaml': config,
        Kptfile: `apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: a\npipeline:\n  mutators:\n    - image: a\n      configPath: config.yaml\n`,
        '.krmignore': 'dist/\n',
      };
      const list = onStandardInput(resourceList(all, `functionConfig:\n${indent(config, 2)}`));
      // The items come back with their Secrets.
      const results = list.stdout.slice(list.stdout.search(/^results:/m) >>> 0);
      write(all);
      if (source === 'variables that are not UTF-8')
        writeFileSync(path.join(dir, 'overlays/prod/.env'), Buffer.from(`K=${CANARY}\xff\n`, 'latin1'));
      const printed = [list.stderr, results];
      endings.add(list.status);
      for (const args of [['--check', '--diff'], []]) {
        const { status, stdout, stderr } = npmRunRender(...args);
        endings.add(status);
        printed.push(stdout, stderr);
      }
      expect(printed.join('').length).toBeGreaterThan(100);
      for (const text of printed) {
        expect(text).not.toMatch(/canary|5e2b/);
        expect(text).not.toContain(BASE64);
        expect(text).not.toContain([...Buffer.from(CANARY)].join(' '));
        expect(text).not.toContain(path.join(scratch, 'tmp'));
      }
    });
  });

  test('with any of the four exit codes', () => {
    expect([...endings].sort()).toEqual([0, 1, 2, 3]);
  });
});
