import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { version } from '../../package.json';
import { buildBundle } from './bundle';
import { toolPath } from './tools';

const KPTFILE = path.join(__dirname, '../../Kptfile');

/** The image as the Kptfile names it. */
export function imageInKptfile(): string {
  const { pipeline } = parse(readFileSync(KPTFILE, 'utf8')) as {
    pipeline: { mutators: [{ image: string }] };
  };
  return pipeline.mutators[0].image;
}

/** The image as `npm run image` names it. */
export function builtImage(): string {
  return `${imageInKptfile().replace(/@.*$|:[^:/]*$/, '')}:v${version}`;
}

/** A describe block on the image of this source. Where there is none to run, one skipped test says why by its name. */
export function describeWithImage(title: string, body: (image: string) => void): void {
  const image = builtImage();
  const missing = whyNotRunnable(image);
  describe(title, () => {
    if (missing === undefined) body(image);
    else test.skip(`needs ${missing}`, () => undefined);
  });
}

function whyNotRunnable(image: string): string | undefined {
  const docker = toolPath('docker');
  if (docker === undefined) return 'docker: not on PATH';
  const run = (...args: string[]) => spawnSync(docker, args, { encoding: 'utf8' });
  if (run('version', '--format', '{{.Server.Version}}').status !== 0) return 'docker: no daemon answers';
  const hash = `crypto.createHash('sha256').update(fs.readFileSync('/usr/local/lib/guardrails.js')).digest('hex')`;
  const inImage = run(
    ...['run', '--rm', '--pull=never', '--network=none', '--entrypoint=/usr/local/bin/node'],
    ...[image, '--print', hash],
  );
  if (inImage.status !== 0) return `the image ${image}: npm run image`;
  const bundle = buildBundle();
  try {
    const inSource = createHash('sha256').update(readFileSync(bundle.guardrails)).digest('hex');
    return inImage.stdout.trim() === inSource ? undefined : `the image of this source: npm run image`;
  } finally {
    bundle.remove();
  }
}
