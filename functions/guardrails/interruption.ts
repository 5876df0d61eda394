import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { constants } from 'node:os';

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** Paths to delete on interruption; unregister a path after deleting it. */
export const pathsToDelete = new Set<string>();
/** Processes to kill on interruption; unregister a process after it has exited. */
export const processesToKill = new Set<ChildProcess>();

/**
 * On SIGHUP, SIGINT or SIGTERM: kills the registered processes, deletes the registered paths, and exits with
 * 128 + the number of the signal.
 *
 * @returns removes the signal handlers
 */
export function exitOnSignals(): () => void {
  const exit = (signal: NodeJS.Signals) => {
    for (const child of processesToKill) child.kill('SIGKILL');
    for (const path of pathsToDelete) rmSync(path, { recursive: true, force: true });
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of SIGNALS) process.on(signal, exit);
  return () => {
    for (const signal of SIGNALS) process.off(signal, exit);
  };
}
