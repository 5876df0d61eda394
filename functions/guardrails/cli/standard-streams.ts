import { readSync, writeSync } from 'node:fs';

const PAUSE = new Int32Array(new SharedArrayBuffer(4));

/** All of standard input. */
export function readAll(): Buffer {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.allocUnsafe(1 << 16);
    const length = whenReady(() => readSync(0, chunk));
    if (length === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, length));
  }
}

/** Writes a text completely, also to a slow reader: process.stdout loses the rest when the process exits. */
export function writeAll(fd: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) at += whenReady(() => writeSync(fd, bytes, at));
}

/** Writes to standard error what a run ends with. Where that cannot be written, only the exit code is left. */
export function writeLast(text: string): void {
  try {
    writeAll(2, text);
  } catch {
    return;
  }
}

function whenReady(operation: () => number): number {
  for (;;) {
    try {
      return operation();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(PAUSE, 0, 0, 2); // ms
    }
  }
}
