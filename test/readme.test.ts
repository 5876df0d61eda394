import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { run } from '../functions/guardrails/run';
import { repositoryFiles, resourceList } from './support/package-files';
import { findKustomizeForTests } from './support/tools';

const ROOT = path.join(__dirname, '..');
const README = readFileSync(path.join(ROOT, 'README.md'), 'utf8');

function runText(text: string) {
  return run(Buffer.from(text), () => Promise.resolve(findKustomizeForTests()));
}

test('the first screen has the two commands, their output, and an error', () => {
  const lines = README.split('\n');
  expect(lines.findIndex((line) => line.startsWith('npm run render'))).toBeLessThan(12);
  const screen = lines.slice(0, 40).join('\n');
  for (const part of [
    'npm test',
    'next: kubectl apply -f dist/prod.yaml',
    '[error] overlays/prod: ',
    '```diff',
  ])
    expect(screen).toContain(part);
});

test('the Deployment in the diff is hardened as shown', async () => {
  const lines = /```diff\n(.*?)```/s.exec(README)?.[1]?.split('\n') ?? [];
  const bare = lines.filter((line) => !line.startsWith('+')).map((line) => line.slice(1));
  const hardened = lines.map((line) => line.slice(1));
  expect(bare.length).toBeGreaterThan(10);
  expect(await runText(bare.join('\n'))).toMatchObject({ exitCode: 0, stdout: hardened.join('\n') });
});

test('the error is the one for prod without its images', async () => {
  const error = /^\[error\] overlays\/prod: .*$/m.exec(README)?.[0] ?? 'no error in the README';
  const files = Object.entries(repositoryFiles()).filter(([file]) => !file.startsWith('overlays/dev/'));
  const strict = Object.fromEntries(files.filter(([file]) => file !== 'base/guardrails.yaml'));
  const prod = strict['overlays/prod/kustomization.yaml'] ?? '';
  const unpinned = prod.replace(/^images:\n(.*\n)*?replicas:/m, 'replicas:');
  expect(unpinned).not.toBe(prod);
  const { exitCode, stderr } = await runText(
    resourceList({ ...strict, 'overlays/prod/kustomization.yaml': unpinned }),
  );
  expect(exitCode).toBe(1);
  expect(stderr.split('\n')).toContain(error);
});

test('the layout names every folder at the top, and only folders that exist', () => {
  const [, layout = ''] = /^## Layout\n(.*?)\n\n[A-Z]/ms.exec(README) ?? [];
  const named = [...layout.matchAll(/`([^`]+)\/`/g)].map(([, folder = '']) => folder);
  for (const folder of named)
    expect({ folder, exists: existsSync(path.join(ROOT, folder)) }).toMatchObject({ exists: true });
  const ignored = readFileSync(path.join(ROOT, '.gitignore'), 'utf8').split('\n');
  const folders = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !ignored.includes(`${entry.name}/`))
    .map(({ name }) => name)
    .filter((folder) => !folder.startsWith('.'));
  expect([...new Set(named.map((folder) => folder.split('/')[0]))].sort()).toEqual(folders.sort());
});

test('CONTRIBUTING.md lists the rooms as the dependency check has them', () => {
  const contributing = readFileSync(path.join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  const [, list = ''] = /^Rooms .*? from the top: (.*?)\. Imports/ms.exec(contributing) ?? [];
  const check = readFileSync(path.join(ROOT, '.dependency-cruiser.mjs'), 'utf8');
  const [, rooms = ''] = /ROOMS = \[\n(.*?)\];/s.exec(check) ?? [];
  const names = (text: string, quote: string) =>
    [...text.matchAll(new RegExp(`${quote}([a-z./]+)${quote}`, 'g'))].map(([, name]) => name);
  expect(names(list, '`')).toEqual(names(rooms, "'"));
});
