import type { PlacedReport, Report } from '../../findings/finding';
import { type Message, joinMessages, message, words } from '../../message';
import type { OpenNeed, Workload } from '../connection';
import { annotationsOf } from '../../krm/resource';
import type { Severity } from '../../krm/result';
import { DIRECTIONS, type Direction } from '../policy';
import { hasLabels } from '../selector';
import type { CheckedBuild, PolicyCheck } from './checked-build';

/** Pods that no policy isolates, and why; and pods that are isolated although not all of their traffic is known. */
export const isolation: PolicyCheck = (build) =>
  build.topology.workloads.flatMap((workload) => {
    if (workload.usesHostNetwork) return [];
    const { unknownContent, unknownSecrets } = build.topology;
    const hidden = unknownContent.get(workload) ?? unknownSecrets.get(workload);
    const findings = DIRECTIONS.map((direction) =>
      findingIn(direction, workload, build, hidden !== undefined),
    );
    const open = DIRECTIONS.filter((_, i) => findings[i] === 'open');
    const reports = [
      ...(hidden === undefined ? [] : [hiddenReport(hidden, workload, build)]),
      ...findings.filter((one) => one !== 'open' && one !== undefined),
      ...(open.length === 0 ? [] : [openReport(workload, open)]),
    ];
    return reports.map((report): PlacedReport => ({ at: workload, report }));
  });

/**
 * `open`: no policy isolates the pods, and nothing holds that back; undefined: there is nothing to report. Policies that
 * were written where the content is known are kept.
 *
 * @param isReader content that the function does not have is reported for the workload already
 */
function findingIn(
  direction: Direction,
  workload: Workload,
  build: CheckedBuild,
  isReader: boolean,
): Report | 'open' | undefined {
  const { heldBack, pods, policies, peers } = build;
  const isKnown = ({ isUnknownContent }: OpenNeed) => isUnknownContent !== true;
  const needs = heldBack.reasons(workload, direction);
  const known = needs.filter(isKnown);
  const doubts = heldBack.doubts(workload, direction).filter(isKnown);
  const [policy] = policies.isolating(pods.ofWorkload(workload), direction);
  const reportOf = (clause: Message, of: readonly OpenNeed[], severity: Severity): Report => ({
    problem: message`${clause}: ${evidenceOf(of)}`,
    remedy: remedyOf(of, workload, build),
    field: of[0]?.field ?? [],
    severity,
  });
  if (policy === undefined) {
    if (needs.length === 0) return 'open';
    if (known.length === 0 && isReader) return undefined;
    const clause = message`is not isolated for ${words(direction)}`;
    const report =
      known.length === 0 ? reportOf(clause, needs, 'warning') : reportOf(clause, known, peers.unresolved);
    return { ...report, counts: 'not isolated' };
  }
  const isolated = message`is isolated for ${words(direction)} by NetworkPolicy/${policy.name}`;
  if (known.length > 0)
    return reportOf(message`${isolated}, which cuts off what is not known`, known, peers.unresolved);
  if (doubts.length === 0) return undefined;
  return reportOf(message`${isolated}, which may cut off what is not known`, doubts, 'warning');
}

const RUN_FIX = 'run `guardrails fix` on the directory, which has the file';

/** The traffic of a workload that reads content which the function does not have. */
function hiddenReport(hidden: Message, workload: Workload, build: CheckedBuild): Report {
  const { pods, policies, topology, annotations } = build;
  const pod = pods.ofWorkload(workload);
  const open = DIRECTIONS.filter((direction) => policies.isolating(pod, direction).length === 0);
  const effect =
    open.length === 0 ? 'its policies are kept as they are' : `it is not isolated for ${open.join(' and ')}`;
  return {
    problem: message`reads ${hidden}, whose content is not in the input, so ${words(effect)}`,
    remedy: topology.unknownContent.has(workload)
      ? words(`${RUN_FIX}, or write the values under literals of the generator`)
      : message`${words(RUN_FIX)}, or state its hosts in ${words(annotations.connectsTo)}, or none`,
    field: ['spec'],
    severity: 'warning',
    ...(open.length > 0 && { counts: 'not isolated' }),
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
function remedyOf(
  needs: readonly OpenNeed[],
  { resource }: Workload,
  { annotations: { domain }, serviceMeant }: CheckedBuild,
): Message {
  const entries = new Map<string, Map<string, Message>>();
  const sentences = new Map<string, Message>();
  for (const { missing, answer: usual } of needs) {
    const meant = missing && serviceMeant(missing.name, missing.namespace);
    const answer = meant === undefined ? usual : message`name Service/${meant}`;
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
