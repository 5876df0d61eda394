import type { YamlObject } from '../krm/yaml';
import { type Placed, expandLists } from '../kubernetes/resource';
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
  const ofRules = RULES.flatMap(({ id: rule, check }) =>
    places.flatMap(({ resource, path, whole, exemptions }) =>
      check(resource, context).map((finding) => ({
        resource,
        path,
        whole,
        rule,
        finding,
        exemption: exemptionOf(exemptions, rule, finding)?.reason,
      })),
    ),
  );
  return [...ofExemptions, ...ofRules];
}
