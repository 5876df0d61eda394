import { realpathSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config/config';
import { readConfigAbove } from '../config/floor';
import { InputError } from '../errors';
import { fileOfGuardrails, functionConfigIn, readFunctionConfig } from '../config/function-config';
import { hasError } from '../findings/finding';
import { escapeText, messageOf } from '../findings/print';
import { redactor } from '../findings/redact';
import { printBuild, printChanges } from '../formats/text';
import type { Item } from '../krm/item';
import type { GivenBuild } from '../kustomize/build-overlays';
import { packageOf, secretSources } from '../kustomize/package';
import { message, words } from '../message';
import { type Judged, judge } from '../pipeline';
import { findingsOf } from '../run';
import { changedFiles } from './changed-files';
import { type Call, type Output, withProgress } from './command-line';
import { isIgnoredByGit } from './git-ignore';
import { type OutputFolder, hasSecret, outputName, outputsOf } from './output-folder';
import { type ReadPackage, readFloorFile, readPackage } from './read-package';
import { removeStaged } from './staging';
import { type FileWrite, NO_FILE, writeFiles } from './write-files';

/** The option of the commands that judge. */
export const FLOOR = {
  '--floor <FILE>':
    'a Guardrails document outside of the package that its configuration and exemptions must not loosen',
};

/** A package, and what the function makes of it. */
export interface Session {
  readonly pkg: ReadPackage;
  readonly judged: Judged;
  /** Whether there are errors: then nothing is written. */
  readonly isRefused: boolean;
  /** The files that differ after hardening. */
  readonly changed: readonly FileWrite[];
}

/**
 * Reads a package and its configuration. From then on the values of its Secrets are redacted.
 *
 * @param more resources that are not of the package, and whose Secrets are redacted as well
 */
export async function openPackage({ root, output, values }: Call, more: readonly Item[] = []) {
  const [floorFile, another] = values.get('--floor') ?? [];
  if (another !== undefined) throw new InputError(words('--floor may be given once'));
  const floor = floorFile === undefined ? undefined : readFloorFile(floorFile, root);
  const pkg = await readPackage(root);
  const { items, directory } = pkg;
  const all = [...items, ...more];
  output.redact = redactor(all);
  const source = packageOf(items, directory);
  if (source !== undefined) output.redact = redactor(all, secretSources(source));
  const config = readFunctionConfig(items, (value, locate) => readConfigAbove(floor, value, locate));
  return { pkg, source, config, configFile: fileOfGuardrails(items, functionConfigIn(items)?.value) };
}

/** What a command prints that writes nothing because of errors. */
export const REFUSED = words('errors found; nothing was written');

/**
 * Reads a package, judges it, and prints the report.
 *
 * @param asIs judges what it builds now, not what it would build after `guardrails fix`
 * @param given overlay to a build of it that was made elsewhere
 * @param writes the command writes into the package
 */
export async function judgePackage(
  call: Call,
  { asIs = false, writes = false, given = new Map<string, GivenBuild>() } = {},
): Promise<Session> {
  const { root, output, findKustomize } = call;
  const ofBuilds = [...given.values()].flatMap((one) => one.items);
  const { pkg, config, configFile } = await openPackage(call, ofBuilds);
  if (writes) removeStaged(realpathSync(root));
  const { items, directory } = pkg;
  const options = { findKustomize, directory, given, asIs, configFile };
  const judged = await withProgress('building the overlays', () => judge(items, config, options));
  const isRefused = hasError(findingsOf(judged, []));
  report(output, pkg, judged, config, isRefused);
  return { pkg, judged, isRefused, changed: changedFiles(pkg.files, judged.revision) };
}

function report(output: Output, pkg: ReadPackage, judged: Judged, config: Config, isRefused: boolean): void {
  const { revision, builds, findings, summary } = judged;
  const { items, notes } = pkg;
  for (const note of notes) output.print(message`[info] ${note}`);
  for (const warning of config.warnings) output.print(message`[warning] ${warning}`);
  const ofPackage = summary === undefined ? [] : findings.filter(({ overlays }) => overlays.length === 0);
  for (const finding of [...revision.findings, ...ofPackage])
    output.print(message`[${words(finding.severity)}] ${messageOf(finding)}`);
  if (!isRefused) {
    for (const line of printChanges(revision.changed)) output.print(line);
    for (const effect of revision.effects) output.print(message`[info] ${messageOf(effect)}`);
  }
  for (const build of builds) for (const line of printBuild(build, findings)) output.print(line);
  if (summary !== undefined) output.print(summary);
  if (!items.some(({ value }) => value.kind === 'Guardrails'))
    output.print(words('no Guardrails configuration found; every rule holds, with its defaults'));
}

/** For `git apply` and `patch -p1`, except that values of Secrets next to a change are redacted. */
export async function printDiff(output: Output, changed: readonly FileWrite[]): Promise<void> {
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

/**
 * Writes the builds into a folder, and together with them what else changes below the same root. If the session is
 * refused, it deletes what an earlier run wrote there: nobody must apply it in place of what is refused now.
 *
 * @param changed other files of the package
 * @returns whether it wrote
 */
export async function writeBuilds(
  { output }: Call,
  { judged, isRefused }: Session,
  target: OutputFolder,
  changed: readonly FileWrite[] = [],
): Promise<boolean> {
  if (isRefused) {
    output.print(REFUSED);
    const names = judged.builds.flatMap(({ overlay }) =>
      overlay === undefined ? [] : [outputName(overlay)],
    );
    for (const warning of await target.clear(names)) output.print(message`[warning] ${warning}`);
    return false;
  }
  const outputs = outputsOf(judged.builds);
  for (const [name, manifests] of outputs) {
    const file = path.join(target.folder, name);
    if (hasSecret(manifests) && !isIgnoredByGit(file))
      output.print(
        message`[warning] ${shown(file)} contains a Secret, and Git does not ignore it; add ${path.basename(target.folder)}/ to .gitignore`,
      );
  }
  await writeFiles(target.root, [...changed, ...target.writes(outputs)]);
  target.protect(outputs);
  for (const name of outputs.keys())
    output.print(message`next: kubectl apply -f ${shown(path.join(target.folder, name))}`);
  return true;
}

/** A path as the user would type it. */
export function shown(file: string): string {
  return path.relative(process.cwd(), file) || '.';
}
