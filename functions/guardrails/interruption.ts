import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';

const paths = new Set<string>();
const processes = new Set<ChildProcess>();

const SIGNALS = [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const;

/** Paths to delete on interruption; unregister a path after deleting it. */
export const pathsToDelete: Pick<Set<string>, 'add' | 'delete'> = paths;
/** Processes to kill on interruption; unregister a process after it has exited. */
export const processesToKill: Pick<Set<ChildProcess>, 'add' | 'delete'> = processes;

/**
 * On SIGHUP, SIGINT or SIGTERM: kills the registered processes, deletes the registered paths, and exits with
 * 128 + the number of the signal.
 *
 * @returns removes the signal handlers
 */
export function exitOnSignals(): () => void {
  const removals = SIGNALS.map(([signal, number]) => {
    const exit = () => {
      for (const child of processes) child.kill('SIGKILL');
      for (const path of paths) rmSync(path, { recursive: true, force: true });
      process.exit(128 + number);
    };
    process.on(signal, exit);
    return () => process.off(signal, exit);
  });
  return () => {
    for (const remove of removals) remove();
  };
}
