import type { Report } from '../findings/finding';
import type { Severity } from '../krm/result';
import type { AnnotationNames } from '../kubernetes/annotation-names';
import { podSpecOf } from '../kubernetes/workload';
import { annotationsOf } from '../krm/resource';
import { type Message, message, words } from '../message';
import type { YamlObject } from '../yaml/yaml';

const CONTAINER_NAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

/** What an annotation of a resource exempts from a rule. */
export interface Exemption {
  readonly rule: string;
  /** undefined: the whole resource. */
  readonly container: string | undefined;
  readonly reason: string;
}

export interface Exemptions {
  readonly exemptions: readonly Exemption[];
  /** Why annotations are invalid, or end soon. An invalid exemption has no effect. */
  readonly problems: readonly Report[];
}

export interface ExemptionLimits {
  /** Rules that no annotation exempts from, each with what lists it: `the configuration`. */
  readonly neverExempt: ReadonlyMap<string, Message>;
  /** How many days from today an exemption may end at most, and what sets that. */
  readonly maxDays: { readonly days: number; readonly setBy: Message };
}

/** A warning starts so many days before an exemption ends. */
const WARNING_DAYS = 14;

/**
 * Reads the annotations `exempt.<domain>/<rule>: "<reason>"` of a resource. The value may start with
 * `<container>: ` and end in `until YYYY-MM-DD`, which is the last day of the exemption.
 *
 * @param ruleIds every rule there is
 * @param today `YYYY-MM-DD`, in UTC
 */
export function readExemptions(
  resource: YamlObject,
  { exemptionPrefix }: AnnotationNames,
  ruleIds: readonly string[],
  { neverExempt, maxDays }: ExemptionLimits,
  today: string,
): Exemptions {
  const exemptions: Exemption[] = [];
  const problems: Report[] = [];
  const containers = new Set(podSpecOf(resource)?.containers.map(({ name }) => name));
  let listed: string | undefined;
  for (const [key, value] of Object.entries(annotationsOf(resource))) {
    if (!key.startsWith(exemptionPrefix)) continue;
    const rule = key.slice(exemptionPrefix.length);
    const report = (severity: Severity) => (problem: Message, remedy: Message) =>
      problems.push({
        problem: message`annotation ${key}: ${problem}`,
        remedy,
        field: ['metadata', 'annotations', key],
        severity,
      });
    const [refuse, warn] = [report('error'), report('warning')];
    const text = typeof value === 'string' ? value.trim() : '';
    const { container, reason, end } = readExemption(text);
    const listedBy = neverExempt.get(rule);
    if (!ruleIds.includes(rule))
      refuse(message`the rule "${rule}" does not exist`, words(`use one of ${ruleIds.join(', ')}`));
    else if (listedBy !== undefined)
      refuse(
        message`${listedBy} lists this rule under neverExempt`,
        words('remove the annotation, and fix what the rule reports'),
      );
    else if (!hasVisibleText(reason))
      refuse(words('the reason is missing'), words('write the reason as the value'));
    else if (container !== undefined && !containers.has(container))
      refuse(
        message`the container "${container}" does not exist`,
        message`use one of ${(listed ??= [...containers].join(', '))}, or remove the colon if the text before it is part of the reason`,
      );
    else if (end !== undefined && !isDay(end))
      refuse(message`the date ${end} is invalid`, words('write the date as YYYY-MM-DD'));
    else if (end !== undefined && end < today)
      refuse(message`the exemption ended on ${end}`, words('fix what the rule reports, or set a later date'));
    else if (end !== undefined && end > dayAfter(today, maxDays.days))
      refuse(
        message`the exemption ends more than ${maxDays.days} days from today, on ${end}`,
        message`set an earlier date; ${maxDays.setBy} allows no later one`,
      );
    else {
      exemptions.push({ rule, container, reason: end === undefined ? reason : `${reason}, until ${end}` });
      if (end !== undefined && end <= dayAfter(today, WARNING_DAYS))
        warn(message`the exemption ends on ${end}`, words('fix what the rule reports, or set a later date'));
    }
  }
  return { exemptions, problems };
}

/** The parts of `container: reason until date`, of which only the reason is required. */
function readExemption(text: string) {
  const colon = text.search(/:(?:\s|$)/);
  const before = text.slice(0, Math.max(colon, 0));
  const container = CONTAINER_NAME.test(before) ? before : undefined;
  const rest = container === undefined ? text : text.slice(colon + 1).trim();
  const words = rest.split(/\s+/);
  if (words.at(-2)?.toLowerCase() !== 'until') return { container, reason: rest, end: undefined };
  const end = words.at(-1) ?? '';
  const reason = rest.slice(0, -end.length).trimEnd().slice(0, -'until'.length).trim();
  return { container, reason, end };
}

/** Letters and symbols that are blank: Hangul fillers, and the Braille pattern without dots. */
const BLANK = /[\u115f\u1160\u2800\u3164\uffa0]/gu;

function hasVisibleText(reason: string): boolean {
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(reason.replace(BLANK, ''));
}

/** @param day `YYYY-MM-DD` */
function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(day) + days * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** The exemption that covers a report. */
export function exemptionOf({ exemptions }: Exemptions, rule: string, report: Report): Exemption | undefined {
  return exemptions.find(
    (one) => one.rule === rule && (one.container === undefined || one.container === report.container),
  );
}
