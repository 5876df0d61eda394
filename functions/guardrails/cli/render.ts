import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config/config';
import { readConfig } from '../config/read-config';
import { type ExitCode, InputError } from '../errors';
import { hasError } from '../findings/finding';
import { redactor } from '../findings/redact';
import { count, printBuild, printChanges } from '../formats/text';
import type { Item } from '../krm/item';
import type { FindKustomize } from '../kustomize/build-overlays';
import { packageOf, secretInputs } from '../kustomize/package';
import { message, words } from '../message';
import { escapeText, messageOf } from '../findings/print';
import { type Judged, judge, verify } from '../pipeline';
import { findingsOf } from '../run';
import { changedFiles } from './changed-files';
import { type Call, type Output, TIMEOUT_USAGE, runCommand, withProgress } from './command-line';
import { IGNORE_NOTHING, parseKrmIgnore } from './krmignore';
import { OUTPUT, OutputFolder, outputFile, outputsOf } from './output-folder';
import { readFunctionConfig, readPackage } from './read-package';
import { readFileIfThere } from './regular-file';
import { removeStaged } from './staging';
import { type FileWrite, NO_FILE, writeFiles } from './write-files';

const USAGE = `usage: npm run render -- [DIR] [--check] [--diff]
  DIR        the package; default: this repository
  --check    write nothing; exit 1 if something would change
  --diff     show the changes
  ${TIMEOUT_USAGE}
`;

async function main({ root, flags, output, findKustomize }: Call<'check' | 'diff'>): Promise<ExitCode> {
  const { files, items } = await readPackage(root);
  output.redact = redactor(items);
  if (!flags.has('check')) removeStaged(realpathSync(root));
  const folder = new OutputFolder(root);
  const config = readFunctionConfig(items, readConfig);
  const judged = await withProgress('building the overlays', () => judge(items, config, findKustomize));
  report(output, judged, config);
  if (isRefused(judged)) return refuse(output, folder, judged, flags.has('check'));
  const changed = changedFiles(files, judged.revision);
  if (flags.has('diff')) await showDiff(output, changed);
  if (flags.has('check')) {
    const summary =
      changed.length === 0
        ? words('no file would change')
        : message`${count(changed.length, 'file')} would change`;
    output.print(message`${summary}; nothing was written`);
    return changed.length === 0 ? 0 : 1;
  }
  const real = await realBuilds(output, root, items, judged, config, findKustomize);
  if (real !== judged && isRefused(real)) {
    report(output, real, config);
    return refuse(output, folder, real, false);
  }
  const outputs = outputsOf(real.builds);
  await writeFiles(root, [...changed, ...folder.writes(outputs)]);
  folder.protect(outputs);
  if (outputs.size > 0) warnOfUnignoredOutput(output, root);
  for (const file of outputs.keys())
    output.print(message`next: kubectl apply -f ${path.relative(process.cwd(), path.join(root, file))}`);
  return 0;
}

function isRefused(judged: Judged): boolean {
  return hasError(findingsOf(judged, []));
}

/** What an earlier run wrote must not be applied in place of what is refused now. */
async function refuse(
  output: Output,
  folder: OutputFolder,
  judged: Judged,
  isCheck: boolean,
): Promise<ExitCode> {
  output.print(words('errors found; nothing was written'));
  if (isCheck) return 1;
  for (const warning of await folder.clear(
    judged.builds.flatMap(({ overlay }) => (overlay === undefined ? [] : [outputFile(overlay)])),
  ))
    output.print(message`[warning] ${warning}`);
  return 1;
}

/** For `git apply` and `patch -p1`, except that values of Secrets next to a change are redacted. */
async function showDiff(output: Output, changed: readonly FileWrite[]): Promise<void> {
  const { createTwoFilesPatch } = await import('diff');
  for (const { path: file, content, original } of changed) {
    const isNew = original === NO_FILE || original === undefined;
    const diff = createTwoFilesPatch(
      isNew ? '/dev/null' : `a/${escapeText(file)}`,
      content === undefined ? '/dev/null' : `b/${escapeText(file)}`,
      isNew ? '' : Buffer.from(original).toString('utf8'),
      content ?? '',
      undefined,
      undefined,
      { context: 3 },
    );
    output.printText(diff);
  }
}

/** The same with the real inputs of generators, for which the verified copy may only have placeholders. */
async function realBuilds(
  output: Output,
  root: string,
  items: readonly Item[],
  judged: Judged,
  config: Config,
  findKustomize: FindKustomize,
): Promise<Judged> {
  const { revision, builds } = judged;
  const inputs = generatorInputs(root, new Set(builds.flatMap(({ placeholders }) => placeholders)));
  if (inputs.size === 0) return judged;
  const before = packageOf(items);
  if (before !== undefined) output.redact = redactor(items, secretInputs(before, inputs));
  return { revision, ...(await verify(revision.items, config, findKustomize, inputs, before?.files)) };
}

function generatorInputs(root: string, files: ReadonlySet<string>): Map<string, Uint8Array> {
  const top = realpathSync(root);
  return new Map(
    [...files].map((file) => {
      const folder = path.dirname(path.join(top, file));
      if (existsSync(folder) && realpathSync(folder) !== folder)
        throw new InputError(
          message`${file}: a generator reads this file through a symbolic link; replace the link with a copy of the file`,
        );
      const bytes = readFileIfThere(top, file, words('name a regular file in the generator that reads it'));
      if (bytes === undefined)
        throw new InputError(
          message`${file}: a generator reads this file, but it does not exist; add it, or remove it from the generator`,
        );
      return [file, bytes];
    }),
  );
}

/** kpt reads `dist/` unless .krmignore names it, and would take the builds for resources of the package. */
function warnOfUnignoredOutput(output: Output, root: string): void {
  const text = readFileIfThere(root, '.krmignore')?.toString();
  const ignored = text === undefined ? IGNORE_NOTHING : parseKrmIgnore(text);
  if (!ignored.ignores(OUTPUT, true))
    output.print(
      words(`[warning] .krmignore does not name ${OUTPUT}/, so kpt reads it; add the line ${OUTPUT}/`),
    );
}

function report(output: Output, judged: Judged, config: Config): void {
  const { revision, builds, findings } = judged;
  for (const warning of config.warnings) output.print(message`[warning] ${warning}`);
  for (const finding of revision.findings)
    output.print(message`[${words(finding.severity)}] ${messageOf(finding)}`);
  if (!isRefused(judged)) for (const line of printChanges(revision.changed)) output.print(line);
  for (const build of builds) for (const line of printBuild(build, findings)) output.print(line);
}

void runCommand(USAGE, ['check', 'diff'], main);
