import { annotationsOf } from '../krm/item';
import { formatPath } from '../yaml/field-path';
import type { YamlObject } from '../yaml/yaml';
import { podSpecOf } from '../kubernetes/workload';
import type { Finding } from './rule';

export const EXEMPTION_PREFIX = 'exempt.todo.example.com/';

/** What an annotation of a resource takes out of a rule. */
export interface Exemption {
  readonly rule: string;
  /** undefined: the whole resource. */
  readonly container: string | undefined;
  readonly reason: string;
}

export interface Exemptions {
  readonly exemptions: readonly Exemption[];
  /** What is wrong with the annotations. An exemption with a fault exempts from nothing. */
  readonly problems: readonly Finding[];
}

/**
 * Reads the annotations `exempt.todo.example.com/<rule>: "<reason>"` of a resource. The value may start with
 * `<container>: ` and end in `until YYYY-MM-DD`, a day on which it still holds.
 *
 * @param ruleIds every rule there is
 * @param today `YYYY-MM-DD`, in UTC
 */
export function readExemptions(
  resource: YamlObject,
  ruleIds: readonly string[],
  neverExempt: ReadonlySet<string>,
  today: string,
): Exemptions {
  const exemptions: Exemption[] = [];
  const problems: Finding[] = [];
  const containers = podSpecOf(resource)?.containers.map(({ name }) => name) ?? [];
  for (const [key, value] of Object.entries(annotationsOf(resource))) {
    if (!key.startsWith(EXEMPTION_PREFIX)) continue;
    const rule = key.slice(EXEMPTION_PREFIX.length);
    const refuse = (what: string, mend: string) =>
      problems.push({ what, mend, field: formatPath(['metadata', 'annotations', key]) });
    const text = typeof value === 'string' ? value.trim() : '';
    const [, container, rest = text] = /^([a-z0-9](?:[-a-z0-9]*[a-z0-9])?):(?:\s+|$)(.*)$/s.exec(text) ?? [];
    const [, end] = /(?:^|\s)until\s+(\S+)$/i.exec(rest) ?? [];
    const reason = rest.replace(/(?:^|\s+)until\s+\S+$/i, '').trim();
    if (!ruleIds.includes(rule))
      refuse(`is exempted from ${rule}, which is no rule`, `name one of ${ruleIds.join(', ')}`);
    else if (neverExempt.has(rule))
      refuse(
        `is exempted from ${rule}, from which the configuration lets nobody be exempted`,
        'remove the annotation',
      );
    else if (reason === '')
      refuse(`is exempted from ${rule} without a reason`, 'write the reason as its value');
    else if (container !== undefined && !containers.includes(container))
      refuse(
        `is exempted from ${rule} for the container "${container}", which it does not have`,
        `name one of ${containers.join(', ')}, or leave the colon out of the reason`,
      );
    else if (end !== undefined && !isDay(end))
      refuse(`is exempted from ${rule} until ${end}, which is no day`, 'write YYYY-MM-DD');
    else if (end !== undefined && end < today)
      refuse(`was exempted from ${rule} until ${end}`, 'mend it, or set a later day');
    else exemptions.push({ rule, container, reason: end === undefined ? reason : `${reason}, until ${end}` });
  }
  return { exemptions, problems };
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** The exemption that covers a finding. */
export function exemptionOf(
  { exemptions }: Exemptions,
  rule: string,
  finding: Finding,
): Exemption | undefined {
  return exemptions.find(
    (one) => one.rule === rule && (one.container === undefined || one.container === finding.container),
  );
}
