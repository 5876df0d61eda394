import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.join(__dirname, '../..');

export interface Bundle {
  /** Holds all that the build writes, and is removed with it. */
  readonly dist: string;
  /** The file that the image holds. */
  readonly guardrails: string;
  readonly cli: string;
  /** The arguments of node for `guardrails render`. */
  readonly render: readonly string[];
  remove(): void;
}

/** A build of its own, apart from the repository's dist/, which other tests build at the same time. */
export function buildBundle(): Bundle {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'bundle-')));
  for (const entry of ['functions', 'package.json', 'tsconfig.json'])
    cpSync(path.join(ROOT, entry), path.join(folder, entry), { recursive: true });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  execFileSync(process.execPath, [path.join(folder, 'functions/build.mjs')]);
  const dist = path.join(folder, 'dist');
  return {
    dist,
    guardrails: path.join(dist, 'guardrails.js'),
    cli: path.join(dist, 'cli.js'),
    render: [path.join(dist, 'cli.js'), 'render'],
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}

/** A bundle for all tests of a file or of a describe block. */
export function useBundle(): () => Bundle {
  let bundle: Bundle | undefined;
  beforeAll(() => {
    bundle = buildBundle();
  });
  afterAll(() => {
    bundle?.remove();
  });
  return () => {
    if (bundle === undefined) throw new Error('there is no bundle before the tests');
    return bundle;
  };
}
