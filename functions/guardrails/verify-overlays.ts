import { type Config, allowedRules } from './config/config';
import { type BuiltPackage, type OverlayBuild, redacted } from './kustomize/build-overlays';
import type { Result } from './krm/result';
import { reachableFrom } from './kustomize/graph';
import { toResult } from './findings/report';
import { type InspectContext, inspect } from './rules/inspect';
import { SourceFinder } from './kustomize/source-finder';

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

/**
 * Holds every rule against what every overlay of a package builds.
 *
 * @throws GuardrailsError
 */
export async function verifyOverlays(
  { pkg, copy, kustomize, builds }: BuiltPackage,
  config: Config,
  redact: (text: string) => string,
): Promise<Verdict[]> {
  try {
    const finder = new SourceFinder(pkg, copy, kustomize);
    const verdicts: Verdict[] = [];
    // One after the other: to find a source, the copy is changed.
    for (const build of builds) verdicts.push(await verdictOf(build));
    return verdicts;

    async function verdictOf(build: OverlayBuild): Promise<Verdict> {
      const { overlay, kustomization, stdout, stderr, resources } = build;
      const context: InspectContext = { ...config, scope: 'build', kustomization };
      const found = inspect(resources, context);
      const sources = await finder.find(overlay, found, context);
      const allowed = allowedRules(config, overlay);
      const results = found.map((one) => toResult(one, overlay, sources.get(one), allowed, redact));
      const standIns = [...reachableFrom(pkg.graph, [overlay])].flatMap((dir) => [
        ...(pkg.graph.get(dir)?.standIns.keys() ?? []),
      ]);
      for (const file of standIns)
        results.push({
          severity: 'info',
          message: `${overlay}: ${file} is no YAML; what a generator makes of it is verified with its content unknown`,
          file: { path: file },
        });
      if (stderr.trim() !== '')
        results.push({ severity: 'info', message: `${overlay}: kustomize says: ${redact(stderr.trim())}` });
      return { overlay, manifests: stdout, resources: resources.length, results, standIns };
    }
  } catch (error) {
    throw redacted(error, redact);
  }
}
