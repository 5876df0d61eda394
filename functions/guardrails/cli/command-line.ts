import path from 'node:path';
import { parseArgs } from 'node:util';
import yoctoSpinner from 'yocto-spinner';
import { exitOnSignals } from '../interruption';
import { type ExitCode, InputError } from '../errors';
import { message } from '../message';
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

/** What a command line was called with. */
export interface Call<Flag extends string> {
  /** The package's folder, absolute. */
  readonly root: string;
  readonly flags: ReadonlySet<Flag>;
}

/**
 * Runs a command line, `[DIR] [--flag ...]`, to its exit code, with an end for signals and a message for what is thrown.
 * Without DIR the package is the repository that this is bundled in.
 */
export function runCommand<Flag extends string>(
  usage: string,
  flags: readonly Flag[],
  main: (call: Call<Flag>) => Promise<ExitCode>,
): void {
  exitOnSignals();
  run(usage, flags, main).then(
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

async function run<Flag extends string>(
  usage: string,
  flags: readonly Flag[],
  main: (call: Call<Flag>) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { values, positionals } = readArguments(flags, usage);
  if (values.help === true) {
    say(usage);
    return 0;
  }
  const root = path.resolve(positionals[0] ?? path.join(__dirname, '..'));
  return main({ root, flags: new Set(flags.filter((flag) => values[flag] === true)) });
}

function readArguments(flags: readonly string[], usage: string) {
  const options = Object.fromEntries(flags.map((flag) => [flag, { type: 'boolean' as const }]));
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({
      args: process.argv.slice(2),
      allowPositionals: true,
      options: { ...options, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new InputError(message`${(error as Error).message}\n${usage}`);
  }
  if (parsed.positionals.length > 1) throw new InputError(message`one DIR at most\n${usage}`);
  return parsed;
}
