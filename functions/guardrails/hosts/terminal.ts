import yoctoSpinner from 'yocto-spinner';
import { endOnSignals } from '../ending';
import { type ExitCode, InputError } from '../errors';
import { describeError } from '../run';
import { writeAll } from './standard-streams';

export function say(text: string): void {
  writeAll(1, text);
}

/** A spinner on a terminal, nothing elsewhere. */
export async function withProgress<T>(text: string, work: () => Promise<T>): Promise<T> {
  if (!process.stderr.isTTY || process.env.CI !== undefined) return work();
  const spinner = yoctoSpinner({ text, handleSignals: false }).start();
  try {
    return await work();
  } finally {
    spinner.stop();
  }
}

/** What parseArgs of node:util makes of the arguments, with its complaint above the usage. */
export function readArguments<T extends { positionals: string[] }>(parse: () => T, usage: string): T {
  let parsed: T;
  try {
    parsed = parse();
  } catch (error) {
    throw new InputError(`${(error as Error).message}\n${usage}`);
  }
  if (parsed.positionals.length > 1) throw new InputError(`one DIR at most\n${usage}`);
  return parsed;
}

/** Runs a command line to its exit code, with an end for signals and a message for what is thrown. */
export function runCommand(main: (args: readonly string[]) => Promise<ExitCode>): void {
  endOnSignals();
  main(process.argv.slice(2)).then(
    (exitCode) => {
      process.exitCode = exitCode;
    },
    (error: unknown) => {
      const { message, exitCode } = describeError(error);
      process.exitCode = exitCode;
      // Standard output that nobody reads to its end is no news to who closed it.
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') process.stderr.write(`${message}\n`);
    },
  );
}
