import path from 'node:path';
import { parseArgs } from 'node:util';
import yoctoSpinner from 'yocto-spinner';
import { type ExitCode, InputError } from '../errors';
import { type Redact, describeError, printMessage } from '../findings/print';
import { exitOnSignals } from '../interruption';
import { type Message, message, words } from '../message';
import type { FindKustomize } from '../kustomize/build-overlays';
import { kustomizeHere } from './read-package';
import { writeAll, writeLast } from './standard-streams';

/** The usage of an option that every command line has. */
export const TIMEOUT_USAGE =
  '--timeout  how long kustomize may take for one overlay, such as 30s, 5m or 1h; default: 5m';

/** What leaves a command line. Everything goes through here, redacted once `redact` is set. */
export class Output {
  redact: Redact = (text) => text;

  /** Writes a line to standard output. */
  print(line: Message): void {
    writeAll(1, `${printMessage(line, this.redact)}\n`);
  }

  /** Writes text of several lines, such as a diff, redacted and otherwise as it is. */
  printText(text: string): void {
    writeAll(1, this.redact(text));
  }
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

/** The arguments of a command line, and where its output goes. */
export interface Call<Flag extends string> {
  /** The package's folder, absolute. */
  readonly root: string;
  readonly flags: ReadonlySet<Flag>;
  readonly output: Output;
  readonly findKustomize: FindKustomize;
}

/**
 * Runs a command line, `[DIR] [--timeout DURATION] [--flag ...]`, to its exit code. Ends on signals, and prints what is thrown. Without DIR the
 * package is the repository that this is bundled in.
 */
export async function runCommand<Flag extends string>(
  usage: string,
  flags: readonly Flag[],
  main: (call: Call<Flag>) => Promise<ExitCode>,
): Promise<void> {
  exitOnSignals();
  const output = new Output();
  try {
    const { values, positionals } = readArguments(flags, usage);
    if (values.help === true) {
      output.printText(usage);
      return;
    }
    const root = path.resolve(positionals[0] ?? path.join(__dirname, '..'));
    const set = new Set(flags.filter((flag) => values[flag] === true));
    const timeout = typeof values.timeout === 'string' ? secondsOf(values.timeout, usage) : undefined;
    process.exitCode = await main({ root, flags: set, output, findKustomize: kustomizeHere(timeout) });
  } catch (error) {
    const { text, exitCode } = describeError(error);
    process.exitCode = exitCode;
    // A reader that closed standard output early knows it.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE')
      writeLast(`${printMessage(text, output.redact)}\n`);
  }
}

function readArguments(flags: readonly string[], usage: string) {
  const options = Object.fromEntries(flags.map((flag) => [flag, { type: 'boolean' as const }]));
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({
      args: process.argv.slice(2),
      allowPositionals: true,
      options: { ...options, timeout: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new InputError(message`${(error as Error).message}\n${words(usage)}`);
  }
  if (parsed.positionals.length > 1) throw new InputError(message`only one DIR is allowed\n${words(usage)}`);
  return parsed;
}

/** @param duration a number and a unit, as kubectl reads it: `30s` */
function secondsOf(duration: string, usage: string): number {
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
  const [amount, unit] = [Number(duration.slice(0, -1)), units[duration.slice(-1)]];
  const seconds = unit === undefined ? NaN : amount * unit;
  // setTimeout takes at most 2^31 - 1 ms.
  if (!(seconds > 0 && seconds < 2 ** 31 / 1000))
    throw new InputError(
      message`--timeout must be a duration such as 30s, 5m or 1h, found ${duration}\n${words(usage)}`,
    );
  return seconds;
}
