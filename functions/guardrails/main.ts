import { GuardrailsError } from './errors';
import { readAll, writeAll } from './hosts/standard-streams';
import { endOnSignals } from './kustomize/copy';
import { INSTALL_HINT, findKustomize } from './kustomize/find';
import { describeError, run } from './run';

async function main(): Promise<void> {
  endOnSignals();
  try {
    const { stdout, stderr, exitCode } = await run(readAll(), async () => {
      const kustomize = findKustomize();
      if (kustomize === undefined) throw new GuardrailsError(`no kustomize here; ${INSTALL_HINT}`);
      return Promise.resolve(kustomize);
    });
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
