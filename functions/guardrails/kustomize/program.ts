import type { ExecFileException } from 'node:child_process';
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

/** Runs a program with empty standard input. An interruption kills it. `error` is null on exit 0. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<{ error: ExecFileException | null; stdout: string; stderr: string }> {
  // Imported here, because it loads slowly and a stream does not use it.
  const { execFile } = await import('node:child_process');
  return new Promise((resolve) => {
    const child = execFile(command, args, { ...options, maxBuffer: Infinity }, (error, stdout, stderr) => {
      processesToKill.delete(child);
      resolve({ error, stdout, stderr });
    });
    processesToKill.add(child);
    child.stdin?.end();
  });
}

/** How a program failed: `exit 1`, or the signal that ended it. */
export function statusOf({ signal, code }: ExecFileException): string {
  return signal ?? `exit ${code ?? '?'}`;
}
