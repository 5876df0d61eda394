import { lstat, readFile, realpath, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config/config';
import { type ExitCode, GuardrailsError, InputError } from '../errors';
import { message } from '../message';
import { type Judged, judge, verify } from '../pipeline';
import { spliceItem } from '../krm/item';
import { decodeText, joinDocuments, splice, splitDocuments } from '../yaml/text';
import { redactor } from '../findings/redact';
import { readConfig } from '../config/read-config';
import { isRefused, resultsOf } from '../run';
import type { Revision } from '../findings/revision';
import type { Verdict } from '../verify-overlays';
import { IGNORE_NOTHING, parseKrmIgnore } from './krmignore';
import type { PackageFile } from './package-directory';
import { functionConfigIn, kustomizeHere, readPackage } from './read-package';
import { type Call, runCommand, say, withProgress } from './command-line';
import { type FileWrite, NO_FILE, writeFiles } from './write-files';

const USAGE = `usage: npm run render -- [DIR] [--check] [--diff]
  DIR      the package; default: this repository
  --check  write nothing; exit 1 where something would change, too
  --diff   show what changes
`;
const OUTPUT = 'dist';

async function main({ root, flags }: Call<'check' | 'diff'>): Promise<ExitCode> {
  const { files, items } = await readPackage(root);
  await refuseLinkedOutput(root);
  const config = readConfig(functionConfigIn(items));
  const judged = await withProgress('building the overlays', () => judge(items, config, kustomizeHere));
  tell(judged);
  if (isRefused(resultsOf(judged))) return refuse(root, judged.verdicts, flags.has('check'));
  const changed = changedFiles(files, judged.revision);
  if (flags.has('diff')) await showDiff(changed, redactor(items));
  if (flags.has('check')) {
    say(`${changed.length === 0 ? 'clean' : `${changed.length} files would change`}; nothing is written\n`);
    return changed.length === 0 ? 0 : 1;
  }
  const real = await realBuilds(root, judged, config);
  if (real !== judged && isRefused(resultsOf(real))) {
    tell(real);
    return refuse(root, real.verdicts, false);
  }
  const outputs = outputsOf(real.verdicts);
  await writeFiles(root, [...changed, ...outputs]);
  if (outputs.length > 0) await warnOfUnignoredOutput(root);
  for (const { path: file } of outputs)
    say(`next: kubectl apply -f ${path.relative(process.cwd(), path.join(root, file))}\n`);
  return 0;
}

/** What is written there must not land elsewhere. */
async function refuseLinkedOutput(root: string): Promise<void> {
  const found = await lstat(path.join(root, OUTPUT)).catch(undefinedIfMissing);
  if (found !== undefined && !found.isDirectory())
    throw new InputError(message`${OUTPUT}: is no folder, and the builds go there; move it away`);
}

function undefinedIfMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  return undefined;
}

/** What an earlier run wrote must not be applied in place of what is refused now. */
async function refuse(root: string, verdicts: readonly Verdict[], isCheck: boolean): Promise<ExitCode> {
  say('refused; nothing is written\n');
  if (isCheck) return 1;
  await refuseLinkedOutput(root);
  for (const { overlay } of verdicts) {
    if (overlay === undefined) continue;
    const file = outputFile(overlay);
    await rm(path.join(root, file), { force: true }).catch((error: unknown) => {
      const { code = '' } = error as NodeJS.ErrnoException;
      say(`[warning] ${file} is of an earlier run and cannot be removed (${code}); do not apply it\n`);
    });
  }
  return 1;
}

/** The files of the package that are to read otherwise, to be there, or to go. */
function changedFiles(files: readonly PackageFile[], { items, changes }: Revision): FileWrite[] {
  const touched = new Set([...changes.removed, ...changes.added].map(({ path: file }) => file));
  const rewritten = (file: string, before: readonly string[]) => {
    const documents = items.filter((item) => item.path === file).sort((a, b) => a.index - b.index);
    // A document of comments alone is nobody's item, and stays: first where it was first, else last.
    const first = before.findIndex((text) => !isComment(text));
    const head = before.slice(0, Math.max(first, 0));
    const tail = before.slice(Math.max(first, 0)).filter(isComment);
    const all = [...head, ...documents.map(({ text }) => text), ...tail];
    return all.length === 0 ? undefined : joinDocuments(all);
  };
  const known = files.flatMap(({ path: file, bytes }) => {
    if (touched.delete(file)) {
      const before = splitDocuments(decodeText(bytes, file)).map(({ text }) => text);
      return [{ path: file, content: rewritten(file, before), original: bytes }];
    }
    const edits = [...changes.edits].filter(([item]) => item.path === file);
    if (edits.length === 0) return [];
    const text = decodeText(bytes, file);
    const content = splice(
      text,
      edits.flatMap(([item, edit]) => spliceItem(text, item, edit)),
    );
    return [{ path: file, content, original: bytes }];
  });
  const added = [...touched].flatMap((file) =>
    file === undefined ? [] : [{ path: file, content: rewritten(file, []), original: NO_FILE } as const],
  );
  return [...known, ...added];
}

function isComment(document: string): boolean {
  return document.includes('#') && document.split('\n').every((line) => /^\s*(#|$)/.test(line));
}

/** For `git apply` and `patch -p1`; but the value of a Secret, in a line beside a change, is blotted out. */
async function showDiff(changed: readonly FileWrite[], redact: (text: string) => string): Promise<void> {
  const { createTwoFilesPatch } = await import('diff');
  for (const { path: file, content, original } of changed) {
    const isNew = original === NO_FILE || original === undefined;
    const diff = createTwoFilesPatch(
      isNew ? '/dev/null' : `a/${file}`,
      content === undefined ? '/dev/null' : `b/${file}`,
      isNew ? '' : Buffer.from(original).toString('utf8'),
      content ?? '',
      undefined,
      undefined,
      { context: 3 },
    );
    say(redact(diff));
  }
}

/** The same with the generators' real input, which the verified copy may only have stood in for. */
async function realBuilds(root: string, judged: Judged, config: Config): Promise<Judged> {
  const { revision, verdicts } = judged;
  const real = await generatorInputs(root, new Set(verdicts.flatMap(({ standIns }) => standIns)));
  if (real.size === 0) return judged;
  return { revision, verdicts: await verify(revision.items, config, kustomizeHere, real) };
}

function outputsOf(builds: readonly Verdict[]): FileWrite[] {
  const outputs = new Map<string, FileWrite>();
  for (const { overlay, manifests } of builds) {
    if (overlay === undefined) continue;
    const file = outputFile(overlay);
    if (outputs.has(file))
      throw new GuardrailsError(message`${overlay}: another overlay is written to ${file} too; rename one`);
    outputs.set(file, { path: file, content: manifests });
  }
  return [...outputs.values()];
}

async function generatorInputs(root: string, files: ReadonlySet<string>): Promise<Map<string, Uint8Array>> {
  const inputs = new Map<string, Uint8Array>();
  for (const file of files)
    try {
      const absolute = path.join(await realpath(root), file);
      if ((await realpath(absolute)) !== absolute)
        throw new InputError(
          message`${file}: a generator reads it through a symbolic link; put the file itself there`,
        );
      inputs.set(file, await readFile(absolute));
    } catch (error) {
      if (error instanceof InputError) throw error;
      throw new InputError(
        message`${file}: a generator reads it, and it cannot be read (${(error as NodeJS.ErrnoException).code ?? ''})`,
      );
    }
  return inputs;
}

/** kpt reads `dist/` unless .krmignore names it, and would take the builds for resources of the package. */
async function warnOfUnignoredOutput(root: string): Promise<void> {
  const text = await readFile(path.join(root, '.krmignore'), 'utf8').catch(undefinedIfMissing);
  const ignored = text === undefined ? IGNORE_NOTHING : parseKrmIgnore(text);
  if (!ignored.ignores(OUTPUT, true))
    say(`[warning] .krmignore does not name ${OUTPUT}/, which kpt then reads; add the line ${OUTPUT}/\n`);
}

/** `overlays/prod` is `dist/prod.yaml`; a folder elsewhere keeps its whole path. */
function outputFile(overlay: string): string {
  const name = overlay === '.' ? 'package' : overlay.replace(/^overlays\//, '').replaceAll('/', '-');
  return path.join(OUTPUT, `${name}.yaml`);
}

function tell(judged: Judged): void {
  const { revision, verdicts } = judged;
  for (const { severity, message } of revision.findings) say(`[${severity}] ${message}\n`);
  if (!isRefused(resultsOf(judged))) for (const { message } of revision.told) say(`${message}\n`);
  for (const { overlay, resources, results } of verdicts) {
    const count = (severity: string) => results.filter((result) => result.severity === severity).length;
    say(
      `${overlay ?? 'stream'}: ${resources} resources, ${count('error')} errors, ${count('warning')} warnings, ${count('info')} infos\n`,
    );
    for (const { severity, message } of results) say(`  [${severity}] ${message}\n`);
  }
}

runCommand(USAGE, ['check', 'diff'], main);
