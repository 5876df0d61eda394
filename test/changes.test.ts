import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { editFile, writeTree } from './support/tree';

const ROOT = path.join(__dirname, '..');
const COPIED = [
  ...[
    '.dependency-cruiser.mjs',
    '.krmignore',
    'CONTRIBUTING.md',
    'Kptfile',
    'README.md',
    'base',
    'docs',
    'eslint.config.mjs',
  ],
  ...['functions', 'overlays', 'package-lock.json', 'package.json', 'test', 'tsconfig.json'],
];
/** The tests that expect something of the manifests of this repository, except slow ones. */
const AFFECTED = ['manifests', 'dev-prod-table', 'update', 'network/matrix'];

let repository: string;
beforeEach(() => {
  repository = realpathSync(mkdtempSync(path.join(tmpdir(), 'changes-test-')));
  for (const entry of COPIED)
    cpSync(path.join(ROOT, entry), path.join(repository, entry), { recursive: true });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(repository, 'node_modules'));
});
afterEach(() => {
  rmSync(repository, { recursive: true });
});

function run(...args: string[]) {
  return spawnSync(process.execPath, args, { cwd: repository, encoding: 'utf8' });
}

function expectToPass(...command: string[]): void {
  const { status, stdout, stderr } = run(...command);
  if (status !== 0) throw new Error(`${command.join(' ')}: exit ${status ?? '?'}\n${stdout}${stderr}`);
}

function expectTestsToPass(names: readonly string[]): void {
  expectToPass(
    'node_modules/jest/bin/jest.js',
    '--runInBand',
    ...names.map((name) => `test/${name}.test.ts`),
  );
}

/** What a user types after a change of the manifests, and then the tests. */
function expectManifestsToPass(): void {
  expectToPass('functions/start.mjs', 'render');
  expectToPass('functions/start.mjs', 'update');
  expectTestsToPass(AFFECTED);
}

test('a release of both images: render and update, and the tests pass', () => {
  // The first edit leaves one tag of the old form.
  editFile(repository, 'overlays/prod/kustomization.yaml', /newTag: v.*/, 'newTag: 9.9.9');
  editFile(repository, 'overlays/prod/kustomization.yaml', /newTag: v.*/, 'newTag: v9.9.9');
  editFile(repository, 'overlays/prod/kustomization.yaml', /newTag: 9.*/, 'newTag: v9.9.9');
  expectManifestsToPass();
});

test('a worker as README.md writes it, which calls the backend: render and update, and the tests pass', () => {
  const [, diff = ''] = /```diff\n(.*?)```/s.exec(readFileSync(path.join(ROOT, 'README.md'), 'utf8')) ?? [];
  // The repository may have a worker already.
  const bare = diff
    .replaceAll(/^\+.*\n/gm, '')
    .replaceAll(/^ /gm, '')
    .replaceAll('worker', 'new-worker');
  expect(bare).toContain('name: new-worker\n');
  writeTree(repository, {
    'base/new-worker/kustomization.yaml':
      'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - worker-deployment.yaml\n',
    'base/new-worker/worker-deployment.yaml': `${bare}          env:\n            - name: BACKEND_URL\n              value: http://todo-backend\n`,
  });
  editFile(repository, 'base/kustomization.yaml', '  - ingress\n', '  - ingress\n  - new-worker\n');
  expectManifestsToPass();
});

describe('CONTRIBUTING.md, step by step', () => {
  /** The code blocks of a section: a file, or lines to add to one after an entry of its list. */
  function blocksOf(title: string): { file: string; after: string | undefined; code: string }[] {
    const sections = readFileSync(path.join(ROOT, 'CONTRIBUTING.md'), 'utf8').split(/^## /m);
    const section = sections.find((text) => text.startsWith(`${title}\n`)) ?? '';
    const fences = section.matchAll(/^ {3}```\w+ file=(\S+)(?: after=(\w+))?\n([^]*?)^ {3}```$/gm);
    return [...fences].map(([, file = '', after, code = '']) => ({
      file,
      after,
      code: code.replaceAll(/^ {3}/gm, ''),
    }));
  }

  /** An import goes before the first import, an entry after the one that the block names. */
  function addTo(file: string, code: string, after: string): void {
    const [importLine = '', entry = ''] = code.trim().split(/\n\s*/);
    const text = readFileSync(path.join(repository, file), 'utf8');
    // The steps may have been followed in this repository.
    if (text.includes(importLine)) return;
    const at = text.search(/^(export )?const /m);
    const [imports, list] = [text.slice(0, at), text.slice(at)];
    expect(list).toMatch(new RegExp(`\\b${after}\\b`));
    const extended = list.replace(new RegExp(`\\b${after}\\b`), `${after}, ${entry.replace(',', '')}`);
    writeTree(repository, { [file]: `${importLine}\n${imports}${extended}` });
  }

  /** @returns the TypeScript files that the steps write */
  function play(title: string): string[] {
    const blocks = blocksOf(title);
    for (const { file, after, code } of blocks)
      if (after === undefined) writeTree(repository, { [file]: code });
      else addTo(file, code, after);
    return blocks.map(({ file }) => file).filter((file) => file.endsWith('.ts'));
  }

  test('a rule and a source of traffic: update, and lint and the tests pass', () => {
    const files = [...play('Add a rule'), ...play('Add a source of traffic')];
    expect(files).toHaveLength(5);
    if (!files.every((file) => existsSync(path.join(ROOT, file)))) {
      const { status, stdout } = run('test/update.mjs', '--check');
      expect({ status, stdout }).toMatchObject({ status: 1 });
      expect(stdout).toContain('functions/guardrails/README.md is stale');
    }
    expectToPass('functions/start.mjs', 'update');
    expectToPass('node_modules/prettier/bin/prettier.cjs', '--write', ...files);
    expectToPass('node_modules/eslint/bin/eslint.js', ...files);
    expectToPass('node_modules/typescript/bin/tsc');
    const config = ['--config', '.dependency-cruiser.mjs', 'functions/guardrails'];
    expectToPass('node_modules/dependency-cruiser/bin/dependency-cruise.mjs', ...config);
    expectTestsToPass([
      'rules/rules',
      'network/sources/route-group',
      'network/topology',
      'update',
      'manifests',
    ]);
  });
});
