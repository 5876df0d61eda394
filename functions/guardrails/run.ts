import { readConfig } from './config/read-config';
import { type ExitCode, GuardrailsError } from './errors';
import type { Result } from './krm/result';
import { decodeText } from './yaml/text';
import { type Changes, type WireInput, readWire } from './krm/wire';
import type { FindKustomize } from './kustomize/build-overlays';
import { type Judged, judge } from './pipeline';

/** What a run of the function gives its host. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: ExitCode;
}

/**
 * The function: bytes of standard input to what goes out. It never throws.
 * A ResourceList comes back whole on exits 0, 1 and 3, with its results. Plain YAML comes back on exit 0 alone.
 */
export async function run(input: Uint8Array, findKustomize: FindKustomize): Promise<Outcome> {
  let wire: WireInput | undefined;
  try {
    wire = readWire(decodeText(input, 'standard input'));
    const config = readConfig(wire.functionConfig);
    const judged = await judge(wire.items, config, findKustomize);
    const results = resultsOf(judged);
    const exitCode = isRefused(results) ? 1 : 0;
    const changes = exitCode === 0 ? judged.revision.changes : undefined;
    return { stdout: print(wire, results, exitCode, changes), stderr: shortForm(results), exitCode };
  } catch (error) {
    return refusal(error, wire);
  }
}

function print(wire: WireInput, results: readonly Result[], exitCode: ExitCode, changes?: Changes): string {
  return wire.form === 'documents' && exitCode !== 0 ? '' : wire.print(results, changes);
}

function refusal(error: unknown, wire: WireInput | undefined): Outcome {
  const { message, exitCode } = describeError(error);
  const stdout =
    exitCode === 3 && wire !== undefined ? print(wire, [{ message, severity: 'error' }], exitCode) : '';
  return { stdout, stderr: `${message}\n`, exitCode };
}

/** What to tell of an error. The message of one that is not ours may quote anything, a Secret too: it stays untold. */
export function describeError(error: unknown): { message: string; exitCode: 2 | 3 } {
  if (error instanceof GuardrailsError) return { message: error.message, exitCode: error.exitCode };
  const { name, message, code, syscall, stack = '' } = error as NodeJS.ErrnoException;
  const system = code === undefined ? '' : ` ${code}${syscall === undefined ? '' : ` in ${syscall}`}`;
  const head = `${name}: ${message}\n`;
  const at = stack.startsWith(head) ? /^\s+at (\S+)/.exec(stack.slice(head.length))?.[1] : undefined;
  return {
    message: `the function broke: ${name}${system}${at === undefined ? '' : ` (at ${at})`}`,
    exitCode: 2,
  };
}

const ORDER = ['error', 'warning', 'info'] as const;

export function isRefused(results: readonly Result[]): boolean {
  return results.some(({ severity }) => severity === 'error');
}

/** The results of all passes, errors first: kpt shows four. What is refused is not written, so nothing is changed. */
export function resultsOf({ verdicts, revision: { told, findings } }: Judged): Result[] {
  const found = verdicts.flatMap(({ results }) => results);
  const results = [...findings, ...(isRefused([...findings, ...found]) ? [] : told), ...found];
  return ORDER.flatMap((severity) => results.filter((result) => result.severity === severity));
}

function shortForm(results: readonly Result[]): string {
  return results
    .filter(({ severity }) => severity !== 'info')
    .map(({ severity, message }) => `[${severity}] ${message}\n`)
    .join('');
}
