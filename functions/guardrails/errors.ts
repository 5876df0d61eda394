/**
 * Exit codes of every host.
 * 0: nothing to object to. 1: findings of severity error. 2: the function broke, or input that cannot be read.
 * 3: bad configuration.
 */
export type ExitCode = 0 | 1 | 2 | 3;

/**
 * An error that is told to the user as it is. Its message is one that the function wrote itself: it names what is
 * wrong, where, and the way out, and never quotes a value that could belong to a Secret.
 */
export class GuardrailsError extends Error {
  override readonly name: string = 'GuardrailsError';
  constructor(
    message: string,
    readonly exitCode: Exclude<ExitCode, 0 | 1> = 2,
  ) {
    super(message);
  }
}

/** Input that cannot be read, or that the function will not work on. Exit 2. */
export class InputError extends GuardrailsError {
  override readonly name = 'InputError';
}

/** A configuration that cannot be obeyed. The message lists what is allowed. Exit 3. */
export class ConfigError extends GuardrailsError {
  override readonly name = 'ConfigError';
  constructor(message: string) {
    super(message, 3);
  }
}
