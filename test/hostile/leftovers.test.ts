import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { CONFIG_MAP, KUSTOMIZATION, useHostileRun } from '../support/hostile-run';
import { readTree } from '../support/tree';

const run = useHostileRun();
const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  k: canary-9f1c\n';
const DEPLOYMENT = (name: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  template:\n    spec:\n      containers:\n        - name: ${name}\n          image: ${name}:v1\n`;

beforeEach(() => {
  run().program('kustomize', `#!/bin/sh\nprintf '%s' '${CONFIG_MAP}'\n`);
  run().write({
    '.krmignore': 'dist/\n',
    'base/kustomization.yaml': `${KUSTOMIZATION}resources: [a.yaml, b.yaml]\n`,
    'base/a.yaml': DEPLOYMENT('a'),
    'base/b.yaml': DEPLOYMENT('b'),
    'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\n`,
  });
});

const leftInPackage = () =>
  Object.keys(readTree(run().dir)).filter(
    (file) => file.includes('guardrails-') && file !== 'dist/.guardrails-files',
  );
const leftInTemporary = () => readdirSync(run().tmp);

/** A run that is killed at the nth call of a function of node:fs. */
function killed(name: string, skip: number, argument = ''): void {
  const fault = { module: 'fs', name, argument, skip, signal: 'SIGKILL' };
  const { signal } = spawnSync(process.execPath, [...run().bundle.render, run().dir], {
    env: {
      ...run().environment(),
      GUARDRAILS_FAULT: JSON.stringify(fault),
      NODE_OPTIONS: `--require ${path.join(__dirname, '../support/inject.cjs')}`,
    },
  });
  expect(signal).toBe('SIGKILL');
}

describe('after SIGKILL the next run leaves nothing behind', () => {
  test.each([
    ['during the writes', 'fsyncSync', 1, ''],
    ['between the renames', 'renameSync', 1, 'guardrails-tmp'],
    ['while originals are kept', 'linkSync', 1, ''],
    ['while the copy for kustomize is written', 'writeFileSync', 2, ''],
  ])('%s', (_, name, skip, argument) => {
    killed(name, skip, argument);
    expect([...leftInPackage(), ...leftInTemporary()]).not.toEqual([]);
    expect(run().render()).toMatchObject({ status: 0, stderr: '' });
    expect([...leftInPackage(), ...leftInTemporary()]).toEqual([]);
    expect(readdirSync(run().dir).filter((name) => name.startsWith('.guardrails'))).toEqual([]);
  });

  test('Git sees none of what is left', () => {
    killed('renameSync', 1, 'guardrails-tmp');
    const [folder = ''] = readdirSync(run().dir).filter((name) => name.startsWith('.guardrails-work-'));
    expect(readFileSync(path.join(run().dir, folder, '.gitignore'), 'utf8')).toBe('*\n');
    expect(statSync(path.join(run().dir, folder)).mode & 0o777).toBe(0o700);
  });

  test('--check deletes nothing in the package', () => {
    killed('renameSync', 1, 'guardrails-tmp');
    const before = readTree(run().dir);
    run().render('--check');
    expect(readTree(run().dir)).toEqual(before);
  });
});

describe('what is not a leftover stays', () => {
  const namespace = () => /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '';
  /** The id of a process that has ended. */
  const ended = () => spawnSync(process.execPath, ['-e', '']).pid;
  const names: [string, () => string][] = [
    ['of a process that runs', () => `${namespace()}-${process.pid}-AbCdEf`],
    ['of another machine or container', () => `1${namespace()}-${ended()}-AbCdEf`],
    ['with a longer name', () => `${namespace()}-${ended()}-AbCdEf.old`],
    ['with a name without a process', () => 'AbCdEf'],
  ];

  test.each(names)('a folder %s', (_, suffix) => {
    for (const [parent, prefix] of [
      [run().dir, '.guardrails-work'],
      [run().tmp, 'guardrails'],
    ] as const) {
      const folder = path.join(parent, `${prefix}-${suffix()}`);
      mkdirSync(folder);
      writeFileSync(path.join(folder, 'kept'), '');
      expect(run().render().status).toBe(0);
      expect(existsSync(path.join(folder, 'kept'))).toBe(true);
    }
  });

  test('a file, and a link to a folder, of such a name', () => {
    const name = `.guardrails-work-${namespace()}-${ended()}-AbCdEf`;
    writeFileSync(path.join(run().dir, name), 'kept');
    const outside = path.join(run().scratch, 'outside');
    mkdirSync(outside);
    writeFileSync(path.join(outside, 'kept'), '');
    symlinkSync(outside, path.join(run().dir, name.replace('AbCdEf', 'AbCdEg')));
    run().render();
    expect(existsSync(path.join(outside, 'kept'))).toBe(true);
    expect(readFileSync(path.join(run().dir, name), 'utf8')).toBe('kept');
  });

  test('a day later, a folder goes even where another process has the id by now', () => {
    const folder = path.join(run().dir, `.guardrails-work-${namespace()}-${process.pid}-AbCdEf`);
    mkdirSync(folder);
    const dayBefore = Date.now() / 1000 - 25 * 3600;
    utimesSync(folder, dayBefore, dayBefore);
    expect(run().render().status).toBe(0);
    expect(existsSync(folder)).toBe(false);
  });
});

describe('an editor that saves a file during the run', () => {
  /** A run in which a shell command runs before a call of a function of node:fs. */
  function interrupted(name: string, argument: string, skip: number, command: string) {
    const fault = { module: 'fs', name, argument, skip, times: 1, run: `PATH=/bin:/usr/bin; ${command}` };
    const { status, stderr } = spawnSync(process.execPath, [...run().bundle.render, run().dir], {
      encoding: 'utf8',
      env: {
        ...run().environment(),
        GUARDRAILS_FAULT: JSON.stringify(fault),
        NODE_OPTIONS: `--require ${path.join(__dirname, '../support/inject.cjs')}`,
      },
    });
    return { status, stderr };
  }
  const file = () => path.join(run().dir, 'base/b.yaml');
  const EDITED = `${DEPLOYMENT('b')}# edited\n`;

  test.each([
    ['in place, after the comparison', 'linkSync', 'base/b\\.yaml', () => `echo '# edited' >> '${file()}'`],
    [
      'as a new file, after the comparison',
      'linkSync',
      'base/b\\.yaml',
      () => `cp '${file()}' '${file()}.x'; echo '# edited' >> '${file()}.x'; mv '${file()}.x' '${file()}'`,
    ],
    [
      'in place, just before the rename',
      'renameSync',
      '\\.b\\.yaml\\..*tmp',
      () => `echo '# edited' >> '${file()}'`,
    ],
  ])('%s: is not overwritten, and the message says so', (_, name, argument, command) => {
    const { status, stderr } = interrupted(name, argument, 0, command());
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr:
        'base/b.yaml: another program changed this file during the run; no file was written; run again\n',
    });
    expect(readFileSync(file(), 'utf8')).toBe(EDITED);
    expect(readFileSync(path.join(run().dir, 'base/a.yaml'), 'utf8')).toBe(DEPLOYMENT('a'));
    expect(leftInPackage()).toEqual([]);
  });

  test('a new file of the name of a build, after the comparison', () => {
    const build = path.join(run().dir, 'dist/prod.yaml');
    const { status } = interrupted('linkSync', 'base/a\\.yaml', 0, `echo mine > '${build}'`);
    expect(status).toBe(2);
    expect(readFileSync(build, 'utf8')).toBe('mine\n');
    expect(readFileSync(path.join(run().dir, 'base/a.yaml'), 'utf8')).toBe(DEPLOYMENT('a'));
  });
});

describe('a folder that keeps what is in it', () => {
  test('the message names the temporary files that stay', () => {
    const fault = { module: 'fs', name: 'rmSync', argument: 'guardrails-(tmp|original)', code: 'EPERM' };
    const { status, stderr } = spawnSync(process.execPath, [...run().bundle.render, run().dir], {
      encoding: 'utf8',
      env: {
        ...run().environment(),
        GUARDRAILS_FAULT: JSON.stringify([
          fault,
          { module: 'fs', name: 'renameSync', argument: 'b.yaml.*tmp', times: 1, code: 'EPERM' },
        ]),
        NODE_OPTIONS: `--require ${path.join(__dirname, '../support/inject.cjs')}`,
      },
    });
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^base\/b\.yaml cannot be replaced \(EPERM\); nothing was changed; check .*; temporary files are left, remove them: (\.guardrails-work-\S+(, )?){5,}\n$/,
    );
  });
});

describe('a build with a Secret', () => {
  const mode = (file: string) => statSync(path.join(run().dir, file)).mode & 0o777;
  const RELAXED =
    'apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata:\n  name: g\n  annotations:\n    config.kubernetes.io/local-config: "true"\nspec: {environments: {overlays/prod: {rules: {plain-secret: off}}}}\n';

  test.each([
    ['plain', SECRET],
    ['in a List', `apiVersion: v1\nkind: List\nitems:\n- ${SECRET.trim().replaceAll('\n', '\n  ')}\n`],
    ['with a quoted kind', SECRET.replace('kind: Secret', 'kind: "Secret"')],
  ])('%s: only the owner can read it', (_, secret) => {
    run().program('kustomize', `#!/bin/sh\nprintf '%s' '${CONFIG_MAP}---\n${secret}'\n`);
    run().write({ 'guardrails.yaml': RELAXED });
    expect(run().render()).toMatchObject({ status: 0, stderr: '' });
    expect(mode('dist/prod.yaml')).toBe(0o600);
    expect(mode('dist')).toBe(0o700);
    // A file that was readable before is not afterwards.
    chmodSync(path.join(run().dir, 'dist/prod.yaml'), 0o644);
    chmodSync(path.join(run().dir, 'dist'), 0o755);
    expect(run().render().status).toBe(0);
    expect(mode('dist/prod.yaml')).toBe(0o600);
    expect(mode('dist')).toBe(0o700);
  });

  test('a build without one keeps the modes of ordinary files', () => {
    expect(run().render().status).toBe(0);
    writeFileSync(path.join(run().dir, 'ordinary'), '');
    expect(mode('dist/prod.yaml')).toBe(mode('ordinary'));
  });
});

describe('limits of the system: exit 2, and what to do', () => {
  const start = (script: string, env: NodeJS.ProcessEnv = {}) => {
    const { status, stdout, stderr } = spawnSync(
      '/bin/sh',
      ['-c', script, process.execPath, ...run().bundle.render, run().dir],
      {
        encoding: 'utf8',
        cwd: run().scratch,
        env: { ...run().environment(), ...env },
      },
    );
    return { status, stdout, stderr };
  };
  const NODE = '"$0" "$@"';

  test.each([20, 21, 22, 23, 24])('%i file descriptors', (limit) => {
    const { status, stderr } = start(`ulimit -n ${limit}; ${NODE}`);
    // Node itself ends where it has too few, with a signal or while it starts.
    if (status === null || status > 128 || stderr.startsWith('node:internal/')) return;
    expect(stderr).not.toContain('    at ');
    if (status !== 0) {
      expect(status).toBe(2);
      expect(stderr).toContain('the limit of open files is too low; raise it with `ulimit -n 1024`');
    }
  });

  test('a missing temporary directory', () => {
    const tmp = path.join(run().scratch, 'gone');
    expect(start(NODE, { TMPDIR: tmp })).toMatchObject({
      status: 2,
      stderr: `the temporary directory ${tmp} cannot be used (ENOENT); set TMPDIR to a directory that is writable and has free space\n`,
    });
  });

  test.each(['ENOSPC', 'EROFS', 'EACCES', 'EDQUOT'])(
    'a temporary directory that cannot be written: %s',
    (code) => {
      const fault = { module: 'fs', name: 'writeFileSync', code };
      const { status, stderr } = start(NODE, {
        GUARDRAILS_FAULT: JSON.stringify(fault),
        NODE_OPTIONS: `--require ${path.join(__dirname, '../support/inject.cjs')}`,
      });
      expect({ status, stderr }).toEqual({
        status: 2,
        stderr: `the temporary directory ${run().tmp} cannot be used (${code}); set TMPDIR to a directory that is writable and has free space\n`,
      });
      expect(leftInTemporary()).toEqual([]);
    },
  );

  test('a current directory that was removed', () => {
    const { status, stderr } = start(`mkdir gone; cd gone; rmdir ../gone; ${NODE}`);
    expect(stderr).not.toContain('    at ');
    expect([0, 2]).toContain(status);
    if (status === 2)
      expect(stderr).toContain('the current directory does not exist; change to one that does');
  });

  test.each([
    ['standard output', '>/dev/full'],
    ['both', '>/dev/full 2>/dev/full'],
  ])('%s that is full', (_, where) => {
    const { status, stderr } = start(`${NODE} ${where}`);
    expect(status).toBe(2);
    if (!where.includes('2>'))
      expect(stderr).toBe('the output cannot be written: the device is full (ENOSPC)\n');
  });

  test('a reader of standard output that has closed it', async () => {
    const child = spawn(process.execPath, [...run().bundle.render, run().dir], { env: run().environment() });
    child.stdout.destroy();
    const [status] = (await once(child, 'exit')) as [number | null];
    expect(status).not.toBeNull();
  });
});
