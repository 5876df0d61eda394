// Builds the image under the name that the Kptfile gives it. Further arguments go to docker build.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

const root = path.resolve(import.meta.dirname, '..');
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
const { pipeline } = parse(read('Kptfile'));
// A digest comes of a push; no build has it yet.
const [name] = pipeline.mutators[0].image.split('@');
const { version } = JSON.parse(read('package.json'));
const { status, error } = spawnSync(
  'docker',
  [
    ...['build', '--file', 'functions/guardrails/Dockerfile', '--tag', name],
    ...['--build-arg', `VERSION=${version}`, ...process.argv.slice(2), '.'],
  ],
  { cwd: root, stdio: 'inherit' },
);
if (error !== undefined) throw new Error(`cannot run docker: ${error.code}`);
process.exitCode = status ?? 2;
