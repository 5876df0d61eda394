import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describeWithTool } from './support/tools';
import { editFile, readTree } from './support/tree';

const ROOT = path.join(__dirname, '..');
const BUNDLE = path.join(ROOT, 'dist/guardrails.js');
const PROD = 'overlays/prod/kustomization.yaml';

beforeAll(() => {
  execFileSync(process.execPath, [path.join(ROOT, 'functions/build.mjs')]);
});

describeWithTool('kpt', 'kpt fn render, exec', (kpt) => {
  let scratch: string;

  beforeEach(() => {
    scratch = mkdtempSync(path.join(tmpdir(), 'kpt-'));
    for (const entry of ['base', 'overlays', 'Kptfile', '.krmignore'])
      cpSync(path.join(ROOT, entry), path.join(scratch, entry), { recursive: true });
    edit('Kptfile', /image: .*/, `exec: node ${BUNDLE}`);
  });

  afterEach(() => {
    rmSync(scratch, { recursive: true });
  });

  const edit = (file: string, from: string | RegExp, to: string) => {
    editFile(scratch, file, from, to);
  };

  const tree = () => readTree(scratch, (file) => path.basename(file) !== 'Kptfile');

  function render() {
    return spawnSync(kpt, ['fn', 'render', '--allow-exec'], { cwd: scratch, encoding: 'utf8' });
  }

  test('twice: no diff, no file deleted, comments kept', () => {
    const before = tree();
    for (let round = 1; round <= 2; round++) {
      const { status, stderr } = render();
      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect(tree()).toEqual(before);
    }
  });

  test('of this repository kpt reads only the manifests', () => {
    const source = execFileSync(kpt, ['fn', 'source', ROOT], { encoding: 'utf8', maxBuffer: 1 << 26 });
    const paths = [...source.matchAll(/internal\.config\.kubernetes\.io\/path: '(.*)'/g)].map(
      ([, file = '']) => file,
    );
    expect(paths.length).toBeGreaterThan(20);
    expect(paths.filter((file) => file !== 'Kptfile' && !/^(base|overlays)\//.test(file))).toEqual([]);
  });

  test('with latest in prod: refused, nothing written, the finding within four lines', () => {
    edit('overlays/prod/kustomization.yaml', /newTag: v.*/, 'newTag: latest');
    const before = tree();
    const { status, stderr } = render();
    expect(status).not.toBe(0);
    expect(tree()).toEqual(before);
    expect(stderr).toContain(
      'overlays/prod: Deployment/todo-backend container "backend" runs registry.example.com/todo/todo-backend:latest, which has the tag latest ',
    );
    const [above = ''] = readFileSync(path.join(scratch, PROD), 'utf8').split('  - name: todo-backend\n');
    const line = above.split('\n').length;
    expect(stderr).toContain(`(${PROD}:${line}, images[0]); pin it under images`);
  });
});

test('a slow reader gets all of 20 MB', () => {
  const item = `- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: big\n  data:\n    a: ${'x'.repeat(1_000_000)}\n`;
  const input = `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${item.repeat(20)}`;
  const slow = `"${process.execPath}" "${BUNDLE}" | (sleep 1; cat)`;
  const { stdout } = spawnSync('sh', ['-c', slow], { input, encoding: 'utf8', maxBuffer: 1 << 26 });
  expect(stdout === input).toBe(true);
});

test('a reader that closes early: exit 2', () => {
  const input = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: big\ndata:\n  a: ${'x'.repeat(2_000_000)}\n`;
  const closing = `{ "${process.execPath}" "${BUNDLE}"; echo $? >&2; } | true`;
  const { stderr } = spawnSync('sh', ['-c', closing], { input, encoding: 'utf8' });
  expect(stderr).toBe('2\n');
});
