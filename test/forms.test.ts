import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Bundle, buildBundle } from './support/bundle';
import { findKustomizeForTests } from './support/tools';
import { readTree } from './support/tree';

const PACKAGES = path.join(__dirname, 'packages');
const FORMS = readdirSync(PACKAGES).filter((name) => name.startsWith('form-'));
const NOTHING = 'overlays/spare: the build has no resources, because none of its kustomizations has any';

/** What is reported of a package besides the hardening of its Deployment. */
const ERRORS: Readonly<Record<string, readonly string[]>> = {
  'form-dead-kustomizations': [
    '  [error] broken: broken/kustomization.yaml:2: invalid YAML: ',
    '  [error] old: kustomize failed (exit 1): ',
  ],
};

let bundle: Bundle;
let scratch: string;
beforeAll(() => {
  bundle = buildBundle();
  scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'forms-')));
});
afterAll(() => {
  bundle.remove();
  rmSync(scratch, { recursive: true });
});

function guardrails(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bundle.cli, ...args], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return { status, stdout };
}

function kustomizeBuild(dir: string): string {
  const { command, args } = findKustomizeForTests();
  const { status, stdout, stderr } = spawnSync(command, [...args, dir], { encoding: 'utf8' });
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

test.each(FORMS)('%s: judged, fixed and built as kustomize builds it', (name) => {
  const dir = path.join(scratch, name);
  cpSync(path.join(PACKAGES, name), dir, { recursive: true });
  const before = readTree(dir);
  const first = guardrails('check', dir);
  expect(first.status).toBe(1);
  expect(first.stdout).toMatch(/^overlays\/prod: \d+ resources?, 0 errors, 0 warnings, [01] infos?$/m);
  expect(readTree(dir)).toEqual(before);
  const errors = ERRORS[name] ?? [];
  for (const error of errors) expect(first.stdout).toContain(error);
  expect(first.stdout.match(/^ *\[error\]/gm) ?? []).toHaveLength(errors.length);
  if (errors.length > 0) {
    expect(first.stdout).toContain(NOTHING);
    return;
  }
  expect(first.stdout).toContain('Deployment/shop gets 12 fields to comply with ');
  expect(guardrails('fix', dir).status).toBe(0);
  expect(guardrails('check', dir)).toMatchObject({ status: 0 });
  const output = path.join(scratch, `${name}-built`);
  expect(guardrails('build', dir, '--output', output).status).toBe(0);
  expect(readFileSync(path.join(output, 'prod.yaml'), 'utf8')).toBe(
    kustomizeBuild(path.join(dir, 'overlays/prod')),
  );
});
