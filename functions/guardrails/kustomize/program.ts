import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { killGroup, processesToKill } from '../interruption';

/** How to run a kustomize: program and leading arguments; `${command} ${args} <dir>` prints the build. */
export interface Kustomize {
  /** Absolute path of the program. */
  readonly command: string;
  readonly args: readonly string[];
  /** Name and path of the program, for messages. */
  readonly description: string;
  /** Seconds that one build may take; default: 5 minutes. */
  readonly timeout?: number;
}

/** How to install a kustomize, for error messages. */
export const INSTALL_HINT =
  'install one with `go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1`, or kubectl 1.32 or later, and put it on PATH';

/** How a program ended, and what it printed. */
export interface ProgramResult {
  /** `exit 1`, a signal, the limit that it exceeded, or the code of the error for which it did not run; undefined on exit 0. */
  readonly problem: string | undefined;
  readonly didRun: boolean;
  /** Whether it exceeded a limit. */
  readonly wasStopped?: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

// util-linux. A user other than root may make a network namespace in a user namespace of its own.
const UNSHARE = '/usr/bin/unshare';
const ISOLATE = ['--user', '--map-root-user', '--net', '--'];
const LARGEST_OUTPUT = 256 * 1024 * 1024; // bytes of each stream

/** How to run a program. */
export interface ProgramOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** After which the program is killed. */
  readonly seconds: number;
}

/**
 * Runs a program with empty standard input. An interruption, a run beyond its time and endless output kill it. No process
 * of its group outlives it.
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  { seconds, ...options }: ProgramOptions,
): Promise<ProgramResult> {
  // Imported here, because it loads slowly and a stream does not use it.
  const { spawn } = await import('node:child_process');
  const detached = process.platform !== 'win32'; // a process group of its own
  const child = spawn(command, args, { ...options, detached, stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid, stdout, stderr } = child;
  if (pid === undefined) {
    const [error] = (await once(child, 'error')) as [NodeJS.ErrnoException];
    if (error.code === 'EMFILE' || error.code === 'EAGAIN') throw error;
    return { problem: error.code ?? 'unknown error', didRun: false, stdout: '', stderr: '' };
  }
  processesToKill.add(pid);
  let exceeded: string | undefined;
  const kill = (limit: string) => {
    exceeded ??= limit;
    killGroup(pid);
    // A process that left the group may keep them open.
    stdout.destroy();
    stderr.destroy();
  };
  const timer = setTimeout(kill, seconds * 1000, `ran for more than ${seconds} s`);
  const printed = [stdout, stderr].map((stream) => collect(stream, kill));
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  child.on('exit', () => {
    killGroup(pid);
  });
  const [code, signal] = await closed;
  clearTimeout(timer);
  processesToKill.delete(pid);
  const [output = '', errors = ''] = printed.map((chunks) => Buffer.concat(chunks).toString('utf8'));
  const ended = code === 0 ? undefined : (signal ?? `exit ${code ?? '?'}`);
  const problem = exceeded ?? ended;
  return { problem, didRun: true, wasStopped: exceeded !== undefined, stdout: output, stderr: errors };
}

/** The chunks of a stream, as they arrive. */
function collect(stream: Readable, kill: (limit: string) => void): readonly Buffer[] {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > LARGEST_OUTPUT) kill('printed more than 256 MiB');
    else chunks.push(chunk);
  });
  return chunks;
}

let canIsolate: boolean | undefined;

/**
 * Runs a program in a network namespace of its own, where it reaches nothing; as `runProgram` does, where the system has
 * no `unshare` or does not permit it.
 */
export async function runWithoutNetwork(
  command: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramResult> {
  const { spawnSync } = await import('node:child_process');
  canIsolate ??=
    process.platform === 'linux' &&
    spawnSync(UNSHARE, [...ISOLATE, '/bin/true'], { stdio: 'ignore' }).status === 0;
  if (!canIsolate) return runProgram(command, args, options);
  const result = await runProgram(UNSHARE, [...ISOLATE, command, ...args], options);
  // Then the program does not start in the other way either, and the error says why.
  return result.stderr.startsWith('unshare: ') ? runProgram(command, args, options) : result;
}
