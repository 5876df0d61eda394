import type { Config } from './config/config';
import { fileOfGuardrails } from './config/function-config';
import { readConfig } from './config/read-config';
import type { ExitCode } from './errors';
import { type Finding, bySeverity, hasError } from './findings/finding';
import { type Redact, describeError, printMessage } from './findings/print';
import { redactor } from './findings/redact';
import { printKrmResults } from './formats/krm-results';
import { printShort } from './formats/text';
import { type Changes, type WireInput, readWire } from './krm/wire';
import type { FindKustomize } from './kustomize/build-overlays';
import { type Judged, judge } from './pipeline';
import { decodeText } from './yaml/text';

/** What a run of the function writes, and its exit code. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: ExitCode;
}

/**
 * The function: bytes of standard input to what is written. It never throws.
 * On exits 0, 1 and 3 a ResourceList comes back complete, with its results; plain YAML on exit 0 alone.
 */
export async function run(input: Uint8Array, findKustomize: FindKustomize): Promise<Outcome> {
  let wire: WireInput | undefined;
  let redact: Redact = (text) => text;
  try {
    wire = readWire(decodeText(input, 'standard input'));
    redact = redactor(wire.items);
    const config = readConfig(wire.functionConfig);
    const { form, items, functionConfig } = wire;
    const configFile = fileOfGuardrails(items, functionConfig);
    const judged = await judge(items, config, { findKustomize, isStream: form === 'documents', configFile });
    const findings = [...findingsOf(judged, config.warnings), ...summaryOf(judged)];
    const exitCode = hasError(findings) ? 1 : 0;
    const changes = exitCode === 0 ? judged.revision.changes : undefined;
    return {
      stdout: print(wire, findings, redact, exitCode, changes),
      stderr: lines(printShort(findings).map((one) => printMessage(one, redact))),
      exitCode,
    };
  } catch (error) {
    const { text, exitCode } = describeError(error);
    const finding: Finding = { severity: 'error', problem: text, overlays: [] };
    return {
      stdout: exitCode === 3 && wire !== undefined ? print(wire, [finding], redact, exitCode) : '',
      stderr: lines([printMessage(text, redact)]),
      exitCode,
    };
  }
}

function print(
  wire: WireInput,
  findings: readonly Finding[],
  redact: Redact,
  exitCode: ExitCode,
  changes?: Changes,
): string {
  // Documents have no place for results.
  if (wire.form === 'documents') return exitCode === 0 ? wire.print([], changes) : '';
  return wire.print(printKrmResults(findings, redact), changes);
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

/** The findings of all passes, errors first. A package with errors is not written, so nothing counts as changed. */
export function findingsOf({ findings, revision }: Judged, warnings: Config['warnings']): Finding[] {
  const all = [
    ...warnings.map((problem) => ({ severity: 'warning', problem, overlays: [] }) as const),
    ...revision.findings,
    ...findings,
  ];
  return bySeverity(hasError(all) ? all : [...all, ...revision.changed, ...revision.effects]);
}

/** What was judged, as the last finding. */
function summaryOf({ summary }: Judged): Finding[] {
  return summary === undefined ? [] : [{ severity: 'info', problem: summary, overlays: [] }];
}
