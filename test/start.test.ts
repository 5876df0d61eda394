import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const INSTALLING = 'installing dependencies (npm ci) ...\n';

// A small repository: one local dependency, and a build that writes a program that prints its arguments.
const BUILD = `
import fs from 'node:fs';
const root = new URL('..', import.meta.url);
fs.appendFileSync(new URL('builds.log', root), 'built\\n');
fs.mkdirSync(new URL('dist/', root), { recursive: true });
fs.copyFileSync(new URL('functions/cli.js', root), new URL('dist/cli.js', root));
`;
const RENDER = `
const [, what, value] = process.argv.slice(2);
if (what === 'exit') process.exitCode = Number(value);
else if (what === 'wait') { setInterval(() => {}, 1000); console.log('waiting'); }
else console.log(JSON.stringify({ cwd: process.cwd(), typedIn: process.env.GUARDRAILS_TYPED_IN, args: process.argv.slice(2) }));
`;
const PACKAGE = {
  name: 'small',
  version: '1.0.0',
  scripts: {
    render: 'node functions/start.mjs render',
    'test:run': `node -e "console.log(process.argv.slice(1).join()); process.exitCode = 7" --`,
  },
  devDependencies: { dependency: 'file:dependency-1.0.0.tgz' },
};

let template: string;
let repository: string;

beforeAll(() => {
  template = temporaryFolder();
  mkdirSync(path.join(template, 'functions'));
  cpSync(path.join(__dirname, '../functions/start.mjs'), path.join(template, 'functions/start.mjs'));
  writeFileSync(path.join(template, 'functions/build.mjs'), BUILD);
  writeFileSync(path.join(template, 'functions/cli.js'), RENDER);
  mkdirSync(path.join(template, 'package'));
  writeFileSync(path.join(template, 'package/package.json'), '{"name": "dependency", "version": "1.0.0"}');
  succeed('npm', ['pack', './package'], template);
  writeFileSync(path.join(template, 'package.json'), JSON.stringify(PACKAGE));
  succeed('npm', ['install', '--offline'], template);
});
afterAll(() => {
  rmSync(template, { recursive: true });
});
beforeEach(() => {
  repository = temporaryFolder();
  cpSync(template, repository, { recursive: true });
});
afterEach(() => {
  rmSync(repository, { recursive: true });
});

test('a fresh clone is installed and bundled once', () => {
  uninstall();
  const first = start(['render', 'overlays/dev', '--flag']);
  expect(first.stderr).toBe(INSTALLING);
  expect(JSON.parse(first.stdout)).toEqual({ cwd: repository, args: ['render', 'overlays/dev', '--flag'] });
  expect(existsSync(inRepository('node_modules/dependency/package.json'))).toBe(true);

  expect(start(['render']).stderr).toBe('');
  expect(builds()).toBe(1);
  expect(existsSync(inRepository('dist/.start-lock'))).toBe(false);
});

test('a manual npm install is used', () => {
  expect(start(['render'])).toMatchObject({ stderr: '', status: 0 });
});

test('an installation that does not match the lock file is replaced', () => {
  const lock = inRepository('node_modules/.package-lock.json');
  writeFileSync(
    lock,
    readFileSync(lock, 'utf8').replace('"1.0.0"', '"0.9.0"').replaceAll('sha512-', 'sha512-x'),
  );
  expect(start(['render']).stderr).toBe(INSTALLING);
  expect(start(['render']).stderr).toBe('');
});

test.each(['functions/cli.js', 'package-lock.json'])('a newer %s causes a new bundle', (file) => {
  start(['render']);
  const later = new Date(Date.now() + 1000);
  utimesSync(inRepository(file), later, later);
  start(['render']);
  expect(builds()).toBe(2);
});

test('a deleted source causes a new bundle', () => {
  writeFileSync(inRepository('functions/gone.ts'), '');
  start(['render']);
  rmSync(inRepository('functions/gone.ts'));
  start(['render']);
  expect(builds()).toBe(2);
});

test('the settings of an enclosing npm do not affect the installation', () => {
  uninstall();
  const { status } = start(['render'], {
    npm_config_dry_run: 'true',
    npm_config_loglevel: 'silent',
    NODE_ENV: 'production',
  });
  expect(status).toBe(0);
  expect(existsSync(inRepository('node_modules/dependency/package.json'))).toBe(true);
});

test('two starts at once in a fresh clone install once, and both succeed', async () => {
  uninstall();
  const runs = await Promise.all([startAlongside(['render']).ended, startAlongside(['render']).ended]);
  expect(runs.map(({ status }) => status)).toEqual([0, 0]);
  expect(runs.map(({ stderr }) => stderr).sort()).toEqual(['', INSTALLING]);
  expect(builds()).toBe(1);
});

test('the lock of a terminated start is ignored', () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  mkdirSync(inRepository('dist'));
  writeFileSync(inRepository('dist/.start-lock'), String(pid));
  expect(start(['render']).status).toBe(0);
});

test('a failing npm ci: exit 2 and the output of npm', () => {
  uninstall();
  writeFileSync(
    inRepository('package.json'),
    JSON.stringify({ ...PACKAGE, devDependencies: { dependency: '2.0.0' } }),
  );
  rmSync(inRepository('dependency-1.0.0.tgz'));
  const { status, stdout, stderr } = start(['render'], { npm_config_offline: 'true' });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^installing dependencies[^]*npm error[^]*npm.* ci .*failed \(exit 1\)\n$/);
  expect(existsSync(inRepository('dist/.start-lock'))).toBe(false);
});

test('a failing build: exit 2', () => {
  writeFileSync(inRepository('functions/build.mjs'), 'throw new Error("the build is broken")');
  const { status, stdout, stderr } = start(['render']);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain('the build is broken');
});

test.each([0, 1, 3])('the exit code %d is passed on', (code) => {
  expect(start(['render', 'exit', String(code)]).status).toBe(code);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s is passed to the function and is in the exit code',
  async (signal) => {
    const { child, ended } = startAlongside(['render', 'wait']);
    await once(child.stdout, 'data');
    child.kill(signal);
    expect(await ended).toMatchObject({ status: 128 + constants.signals[signal] });
  },
);

test('a signal during npm ci is reported as an interruption', async () => {
  uninstall();
  writeFileSync(
    inRepository('npm-cli.js'),
    `process.on('SIGINT', () => process.exit(1)); setInterval(() => {}, 1000); require('node:fs').writeFileSync('waiting', '');`,
  );
  const { child, ended } = startAlongside(['render'], { npm_execpath: inRepository('npm-cli.js') });
  while (!existsSync(inRepository('waiting'))) await sleep(20);
  child.kill('SIGINT');
  expect(await ended).toEqual({ status: 130, stderr: `${INSTALLING}interrupted\n` });
  expect(existsSync(inRepository('dist/.start-lock'))).toBe(false);
});

test('npm run from another folder works on the repository, and paths are relative to that folder', () => {
  mkdirSync(inRepository('overlays'));
  const { stdout } = succeed('npm', ['run', '--silent', 'render', '--', 'dev'], inRepository('overlays'));
  const typedIn = inRepository('overlays');
  expect(JSON.parse(stdout)).toEqual({ cwd: repository, typedIn, args: ['render', 'dev'] });
});

test('a command typed in another repository works on that one', () => {
  const other = temporaryFolder();
  const program = inRepository('functions/start.mjs');
  const { stdout } = succeed(process.execPath, [program, 'check', 'dev'], other);
  expect(JSON.parse(stdout)).toEqual({ cwd: other, args: ['check', 'dev'] });
  rmSync(other, { recursive: true });
});

test('test installs, then runs the tests with the arguments and its exit code', () => {
  uninstall();
  const { status, stdout, stderr } = start(['test', '-t', 'a name']);
  expect({ status, stdout, stderr }).toEqual({ status: 7, stdout: '-t,a name\n', stderr: INSTALLING });
});

test('every command of guardrails is a command of the program', () => {
  const text = readFileSync(path.join(__dirname, '../functions/guardrails/cli/guardrails.ts'), 'utf8');
  const [, list = ''] = /runCommands\(\[([^\]]*)\]\)/.exec(text) ?? [];
  const names = list.split(/,\s*/).filter((name) => name !== '');
  expect(names).toContain('check');
  const start = readFileSync(path.join(__dirname, '../functions/start.mjs'), 'utf8');
  expect(names.filter((name) => !start.includes(`'${name}'`))).toEqual([]);
});

test.each([[[]], [['deploy']], [['toString']]])('%j prints the usage', (args) => {
  expect(start(args)).toMatchObject({
    status: 2,
    stderr:
      'usage: node functions/start.mjs check|fix|build|render|graph|exemptions|image|update|test [arguments]\n',
  });
});

test.each(['18.20.4', '20.18.3'])('Node.js %s is refused', (version) => {
  const preload = inRepository('old.cjs');
  writeFileSync(preload, `Object.defineProperty(process, 'versions', { value: { node: '${version}' } });`);
  expect(start(['render'], { NODE_OPTIONS: `--require ${preload}` })).toMatchObject({
    status: 2,
    stderr: `Node.js 20.19 or newer is required, found ${version}\n`,
  });
});

function start(args: string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, ['functions/start.mjs', ...args], {
    cwd: repository,
    env: { ...outsideOfNpm(), ...env },
    encoding: 'utf8',
  });
}

function startAlongside(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ['functions/start.mjs', ...args], {
    cwd: repository,
    env: { ...outsideOfNpm(), ...env },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([status]) => ({ status: status as number, stderr }));
  return { child, ended };
}

/** The environment without the variables of npm. */
function outsideOfNpm(): NodeJS.ProcessEnv {
  return { ...process.env, INIT_CWD: undefined, NODE_ENV: undefined, npm_execpath: undefined };
}

function succeed(command: string, args: string[], cwd: string) {
  const result = spawnSync(command, args, { cwd, env: outsideOfNpm(), encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stdout}${result.stderr}`);
  return result;
}

function uninstall(): void {
  rmSync(inRepository('node_modules'), { recursive: true });
}

function builds(): number {
  return readFileSync(inRepository('builds.log'), 'utf8').trim().split('\n').length;
}

function inRepository(file: string): string {
  return path.join(repository, file);
}

function temporaryFolder(): string {
  return realpathSync(mkdtempSync(path.join(tmpdir(), 'start-test-')));
}
