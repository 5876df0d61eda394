import { existsSync, lstatSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import path from 'node:path';

/** Hours after which a folder is a leftover, even if a process has the id of the one that made it: ids are used again. */
const OLDEST = 24;
/** A file of this name in a folder keeps it from being deleted. */
export const KEEP = 'keep';

/**
 * The start of a name for a folder that must not outlive this process. It names the process, so that a later run can
 * delete the folder if this one is killed.
 *
 * @param prefix letters and dots
 */
export function ownFolderPrefix(prefix: string): string {
  return `${prefix}-${processNamespace()}-${process.pid}-`;
}

/** Deletes the folders of that prefix whose process was killed; nothing that another user or another machine made. */
export function removeLeftovers(parent: string, prefix: string): void {
  const name = new RegExp(`^${prefix.replaceAll('.', '\\.')}-${processNamespace()}-(\\d+)-[0-9A-Za-z]+$`);
  for (const entry of readdirSync(parent, { withFileTypes: true })) {
    const [, pid] = name.exec(entry.name) ?? [];
    if (pid === undefined || !entry.isDirectory()) continue;
    const folder = path.join(parent, entry.name);
    const stat = lstatSync(folder, { throwIfNoEntry: false });
    const isOwn = stat !== undefined && (process.getuid === undefined || stat.uid === process.getuid());
    if (existsSync(path.join(folder, KEEP))) continue;
    if (!isOwn || (isRunning(Number(pid)) && Date.now() - stat.mtimeMs < OLDEST * 3_600_000)) continue;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where process ids are counted: a container that shares the folder has others. */
function processNamespace(): string {
  if (process.platform !== 'linux') return '0';
  return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
