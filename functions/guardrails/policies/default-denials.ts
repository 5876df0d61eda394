import type { Inclusions, RequiredPolicies } from './inclusions';
import { type SourcePolicy, isDefaultDeny } from './source-policy';

/** The default denies that overlays require: one for each of their namespaces, and never two. */
export class DefaultDenials {
  /** Those that no place holds yet. */
  private readonly missing: Set<string>;

  /** @param closed folders that overlays without policies build on */
  constructor(
    required: readonly RequiredPolicies[],
    private readonly inclusions: Inclusions,
    private readonly closed: ReadonlySet<string>,
  ) {
    this.missing = new Set(
      required.flatMap(({ overlay, policies }) =>
        policies.filter(isDefaultDeny).map(({ namespace }) => keyOf(overlay, namespace)),
      ),
    );
  }

  /**
   * Whether a place can hold a policy: any that is no default deny, and one that every build with the place still lacks. The
   * policies of the workloads isolate the pods of an overlay that cannot have it.
   */
  take(place: string, policy: SourcePolicy): boolean {
    if (!isDefaultDeny(policy)) return true;
    if (this.closed.has(place)) return false;
    const builds = this.inclusions
      .of(place)
      .map(({ overlay, renaming }) => keyOf(overlay, renaming.namespace ?? policy.namespace ?? ''));
    const isOnce = new Set(builds).size === builds.length;
    if (!isOnce || !builds.every((one) => this.missing.has(one))) return false;
    for (const one of builds) this.missing.delete(one);
    return true;
  }
}

function keyOf(overlay: string, namespace: string): string {
  return JSON.stringify([overlay, namespace]);
}
