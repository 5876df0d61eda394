// Bundles the function and its command line, one file each, into dist/.
import { buildSync } from 'esbuild';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
buildSync({
  absWorkingDir: root,
  entryPoints: { guardrails: 'functions/guardrails/main.ts', render: 'functions/guardrails/hosts/cli.ts' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  outdir: 'dist',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
});
