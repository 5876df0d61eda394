import type { Finding, Inspected, Report, Suppression } from '../findings/finding';
import type { Severity } from '../krm/result';
import { type Placed, type ResourceRef, expandLists, resourceRef } from '../krm/resource';
import { hasUnknownContent, withoutHash } from '../krm/unknown-content';
import { NamespaceObjects } from '../kubernetes/namespace-objects';
import { hasPods, podSpecOf } from '../kubernetes/workload';
import { ServiceIndex } from '../network/service-index';
import type { FieldPath } from '../yaml/field-path';
import type { YamlObject } from '../yaml/yaml';
import { type HardenMode, checkAnnotations, hardenModeOf } from './annotations';
import { CustomSchemas } from './api-schema/structural-schema';
import {
  type ExemptionLimits,
  type Exemptions,
  currentDay,
  exemptionOf,
  readExemptions,
  reasonOf,
} from './exemptions';
import { RULES } from './index';
import type { ListedExemptions } from './listed-exemptions';
import type { Level, RuleContext } from './rule';

export type { Level } from './rule';

export interface InspectContext extends Omit<RuleContext, 'namespaceObjects' | 'services' | 'schemas'> {
  /** Of the whole package or build; undefined: those among the resources. */
  readonly namespaceObjects?: NamespaceObjects;
  /** The same. */
  readonly services?: ServiceIndex | undefined;
  /** The same, with the definitions; undefined: those among the resources and `definitions`. */
  readonly schemas?: CustomSchemas | undefined;
  /** CustomResourceDefinitions besides those among the resources. */
  readonly definitions: readonly YamlObject[];
  readonly exemptions: ExemptionLimits;
  /** The exemptions of the file beside the configuration. */
  readonly listedExemptions?: ListedExemptions | undefined;
  readonly harden: HardenMode;
  /**
   * What the resources are: what an author wrote, all that an overlay builds, or a stream, which may be a part of
   * something larger unless `complete` is set.
   */
  readonly scope: 'source' | 'build' | 'stream';
  readonly complete: boolean;
  /** Only what has a fix is wanted: rules that judge a build as a whole are not asked. */
  readonly onlyFixes?: true;
}

const RULE_IDS = RULES.map(({ id }) => id);
/** The rules of findings about annotations themselves. No configuration changes its level. */
const EXEMPTION = { id: 'exemption', documentation: undefined };
const ANNOTATION = { id: 'annotation', documentation: undefined };

/** A resource with its exemptions. */
interface Place extends Placed {
  readonly root: YamlObject;
  readonly exemptions: Exemptions;
  readonly harden: HardenMode;
  readonly ref: ResourceRef;
}

/** Checks every resource against every rule, in the order of the rules. */
export function inspect(resources: readonly YamlObject[], context: InspectContext): Inspected[] {
  const today = currentDay();
  const places = resources.flatMap((root) => placesIn(root, context, today));
  const ofAnnotations = places.flatMap((place) =>
    [
      ...problemsOf(place),
      ...checkAnnotations(place.resource, context.annotations, RULE_IDS).map((report) =>
        findingOf(ANNOTATION, report, place, undefined, 'error'),
      ),
    ].map((finding) => ({ root: place.root, finding })),
  );
  const namespaceObjects = context.namespaceObjects ?? new NamespaceObjects(places);
  const services = context.services ?? new ServiceIndex(places);
  const schemas =
    context.schemas ?? new CustomSchemas([...context.definitions, ...places.map(({ resource }) => resource)]);
  const ruleContext: RuleContext = { ...context, namespaceObjects, services, schemas };
  const placeOf = new Map(places.map((place) => [place.resource, place]));
  // A build without pods, such as one of CRDs, is a part of something.
  const isPart = context.scope === 'build' && !hasPods(places);
  const isComplete = context.scope === 'build' || context.complete;
  const yielding = new Set<Inspected>();
  const ofRules = RULES.flatMap((rule) => {
    const { id, adds, check, checkBuild, judgesParts = false } = rule;
    if (context.scope === 'source' && adds === undefined) return [];
    const level = context.levels.get(id) ?? 'error';
    const inspected = (report: Report, place: Place, highest: Severity): Inspected[] => {
      const exemption =
        exemptionOf(place.exemptions, id, report) ??
        context.listedExemptions?.find(place.ref, id, report.container);
      const reason = exemption && reasonOf(exemption);
      const suppression = suppressionOf(reason, level);
      const isWanted = context.scope !== 'source' || rule.isSafe === true || place.harden === 'all';
      const wanted = isWanted ? report : { ...report, fixes: [] };
      const found = { root: place.root, finding: findingOf(rule, wanted, place, suppression, highest) };
      if (report.unlessReported === true) yielding.add(found);
      const { ifExempt } = report;
      if (reason === undefined || ifExempt === undefined) return [found];
      return [found, { root: place.root, finding: findingOf(rule, ifExempt, place, undefined, highest) }];
    };
    const highest = level === 'warning' ? 'warning' : 'error';
    if (check !== undefined)
      return places.flatMap((place) =>
        check(place.resource, ruleContext).flatMap((report) => inspected(report, place, highest)),
      );
    if (context.onlyFixes === true || (isPart && !judgesParts)) return [];
    return (checkBuild?.(places, ruleContext) ?? []).flatMap(({ at, report }) => {
      const place = placeOf.get(at.resource);
      return place === undefined
        ? []
        : inspected(report, place, isComplete || judgesParts ? highest : 'warning');
    });
  });
  return withoutRepetitions([...ofAnnotations, ...ofRules], yielding);
}

/** The findings, without those that yield to one of another rule. */
function withoutRepetitions(found: readonly Inspected[], yielding: ReadonlySet<Inspected>): Inspected[] {
  if (yielding.size === 0) return [...found];
  const roots = new Set([...yielding].map(({ root }) => root));
  const others = found.filter(
    (one) => roots.has(one.root) && one.finding.severity !== 'info' && !yielding.has(one),
  );
  const isBelow = (field: FieldPath, path: FieldPath) => path.every((step, i) => step === field[i]);
  return found.filter(
    (one) =>
      !yielding.has(one) ||
      !others.some(
        ({ root, finding }) =>
          root === one.root &&
          finding.rule !== one.finding.rule &&
          isBelow(finding.field ?? [], one.finding.field ?? []),
      ),
  );
}

/** The exemptions that the annotations of one resource write. */
export interface AnnotatedExemptions {
  readonly ref: ResourceRef;
  readonly exemptions: Exemptions['exemptions'];
  /** Those that are invalid, or end soon. */
  readonly findings: readonly Finding[];
}

/** The exemptions in the annotations of a resource, its List expanded. */
export function annotatedExemptions(
  root: YamlObject,
  context: Pick<InspectContext, 'annotations' | 'exemptions' | 'harden'>,
): AnnotatedExemptions[] {
  return placesIn(root, context, currentDay()).map((place) => ({
    ref: place.ref,
    exemptions: place.exemptions.exemptions,
    findings: problemsOf(place),
  }));
}

function placesIn(
  root: YamlObject,
  context: Pick<InspectContext, 'annotations' | 'exemptions' | 'harden'>,
  today: string,
): Place[] {
  return expandLists(root).map((placed) => ({
    ...placed,
    root,
    exemptions: readExemptions(placed.resource, context.annotations, RULE_IDS, context.exemptions, today),
    harden: hardenModeOf(placed.resource, context.annotations) ?? context.harden,
    ref: resourceRef(placed.resource),
  }));
}

function problemsOf(place: Place): Finding[] {
  return place.exemptions.problems.map((report) => findingOf(EXEMPTION, report, place, undefined, 'error'));
}

/** An exemption goes before a level, because it carries a reason. */
function suppressionOf(reason: string | undefined, level: Level): Suppression | undefined {
  if (reason !== undefined) return { by: 'exemption', reason };
  return level === 'off' ? { by: 'configuration' } : undefined;
}

function findingOf(
  { id, documentation }: { readonly id: string; readonly documentation: string | undefined },
  { field, fixes = [], severity = 'error', problem, remedy, currentValue, container, needs, counts }: Report,
  { resource, path, ref }: Place,
  suppression: Suppression | undefined,
  highest: Severity,
): Finding {
  return {
    problem,
    remedy,
    currentValue,
    container,
    needs,
    counts,
    rule: id,
    documentation,
    severity: suppression !== undefined ? 'info' : severity === 'error' ? highest : severity,
    resource: hasUnknownContent(resource) ? { ...ref, name: withoutHash(ref.name) } : ref,
    field: [...path, ...field],
    fixes: canAddTo(resource) ? fixes.map((fix) => ({ ...fix, path: [...path, ...fix.path] })) : [],
    suppression,
    overlays: [],
  };
}

/** Whether the controller of a resource is known to accept what a rule adds to its pods. */
function canAddTo(resource: YamlObject): boolean {
  return podSpecOf(resource)?.writable !== 'nothing';
}
