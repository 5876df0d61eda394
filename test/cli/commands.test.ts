import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { useBundle } from '../support/bundle';
import { findKustomizeForTests } from '../support/tools';
import { type Tree, editFile, readTree, writeTree, useFolder } from '../support/tree';

const bundle = useBundle();
const folder = useFolder('commands-');
let dir: string;
beforeEach(() => {
  dir = folder();
});

function guardrails(args: readonly string[], env: NodeJS.ProcessEnv = process.env, cwd = dir) {
  const options = { cwd, env, encoding: 'utf8' as const };
  const { status, stdout, stderr } = spawnSync(process.execPath, [bundle().cli, ...args], options);
  return { status, stdout, stderr };
}

const PRINTED = /^judged: .*; built by kustomize \S/m;
const on = (...entries: string[]) => `resources: [${entries.join(', ')}]\n`;
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  selector:
    matchLabels:
      app: shop
  template:
    metadata:
      labels:
        app: shop
    spec:
      containers:
        - name: shop
          image: registry.example.com/shop:v1
`;
const PACKAGE: Tree = {
  'base/deployment.yaml': DEPLOYMENT,
  'base/kustomization.yaml': on('deployment.yaml'),
  'overlays/prod/kustomization.yaml': `namespace: shop\n${on('../../base')}`,
};
const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: login\n';
const GUARDRAILS = (spec: string) =>
  `apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata:\n  name: guardrails\nspec: ${spec}\n`;

describe('a repository that does not know the function', () => {
  const FOREIGN: Tree = {
    '.github/workflows/ci.yml': 'on: push\njobs: {}\n',
    '.gitlab-ci.yml': 'stages: [build]\n',
    'docker-compose.yaml': 'services:\n  shop:\n    image: shop:latest\n',
    'package.json': '{"name": "shop", "scripts": {"build": "vite build"}}\n',
    'dist/index.js': 'export {};\n',
    'dist/prod.yaml': 'of: the application\n',
    'chart/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
    'chart/values.yaml': 'replicas: 1\n',
    'chart/templates/deployment.yaml': '{{- if .Values.on }}\nkind: Deployment\n{{- end }}\n',
    'examples/pod.yaml': 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: example\n',
    'node_modules/some/kustomization.yaml': 'resources: [\n',
    'deploy/base/deployment.yaml': DEPLOYMENT,
    'deploy/base/settings.env': 'MODE=fast\n',
    'deploy/base/kustomization.yaml': `${on('deployment.yaml')}configMapGenerator:\n- name: settings\n  envs: [settings.env]\n`,
    'deploy/overlays/staging/kustomization.yaml': on('../../base'),
    'deploy/overlays/prod/kustomization.yaml': `${on('../../base')}patches:\n- path: replicas.json\n  target: {kind: Deployment}\n`,
    'deploy/overlays/prod/replicas.json': '[{"op": "add", "path": "/spec/replicas", "value": 3}]\n',
  };

  test('one command gives the first verdict, and writes nothing', () => {
    writeTree(dir, FOREIGN);
    const before = readTree(dir);
    const { status, stdout, stderr } = guardrails(['check']);
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toContain(
      'judged: deploy/overlays/prod, deploy/overlays/staging; taken for a base: deploy/base;',
    );
    expect(stdout).toContain('no Guardrails configuration found; every rule holds, with its defaults\n');
    expect(stdout).toContain(
      '[info] no kustomization names these files with workloads, which are not checked: chart/templates/deployment.yaml, examples/pod.yaml\n',
    );
    expect(stdout).toMatch(/^\d+ files would change; nothing was written$/m);
    expect(readTree(dir)).toEqual(before);
  });

  test('fix changes the manifests alone, and then check exits with 0', () => {
    writeTree(dir, FOREIGN);
    expect(guardrails(['fix'])).toMatchObject({ status: 0, stderr: '' });
    const isOther = (file: string) => !file.startsWith('deploy/');
    expect(readTree(dir, isOther)).toEqual(
      Object.fromEntries(Object.entries(FOREIGN).filter(([file]) => isOther(file))),
    );
    expect(guardrails(['check'])).toMatchObject({ status: 0, stderr: '' });
  });

  test('build does not replace a file of the application', () => {
    writeTree(dir, { ...FOREIGN, 'dist/deploy-overlays-prod.yaml': 'of: the application\n' });
    guardrails(['fix']);
    const before = readTree(dir);
    const { status, stderr } = guardrails(['build']);
    expect(status).toBe(2);
    expect(stderr).toBe(
      'dist/deploy-overlays-prod.yaml was not written by guardrails, or was changed after that; no file was written; move it away\n',
    );
    expect(readTree(dir)).toEqual(before);
  });

  test('the program of this repository works on the one where it is typed', () => {
    writeTree(dir, FOREIGN);
    const start = path.join(__dirname, '../../functions/start.mjs');
    const { status, stdout } = spawnSync(process.execPath, [start, 'check'], { cwd: dir, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stdout).toContain('judged: deploy/overlays/prod, deploy/overlays/staging;');
  });
});

describe('build', () => {
  const fixed = (files: Tree = {}) => {
    writeTree(dir, { ...PACKAGE, ...files });
    expect(guardrails(['fix'])).toMatchObject({ status: 0 });
  };

  test('a package that is not hardened: errors, and nothing is written', () => {
    writeTree(dir, PACKAGE);
    const before = readTree(dir);
    const { status, stdout } = guardrails(['build']);
    expect(status).toBe(1);
    expect(stdout).toContain(
      'container "shop" can write to its root file system: readOnlyRootFilesystem is missing',
    );
    expect(stdout).toMatch(/errors found; nothing was written\n$/);
    expect(readTree(dir)).toEqual(before);
  });

  test('--output - writes the builds alone to standard output', () => {
    fixed({ 'overlays/dev/kustomization.yaml': `namespace: dev\n${on('../../base')}` });
    const { status, stdout, stderr } = guardrails(['build', '--output', '-']);
    expect(status).toBe(0);
    expect(stderr).toMatch(PRINTED);
    const { command, args } = findKustomizeForTests();
    const builds = ['dev', 'prod'].map(
      (name) => spawnSync(command, [...args, `overlays/${name}`], { cwd: dir, encoding: 'utf8' }).stdout,
    );
    expect(stdout).toBe(builds.join('---\n'));
  });

  test('--output - with errors: standard output is empty', () => {
    writeTree(dir, PACKAGE);
    expect(guardrails(['build', '--output', '-'])).toMatchObject({ status: 1, stdout: '' });
  });

  test('--output DIR, which does not exist, outside of the package', () => {
    fixed();
    const outside = mkdtempSync(path.join(tmpdir(), 'commands-output-'));
    const before = readTree(dir);
    expect(guardrails(['build', '--output', `${outside}/a/b`])).toMatchObject({ status: 0 });
    expect(Object.keys(readTree(outside))).toEqual(['a/b/.guardrails-files', 'a/b/prod.yaml']);
    expect(readTree(dir)).toEqual(before);
    rmSync(outside, { recursive: true });
  });

  describe('of a Secret', () => {
    const WITH_SECRET = {
      'base/secret.yaml': SECRET,
      'base/kustomization.yaml': on('deployment.yaml', 'secret.yaml'),
      '.git/HEAD': 'ref: refs/heads/main\n',
    };

    test.each([
      ['no .gitignore', {}, true],
      ['a .gitignore that names something else', { '.gitignore': 'build/\n' }, true],
      ['a .gitignore that names the folder', { '.gitignore': '/dist/\n' }, false],
      ['a .gitignore that includes the file again', { '.gitignore': 'dist/*\n!dist/prod.yaml\n' }, true],
      ['a .gitignore with a pattern for any folder', { '.gitignore': '# builds\n*.yaml\n' }, false],
      ['a .gitignore in the folder', { 'dist/.gitignore': '*\n' }, false],
    ])('%s', (_, files, isWarned) => {
      fixed({ ...WITH_SECRET, ...files });
      const { status, stdout } = guardrails(['build']);
      expect(status).toBe(0);
      const warning =
        '[warning] dist/prod.yaml contains a Secret, and Git does not ignore it; add dist/ to .gitignore\n';
      expect(stdout.includes(warning)).toBe(isWarned);
      expect(statSync(path.join(dir, 'dist/prod.yaml')).mode & 0o777).toBe(0o600);
    });

    test('outside of a work tree of Git', () => {
      fixed(WITH_SECRET);
      rmSync(path.join(dir, '.git'), { recursive: true });
      expect(guardrails(['build']).stdout).not.toContain('Git does not ignore it');
    });
  });
});

describe('--built', () => {
  const REMOTE: Tree = {
    ...PACKAGE,
    'overlays/remote/kustomization.yaml': on('https://example.com/base.yaml'),
  };

  test('an overlay that is not built here is an error with the way out, and the others are judged', () => {
    writeTree(dir, REMOTE);
    const { status, stdout } = guardrails(['check']);
    expect(status).toBe(1);
    expect(stdout).toContain(
      '  [error] overlays/remote: overlays/remote/kustomization.yaml: resources names https://example.com/base.yaml, which is remote, and a build must not use the network; vendor it with `kustomize localize`, or check what CI built with --built\n',
    );
    expect(stdout).toContain('overlays/prod: 2 resources, 0 errors, ');
  });

  test('judges a file as the build of an overlay, whole', () => {
    writeTree(dir, REMOTE);
    expect(guardrails(['fix', '--diff']).status).toBe(1);
    const built = `${DEPLOYMENT.replace(':v1', ':latest')}---\n${SECRET}stringData:\n  key: canary-55d1\n`;
    writeTree(dir, { 'ci/remote.yaml': built });
    const { status, stdout, stderr } = guardrails(['check', '--built', 'overlays/remote=ci/remote.yaml']);
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toContain(
      '  [error] overlays/remote: Deployment/shop container "shop" runs registry.example.com/shop:latest, which has the tag latest (ci/remote.yaml:16); pin it under images in overlays/remote/kustomization.yaml\n',
    );
    expect(stdout).toContain('has pods that no NetworkPolicy isolates');
    expect(stdout).toContain('judged: overlays/prod, overlays/remote; ');
    expect(stdout).not.toContain('canary-55d1');
  });

  test('a chart that no kustomization names, under the configuration of its name', () => {
    writeTree(dir, { ...PACKAGE, 'ci/chart.yaml': DEPLOYMENT });
    const { stdout } = guardrails(['check', '--built=charts/shop/=ci/chart.yaml']);
    expect(stdout).toContain('charts/shop: 1 resource, ');
    expect(stdout).toContain('judged: charts/shop, overlays/prod; ');
  });

  test.each([
    ['no file', 'overlays/prod', '--built must be OVERLAY=FILE, found overlays/prod\n'],
    ['a file that is missing', 'overlays/prod=gone.yaml', 'gone.yaml cannot be read (ENOENT); '],
    [
      'an empty file',
      'overlays/prod=empty.yaml',
      'empty.yaml has no resources; pass the output of the build\n',
    ],
    [
      'a file that is no build',
      'overlays/prod=values.yaml',
      'values.yaml:1: the field apiVersion of a Kubernetes ',
    ],
  ])('%s: exit 2', (_, built, message) => {
    writeTree(dir, { ...PACKAGE, 'empty.yaml': '', 'values.yaml': 'a: 1\n' });
    const { status, stdout, stderr } = guardrails(['check', '--built', built]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr.startsWith(message)).toBe(true);
  });
});

describe('what Argo CD adds to a build', () => {
  const OVERRIDE = 'overlays/prod/.argocd-source.yaml';

  test('an override of an image is judged', () => {
    writeTree(dir, {
      ...PACKAGE,
      [OVERRIDE]: 'kustomize:\n  images: ["registry.example.com/shop:latest"]\n',
    });
    const { status, stdout } = guardrails(['check']);
    expect(status).toBe(1);
    expect(stdout).toContain(
      '[error] overlays/prod: Deployment/shop container "shop" runs registry.example.com/shop:latest, which has the tag latest',
    );
  });

  test('that of one Application is merged over the general one', () => {
    writeTree(dir, {
      ...PACKAGE,
      [OVERRIDE]: 'kustomize:\n  images: ["registry.example.com/shop:latest"]\n',
      'overlays/prod/.argocd-source-shop.yaml': 'kustomize:\n  images: ["registry.example.com/shop:v7"]\n',
    });
    const { stdout } = guardrails(['check']);
    expect(stdout).toContain('overlays/prod: 2 resources, 0 errors, ');
  });

  test.each([
    [
      'a parameter of Helm',
      { [OVERRIDE]: 'helm:\n  parameters: [{name: a, value: b}]\n' },
      'helm is not supported; check the build that Argo CD makes with --built',
    ],
    [
      'several Applications',
      {
        'overlays/prod/.argocd-source-a.yaml': 'kustomize: {namePrefix: a-}\n',
        'overlays/prod/.argocd-source-b.yaml': 'kustomize: {namePrefix: b-}\n',
      },
      'overlays/prod has override files for several Applications of Argo CD; check the build of each with --built',
    ],
    ['no mapping', { [OVERRIDE]: '- a\n' }, 'overlays/prod/.argocd-source.yaml has no mapping; '],
    [
      'no YAML',
      { [OVERRIDE]: 'a: [\n' },
      'overlays/prod/.argocd-source.yaml is not valid YAML; fix the syntax',
    ],
    [
      'an overlay that another one includes',
      { [OVERRIDE]: 'kustomize: {namePrefix: a-}\n', 'overlays/prod-eu/kustomization.yaml': on('../prod') },
      'Argo CD applies this file to the build of overlays/prod, which other kustomizations include; write it into the kustomization',
    ],
  ])('%s: the overlay is refused', (_, files, message) => {
    writeTree(dir, { ...PACKAGE, ...files });
    const { status, stdout } = guardrails(['check']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^overlays\/prod: not built, 1 error/m);
    expect(stdout).toContain(message);
  });
});

describe('variables that Flux replaces', () => {
  const WITH_VARIABLE: Tree = {
    ...PACKAGE,
    'base/deployment.yaml': DEPLOYMENT.replace(':v1', ':${TAG}'),
  };

  test('without their values: unknown, with the way out', () => {
    writeTree(dir, WITH_VARIABLE);
    const { status, stdout } = guardrails(['check']);
    expect(status).toBe(1);
    expect(stdout).toContain(
      '[error] overlays/prod: Deployment/shop container "shop" has ${TAG} in spec.template.spec.containers[0].image, which Flux replaces after the build, so the value is unknown (base/deployment.yaml:16); give TAG a value in a file, and name the file under spec.substitute\n',
    );
  });

  test.each([
    ['a mapping', 'TAG: v2\n'],
    ['a ConfigMap', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: variables\ndata:\n  TAG: v2\n'],
  ])('with %s of values: judged with these', (_, values) => {
    writeTree(dir, {
      ...WITH_VARIABLE,
      'variables.yaml': values,
      'guardrails.yaml': GUARDRAILS('{substitute: variables.yaml}'),
    });
    expect(guardrails(['check']).stdout).toContain(
      'overlays/prod: 2 resources, 0 errors, 0 warnings, 0 infos\n',
    );
    editFile(dir, 'variables.yaml', 'TAG: v2', 'TAG: latest');
    expect(guardrails(['check']).stdout).toContain(
      'container "shop" runs registry.example.com/shop:latest, which has the tag latest',
    );
  });

  test('each overlay may have a file of its own', () => {
    writeTree(dir, {
      ...WITH_VARIABLE,
      'overlays/dev/kustomization.yaml': `namespace: dev\n${on('../../base')}`,
      'good.yaml': 'TAG: v2\n',
      'bad.yaml': 'TAG: latest\n',
      'guardrails.yaml': GUARDRAILS(
        '{substitute: good.yaml, environments: {overlays/dev: {substitute: bad.yaml}}}',
      ),
    });
    const { stdout } = guardrails(['check']);
    expect(stdout).toMatch(/^overlays\/dev: 2 resources, 1 error/m);
    expect(stdout).toMatch(/^overlays\/prod: 2 resources, 0 errors/m);
  });

  test('a file that is not there: exit 3', () => {
    writeTree(dir, { ...PACKAGE, 'guardrails.yaml': GUARDRAILS('{substitute: gone.yaml}') });
    const { status, stderr } = guardrails(['check']);
    expect(status).toBe(3);
    expect(stderr).toBe(
      'configuration: substitute names gone.yaml, which is not a file of variables in the package; write a mapping of variables to values, or a ConfigMap\n',
    );
  });
});

describe('the kustomize', () => {
  test('of another version than spec.kustomizeVersion is an error', () => {
    writeTree(dir, { ...PACKAGE, 'guardrails.yaml': GUARDRAILS('{kustomizeVersion: v0.0.1}') });
    const { status, stdout } = guardrails(['check']);
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /^\[error\] the builds are by kustomize \S+, but spec\.kustomizeVersion is v0\.0\.1; install that version, or change spec\.kustomizeVersion$/m,
    );
  });

  test('of that version, with or without the v', () => {
    writeTree(dir, PACKAGE);
    const [, version = ''] = /built by kustomize v?(\S+)/.exec(guardrails(['check']).stdout) ?? [];
    for (const wanted of [version, `v${version}`]) {
      writeTree(dir, { 'guardrails.yaml': GUARDRAILS(`{kustomizeVersion: "${wanted}"}`) });
      expect(guardrails(['check']).stdout).toContain('0 errors, 0 warnings, 0 infos\n');
    }
  });

  test('that is a script of a version manager, which needs PATH: the message says so', () => {
    writeTree(dir, PACKAGE);
    const bin = path.join(dir, 'bin');
    mkdirSync(bin);
    writeFileSync(path.join(bin, 'kustomize'), '#!/usr/bin/env some-shell\nexec asdf exec kustomize "$@"\n');
    chmodSync(path.join(bin, 'kustomize'), 0o755);
    const { status, stdout } = guardrails(['check'], { ...process.env, PATH: bin });
    expect(status).toBe(1);
    expect(stdout).toContain(
      `${path.join(bin, 'kustomize')} is a script, and a build runs without PATH; put the program itself on PATH before it\n`,
    );
  });
});

describe('the command line', () => {
  test.each([
    [[], 'a command is missing; '],
    [['chek'], "unknown command 'chek'\\u{a}(Did you mean check?); "],
    [['check', '--output', 'x'], "unknown option '--output'; "],
    [['check', 'a', 'b'], "too many arguments for 'check'. Expected 1 argument but got 2.; "],
  ])('%j: exit 2, and what to do', (args, message) => {
    const { status, stdout, stderr } = guardrails(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('`guardrails --help` lists the commands');
    expect(stderr).toContain(message);
  });

  test('--help lists the commands', () => {
    const { status, stdout } = guardrails(['--help']);
    expect(status).toBe(0);
    for (const name of ['check', 'fix', 'build', 'render', 'graph'])
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  });
});

test('a package of kpt: what kpt does not read is said', () => {
  cpSync(path.join(__dirname, '../packages/form-generator-yaml'), dir, { recursive: true });
  writeTree(dir, {
    Kptfile: 'apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: shop\n',
    '.krmignore': 'hidden/\n',
    'hidden/a/kustomization.yaml': on(),
    'other/Kustomization': on(),
  });
  const { stdout } = guardrails(['check']);
  expect(stdout).toContain(
    '[info] .krmignore hides kustomizations, which are not checked: hidden/a/kustomization.yaml\n',
  );
  expect(stdout).toContain(
    '[info] kpt refuses files that are not Kubernetes resources; list them in .krmignore: base/list.yaml, base/settings.yml, base/values.yaml\n',
  );
  expect(stdout).toContain(
    '[info] kpt does not read files named Kustomization; rename them to kustomization.yaml: other/Kustomization\n',
  );
});
