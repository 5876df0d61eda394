import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { changedFiles } from '../../functions/guardrails/cli/changed-files';
import { readPackage } from '../../functions/guardrails/cli/read-package';
import { writeFiles } from '../../functions/guardrails/cli/write-files';
import { fileOfGuardrails, readFunctionConfig } from '../../functions/guardrails/config/function-config';
import { readConfig } from '../../functions/guardrails/config/read-config';
import { printKrmResults } from '../../functions/guardrails/formats/krm-results';
import type { Result } from '../../functions/guardrails/krm/result';
import { judge } from '../../functions/guardrails/pipeline';
import { findingsOf, run } from '../../functions/guardrails/run';
import { type PackageFiles, resourceList } from './package-files';
import { findKustomizeForTests } from './tools';
import { readTree, writeTree } from './tree';

/** What one way in makes of a package. */
export interface Judgement {
  /** The files of the package afterwards, generator files among them. */
  readonly files: PackageFiles;
  /** `severity: message` of the errors and warnings of the rule network-policy, without their places. */
  readonly network: readonly string[];
  /** The messages of all other errors. */
  readonly otherErrors: readonly string[];
  /** Every message. */
  readonly messages: readonly string[];
}

const findKustomize = () => Promise.resolve(findKustomizeForTests());

/**
 * A package as the command line on its directory judges it: `guardrails fix`, or `guardrails build` with asIs, which judges
 * what is committed.
 */
export async function byCommandLine(files: PackageFiles, { asIs = false } = {}): Promise<Judgement> {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'ways-in-')));
  try {
    writeTree(root, files);
    const pkg = await readPackage(root);
    const config = readFunctionConfig(pkg.items, readConfig);
    const guardrails = pkg.items.find(({ value }) => value.kind === 'Guardrails')?.value;
    const judged = await judge(pkg.items, config, {
      findKustomize,
      directory: pkg.directory,
      configFile: fileOfGuardrails(pkg.items, guardrails),
      asIs,
    });
    const results = printKrmResults(findingsOf(judged, []), (text) => text);
    const isRefused = results.some(({ severity }) => severity === 'error');
    if (!isRefused) await writeFiles(root, changedFiles(pkg.files, judged.revision));
    return judgement(readTree(root), results);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** A package as kpt brings it: a ResourceList, without the files that are no YAML. */
export async function byKpt(files: PackageFiles): Promise<Judgement> {
  const { stdout, stderr } = await run(Buffer.from(listWithoutFiles(files)), findKustomize);
  return readJudgement(files, stdout, stderr);
}

/** The ResourceList that kpt sends. */
export function listWithoutFiles(files: PackageFiles): string {
  return resourceList(Object.fromEntries(Object.entries(files).filter(([file]) => file.endsWith('.yaml'))));
}

/** What a ResourceList that the function printed makes of a package. */
export function readJudgement(files: PackageFiles, stdout: string, stderr: string): Judgement {
  const { results = [] } = parse(stdout) as { results?: Result[] };
  const others = Object.entries(files).filter(([file]) => !file.endsWith('.yaml'));
  const after = { ...filesIn(stdout), ...Object.fromEntries(others) };
  const { messages, ...rest } = judgement(after, results);
  return {
    ...rest,
    messages: [...messages, ...stderr.split('\n'), stdout.slice(stdout.indexOf('\nresults:'))],
  };
}

function judgement(files: PackageFiles, results: readonly Result[]): Judgement {
  const isOfNetwork = ({ tags }: Result) => tags?.rule === 'network-policy';
  return {
    files: Object.fromEntries(Object.entries(files).sort()),
    network: results
      .filter((one) => isOfNetwork(one) && one.severity !== 'info')
      .map(({ severity, message }) => `${severity}: ${message.replace(/ \([^ ()]+:\d+\)/, '')}`)
      .sort(),
    otherErrors: results
      .filter((one) => !isOfNetwork(one) && one.severity === 'error')
      .map(({ message }) => message),
    messages: results.map(({ message }) => message),
  };
}

/** The files of a ResourceList in block style, as kpt writes them. */
function filesIn(list: string): PackageFiles {
  const [, items = ''] = /^items:\n([^]*?)(?=^[a-zA-Z]|(?![^]))/m.exec(list) ?? [];
  const documents = new Map<string, { readonly index: number; readonly text: string }[]>();
  for (const entry of items.split(/^- /m).slice(1)) {
    const text = entry.replace(/^ {2}/gm, '');
    const [, file = ''] = /internal\.config\.kubernetes\.io\/path: '?(.*?)'?\n/.exec(text) ?? [];
    const [, index = ''] = /internal\.config\.kubernetes\.io\/index: '?(\d+)'?\n/.exec(text) ?? [];
    const bare = text
      .replace(/^ +internal\.config\.kubernetes\.io\/.*\n/gm, '')
      .replace(/^ {2}annotations:\n(?! {4})/m, '')
      .replace(/^metadata:\n(?! )/m, '');
    documents.set(file, [...(documents.get(file) ?? []), { index: Number(index), text: bare }]);
  }
  return Object.fromEntries(
    [...documents].map(([file, all]) => {
      const texts = all.sort((a, b) => a.index - b.index).map(({ text }) => text);
      return [file, texts.join('---\n')];
    }),
  );
}
