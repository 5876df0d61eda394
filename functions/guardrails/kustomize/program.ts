import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { processesToKill } from '../interruption';

/** How to run a kustomize: program and leading arguments; `${command} ${args} <dir>` prints the build. */
export interface Kustomize {
  /** Absolute path of the program. */
  readonly command: string;
  readonly args: readonly string[];
  /** Name and path of the program, for messages. */
  readonly description: string;
}

/** How to install a kustomize, for error messages. */
export const INSTALL_HINT =
  'install one with `go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1`, or kubectl 1.32 or later, and put it on PATH';

/** How a program ended, and what it printed. */
export interface ProgramResult {
  /** `exit 1`, a signal, or the code of the error for which it did not run; undefined on exit 0. */
  readonly problem: string | undefined;
  readonly didRun: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

const LARGEST_OUTPUT = 256 * 1024 * 1024; // bytes of each stream

/** Runs a program with empty standard input. An interruption, a run beyond its time and endless output kill it. */
export async function runProgram(
  command: string,
  args: readonly string[],
  {
    minutes,
    ...options
  }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly minutes: number },
): Promise<ProgramResult> {
  // Imported here, because it loads slowly and a stream does not use it.
  const { spawn } = await import('node:child_process');
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  processesToKill.add(child);
  let problem: string | undefined;
  const kill = (reason: string) => {
    problem ??= reason;
    child.kill('SIGKILL');
  };
  const timer = setTimeout(kill, minutes * 60_000, `it ran for more than ${minutes} minutes`);
  const collect = async (stream: Readable): Promise<string> => {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST_OUTPUT) kill('it printed more than 256 MiB');
      else chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  };
  try {
    const end = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    const [[code, signal], stdout, stderr] = await Promise.all([
      end,
      collect(child.stdout),
      collect(child.stderr),
    ]);
    if (code !== 0) problem ??= signal ?? `exit ${code ?? '?'}`;
    return { problem, didRun: true, stdout, stderr };
  } catch (error) {
    const { code, syscall = '' } = error as NodeJS.ErrnoException;
    if (!syscall.startsWith('spawn')) throw error;
    return { problem: code ?? 'unknown error', didRun: false, stdout: '', stderr: '' };
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    processesToKill.delete(child);
  }
}
