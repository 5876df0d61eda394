import { isMisspelt } from '../../kubernetes/near-name';
import { type Message, message } from '../../message';
import type { Workload } from '../../network/connection';
import type { Labels } from '../../network/selector';

/** What a selector may select: pods, or Services. */
export interface Candidate {
  /** `the pods of Deployment/web`. */
  readonly subject: Message;
  readonly labels: Labels;
  /** Whose pods they are. */
  readonly workload?: Workload;
}

/** The one label of a selector that does not match. */
export interface NearLabel {
  readonly candidate: Candidate;
  /** In the selector. */
  readonly key: string;
  /** What it is in comparison with what the candidate has. */
  readonly difference: Message;
  readonly remedy: Message;
}

/** Labels that say what a workload is. */
const IDENTITY = /(?:^|\/)(?:app|name|k8s-app|run|component|service|part-of)$/i;
/** Labels that programs and controllers set on running pods, and that tell versions of one workload apart. */
const SET_LATER =
  /(?:^|[/.-])(?:role|leader|primary|master|active|slot|colou?r|track|version|revision|state|status|canary|shard|instanceRole)$/i;

/** The label of a selector that is most likely wrong: with another one, it would select a candidate. */
export function nearLabel(labels: Labels, candidates: readonly Candidate[]): NearLabel | undefined {
  for (const candidate of candidates) {
    const near = misspeltLabel(labels, candidate);
    if (near !== undefined) return near;
  }
  const near = candidates.filter((one) => isNearly(labels, one.labels));
  const [first] = near;
  return first === undefined || near.length > 1 ? undefined : otherLabel(labels, first);
}

/** The labels of a selector that a candidate does not have. */
function missingIn(labels: Labels, own: Labels): [string, string][] {
  return Object.entries(labels).filter(([key, value]) => !Object.hasOwn(own, key) || own[key] !== value);
}

function misspeltLabel(labels: Labels, candidate: Candidate): NearLabel | undefined {
  const { subject, labels: own } = candidate;
  const [missing, ...more] = missingIn(labels, own);
  if (missing === undefined || more.length > 0) return undefined;
  const [key, value] = missing;
  const ownValue = Object.hasOwn(own, key) ? own[key] : undefined;
  if (ownValue !== undefined)
    return isMisspelt(value, ownValue) ? differentValue(key, value, ownValue, candidate) : undefined;
  const right = Object.keys(own).find((one) => own[one] === value && isMisspelt(key, one));
  if (right === undefined) return undefined;
  return {
    candidate,
    key,
    difference: message`the selector has the label ${key}, ${subject} have ${right}: ${value}`,
    remedy: message`did you mean ${right}: ${value}?`,
  };
}

/** Whether all labels but one are those of a candidate, and they say which one it is. */
function isNearly(labels: Labels, own: Labels): boolean {
  const [missing, ...more] = missingIn(labels, own);
  if (missing === undefined || more.length > 0) return false;
  const [key] = missing;
  if (IDENTITY.test(key) || SET_LATER.test(key)) return false;
  return Object.keys(labels).some((one) => one !== key && IDENTITY.test(one) && !one.endsWith('part-of'));
}

function otherLabel(labels: Labels, candidate: Candidate): NearLabel | undefined {
  const { subject, labels: own } = candidate;
  const [[key, value] = ['', '']] = missingIn(labels, own);
  const ownValue = Object.hasOwn(own, key) ? own[key] : undefined;
  if (ownValue !== undefined) return differentValue(key, value, ownValue, candidate);
  return {
    candidate,
    key,
    difference: message`${subject} have all labels of the selector but ${key}: ${value}`,
    remedy: message`remove ${key} from the selector, or add the label to the pod template`,
  };
}

function differentValue(key: string, value: string, own: string, candidate: Candidate): NearLabel {
  return {
    candidate,
    key,
    difference: message`the selector has ${key}: ${value}, ${candidate.subject} have ${key}: ${own}`,
    remedy: message`did you mean ${key}: ${own}?`,
  };
}
