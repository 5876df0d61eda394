import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { editFile, writeTree } from './support/tree';

const ROOT = path.join(__dirname, '..');
const COPIED = ['.krmignore', 'Kptfile', 'README.md', 'base', 'functions', 'overlays', 'package-lock.json'];
/** The tests that expect something of the manifests of this repository, but for the slow ones. */
const AFFECTED = ['manifests', 'dev-prod-table', 'update', 'network/matrix'];

let repository: string;
beforeEach(() => {
  repository = realpathSync(mkdtempSync(path.join(tmpdir(), 'changes-test-')));
  for (const entry of [...COPIED, 'package.json', 'test', 'tsconfig.json'])
    cpSync(path.join(ROOT, entry), path.join(repository, entry), { recursive: true });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(repository, 'node_modules'));
});
afterEach(() => {
  rmSync(repository, { recursive: true });
});

function run(...args: string[]) {
  return spawnSync(process.execPath, args, { cwd: repository, encoding: 'utf8' });
}

/** What a user types after a change of the manifests, and then the tests. */
function expectTestsToPass(): void {
  for (const command of ['render', 'update']) {
    const { status, stdout, stderr } = run('functions/start.mjs', command);
    expect({ command, status, output: stdout + stderr }).toMatchObject({ status: 0 });
  }
  const files = AFFECTED.map((name) => `test/${name}.test.ts`);
  const { status, stderr } = run('node_modules/jest/bin/jest.js', '--runInBand', ...files);
  expect({ status, stderr }).toMatchObject({ status: 0 });
}

test('a release of both images: render and update, and the tests pass', () => {
  // The first edit leaves one tag of the old form.
  editFile(repository, 'overlays/prod/kustomization.yaml', /newTag: v.*/, 'newTag: 9.9.9');
  editFile(repository, 'overlays/prod/kustomization.yaml', /newTag: v.*/, 'newTag: v9.9.9');
  editFile(repository, 'overlays/prod/kustomization.yaml', /newTag: 9.*/, 'newTag: v9.9.9');
  expectTestsToPass();
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
  expectTestsToPass();
});
