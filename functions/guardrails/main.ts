import { exitOnSignals } from './interruption';
import { GuardrailsError } from './errors';
import { message } from './message';
import { readAll, writeAll } from './cli/standard-streams';
import { INSTALL_HINT, findKustomize } from './kustomize/find';
import { describeError, run } from './run';

async function main(): Promise<void> {
  try {
    const input = readAll();
    // Not while it reads and writes: there it waits where no listener is called, and has nothing to clear away.
    const stopListening = exitOnSignals();
    const { stdout, stderr, exitCode } = await run(input, async () => {
      const kustomize = findKustomize();
      if (kustomize === undefined) throw new GuardrailsError(message`no kustomize here; ${INSTALL_HINT}`);
      return Promise.resolve(kustomize);
    });
    stopListening();
    process.exitCode = exitCode;
    writeAll(2, stderr);
    writeAll(1, stdout);
  } catch (error) {
    // Standard output that nobody reads to its end: what was promised was not delivered.
    process.exitCode = 2;
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE')
      process.stderr.write(`${describeError(error).message}\n`);
  }
}

void main();
