import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bundle, buildBundle } from '../support/bundle';
import { type Tree, writeTree } from '../support/tree';

const NOTHING_CHANGED =
  'nothing was changed; check the permissions and the free space of its folder, and run again';

const CANARY = 'canary-51d3';
const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\ndata: {}\n';
const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
const DEPLOYMENT = (name: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  template:\n    spec:\n      containers:\n        - name: ${name}\n          image: ${name}:v1\n`;
/** The list of the files that an earlier run wrote. */
const LIST = 'dist/.guardrails-files';
/** Files that are replaced, and their modes before. */
const MODES = {
  'base/a.yaml': 0o640,
  'base/deep/b.yaml': 0o600,
  'base/z.yaml': 0o644,
  'dist/dev.yaml': 0o600,
  [LIST]: 0o604,
} as const;
/** In the order in which they are written. dist/prod.yaml is new: umask sets its mode. */
const WRITTEN = ['base/a.yaml', 'base/deep/b.yaml', 'base/z.yaml', 'dist/dev.yaml', 'dist/prod.yaml', LIST];
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

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
/** A command that runs the program that follows it; `env` runs it as it is. */
let runner: readonly [string, ...string[]] = ['/usr/bin/env'];
beforeEach(() => {
  scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'write-files-test-')));
  dir = inScratch('package');
  for (const folder of ['bin', 'tmp', 'package', 'outside']) mkdirSync(inScratch(folder));
  writeFileSync(inScratch('outside/kept.yaml'), 'kept\n');
  kustomize();
  writePackage();
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

/** Three files to harden, a build of an earlier run with its list, and an overlay without a build. */
function writePackage(): void {
  write({
    '.krmignore': 'dist/\n',
    'base/kustomization.yaml': `${KUSTOMIZATION}resources: [a.yaml, deep/b.yaml, z.yaml]\n`,
    'base/a.yaml': DEPLOYMENT('a'),
    'base/deep/b.yaml': DEPLOYMENT('b'),
    'base/z.yaml': DEPLOYMENT('z'),
    'overlays/dev/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\n`,
    'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\n`,
    'dist/dev.yaml': 'earlier\n',
    [LIST]: `${sha256('earlier\n')}  dev.yaml\n`,
  });
  for (const [file, mode] of Object.entries(MODES)) chmodSync(path.join(dir, file), mode);
}

/** A kustomize that runs a script, and prints a resource that passes every rule. */
function kustomize(script = ''): void {
  writeFileSync(inScratch('bin/kustomize'), `#!/bin/sh\n${script}\nprintf '%s' '${CONFIG_MAP}'\n`);
  chmodSync(inScratch('bin/kustomize'), 0o755);
}

/** Every file and link: mode and content. */
function tree(root = path.dirname(dir)): Record<string, string> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries.flatMap((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      if (entry.isDirectory()) return [];
      const mode = (lstatSync(file).mode & 0o7777).toString(8);
      const what = entry.isSymbolicLink() ? `-> ${readlinkSync(file)}` : readFileSync(file, 'utf8');
      return [[path.relative(root, file), `${mode} ${what}`]];
    }),
  );
}

interface Fault {
  readonly name: string;
  readonly argument?: string;
  readonly file?: string;
  readonly skip?: number;
  readonly times?: number;
  readonly bytes?: number;
  readonly code?: string;
  readonly run?: string;
  readonly signal?: string;
}

function environment(faults: readonly Fault[] = []): NodeJS.ProcessEnv {
  const injected = faults.map((fault) => ({ module: 'fs', message: CANARY, ...fault }));
  return {
    PATH: inScratch('bin'),
    TMPDIR: inScratch('tmp'),
    ...(faults.length === 0
      ? {}
      : {
          GUARDRAILS_FAULT: JSON.stringify(injected),
          NODE_OPTIONS: `--require ${path.join(__dirname, '../support/inject.cjs')}`,
        }),
  };
}

/** A complete run. It leaves no temporary files and prints no text of an injected error. */
function render(...faults: readonly Fault[]) {
  const [command, ...leading] = runner;
  const { status, stdout, stderr } = spawnSync(command, [...leading, process.execPath, ...program, dir], {
    cwd: scratch,
    encoding: 'utf8',
    env: environment(faults),
  });
  expect(temporaries()).toEqual([]);
  expect(stdout + stderr).not.toContain(CANARY);
  return { status, stdout, stderr };
}

function temporaries(): string[] {
  return [
    ...Object.keys(tree()).filter(
      (file) => file.includes('guardrails-') && path.basename(file) !== path.basename(LIST),
    ),
    ...readdirSync(inScratch('tmp')),
  ];
}

/** A run that fails and changes nothing; returns its standard error. */
function failing(...faults: readonly Fault[]): string {
  const before = tree();
  const { status, stdout, stderr } = render(...faults);
  expect(status).toBe(2);
  expect(stdout).not.toContain('next:');
  expect(tree()).toEqual(before);
  return stderr;
}

/** The names of the written files, for regular expressions. */
const ANY = WRITTEN.join('|').replaceAll('.', '\\.');

describe('without a fault', () => {
  test('writes everything, keeps every mode, and gives a new file the mode of new files', () => {
    const before = tree(dir);
    const umask = `umask 026; exec "${process.execPath}" "${program.join('" "')}" "${dir}"`;
    const { status, stderr } = spawnSync('/bin/sh', ['-c', umask], { encoding: 'utf8', env: environment() });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const after = tree(dir);
    expect(Object.keys(after).sort()).toEqual([...Object.keys(before), 'dist/prod.yaml'].sort());
    for (const [file, mode] of Object.entries(MODES)) {
      expect(after[file]?.split(' ')[0]).toBe(mode.toString(8));
      expect(after[file]).not.toBe(before[file]);
    }
    expect(after['dist/prod.yaml']).toBe(`640 ${CONFIG_MAP}`);
    const hash = sha256(CONFIG_MAP);
    expect(after[LIST]).toBe(`604 ${hash}  dev.yaml\n${hash}  prod.yaml\n`);
    for (const [file, text] of Object.entries(before))
      if (!WRITTEN.includes(file)) expect(after[file]).toBe(text);
  });

  test('keeps set-user-ID and set-group-ID bits and the owner', () => {
    chmodSync(path.join(dir, 'base/a.yaml'), 0o6750);
    if (process.getuid?.() === 0) execFileSync('chown', ['12345:23456', path.join(dir, 'base/a.yaml')]);
    const { uid, gid } = lstatSync(path.join(dir, 'base/a.yaml'));
    chmodSync(path.join(dir, 'base/a.yaml'), 0o6750);
    expect(render()).toMatchObject({ status: 0 });
    const after = lstatSync(path.join(dir, 'base/a.yaml'));
    expect([after.mode & 0o7777, after.uid, after.gid]).toEqual([0o6750, uid, gid]);
  });

  test('no temporary file is readable by users who may not read the file that it replaces', () => {
    const log = inScratch('modes');
    const list = `for f in '${dir}'/.guardrails-work-*/.*tmp; do [ -e "$f" ] && stat -c '%a %n' "$f"; done >> '${log}'`;
    const run = `PATH=/bin:/usr/bin; ${list}`;
    expect(render({ name: 'writeSync', file: 'guardrails-tmp', times: 4, run })).toMatchObject({ status: 0 });
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(1 + 2 + 3 + 4);
    for (const line of lines) expect(line).toMatch(/^(600 |640 .*\.a\.yaml|644 .*\.z\.yaml)/);
  });

  test('a hard link to a file from outside keeps the old content', () => {
    linkSync(path.join(dir, 'base/a.yaml'), inScratch('outside/second-name'));
    expect(render()).toMatchObject({ status: 0 });
    expect(readFileSync(inScratch('outside/second-name'), 'utf8')).toBe(DEPLOYMENT('a'));
  });

  test('a symbolic link in place of a build is refused, and its target stays', () => {
    rmSync(path.join(dir, 'dist/dev.yaml'));
    symlinkSync(inScratch('outside/kept.yaml'), path.join(dir, 'dist/dev.yaml'));
    expect(failing()).toBe(
      'dist/dev.yaml cannot be read (ELOOP); it is a symbolic link; replace it with a copy of the file\n',
    );
    expect(readFileSync(inScratch('outside/kept.yaml'), 'utf8')).toBe('kept\n');
  });
});

describe('a full disk', () => {
  test.each(
    ['base/a.yaml', 'base/z.yaml', 'dist/prod.yaml', LIST].flatMap((file) =>
      [0, 1, 60].map((bytes) => [bytes, file] as const),
    ),
  )('after %i bytes of %s', (bytes, file) => {
    const name = `\\.${path.basename(file)}\\..*guardrails-tmp`;
    expect(failing({ name: 'writeSync', file: name, bytes, code: 'ENOSPC' })).toBe(
      `${file} cannot be written (ENOSPC); ${NOTHING_CHANGED}\n`,
    );
  });

  describe('on a real file system', () => {
    // A mount namespace of its own needs no rights where users may have user namespaces.
    const NAMESPACES = process.getuid?.() === 0 ? ['--mount'] : ['--user', '--mount'];
    const UNSHARE = [...NAMESPACES, ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])];
    let namespace: ChildProcess | undefined;
    afterEach(() => {
      namespace?.kill();
      namespace = undefined;
      runner = ['/usr/bin/env'];
    });

    /** The package on a file system of its own, in a mount namespace of its own, which every render then enters. */
    async function mount(size: string): Promise<void> {
      const script = `mount -t tmpfs -o size=${size} none '${dir}' && echo mounted && exec cat`;
      namespace = spawn('unshare', [...UNSHARE, 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
      if (namespace.stdout === null || namespace.pid === undefined) throw new Error('cannot run unshare');
      await once(namespace.stdout, 'data');
      runner = ['/usr/bin/nsenter', `--target=${namespace.pid}`, '--preserve-credentials', ...NAMESPACES];
      // The files of the namespace, seen from outside of it.
      dir = path.join(`/proc/${namespace.pid}/root`, dir);
      writePackage();
    }

    function remountReadOnly(): void {
      const [command, ...leading] = runner;
      execFileSync(command, [...leading, 'mount', '-o', 'remount,bind,ro', inScratch('package')]);
    }

    const mayMount =
      spawnSync('unshare', [...UNSHARE, 'mount', '-t', 'tmpfs', '-o', 'size=4k', 'none', tmpdir()]).status ===
      0;
    if (!mayMount) {
      test.skip('needs a mount namespace: not permitted', () => undefined);
      return;
    }

    test.each([0, 1, 2, 3, 4, 5])('with %i free blocks of 4 kB', async (blocks) => {
      await mount('128k');
      // A file takes whole blocks.
      const { bavail, bsize } = statfsSync(dir);
      writeFileSync(path.join(dir, 'filler'), Buffer.alloc((bavail - blocks) * bsize));
      expect(failing()).toMatch(
        new RegExp(`^(${ANY}) cannot be written \\(ENOSPC\\); ${NOTHING_CHANGED}\n$`),
      );
    });

    test('read-only', async () => {
      await mount('128k');
      remountReadOnly();
      expect(failing()).toBe(`base/a.yaml cannot be written (EROFS); ${NOTHING_CHANGED}\n`);
    });

    test('read-only, with an error found: warns of the build of an earlier run', async () => {
      await mount('128k');
      remountReadOnly();
      kustomize(
        "echo 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  hostNetwork: true\n  containers: [{name: c, image: c}]\n---'",
      );
      const before = tree(dir);
      const { status, stdout } = render();
      expect(status).toBe(1);
      expect(stdout).toContain('errors found; nothing was written\n');
      expect(stdout).toContain(
        '[warning] dist/dev.yaml cannot be removed: EROFS, and stays; do not apply it\n',
      );
      expect(tree(dir)).toEqual(before);
    });
  });
});

describe('what cannot be written', () => {
  test.each([
    ['openSync', 'EROFS'],
    ['openSync', 'EACCES'],
    ['openSync', 'EMFILE'],
    ['openSync', 'EEXIST'],
    ['fsyncSync', 'EIO'],
    ['closeSync', 'EDQUOT'],
    ['chmodSync', 'EPERM'],
  ])('%s: %s', (name, code) => {
    const where = name === 'openSync' || name === 'chmodSync' ? 'argument' : 'file';
    const faults = [0, 1, 2].map((skip) => ({ name, [where]: 'guardrails-tmp', skip, times: 1, code }));
    for (const [i, fault] of faults.entries())
      expect(failing(fault)).toBe(`${WRITTEN[i] ?? ''} cannot be written (${code}); ${NOTHING_CHANGED}\n`);
  });

  test('a change of the owner that is not permitted is skipped', () => {
    if (process.getuid?.() === 0) execFileSync('chown', ['12345', path.join(dir, 'base/a.yaml')]);
    expect(render({ name: 'chownSync', code: 'EPERM' })).toMatchObject({ status: 0 });
  });

  test('dist/ cannot be created', () => {
    rmSync(path.join(dir, 'dist'), { recursive: true });
    expect(failing({ name: 'mkdirSync', argument: '/dist$', code: 'EROFS' })).toBe(
      `dist/dev.yaml cannot be written (EROFS); ${NOTHING_CHANGED}\n`,
    );
  });

  test.each([
    ['a folder', () => inScratch('outside')],
    ['nothing', () => inScratch('gone')],
    ['a folder of the package', () => 'base'],
  ])('dist/ is a link to %s', (_, target) => {
    rmSync(path.join(dir, 'dist'), { recursive: true });
    symlinkSync(target(), path.join(dir, 'dist'));
    expect(failing()).toBe('dist is not a folder, and the builds are written there; move it away\n');
  });
});

describe('what changes between reading and writing', () => {
  const inPackage = (file: string) => `'${path.join(dir, file)}'`;
  const tools = 'PATH=/bin:/usr/bin;';
  /** Two overlays are built at a time. */
  const onceOnly = (script: string) =>
    `${tools} mkdir '${inScratch('outside/once')}' 2>/dev/null && { ${script}; }`;
  // While kustomize builds, or after all temporary files were written.
  const moments: readonly [string, (script: string) => Fault[]][] = [
    [
      'during the build',
      (script) => {
        kustomize(onceOnly(script));
        return [];
      },
    ],
    [
      'during the writes',
      (script) => [{ name: 'fsyncSync', file: 'guardrails-files', times: 1, run: `${tools} ${script}` }],
    ],
  ];
  const changes: readonly [string, () => string, RegExp][] = [
    [
      'a file changes',
      () => `echo '# new' > ${inPackage('base/z.yaml')}`,
      /^base\/z\.yaml: another program changed this file during the run; no file was written; run again\n$/,
    ],
    [
      'a file grows',
      () => `echo '# new' >> ${inPackage('base/a.yaml')}`,
      /^base\/a\.yaml: another program changed this file during the run; no file was written; run again\n$/,
    ],
    [
      'a file is emptied',
      () => `: > ${inPackage('base/a.yaml')}`,
      /^base\/a\.yaml: another program changed this file during the run; no file was written; run again\n$/,
    ],
    [
      'a file vanishes',
      () => `rm -f ${inPackage('base/deep/b.yaml')}`,
      new RegExp(`^base/deep/b\\.yaml can no longer be read \\(ENOENT\\); ${NOTHING_CHANGED}\n$`),
    ],
    [
      'its folder vanishes',
      () => `rm -rf ${inPackage('base/deep')}`,
      new RegExp(
        `^base/deep/b\\.yaml (cannot be written|can no longer be read) \\(ENOENT\\); ${NOTHING_CHANGED}\n$`,
      ),
    ],
    [
      'a file becomes a link to the same content',
      () =>
        `mv ${inPackage('base/a.yaml')} '${inScratch('outside/a')}'; ln -s '${inScratch('outside/a')}' ${inPackage('base/a.yaml')}`,
      /^base\/a\.yaml: another program changed this file during the run; no file was written; run again\n$/,
    ],
    [
      'a file becomes a folder',
      () => `rm ${inPackage('base/a.yaml')}; mkdir ${inPackage('base/a.yaml')}`,
      /^base\/a\.yaml: another program changed this file during the run; no file was written; run again\n$/,
    ],
    [
      'a file becomes a FIFO',
      () => `rm ${inPackage('base/a.yaml')}; mkfifo ${inPackage('base/a.yaml')}`,
      /^base\/a\.yaml: another program changed this file during the run; no file was written; run again\n$/,
    ],
  ];

  test.each(
    moments.flatMap(([when, arrange]) => changes.map((change) => [when, ...change, arrange] as const)),
  )('%s: %s', (_when, what, script, message, arrange) => {
    const before = tree(dir);
    const faults = arrange(script());
    const { status, stdout, stderr } = what.includes('FIFO') ? renderWithFifo(faults) : render(...faults);
    expect(status).toBe(2);
    expect(stdout).not.toContain('next:');
    expect(stderr).toMatch(message);
    if (what.includes('FIFO')) rmSync(path.join(dir, 'base/a.yaml'));
    // Everything except the changed file is as it was.
    const touched = /base\/(a|z|deep\/b)\.yaml/.exec(message.source.replaceAll('\\', ''))?.[0] ?? '';
    const others = Object.fromEntries(Object.entries(before).filter(([file]) => file !== touched));
    expect(tree(dir)).toMatchObject(others);
    expect(
      Object.keys(tree(dir))
        .filter((file) => file !== touched)
        .sort(),
    ).toEqual(Object.keys(others).sort());
    expect(readFileSync(inScratch('outside/kept.yaml'), 'utf8')).toBe('kept\n');
    if (existsSync(inScratch('outside/a')))
      expect(readFileSync(inScratch('outside/a'), 'utf8')).toBe(DEPLOYMENT('a'));
  });

  /** As `render`; nothing here may open the FIFO. */
  function renderWithFifo(faults: readonly Fault[]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...program, dir], {
      encoding: 'utf8',
      env: environment(faults),
      timeout: 10_000,
    });
    return { status, stdout, stderr };
  }

  test.each([
    ['of the package', 'base/deep', 'base/deep/b.yaml'],
    ['for the builds', 'dist', 'dist/dev.yaml'],
  ])('a folder %s becomes a link to one outside with the same content', (_, folder, file) => {
    const outside = inScratch('outside/folder');
    kustomize(onceOnly(`mv ${inPackage(folder)} '${outside}'; ln -s '${outside}' ${inPackage(folder)}`));
    const before = tree(path.join(dir, folder));
    const { status, stderr } = render();
    expect(status).toBe(2);
    expect([
      `${file}: its folder was replaced by a symbolic link; nothing was changed; replace the link with the folder\n`,
      `${folder} is not a folder, and the builds are written there; move it away\n`,
    ]).toContain(stderr);
    expect(tree(outside)).toEqual(before);
    expect(readFileSync(path.join(dir, 'base/a.yaml'), 'utf8')).toBe(DEPLOYMENT('a'));
  });

  test('with an error found: no build outside is deleted through a new link', () => {
    const outside = inScratch('outside/folder');
    kustomize(
      onceOnly(`mv ${inPackage('dist')} '${outside}'; ln -s '${outside}' ${inPackage('dist')}`) +
        "\necho 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData: {a: b}\n---'",
    );
    expect(render().status).toBe(2);
    expect(readFileSync(path.join(outside, 'dev.yaml'), 'utf8')).toBe('earlier\n');
  });
});

describe('renaming', () => {
  test.each(WRITTEN.map((file, k) => [k, file] as const))(
    'fails after %i files, at %s: restores the content and mode of all',
    (k, file) => {
      expect(
        failing({ name: 'renameSync', argument: 'guardrails-tmp', skip: k, times: 1, code: 'EIO' }),
      ).toBe(`${file} cannot be replaced (EIO); ${NOTHING_CHANGED}\n`);
    },
  );

  test.each([0, 1, 3])('fails after %i files on a file system without links', (k) => {
    failing(
      { name: 'linkSync', code: 'EPERM' },
      { name: 'renameSync', argument: 'guardrails-tmp', skip: k, times: 1, code: 'EIO' },
    );
  });

  test.each(['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK', 'EXDEV'])(
    'continues on a file system without links: %s',
    (code) => {
      expect(render({ name: 'linkSync', code })).toMatchObject({ status: 0, stderr: '' });
    },
  );

  test('the original cannot be kept, as a link or as a copy', () => {
    expect(
      failing(
        { name: 'linkSync', code: 'EPERM' },
        { name: 'copyFileSync', skip: 2, times: 1, code: 'ENOSPC' },
      ),
    ).toBe(`base/z.yaml cannot be replaced (ENOSPC); ${NOTHING_CHANGED}\n`);
  });

  test('a folder in place of a build', () => {
    rmSync(path.join(dir, 'dist/dev.yaml'));
    mkdirSync(path.join(dir, 'dist/dev.yaml'));
    expect(failing()).toBe('dist/dev.yaml is not a regular file; remove it\n');
    expect(lstatSync(path.join(dir, 'dist/dev.yaml')).isDirectory()).toBe(true);
  });

  test('fails, and so does restoring: the message says where each original is', () => {
    const before = tree(dir);
    const env = environment([{ name: 'renameSync', skip: 2, code: 'EIO' }]);
    const { status, stdout, stderr } = spawnSync(process.execPath, [...program, dir], {
      encoding: 'utf8',
      env,
    });
    expect(status).toBe(2);
    expect(stdout).not.toContain('next:');
    const [, b = '', a = ''] =
      /^base\/z\.yaml cannot be replaced \(EIO\), and other files cannot be restored: base\/deep\/b\.yaml, the original of which is (\S+); base\/a\.yaml, the original of which is (\S+)\n$/.exec(
        stderr,
      ) ?? [];
    const after = tree(dir);
    expect(after[a]).toBe(before['base/a.yaml']);
    expect(after[b]).toBe(before['base/deep/b.yaml']);
    const folder = path.dirname(a);
    const left = [a, b, path.join(folder, '.gitignore'), path.join(folder, 'keep')];
    expect(
      Object.keys(after)
        .filter((file) => !(file in before))
        .sort(),
    ).toEqual(left.sort());
    // The next run deletes none of them.
    expect(spawnSync(process.execPath, [...program, dir], { env: environment() }).status).toBe(0);
    expect(tree(dir)).toMatchObject({ [a]: after[a], [b]: after[b] });
    expect(after['base/z.yaml']).toBe(before['base/z.yaml']);
    expect(readdirSync(inScratch('tmp'))).toEqual([]);
  });

  test('fails, and a new file cannot be removed: the message names it', () => {
    write({ 'overlays/stage/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\n` });
    const { status, stderr } = spawnSync(process.execPath, [...program, dir], {
      encoding: 'utf8',
      env: environment([
        { name: 'renameSync', argument: '\\.stage\\.yaml.*guardrails-tmp', code: 'EIO' },
        { name: 'rmSync', argument: '/prod\\.yaml$', code: 'EACCES' },
      ]),
    });
    expect(status).toBe(2);
    expect(stderr).toBe(
      'dist/stage.yaml cannot be replaced (EIO), and other files cannot be restored: dist/prod.yaml, which is new\n',
    );
    expect(readFileSync(path.join(dir, 'base/a.yaml'), 'utf8')).toBe(DEPLOYMENT('a'));
  });

  test('succeeds, and a backup cannot be removed: exits with an error that names it', () => {
    const { status, stderr } = spawnSync(process.execPath, [...program, dir], {
      encoding: 'utf8',
      env: environment([{ name: 'rmSync', argument: 'a\\.yaml\\..*guardrails-original', code: 'EACCES' }]),
    });
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^all files were written; temporary files are left, remove them: \.guardrails-work-\d+-\d+-\w+\/\.a\.yaml\.\w+\.guardrails-original\n$/,
    );
    expect(readFileSync(path.join(dir, 'dist/prod.yaml'), 'utf8')).toBe(CONFIG_MAP);
  });
});

describe('SIGTERM', () => {
  /** Every file after a successful run. */
  let written: Record<string, string> | undefined;
  let before: Record<string, string>;
  beforeEach(() => {
    before = tree(dir);
    if (written !== undefined) return;
    expect(render()).toMatchObject({ status: 0 });
    written = tree(dir);
    rmSync(dir, { recursive: true });
    mkdirSync(dir);
    writePackage();
  });

  /** Either all files are old or all are new, and the exit code is that of an interruption. */
  function expectComplete(status: number | null, stdout: string, isNew: boolean): void {
    expect(status).toBe(143);
    expect(stdout).not.toContain('next:');
    expect(temporaries()).toEqual([]);
    expect(tree(dir)).toEqual(isNew ? written : before);
  }

  test.each([
    ...WRITTEN.map(
      (file, k) =>
        [`the write of ${file}`, { name: 'writeSync', file: 'guardrails-tmp', skip: k }, false] as const,
    ),
    ...WRITTEN.map((file, k) => [`the sync of ${file}`, { name: 'fsyncSync', skip: k }, false] as const),
    // During the renames signals wait: the process ends after everything is written.
    ...WRITTEN.map((file, k) => [`the rename of ${file}`, { name: 'renameSync', skip: k }, true] as const),
    ['the backup of the first original', { name: 'linkSync' }, true] as const,
    [
      'the removal of the last backup',
      { name: 'rmSync', argument: 'guardrails-original', skip: 4 },
      true,
    ] as const,
  ])('during %s', (_, fault, isNew) => {
    const { status, stdout } = render({ ...fault, times: 1, signal: 'SIGTERM' });
    expectComplete(status, stdout, isNew);
  });

  test('during a rename that fails: restores everything', () => {
    const { status, stdout } = render(
      { name: 'linkSync', times: 1, signal: 'SIGTERM' },
      { name: 'renameSync', argument: 'guardrails-tmp', skip: 3, code: 'EIO' },
    );
    expect([2, 143]).toContain(status);
    expect(stdout).not.toContain('next:');
    expect(tree(dir)).toEqual(before);
  });

  test.each([
    ['while kustomize builds', "echo $$ > '@/pid'; exec /bin/sleep 60", [], false],
    [
      'while a slow disk writes',
      '',
      [{ name: 'writeSync', file: 'z\\.yaml', times: 1, run: "echo 1 > '@/pid'; /bin/sleep 0.3" }],
      false,
    ],
    [
      'while a slow disk renames',
      '',
      [{ name: 'renameSync', skip: 1, times: 1, run: "echo 1 > '@/pid'; /bin/sleep 0.3" }],
      true,
    ],
  ] as const)('%s, from outside', async (_, script, faults, isNew) => {
    kustomize(script.replaceAll('@', scratch));
    const slow = faults.map((fault) => ({ ...fault, run: fault.run.replaceAll('@', scratch) }));
    const child = spawn(process.execPath, [...program, dir], { env: environment(slow) });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    const closed = once(child, 'close') as Promise<[number | null]>;
    for (let i = 0; !existsSync(inScratch('pid')); i++) {
      if (i === 500) throw new Error('no process id within 5 s');
      await sleep(10);
    }
    child.kill('SIGTERM');
    const [status] = await closed;
    rmSync(inScratch('pid'));
    expectComplete(status, stdout, isNew);
  });
});
