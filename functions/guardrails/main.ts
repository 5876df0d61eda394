import { readAll, writeAll, writeLast } from './cli/standard-streams';
import { GuardrailsError } from './errors';
import { describeError, printMessage } from './findings/print';
import { exitOnSignals } from './interruption';
import { INSTALL_HINT, findKustomize } from './kustomize/find';
import { message, words } from './message';
import { run } from './run';

async function main(): Promise<void> {
  try {
    const input = readAll();
    // Only while it computes: a blocking read or write calls no listener, and there is nothing to delete then.
    const stopListening = exitOnSignals();
    const { stdout, stderr, exitCode } = await run(input, async () => {
      const kustomize = findKustomize();
      if (kustomize === undefined)
        throw new GuardrailsError(message`no kustomize found; ${words(INSTALL_HINT)}`);
      return Promise.resolve(kustomize);
    });
    stopListening();
    process.exitCode = exitCode;
    writeAll(2, stderr);
    writeAll(1, stdout);
  } catch (error) {
    // A reader that closes standard output early did not get all of it.
    process.exitCode = 2;
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE')
      writeLast(`${printMessage(describeError(error).text, (text) => text)}\n`);
  }
}

void main();
