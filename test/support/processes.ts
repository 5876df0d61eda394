import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for something that another process brings about. */
export async function until(condition: () => boolean, seconds: number): Promise<void> {
  for (let i = 0; !condition(); i++) {
    if (i === seconds * 50) throw new Error(`it did not come about within ${seconds} s`);
    await sleep(20);
  }
}

/** A process that has ended and that nobody has asked about yet is gone. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || !/\) [ZX]/.test(readFileSync(stat, 'utf8'));
}

/** The command lines of all processes. */
export function commandLines(): string[] {
  if (!existsSync('/proc/self/cmdline'))
    return execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return ''; // it has ended since
      }
    });
}
