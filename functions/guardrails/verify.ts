import { type Config, allowedRules } from './config';
import type { Item } from './krm/item';
import type { Result } from './krm/result';
import type { Kustomize } from './kustomize/find';
import { packageOf } from './kustomize/package';
import { redactor } from './kustomize/redact';
import { toResult } from './report';
import { inspect } from './rules/inspect';
import { verifyOverlays } from './verify-overlays';

/** What one overlay builds, or what a stream holds, and what the rules say of it. */
export interface Verdict {
  /** The overlay's folder; undefined for a stream. */
  readonly overlay: string | undefined;
  /** What kustomize printed, byte for byte; empty for a stream. */
  readonly manifests: string;
  readonly resources: number;
  readonly results: readonly Result[];
  /** Files that generators read and that no item carries: their content was stood in for. */
  readonly standIns: readonly string[];
}

/** The kustomize to build with, or why there is none. */
export type FindKustomize = () => Promise<Kustomize>;

/**
 * Holds every rule against what every overlay really builds or, without a kustomization in the input, against the
 * resources as they stand.
 *
 * @param extraFiles files of the package that no item carries, with their content
 * @throws InputError, ConfigError, GuardrailsError
 */
export async function verify(
  items: readonly Item[],
  config: Config,
  findKustomize: FindKustomize,
  extraFiles: ReadonlyMap<string, Uint8Array> = new Map(),
): Promise<Verdict[]> {
  const redact = redactor(items);
  const pkg = packageOf(items);
  if (pkg === undefined) return [verifyStream(items, config, redact)];
  return verifyOverlays(pkg, config, findKustomize, extraFiles, redact);
}

function verifyStream(items: readonly Item[], config: Config, redact: (text: string) => string): Verdict {
  const allowed = allowedRules(config, undefined);
  const found = inspect(
    items.map(({ value }) => value),
    { kustomization: undefined, ...config },
  );
  const results = found.map((one) => {
    const file = items.find(({ value }) => value === one.whole)?.path;
    const source = file === undefined ? undefined : { file, label: file };
    return toResult(one, undefined, source, allowed, redact);
  });
  return { overlay: undefined, manifests: '', resources: items.length, results, standIns: [] };
}
