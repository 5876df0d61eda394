import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { run } from '../functions/guardrails/run';
import { findKustomizeForTests } from './support/tools';

const ROOT = path.join(__dirname, '..');
const README = readFileSync(path.join(ROOT, 'README.md'), 'utf8');

function runText(text: string) {
  return run(Buffer.from(text), () => Promise.resolve(findKustomizeForTests()));
}

test('the first screen has the two commands, what comes out, and a refusal', () => {
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

test('the Deployment before and after is what the function makes of it', async () => {
  const lines = /```diff\n(.*?)```/s.exec(README)?.[1]?.split('\n') ?? [];
  const bare = lines.filter((line) => !line.startsWith('+')).map((line) => line.slice(1));
  const hardened = lines.map((line) => line.slice(1));
  expect(bare.length).toBeGreaterThan(10);
  expect(await runText(bare.join('\n'))).toMatchObject({ exitCode: 0, stdout: hardened.join('\n') });
});

test('the refusal is what prod without its images says', async () => {
  const refusal = /^\[error\] overlays\/prod: .*$/m.exec(README)?.[0] ?? 'no refusal in the README';
  const items = ['base', 'overlays/prod'].flatMap(itemsIn);
  const list = `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${items.join('')}`;
  const { exitCode, stderr } = await runText(
    list.replace(/ {2}images:\n(.*\n)*? {2}replicas:/, '  replicas:'),
  );
  expect(exitCode).toBe(1);
  expect(stderr.split('\n')).toContain(refusal);
});

/** The entries of a ResourceList for the files below a folder. */
function itemsIn(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => {
      const text = readFileSync(path.join(ROOT, folder, file), 'utf8');
      return text.split(/^---\n/m).map((document, index) => {
        const wire = `internal.config.kubernetes.io/path: ${folder}/${file}\n    internal.config.kubernetes.io/index: '${index}'`;
        const annotated = /^ {2}annotations:\n/m.test(document)
          ? document.replace(/^ {2}annotations:\n/m, `  annotations:\n    ${wire}\n`)
          : /^metadata:\n/m.test(document)
            ? document.replace(/^metadata:\n/m, `metadata:\n  annotations:\n    ${wire}\n`)
            : `${document}metadata:\n  annotations:\n    ${wire}\n`;
        return `- ${annotated.trimEnd().replace(/\n(?=.)/g, '\n  ')}\n`;
      });
    });
}
