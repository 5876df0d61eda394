// npm run corpus -- FOLDER [OWNER/NAME ...]: tries the function on public repositories, all or those named, checked out in
// FOLDER as `owner+name`, and prints a table. repositories.json lists them with the revision that the last table is of. It is the gate against false findings:
// a new rule must not report what the owner of a repository would not agree with.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildSync } from 'esbuild';

const [folder, ...names] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: npm run corpus -- FOLDER [OWNER/NAME ...]\n');
  process.exit(2);
}
const repositories = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'repositories.json'), 'utf8'));
const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'corpus-'));
const program = path.join(temporary, 'try.cjs');
buildSync({
  entryPoints: [path.join(import.meta.dirname, 'try.ts')],
  bundle: true,
  platform: 'node',
  external: ['@viz-js/viz'],
  outfile: program,
});

const columns = ['repository', 'judged', 'bases', 'not built', 'other bytes', 'seconds', 'exit', 'findings'];
process.stdout.write(`| ${columns.join(' | ')} |\n|${' --- |'.repeat(columns.length)}\n`);
const details = [];
for (const { repository, folder: inRepository } of repositories) {
  if (names.length > 0 && !names.includes(repository)) continue;
  const checkout = path.join(folder, repository.replace('/', '+'), inRepository);
  if (!fs.existsSync(checkout)) {
    process.stdout.write(`| ${repository} | not checked out |\n`);
    continue;
  }
  const start = performance.now();
  const run = spawnSync(process.execPath, [program, checkout], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (run.status !== 0) throw new Error(`${repository}: ${run.stderr}`);
  const outcome = JSON.parse(run.stdout);
  const failed = Object.entries(outcome.failed);
  const findings = Object.entries(outcome.findings)
    .map(([rule, n]) => `${rule} ${n}`)
    .join(', ');
  const cells = [repository, outcome.judged, outcome.bases, failed.length, outcome.different.length, seconds];
  process.stdout.write(`| ${[...cells, outcome.exitCode, outcome.problem ?? findings].join(' | ')} |\n`);
  details.push(
    ...failed.map(([overlay, problem]) => `${repository}: ${overlay} is not built: ${problem}`),
    ...outcome.different.map((overlay) => `${repository}: ${overlay} differs from kustomize build`),
  );
}
process.stdout.write(`\n${details.join('\n')}\n`);
fs.rmSync(temporary, { recursive: true });
