import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import manifest from '../package.json';
import { type Bundle, buildBundle } from './support/bundle';

const ROOT = path.join(__dirname, '..');
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

const bundles: Bundle[] = [];
afterAll(() => {
  for (const bundle of bundles) bundle.remove();
});

function build(): Bundle {
  const bundle = buildBundle();
  bundles.push(bundle);
  return bundle;
}

test('two builds in different folders give the same bytes', () => {
  const [one, other] = [build(), build()];
  expect(one.dist).not.toBe(other.dist);
  const files = readdirSync(one.dist).sort();
  expect(files).toEqual(['cli.js', 'guardrails.cdx.json', 'guardrails.js', 'guardrails.licenses.txt']);
  for (const file of files)
    expect(readFileSync(path.join(one.dist, file)).equals(readFileSync(path.join(other.dist, file)))).toBe(
      true,
    );
});

test('the bundle names no path outside of the project', () => {
  expect(readFileSync(build().guardrails, 'utf8')).not.toMatch(/"(?:\.\.)?\/[^"]*node_modules/);
});

test('three packages are in the bundle, with their licences', () => {
  const { dist } = build();
  const licenses = readFileSync(path.join(dist, 'guardrails.licenses.txt'), 'utf8');
  expect(licenses.match(/^\S+ \S+ \(\S+\)$/gm)).toEqual([
    'js-yaml 5.5.0 (MIT)',
    're2js 2.10.0 (MIT)',
    'valibot 1.5.0 (MIT)',
  ]);
  expect(licenses.match(/Permission is hereby granted/g)).toHaveLength(3);
  expect(licenses).toContain('Vitaly Puzrin');
  expect(licenses).toContain('Fabian Hiller');
  expect(JSON.parse(readFileSync(path.join(dist, 'guardrails.cdx.json'), 'utf8'))).toEqual({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', name: 'guardrails', version: '0.1.0' } },
    components: [
      {
        type: 'library',
        name: 'js-yaml',
        version: '5.5.0',
        licenses: [{ license: { id: 'MIT' } }],
        purl: 'pkg:npm/js-yaml@5.5.0',
      },
      {
        type: 'library',
        name: 're2js',
        version: '2.10.0',
        licenses: [{ license: { id: 'MIT' } }],
        purl: 'pkg:npm/re2js@2.10.0',
      },
      {
        type: 'library',
        name: 'valibot',
        version: '1.5.0',
        licenses: [{ license: { id: 'MIT' } }],
        purl: 'pkg:npm/valibot@1.5.0',
      },
    ],
  });
});

test('SUPPLY-CHAIN.md has the purpose of every dependency, and their number', () => {
  const text = read('functions/guardrails/SUPPLY-CHAIN.md');
  const [, section = ''] = text.split('## What builds and tests it');
  const named = [...section.matchAll(/^\| `([^`]+)` +\| (\S.*?) +\|$/gm)].map(([, name]) => name);
  const dependencies = Object.keys(manifest.devDependencies);
  expect(named).toEqual(dependencies);
  expect(section).toContain(`${dependencies.length} packages, all for development`);
  expect(Object.keys(manifest)).not.toContain('dependencies');
});

test('every installed package has a SHA-512 in the lock file, and each direct one is pinned', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { integrity?: string }>;
  };
  const installed = Object.entries(packages).filter(([folder]) => folder !== '');
  expect(installed.length).toBeGreaterThan(100);
  for (const [folder, { integrity }] of installed)
    expect({ folder, integrity }).toMatchObject({ integrity: expect.stringMatching(/^sha512-/) as string });
  for (const version of Object.values(manifest.devDependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

test('the workflow has read permission only, and its actions are pinned by commit', () => {
  const text = read('.github/workflows/ci.yaml');
  expect([...new Set(text.match(/uses:.*/g))]).toEqual([
    'uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1',
    'uses: actions/setup-node@820762786026740c76f36085b0efc47a31fe5020 # v7.0.0',
    'uses: actions/setup-go@b7ad1dad31e06c5925ef5d2fc7ad053ef454303e # v7.0.0',
  ]);
  const { permissions, jobs } = parse(text) as { permissions: object; jobs: Record<string, object> };
  expect(permissions).toEqual({ contents: 'read' });
  for (const job of Object.values(jobs)) expect(job).not.toHaveProperty('permissions');
});

test('every file names the same version of each tool', () => {
  for (const file of ['.ci/run', '.github/workflows/ci.yaml'])
    expect(read(file).match(/go install \S+/g)).toEqual([
      'go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1',
      'go install github.com/mattfenwick/cyclonus/cmd/cyclonus@v0.5.6',
    ]);
  const dockerfile = read('functions/guardrails/Dockerfile');
  expect(dockerfile).toContain('ARG KUSTOMIZE_VERSION=v5.8.1\n');
  expect(dockerfile).toContain('ARG NODE_IMAGE=docker.io/library/node:24.21.0-');
  const workflow = read('.github/workflows/ci.yaml');
  expect(workflow).toContain('node-version: 24.21.0 ');
  expect(workflow).toContain("node: ['20', '22', '24']\n");
});
