// Updates everything that is generated in this repository. Usage: node test/update.mjs [--check]
// --check writes nothing, and exits with 1 if something is stale.
import { buildSync } from 'esbuild';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import prettier from 'prettier';
import { parseAllDocuments } from 'yaml';
import { apiModels } from './support/api-models.mjs';
import { markdownTable, messagesTable } from './support/messages-table.mjs';

/** Each function updates one generated text. To add one, write a function and list it here. */
const generators = [apiTable, goldenBuilds, devProdTable, rulesTable, configuration, messages, diagrams];

const ROOT = path.resolve(import.meta.dirname, '..');
const FUNCTION_README = 'functions/guardrails/README.md';
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

/** The fields of the Kubernetes API. */
function apiTable() {
  const file = 'functions/guardrails/kubernetes/api-models.ts';
  write(file, apiModels(inRoot('node_modules/@kubernetes/client-node')));
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

/** The rules, in their order. */
async function rulesTable() {
  const { RULES } = await load('functions/guardrails/rules/index.ts');
  const rows = RULES.map(({ id, summary, adds, documentation }) => [
    `[\`${id}\`](${documentation})`,
    summary,
    adds ?? '',
  ]);
  await writeSection(
    FUNCTION_README,
    'rules',
    markdownTable([['rule', 'asks for', 'adds where it is missing'], ...rows]),
  );
}

/** The JSON Schema of the configuration, for editors, and the table of its keys. */
async function configuration() {
  const { configSchema, configTable } = await load('test/support/config-schema.ts');
  const file = 'functions/guardrails/docs/guardrails.schema.json';
  const options = await prettier.resolveConfig(inRoot(file));
  write(file, await prettier.format(JSON.stringify(configSchema()), { ...options, filepath: file }));
  await writeSection(
    FUNCTION_README,
    'configuration',
    markdownTable([['key', 'meaning', 'default'], ...configTable()]),
  );
}

async function messages() {
  const { RULES } = await load('functions/guardrails/rules/index.ts');
  const tables = messagesTable(
    inRoot('functions/guardrails'),
    RULES.map(({ id }) => id),
  );
  await writeSection('functions/guardrails/docs/messages.md', 'messages', tables);
}

/** Allowed traffic: `npm run graph` writes the diagrams and tables itself. */
function diagrams() {
  const program = bundle('functions/guardrails/cli/guardrails.ts');
  const args = [program, 'graph', ROOT, ...(isCheck ? ['--check'] : [])];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (isCheck && status === 1) isStale = true;
  else if (status !== 0) throw new Error(`cannot draw the diagrams (exit ${status})`);
}

/** Writes the text between `<!-- NAME:start -->` and `<!-- NAME:end -->` in a Markdown file. */
async function writeSection(file, name, content) {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const parts = fs.readFileSync(inRoot(file), 'utf8').split(new RegExp(`${start}[^]*?${end}`));
  if (parts.length !== 2)
    throw new Error(`${file} must contain ${start} and ${end}, each once, in this order`);
  const text = parts.join(`${start}\n\n${content}\n${end}`);
  const options = await prettier.resolveConfig(inRoot(file));
  write(file, await prettier.format(text, { ...options, filepath: file }));
}

/** Writes a generated file that is not up to date. */
function write(file, text) {
  const target = inRoot(file);
  if (fs.existsSync(target) && fs.readFileSync(target, 'utf8') === text) return;
  isStale = true;
  process.stdout.write(`${file} ${isCheck ? 'is stale' : 'was updated'}\n`);
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
