#!/usr/bin/env node
// Kills `npm run render` at random moments, on a package of 300 workloads: every file must then be old or new, and the
// next run must leave no trace. Usage: node test/hostile/kill.mjs [RUNS] [SEED], after `npm run build`.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CLI = path.join(ROOT, 'dist/cli.js');
const WORKLOADS = 300;
const runs = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? 20261126);

const scratch = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'kill-')));
const dir = path.join(scratch, 'package');
const tmp = path.join(scratch, 'tmp');
const env = { PATH: path.join(scratch, 'bin'), TMPDIR: tmp, HOME: scratch };

/** mulberry32 */
let state = seed;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

function write(file, text) {
  fs.mkdirSync(path.dirname(path.join(scratch, file)), { recursive: true });
  fs.writeFileSync(path.join(scratch, file), text);
}

function writePackage() {
  fs.rmSync(dir, { recursive: true, force: true });
  const names = Array.from({ length: WORKLOADS }, (_, i) => `w${i}`);
  for (const name of names)
    write(
      `package/base/${name}.yaml`,
      `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  template:\n    spec:\n      containers:\n        - name: ${name}\n          image: ${name}:v1\n`,
    );
  const kind = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
  write(
    'package/base/kustomization.yaml',
    `${kind}resources:\n${names.map((name) => `- ${name}.yaml\n`).join('')}`,
  );
  write('package/overlays/prod/kustomization.yaml', `${kind}resources: [../../base]\n`);
  write('package/.krmignore', 'dist/\n');
}

function files() {
  return new Map(
    fs
      .readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [path.relative(dir, file), fs.readFileSync(file, 'utf8')]),
  );
}

const render = () => spawnSync(process.execPath, [CLI, 'render', dir], { env, encoding: 'utf8' });
const fail = (problem) => {
  throw new Error(`run ${run} of ${runs}, seed ${seed}: ${problem}; see ${scratch}`);
};

fs.mkdirSync(tmp);
const build = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\ndata: {}\n';
write('bin/kustomize', `#!/bin/sh\nprintf '%s' '${build}'\n`);
fs.chmodSync(path.join(scratch, 'bin/kustomize'), 0o755);

writePackage();
const before = files();
const start = Date.now();
let run = 0;
if (render().status !== 0) fail('the first run fails');
const length = Date.now() - start; // ms
const after = files();

let interrupted = 0;
let partly = 0;
for (run = 1; run <= runs; run++) {
  writePackage();
  const child = spawn(process.execPath, [CLI, 'render', dir], { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
  // Half of the kills fall into the last part, where files are written and renamed.
  const part = run % 2 === 0 ? random() : 0.6 + random() * 0.5;
  await sleep(part * length);
  child.kill('SIGKILL');
  if ((await ended) === 'SIGKILL') interrupted++;
  let changed = 0;
  const found = files();
  for (const file of new Set([...before.keys(), ...after.keys()])) {
    const text = found.get(file);
    if (text !== before.get(file) && text !== after.get(file)) fail(`${file} is neither old nor new`);
    if (text !== before.get(file)) changed++;
  }
  if (changed > 0 && changed < after.size) partly++;
  const { status, stderr } = render();
  if (status !== 0) fail(`the next run fails: ${stderr}`);
  const last = files();
  for (const [file, text] of after)
    if (last.get(file) !== text) fail(`${file} is not as after a run that ended`);
  const more = [...last.keys()].filter((file) => !after.has(file));
  const left = [
    ...more,
    ...fs.readdirSync(tmp),
    ...fs.readdirSync(dir).filter((name) => name.includes('-work-')),
  ];
  if (left.length > 0) fail(`left: ${left.join(', ')}`);
}
fs.rmSync(scratch, { recursive: true });
console.log(
  `${runs} runs, ${interrupted} killed, ${partly} of them between two renames: every file old or new, no trace`,
);
