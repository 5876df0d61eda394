import type { PlacedReport, Report } from '../../findings/finding';
import { type Message, joinMessages, message, words } from '../../message';
import type { OpenNeed, Workload } from '../connection';
import { annotationsOf } from '../../krm/resource';
import { DIRECTIONS, type Direction } from '../policy';
import { hasLabels } from '../selector';
import type { CheckedBuild, PolicyCheck } from './checked-build';

/** Pods that no policy isolates, and why; and pods that are isolated although not all of their traffic is known. */
export const isolation: PolicyCheck = (build) =>
  build.topology.workloads.flatMap((workload) => {
    if (workload.usesHostNetwork) return [];
    const hidden = build.topology.unknownContent.get(workload);
    if (hidden !== undefined) return [{ at: workload, report: hiddenReport(hidden, workload, build) }];
    const findings = DIRECTIONS.map((direction) => findingIn(direction, workload, build));
    const open = DIRECTIONS.filter((_, i) => findings[i] === 'open');
    const reports = findings.filter((one) => one !== 'open' && one !== undefined);
    const all = open.length === 0 ? reports : [...reports, openReport(workload, open)];
    return all.map((report): PlacedReport => ({ at: workload, report }));
  });

/** `open`: no policy isolates the pods, and nothing holds that back; undefined: there is nothing to report. */
function findingIn(
  direction: Direction,
  workload: Workload,
  build: CheckedBuild,
): Report | 'open' | undefined {
  const { heldBack, pods, policies, annotations, peers } = build;
  const needs = heldBack.reasons(workload, direction);
  const doubts = heldBack.doubts(workload, direction);
  const [policy] = policies.isolating(pods.ofWorkload(workload), direction);
  const remedy = (of: readonly OpenNeed[]) => remedyOf(of, workload, annotations.domain);
  const field = needs[0]?.field ?? doubts[0]?.field ?? [];
  if (policy === undefined && needs.length === 0) return 'open';
  if (policy === undefined) {
    const problem = message`is not isolated for ${words(direction)}: ${evidenceOf(needs)}`;
    const severity = needs.every(({ isUnknownContent }) => isUnknownContent) ? 'warning' : peers.unresolved;
    return { problem, remedy: remedy(needs), field, severity, counts: 'not isolated' };
  }
  // Policies that were written where the content is known are kept.
  if (needs.some(({ isUnknownContent }) => isUnknownContent)) return undefined;
  if (needs.length > 0) {
    const problem = message`is isolated for ${words(direction)} by NetworkPolicy/${policy.name}, which cuts off what is not known: ${evidenceOf(needs)}`;
    return { problem, remedy: remedy(needs), field, severity: peers.unresolved };
  }
  if (doubts.length === 0) return undefined;
  const problem = message`is isolated for ${words(direction)} by NetworkPolicy/${policy.name}, which may cut off what is not known: ${evidenceOf(doubts)}`;
  return { problem, remedy: remedy(doubts), field, severity: 'warning' };
}

/** The traffic of a workload that reads content which the function does not have. */
function hiddenReport(hidden: Message, workload: Workload, { pods, policies }: CheckedBuild): Report {
  const pod = pods.ofWorkload(workload);
  const isOpen = DIRECTIONS.some((direction) => policies.isolating(pod, direction).length === 0);
  const effect = isOpen ? 'it is not isolated' : 'its policies are kept as they are';
  return {
    problem: message`reads ${hidden}, whose content is not in the input, so ${words(effect)}`,
    remedy: words(
      'run `guardrails fix` on the directory, which has the file, or write the values under literals of the generator',
    ),
    field: ['spec'],
    severity: 'warning',
    ...(isOpen && { counts: 'not isolated' }),
  };
}

/** How many pieces of evidence a message has. */
const MOST_EVIDENCE = 3;

function evidenceOf(needs: readonly OpenNeed[]): Message {
  const shown = needs.slice(0, MOST_EVIDENCE).map(({ evidence }) => evidence);
  const rest = needs.length - shown.length;
  return message`${joinMessages(shown, ', ')}${rest > 0 ? message` and ${rest} more` : words('')}`;
}

/** The entries of an annotation in one text, then the sentences. */
function remedyOf(needs: readonly OpenNeed[], { resource }: Workload, domain: string): Message {
  const entries = new Map<string, Map<string, Message>>();
  const sentences = new Map<string, Message>();
  for (const { answer } of needs) {
    if (!('annotation' in answer)) sentences.set(answer.raw, answer);
    else {
      const key = `${domain}/${answer.annotation}`;
      entries.set(key, (entries.get(key) ?? new Map<string, Message>()).set(answer.entry.raw, answer.entry));
    }
  }
  const ofAnnotations = [...entries].map(([key, list]) => {
    const text = joinMessages([...list.values()], ', ');
    return annotationsOf(resource)[key] === undefined
      ? message`add ${words(key)}: "${text}"`
      : message`add "${text}" to ${words(key)}`;
  });
  return joinMessages([...ofAnnotations, ...sentences.values()], '; ');
}

function openReport(workload: Workload, open: readonly Direction[]): Report {
  const problem = words(`has pods that no NetworkPolicy isolates for ${open.join(' and ')}`);
  return { problem, remedy: words(remedyFor(workload)), field: ['spec'], counts: 'not isolated' };
}

function remedyFor({ selector, labels }: Workload): string {
  if (Object.keys(selector).length === 0)
    return 'add a label of its own to the pod template, so that a NetworkPolicy can select the pods';
  return hasLabels(labels, selector)
    ? 'add a NetworkPolicy that selects them; in a package, `guardrails fix` writes one'
    : 'make spec.selector match the labels of the pod template, as the API server requires';
}
