import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { pinnedCopy } from './pinned';
import type { Kustomize } from './program';

export { INSTALL_HINT, type Kustomize } from './program';

/**
 * Looks for `kustomize` on PATH, then for `kubectl kustomize`, then for the pinned copy in the cache
 * (see `fetchPinnedCopy`). Starts no process and uses no network, so the program may still fail to run.
 */
export function findKustomize(env: NodeJS.ProcessEnv = process.env): Kustomize | undefined {
  const kustomize = programOnPath('kustomize', env);
  if (kustomize !== undefined)
    return { command: kustomize, args: ['build'], description: `kustomize (${kustomize})` };
  const kubectl = programOnPath('kubectl', env);
  if (kubectl !== undefined)
    return { command: kubectl, args: ['kustomize'], description: `kubectl kustomize (${kubectl})` };
  return pinnedCopy(env);
}

/**
 * The absolute path of the first executable regular file of that name on PATH. Empty and relative entries of PATH are
 * ignored: they mean the working directory, and a repository must not choose the program that checks it.
 */
export function programOnPath(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  return (env.PATH ?? '')
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder))
    .map((folder) => path.join(folder, file))
    .find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
