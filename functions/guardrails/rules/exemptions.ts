import type { Report } from '../findings/finding';
import type { Severity } from '../krm/result';
import type { AnnotationNames } from '../kubernetes/annotation-names';
import { podSpecOf } from '../kubernetes/workload';
import { annotationsOf } from '../krm/resource';
import { type Message, message, words } from '../message';
import type { YamlObject } from '../yaml/yaml';

const CONTAINER_NAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

/** What exempts a resource from a rule: an annotation, or an entry of the exemptions file. */
export interface Exemption {
  readonly rule: string;
  /** undefined: the whole resource. */
  readonly container: string | undefined;
  /** Without its last day. */
  readonly reason: string;
  /** The last day, `YYYY-MM-DD`; undefined: it has none. */
  readonly end: string | undefined;
}

export interface Exemptions {
  readonly exemptions: readonly Exemption[];
  /** Why annotations are invalid, or end soon. An invalid exemption has no effect. */
  readonly problems: readonly Report[];
}

export interface ExemptionLimits {
  /** Rules that nothing exempts from, each with what lists it: `the configuration`. */
  readonly neverExempt: ReadonlyMap<string, Message>;
  /** How many days from today an exemption may end at most, and what sets that. */
  readonly maxDays: { readonly days: number; readonly setBy: Message };
}

/** Why an exemption is invalid (`error`, it has no effect), or that it ends soon (`warning`). */
export interface ExemptionProblem {
  readonly severity: Severity;
  readonly problem: Message;
  readonly remedy: Message;
}

/** The names of containers, in order. */
export class ContainerNames {
  private readonly names = new Set<string>();
  private joined: string | undefined;

  /** The containers of a resource of any kind. */
  add(resource: YamlObject): this {
    for (const { name } of podSpecOf(resource)?.containers ?? []) this.names.add(name);
    this.joined = undefined;
    return this;
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  /** Joined once, because a resource may have many exemptions. */
  get list(): string {
    this.joined ??= [...this.names].join(', ');
    return this.joined;
  }
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
  limits: ExemptionLimits,
  today: string,
): Exemptions {
  const exemptions: Exemption[] = [];
  const problems: Report[] = [];
  let containers: ContainerNames | undefined;
  for (const [key, value] of Object.entries(annotationsOf(resource))) {
    if (!key.startsWith(exemptionPrefix)) continue;
    const text = typeof value === 'string' ? value.trim() : '';
    const exemption = { rule: key.slice(exemptionPrefix.length), ...readExemption(text) };
    containers ??= new ContainerNames().add(resource);
    const found = checkExemption(exemption, { ruleIds, limits, today, containers, form: 'annotation' });
    if (found?.severity !== 'error') exemptions.push(exemption);
    if (found !== undefined)
      problems.push({
        ...found,
        problem: message`annotation ${key}: ${found.problem}`,
        field: ['metadata', 'annotations', key],
      });
  }
  return { exemptions, problems };
}

/** What an exemption is checked against, and how it is written. */
export interface ExemptionCheck {
  /** Every rule there is. */
  readonly ruleIds: readonly string[];
  readonly limits: ExemptionLimits;
  /** `YYYY-MM-DD`, in UTC. */
  readonly today: string;
  /** Those of the resource; undefined: they are not known. */
  readonly containers: ContainerNames | undefined;
  /** An entry of the exemptions file has a field for each part. */
  readonly form: 'annotation' | 'entry';
}

/** Checks one exemption, wherever it is written. */
export function checkExemption(
  { rule, container, reason, end }: Exemption,
  { ruleIds, limits: { neverExempt, maxDays }, today, containers, form }: ExemptionCheck,
): ExemptionProblem | undefined {
  const isEntry = form === 'entry';
  if (!ruleIds.includes(rule))
    return refuse(message`the rule "${rule}" does not exist`, words(`use one of ${ruleIds.join(', ')}`));
  const listedBy = neverExempt.get(rule);
  if (listedBy !== undefined)
    return refuse(
      message`${listedBy} lists this rule under neverExempt`,
      words(`remove the ${form}, and fix what the rule reports`),
    );
  if (!hasVisibleText(reason))
    return refuse(
      words('the reason is missing'),
      words(isEntry ? 'write it in the field reason' : 'write the reason as the value'),
    );
  if (container !== undefined && containers?.has(container) === false) {
    const colon = ', or remove the colon if the text before it is part of the reason';
    return refuse(
      message`the container "${container}" does not exist`,
      isEntry && containers.list === ''
        ? words('remove the field container, because the resource has no containers')
        : message`use one of ${containers.list}${words(isEntry ? '' : colon)}`,
    );
  }
  if (isEntry && end === undefined && isDay(readExemption(reason).end ?? ''))
    return refuse(
      words('the reason ends in a date, which has no effect there'),
      words('move the date to the field until'),
    );
  return end === undefined ? undefined : checkEnd(end, today, maxDays);
}

/** @param end the last day */
function checkEnd(
  end: string,
  today: string,
  { days, setBy }: ExemptionLimits['maxDays'],
): ExemptionProblem | undefined {
  if (!isDay(end)) return refuse(message`the date ${end} is invalid`, words('write the date as YYYY-MM-DD'));
  const remedy = words('fix what the rule reports, or set a later date');
  if (end < today) return refuse(message`the exemption ended on ${end}`, remedy);
  if (end > dayAfter(today, days))
    return refuse(
      message`the exemption ends more than ${days} days from today, on ${end}`,
      message`set an earlier date; ${setBy} allows no later one`,
    );
  if (end > dayAfter(today, WARNING_DAYS)) return undefined;
  return { severity: 'warning', problem: message`the exemption ends on ${end}`, remedy };
}

function refuse(problem: Message, remedy: Message): ExemptionProblem {
  return { severity: 'error', problem, remedy };
}

/** Today in UTC, `YYYY-MM-DD`. */
export function currentDay(): string {
  return new Date().toISOString().slice(0, 10);
}

/** The reason as it is printed: with the last day. */
export function reasonOf({ reason, end }: Exemption): string {
  return end === undefined ? reason : `${reason}, until ${end}`;
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
