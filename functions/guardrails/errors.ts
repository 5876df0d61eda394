import { type Message } from './message';

/**
 * Exit codes of the function and of every command line.
 * 0: no finding of severity error. 1: findings of severity error. 2: an internal error, or input that cannot be read.
 * 3: invalid configuration.
 */
export type ExitCode = 0 | 1 | 2 | 3;

/** An error that the user sees. Its message says what is wrong, where, and how to fix it. */
export class GuardrailsError extends Error {
  override readonly name: string = 'GuardrailsError';
  constructor(
    /** What is printed; `message` is the same unescaped. */
    readonly text: Message,
    readonly exitCode: Exclude<ExitCode, 0 | 1> = 2,
  ) {
    super(text.raw);
  }
}

/** Input that cannot be read, or that the function refuses to work on. Exit code 2. */
export class InputError extends GuardrailsError {
  override readonly name = 'InputError';
}

/** An invalid configuration. The message lists what is allowed. Exit code 3. */
export class ConfigError extends GuardrailsError {
  override readonly name = 'ConfigError';
  constructor(text: Message) {
    super(text, 3);
  }
}
