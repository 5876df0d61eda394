import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { kustomizeHere, readPackage } from '../../functions/guardrails/cli/read-package';
import { changedFiles } from '../../functions/guardrails/cli/changed-files';
import { overlaySettings } from '../../functions/guardrails/config/config';
import {
  fileOfGuardrails,
  functionConfigIn,
  readFunctionConfig,
} from '../../functions/guardrails/config/function-config';
import { readConfig } from '../../functions/guardrails/config/read-config';
import { hasError } from '../../functions/guardrails/findings/finding';
import { describeError, printMessage } from '../../functions/guardrails/findings/print';
import { buildOverlays } from '../../functions/guardrails/kustomize/build-overlays';
import { packageOf } from '../../functions/guardrails/kustomize/package';
import { judge } from '../../functions/guardrails/pipeline';
import { findingsOf } from '../../functions/guardrails/run';

/** What a run over one repository shows. */
interface Outcome {
  readonly exitCode: number;
  readonly problem?: string;
  readonly judged: number;
  readonly bases: number;
  /** Overlay to why it has no build. */
  readonly failed: Readonly<Record<string, string>>;
  /** Overlays that plain kustomize builds and the function does not, or with other bytes. */
  readonly different: readonly string[];
  /** `rule severity` to the number of findings. */
  readonly findings: Readonly<Record<string, number>>;
}

const plain = (text: string) => text;

/** Judges a folder as `guardrails check` does, and compares its builds, without changes, with those of plain kustomize. */
async function tryOn(root: string): Promise<Outcome> {
  const outcome = { judged: 0, bases: 0, failed: {}, different: [], findings: {} };
  try {
    const { files, items, directory } = await readPackage(root);
    const config = readFunctionConfig(items, readConfig);
    const findKustomize = kustomizeHere();
    const configFile = fileOfGuardrails(items, functionConfigIn(items)?.value);
    const judged = await judge(items, config, { findKustomize, directory, configFile });
    const all = findingsOf(judged, config.warnings);
    const isClean = !hasError(all) && changedFiles(files, judged.revision).length === 0;
    const findings: Record<string, number> = {};
    for (const { rule = 'none', severity } of judged.findings) {
      const key = `${rule} ${severity}`;
      findings[key] = (findings[key] ?? 0) + 1;
    }
    const pkg = packageOf(items, directory);
    if (pkg === undefined) return { ...outcome, exitCode: isClean ? 0 : 1, findings };
    const built = await buildOverlays(pkg, { settings: overlaySettings(config), findKustomize });
    const { command, args } = await findKustomize();
    const builds = new Map(built.builds.map(({ overlay, stdout }) => [overlay, stdout]));
    const different = built.overlays.judged.filter((overlay) => {
      const own = builds.get(overlay) ?? '';
      return buildPlainly(command, [...args, path.join(root, overlay)]) !== own;
    });
    built.remove();
    const failed = Object.fromEntries(
      built.failures.map(({ overlay, problem }) => [overlay, printMessage(problem, plain)]),
    );
    const { judged: overlays, bases } = built.overlays;
    return {
      exitCode: isClean ? 0 : 1,
      judged: overlays.length,
      bases: bases.length,
      failed,
      different,
      findings,
    };
  } catch (error) {
    const { text, exitCode } = describeError(error);
    return { ...outcome, exitCode, problem: printMessage(text, plain) };
  }
}

/** The build; empty where kustomize refuses it. Without a network, as in the function. */
function buildPlainly(command: string, args: readonly string[]): string {
  const env = { PATH: '', HTTP_PROXY: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9' };
  try {
    const options = {
      env,
      maxBuffer: 2 ** 28,
      stdio: ['ignore', 'pipe', 'ignore'] as const,
      timeout: 60_000,
    };
    return execFileSync(command, args, { ...options, stdio: [...options.stdio], encoding: 'utf8' });
  } catch (error) {
    if ((error as { status?: unknown }).status === undefined) throw error;
    return '';
  }
}

void tryOn(process.argv[2] ?? '.').then((outcome) => {
  process.stdout.write(JSON.stringify(outcome));
});
