import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readPackage } from '../../functions/guardrails/cli/read-package';
import { fileOfGuardrails } from '../../functions/guardrails/config/function-config';
import { readConfig } from '../../functions/guardrails/config/read-config';
import { printKrmResults } from '../../functions/guardrails/formats/krm-results';
import { judge } from '../../functions/guardrails/pipeline';
import { findingsOf } from '../../functions/guardrails/run';
import type { PackageFiles } from './package-files';
import { findKustomizeForTests } from './tools';

/** `severity message` of what `guardrails check` reports of a package in a directory, with the real kustomize. */
export function check(files: PackageFiles): Promise<string[]> {
  return inFolder(files, async (root) => {
    const { items, directory } = await readPackage(root);
    const guardrails = items.find(({ value }) => value.kind === 'Guardrails')?.value;
    const judged = await judge(items, readConfig(guardrails), {
      findKustomize: () => Promise.resolve(findKustomizeForTests()),
      configFile: fileOfGuardrails(items, guardrails),
      directory,
      asIs: true,
    });
    return printKrmResults(findingsOf(judged, []), (text) => text).map(
      ({ severity, message }) => `${severity} ${message}`,
    );
  });
}

/** Calls a function with the folder of a package, which is removed then. */
export async function inFolder<T>(files: PackageFiles, use: (root: string) => T | Promise<T>): Promise<T> {
  const root = mkdtempSync(path.join(os.tmpdir(), 'package-'));
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      writeFileSync(path.join(root, file), text);
    }
    return await use(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}
