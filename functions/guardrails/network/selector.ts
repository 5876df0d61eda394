import { isLabelKey, isLabelValue } from '../kubernetes/label-syntax';
import { type YamlValue, isAbsent, isObject, textOf } from '../yaml/yaml';
import type { Field } from './decode';

export type Labels = Readonly<Record<string, string>>;

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** Pods as a policy selects them: by their namespace and some of their labels. */
export interface SelectedPods {
  readonly namespace: string;
  readonly podLabels: Labels;
}

/** A LabelSelector (meta/v1): every label and every expression must hold; an empty one selects everything. */
export interface Selector {
  readonly matchLabels: Labels;
  readonly matchExpressions: readonly Expression[];
}

export interface Expression {
  readonly key: string;
  readonly operator: (typeof OPERATORS)[number];
  readonly values: readonly string[];
}

/** No value is in an empty list. */
const NOTHING: Selector = { matchLabels: {}, matchExpressions: [{ key: '', operator: 'In', values: [] }] };

/**
 * Reads a LabelSelector as the API server does; undefined where it is absent, which is not the empty one. One that the
 * API server refuses selects nothing.
 */
export function readSelector(field: Field): Selector | undefined {
  if (field.isAbsent) return undefined;
  const selector = field.mapping(['matchLabels', 'matchExpressions'], () => ({
    matchLabels: matchLabelsIn(field.at('matchLabels')),
    matchExpressions: field.at('matchExpressions').entries().flatMap(expressionIn),
  }));
  return selector ?? NOTHING;
}

function matchLabelsIn(field: Field): Labels {
  const keys = field.isMapping() && isObject(field.value) ? Object.keys(field.value) : [];
  return Object.fromEntries(
    keys.map((key) => {
      if (!isKey(key)) field.refuse('a mapping with valid label keys', key);
      return [key, labelIn(field.at(key))];
    }),
  );
}

function expressionIn(field: Field): Expression[] {
  if (!field.isMapping(['key', 'operator', 'values'])) return [];
  const written = field.at('operator');
  const operator = OPERATORS.find((one) => one === written.value);
  const values = field.at('values').entries();
  const takesValues = operator === 'In' || operator === 'NotIn';
  if (operator === undefined) written.refuse(`one of ${OPERATORS.join(', ')}`);
  else if (takesValues !== values.length > 0)
    field.at('values').refuse(`${takesValues ? 'a non-empty list' : 'absent'} with ${operator}`);
  const key = field.at('key');
  if (!isKey(key.value)) key.refuse('a valid label key');
  const labels = values.map(labelIn);
  return operator === undefined ? [] : [{ key: textOf(key.value), operator, values: labels }];
}

/** Whether the API server accepts a label. */
export function isLabel(key: string, value: string): boolean {
  return isLabelKey(key) && isLabelValue(value);
}

function isKey(value: YamlValue | undefined): boolean {
  return typeof value === 'string' && isLabelKey(value);
}

/** A label's value; null is the empty one. */
function labelIn(field: Field): string {
  const label = field.value ?? '';
  if (typeof label === 'string' && isLabelValue(label)) return label;
  field.refuse(typeof label === 'string' ? 'a valid label value' : 'a quoted string');
  return '';
}

/** Whether a value can be labels to the API server: absent, or a mapping of strings. */
export function isLabels(value: YamlValue | undefined): boolean {
  return isAbsent(value) || (isObject(value) && Object.values(value).every((one) => typeof one === 'string'));
}

/** The entries of a mapping whose values are strings. */
export function stringsIn(value: YamlValue | undefined): Readonly<Record<string, string>> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** Whether all of the required labels are among some labels. */
export function hasLabels(labels: Labels, required: Labels): boolean {
  for (const key in required) if (labelOf(labels, key) !== required[key]) return false;
  return true;
}

/** Whether a selector selects what has these labels (apimachinery labels.Selector.Matches). */
export function selects({ matchLabels, matchExpressions }: Selector, labels: Labels): boolean {
  if (!hasLabels(labels, matchLabels)) return false;
  return matchExpressions.every(({ key, operator, values }) => {
    const value = labelOf(labels, key);
    const [isThere, isListed] = [value !== undefined, value !== undefined && values.includes(value)];
    return { Exists: isThere, DoesNotExist: !isThere, In: isListed, NotIn: !isListed }[operator];
  });
}

function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
