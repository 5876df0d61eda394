import { Command, CommanderError } from 'commander';
import yoctoSpinner from 'yocto-spinner';
import { type ExitCode, InputError } from '../errors';
import { type Redact, describeError, printMessage } from '../findings/print';
import { exitOnSignals } from '../interruption';
import { type Message, message } from '../message';
import type { FindKustomize } from '../kustomize/build-overlays';
import { kustomizeHere } from './read-package';
import { typedPath } from './typed-path';
import { writeAll, writeLast } from './standard-streams';

/** What leaves a command line. Everything goes through here, redacted once `redact` is set. */
export class Output {
  redact: Redact = (text) => text;
  private report: 1 | 2 = 1;

  /** Writes what is not the result to standard error from now on. */
  reportToStandardError(): void {
    this.report = 2;
  }

  /** Writes a line of the report. */
  print(line: Message): void {
    writeAll(this.report, `${printMessage(line, this.redact)}\n`);
  }

  /** Writes text of several lines, such as a diff, redacted and otherwise as it is. */
  printText(text: string): void {
    writeAll(this.report, this.redact(text));
  }

  /** Writes a build to standard output, as it is: what is applied needs the values of its Secrets. */
  writeBuild(manifests: string): void {
    writeAll(1, manifests);
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

/** The arguments of a command, and where its output goes. */
export interface Call {
  /** The package's folder, absolute. */
  readonly root: string;
  /** The options without a value that were given: `--diff`. */
  readonly flags: ReadonlySet<string>;
  /** The values of the others: `--output` to each that was given. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly output: Output;
  readonly findKustomize: FindKustomize;
}

/** One command of `guardrails`. */
export interface CommandLine {
  readonly name: string;
  readonly description: string;
  /** Long option, with the name of its value if it takes one, to what it does: `--output <DIR>`. */
  readonly options: Readonly<Record<string, string>>;
  readonly run: (call: Call) => Promise<ExitCode>;
}

const TIMEOUT = '--timeout <DURATION>';

/**
 * Runs `guardrails COMMAND [DIR] [options]` to its exit code. Ends on signals, and prints what is thrown. Without DIR the
 * package is the current directory.
 */
export async function runCommands(commands: readonly CommandLine[]): Promise<void> {
  exitOnSignals();
  const output = new Output();
  try {
    const program = new Command('guardrails')
      .description('Hardens a package of Kubernetes manifests, and judges what its kustomizations build.')
      .helpCommand(false)
      .configureOutput({ writeOut: output.printText.bind(output), writeErr: () => undefined })
      .exitOverride();
    for (const command of commands) addCommand(program, command, output);
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const { text, exitCode } = describeError(error instanceof CommanderError ? usageError(error) : error);
    process.exitCode = exitCode;
    // A reader that closed standard output early knows it.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE')
      writeLast(`${printMessage(text, output.redact)}\n`);
  }
}

function addCommand(
  program: Command,
  { name, description, options, run }: CommandLine,
  output: Output,
): void {
  const command = program
    .command(name)
    .description(description)
    .argument('[DIR]', 'the package; default: the current directory')
    .option(TIMEOUT, 'how long kustomize may take for one overlay, such as 30s, 5m or 1h; default: 5m');
  const collect = (value: string, values: readonly string[] = []) => [...values, value];
  for (const [option, meaning] of Object.entries(options))
    if (option.includes('<')) command.option(option, meaning, collect);
    else command.option(option, meaning);
  command.action(async (dir: string | undefined, given: Record<string, unknown>) => {
    const entries = Object.entries(given).map(([key, value]) => [`--${key}`, value] as const);
    const timeout = typeof given.timeout === 'string' ? secondsOf(given.timeout) : undefined;
    process.exitCode = await run({
      root: dir === undefined ? process.cwd() : typedPath(dir),
      flags: new Set(entries.filter(([, value]) => value === true).map(([key]) => key)),
      values: new Map(
        entries.flatMap(([key, value]) => (Array.isArray(value) ? [[key, value as string[]]] : [])),
      ),
      output,
      findKustomize: kustomizeHere(timeout),
    });
  });
}

function usageError({ code, message: text }: CommanderError): InputError {
  const reason = text.replace(/^error: /, '');
  const missing = code === 'commander.help';
  return new InputError(
    message`${missing ? 'a command is missing' : reason}; \`guardrails --help\` lists the commands, and \`guardrails check --help\` the options of one`,
  );
}

/** @param duration a number and a unit, as kubectl reads it: `30s` */
function secondsOf(duration: string): number {
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
  const [amount, unit] = [Number(duration.slice(0, -1)), units[duration.slice(-1)]];
  const seconds = unit === undefined ? NaN : amount * unit;
  // setTimeout takes at most 2^31 - 1 ms.
  if (!(seconds > 0 && seconds < 2 ** 31 / 1000))
    throw new InputError(message`--timeout must be a duration such as 30s, 5m or 1h, found ${duration}`);
  return seconds;
}
