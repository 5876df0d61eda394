import { rmSync } from 'node:fs';
import { constants } from 'node:os';

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** Paths to delete on interruption; unregister a path after deleting it. */
export const pathsToDelete = new Set<string>();
/** Ids of processes to kill on interruption, each with all that it started; unregister an id after the process has exited. */
export const processesToKill = new Set<number>();

/** Kills a process that was started with `detached`, and all that it started and that did not leave its group. */
export function killGroup(pid: number): void {
  try {
    // Windows has no groups.
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * On SIGHUP, SIGINT or SIGTERM: kills the registered processes, deletes the registered paths, and exits with
 * 128 + the number of the signal.
 *
 * @returns removes the signal handlers
 */
export function exitOnSignals(): () => void {
  const exit = (signal: NodeJS.Signals) => {
    for (const pid of processesToKill) killGroup(pid);
    for (const path of pathsToDelete) rmSync(path, { recursive: true, force: true });
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of SIGNALS) process.on(signal, exit);
  return () => {
    for (const signal of SIGNALS) process.off(signal, exit);
  };
}
