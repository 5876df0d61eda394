import { spawnSync } from 'node:child_process';
import path from 'node:path';

const ROOT = path.join(__dirname, '..');

test('everything generated in this repository is up to date', () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(ROOT, 'test/update.mjs'), '--check'],
    { encoding: 'utf8' },
  );
  const output = stdout + stderr;
  expect({ status, output: status === 0 ? '' : output }).toEqual({ status: 0, output: '' });
});
