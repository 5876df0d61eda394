import { type YamlValue, isObject, isAbsent } from '../yaml/yaml';
import { listIn, mappingIn, refuse } from './decode';

export type Labels = Readonly<Record<string, string>>;

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

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

/** No label has a value that is in an empty list. */
const NOTHING: Selector = { matchLabels: {}, matchExpressions: [{ key: '', operator: 'In', values: [] }] };

// What a label may be (apimachinery, validation.IsQualifiedName and IsValidLabelValue).
const NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const PREFIX = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/**
 * Reads a LabelSelector as the API server does; undefined where none stands (absent or null), which is not the empty
 * one. One that the API server refuses selects nothing.
 *
 * @param at where it stands, as a field path
 * @param problems takes what the API server refuses
 */
export function readSelector(
  value: YamlValue | undefined,
  at: string,
  problems: string[],
): Selector | undefined {
  if (isAbsent(value)) return undefined;
  const before = problems.length;
  const selector = mappingIn(value, at, problems, ['matchLabels', 'matchExpressions']) ?? {};
  const matchLabels = matchLabelsIn(selector.matchLabels, `${at}.matchLabels`, problems);
  const matchExpressions = listIn(selector.matchExpressions, `${at}.matchExpressions`, problems).flatMap(
    (expression, i) => expressionIn(expression, `${at}.matchExpressions[${i}]`, problems),
  );
  return problems.length > before ? NOTHING : { matchLabels, matchExpressions };
}

function matchLabelsIn(value: YamlValue | undefined, at: string, problems: string[]): Labels {
  const entries = Object.entries(mappingIn(value, at, problems) ?? {});
  return Object.fromEntries(
    entries.map(([key, label]) => [keyIn(key, at, problems), labelIn(label, `${at}.${key}`, problems)]),
  );
}

function expressionIn(value: YamlValue, at: string, problems: string[]): Expression[] {
  const expression = mappingIn(value, at, problems, ['key', 'operator', 'values']);
  if (expression === undefined) return [];
  const operator = OPERATORS.find((one) => one === expression.operator);
  const values = listIn(expression.values, `${at}.values`, problems);
  const takesValues = operator === 'In' || operator === 'NotIn';
  if (operator === undefined)
    refuse(problems, `${at}.operator`, expression.operator, `it is ${OPERATORS.join(', ')}`);
  else if (takesValues !== values.length > 0)
    refuse(
      problems,
      `${at}.values`,
      expression.values,
      `${operator} takes ${takesValues ? 'at least one' : 'none'}`,
    );
  const key = keyIn(expression.key, `${at}.key`, problems);
  const labels = values.map((one, i) => labelIn(one, `${at}.values[${i}]`, problems));
  return operator === undefined ? [] : [{ key, operator, values: labels }];
}

function keyIn(value: YamlValue | undefined, at: string, problems: string[]): string {
  const key = typeof value === 'string' ? value : '';
  const [name = '', prefix, ...more] = key.split('/').reverse();
  if (!NAME.test(name) || !(prefix === undefined || PREFIX.test(prefix)) || more.length > 0)
    refuse(problems, at, value, 'that is no key of a label');
  return key;
}

/** A label's value; null is the empty one. */
function labelIn(value: YamlValue, at: string, problems: string[]): string {
  const label = value ?? '';
  if (typeof label === 'string' && (label === '' || NAME.test(label))) return label;
  const isText = typeof label === 'string';
  refuse(
    problems,
    at,
    value,
    isText ? 'that is no value of a label' : 'it takes quotes to be the text that a label is',
  );
  return '';
}

/** Whether what stands for labels is some, as the API server has it: a mapping of texts, or nothing. */
export function isLabels(value: YamlValue | undefined): boolean {
  return isAbsent(value) || (isObject(value) && Object.values(value).every((one) => typeof one === 'string'));
}

/** Labels; without those that `isLabels` does not take. */
export function labelsIn(value: YamlValue | undefined): Labels {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([, one]) => typeof one === 'string')) as Labels;
}

/** Whether something has all of the wanted labels. */
export function hasLabels(labels: Labels, wanted: Labels): boolean {
  for (const key in wanted) if (labelOf(labels, key) !== wanted[key]) return false;
  return true;
}

/** Whether a selector selects what has these labels (apimachinery labels.Selector.Matches). */
export function selects({ matchLabels, matchExpressions }: Selector, labels: Labels): boolean {
  if (!hasLabels(labels, matchLabels)) return false;
  return matchExpressions.every(({ key, operator, values }) => {
    const value = labelOf(labels, key);
    switch (operator) {
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      case 'In':
        return value !== undefined && values.includes(value);
      // Also what lacks the label is not in the list.
      case 'NotIn':
        return value === undefined || !values.includes(value);
    }
  });
}

function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
