import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';

const paths = new Set<string>();
const children = new Set<ChildProcess>();

const SIGNALS = [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const;

/** Files and folders that must not outlive the process; whoever removes them takes them out again. */
export const removedAtEnd: Pick<Set<string>, 'add' | 'delete'> = paths;
/** Processes that must not outlive this one. */
export const killedAtEnd: Pick<Set<ChildProcess>, 'add' | 'delete'> = children;

/**
 * Until the function that it returns is called: ends at once on a signal, with no child and nothing temporary left:
 * 128 + n, as shells count.
 */
export function endOnSignals(): () => void {
  const listeners = SIGNALS.map(([signal, n]) => {
    const end = () => {
      for (const child of children) child.kill('SIGKILL');
      for (const path of paths) rmSync(path, { recursive: true, force: true });
      process.exit(128 + n);
    };
    process.on(signal, end);
    return () => process.off(signal, end);
  });
  return () => {
    for (const stop of listeners) stop();
  };
}
