import type { YamlObject } from '../yaml/yaml';
import { type Placed, expandLists } from '../krm/resource';
import { RULES } from './index';
import { exemptionOf, readExemptions } from './exemptions';
import type { Finding, RuleContext } from './rule';

/** A finding, and where it was found. */
export interface Inspected extends Placed {
  readonly rule: string;
  readonly finding: Finding;
  /** Why it is let pass; undefined where it is not. */
  readonly exemption: string | undefined;
  /** The resource as it was read: the List, where it stands in one. */
  readonly whole: YamlObject;
}

export interface InspectContext extends RuleContext {
  readonly neverExempt: ReadonlySet<string>;
  /**
   * What the resources are: one that an author wrote, all that an overlay builds, or a stream, which may be a part of
   * something and is all there is where `complete` says so.
   */
  readonly scope: 'source' | 'build' | 'stream';
  readonly complete: boolean;
}

const RULE_IDS = RULES.map(({ id }) => id);
/** The tag of findings about the exemptions themselves: no configuration allows them. */
const EXEMPTION = 'exemption';

/** Holds every rule against every resource, in the rules' order. */
export function inspect(resources: readonly YamlObject[], context: InspectContext): Inspected[] {
  const today = new Date().toISOString().slice(0, 10);
  const places = resources.flatMap((whole) =>
    expandLists(whole).map((placed) => ({
      ...placed,
      whole,
      exemptions: readExemptions(placed.resource, RULE_IDS, context.neverExempt, today),
    })),
  );
  const ofExemptions = places.flatMap(({ exemptions, ...place }) =>
    exemptions.problems.map((finding) => ({ ...place, rule: EXEMPTION, finding, exemption: undefined })),
  );
  type Place = (typeof places)[number];
  const inspected = (rule: string, finding: Finding, { resource, path, whole, exemptions }: Place) => ({
    resource,
    path,
    whole,
    rule,
    finding,
    exemption: exemptionOf(exemptions, rule, finding)?.reason,
  });
  const placeOf = new Map(places.map((place) => [place.resource, place]));
  const isWhole = context.scope === 'build' || context.complete;
  const ofRules = RULES.flatMap(({ id, fixes, check, checkBuild }) => {
    if (context.scope === 'source' && fixes === undefined) return [];
    if (check !== undefined)
      return places.flatMap((place) =>
        check(place.resource, context).map((finding) => inspected(id, finding, place)),
      );
    if (checkBuild === undefined) return [];
    return checkBuild(places, context).flatMap(({ at, finding }) => {
      const place = placeOf.get(at.resource);
      const isUnsure = !isWhole && (finding.severity ?? 'error') === 'error';
      const told = isUnsure ? { ...finding, severity: 'warning' as const } : finding;
      return place === undefined ? [] : [inspected(id, told, place)];
    });
  });
  return [...ofExemptions, ...ofRules];
}
