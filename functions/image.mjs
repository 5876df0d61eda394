// Builds the image under the name that the Kptfile gives it and the version of package.json. Further arguments go to
// docker build.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

const root = path.resolve(import.meta.dirname, '..');
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
const { pipeline } = parse(read('Kptfile'));
// The tag, or the digest that a push gave it.
const name = pipeline.mutators[0].image.replace(/@.*$|:[^:/]*$/, '');
const { version } = JSON.parse(read('package.json'));
const { status, error } = spawnSync(
  'docker',
  [
    ...['build', '--file', 'functions/guardrails/Dockerfile', '--tag', `${name}:v${version}`],
    ...['--build-arg', `VERSION=${version}`, ...process.argv.slice(2), '.'],
  ],
  { cwd: root, stdio: 'inherit' },
);
if (error !== undefined) throw new Error(`cannot run docker: ${error.code}`);
process.exitCode = status ?? 2;
