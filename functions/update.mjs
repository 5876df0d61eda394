// Brings everything that is generated in this repository up to date. usage: node functions/update.mjs [--check]
// --check writes nothing, and exits with 1 where something is stale.
import { buildSync } from 'esbuild';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import prettier from 'prettier';
import { parseAllDocuments } from 'yaml';

/** Each function brings one generated text up to date. To add one, write a function and name it here. */
const generators = [goldenBuilds, devProdTable, diagrams];

const ROOT = path.resolve(import.meta.dirname, '..');
const isCheck = process.argv.includes('--check');
let isStale = false;

fs.mkdirSync(inRoot('dist'), { recursive: true });
const scratch = fs.mkdtempSync(inRoot('dist/update-')); // within reach of node_modules
try {
  const builds = await buildOverlays();
  for (const generator of generators) await generator(builds);
} finally {
  fs.rmSync(scratch, { recursive: true });
}
if (isCheck && isStale) {
  process.stdout.write('run npm run update\n');
  process.exitCode = 1;
}

/** What the real kustomize builds of each overlay, as text: of overlays/dev under `dev`. */
async function buildOverlays() {
  const { findKustomize } = await load('functions/guardrails/kustomize/find.ts');
  const { fetchPinnedCopy } = await load('functions/guardrails/kustomize/pinned.ts');
  const { command, args } = findKustomize() ?? (await fetchPinnedCopy());
  const overlays = fs.readdirSync(inRoot('overlays'));
  const build = (overlay) => execFileSync(command, [...args, `overlays/${overlay}`], { cwd: ROOT });
  return Object.fromEntries(overlays.map((overlay) => [overlay, build(overlay).toString()]));
}

function goldenBuilds(builds) {
  for (const [overlay, build] of Object.entries(builds)) write(`test/golden/${overlay}.yaml`, build);
}

async function devProdTable(builds) {
  const { devProdTable: table } = await load('test/support/dev-prod-table.ts');
  const [dev, prod] = [builds.dev, builds.prod].map((build) =>
    parseAllDocuments(build).map((document) => document.toJS()),
  );
  await writeSection('README.md', 'dev-prod-table', markdownTable(table(dev, prod)));
}

/** Who may talk to whom: `npm run graph` writes the diagrams and tables itself. */
function diagrams() {
  const program = bundle('functions/guardrails/cli/graph.ts');
  const args = [program, ROOT, ...(isCheck ? ['--check'] : [])];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (isCheck && status === 1) isStale = true;
  else if (status !== 0) throw new Error(`cannot draw the diagrams (exit ${status})`);
}

/** Cells to a Markdown table, header first. */
function markdownTable([header, ...rows]) {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** Writes what belongs between `<!-- NAME:start -->` and `<!-- NAME:end -->` in a Markdown file. */
async function writeSection(file, name, content) {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const parts = fs.readFileSync(inRoot(file), 'utf8').split(new RegExp(`${start}[^]*?${end}`));
  if (parts.length !== 2) throw new Error(`${file} must hold ${start} and ${end} once, in this order`);
  const text = parts.join(`${start}\n\n${content}\n${end}`);
  const options = await prettier.resolveConfig(inRoot(file));
  write(file, await prettier.format(text, { ...options, filepath: file }));
}

/** Writes a generated file where it reads otherwise. */
function write(file, text) {
  const target = inRoot(file);
  if (fs.existsSync(target) && fs.readFileSync(target, 'utf8') === text) return;
  isStale = true;
  process.stdout.write(`${file} ${isCheck ? 'is stale' : 'is brought up to date'}\n`);
  if (isCheck) return;
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, text);
}

/** The exports of a TypeScript file. */
async function load(file) {
  return import(bundle(file));
}

/** A TypeScript file and what it imports, as one file of JavaScript. */
function bundle(file) {
  const outfile = path.join(scratch, `${path.basename(file, '.ts')}.cjs`);
  const external = ['@viz-js/viz'];
  buildSync({ entryPoints: [inRoot(file)], outfile, external, bundle: true, platform: 'node' });
  return outfile;
}

function inRoot(file) {
  return path.join(ROOT, file);
}
