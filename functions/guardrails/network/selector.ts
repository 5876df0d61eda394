import { type YamlObject, type YamlValue, isObject } from '../krm/yaml';

export type Labels = Readonly<Record<string, string>>;

/** A LabelSelector (meta/v1): every label and every expression must hold; an empty one selects everything. */
export interface Selector {
  readonly matchLabels: Labels;
  readonly matchExpressions: readonly Expression[];
}

export interface Expression {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** Reads a LabelSelector; undefined where none stands (absent or null), which is not the empty one. */
export function readSelector(value: YamlValue | undefined): Selector | undefined {
  if (!isObject(value)) return undefined;
  const expressions = Array.isArray(value.matchExpressions) ? value.matchExpressions.filter(isObject) : [];
  return {
    matchLabels: labelsIn(value.matchLabels),
    matchExpressions: expressions.flatMap(({ key, operator, values }) => {
      const known = OPERATORS.find((one) => one === operator);
      // The API server refuses it; until then it selects nothing.
      if (typeof key !== 'string' || known === undefined)
        return [{ key: '', operator: 'Exists', values: [] }];
      return [{ key, operator: known, values: Array.isArray(values) ? values.map(String) : [] }];
    }),
  };
}

export function labelsIn(value: YamlValue | undefined): Labels {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([, one]) => typeof one === 'string')) as Labels;
}

/** Whether a selector selects what has these labels (apimachinery labels.Selector.Matches). */
export function selects({ matchLabels, matchExpressions }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labelOf(labels, key) === value) &&
    matchExpressions.every(({ key, operator, values }) => {
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
    })
  );
}

function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** Whether a mapping may be a selector's: no key that a reader drops in silence. */
export function unknownSelectorKeys(value: YamlObject): string[] {
  return Object.keys(value).filter((key) => key !== 'matchLabels' && key !== 'matchExpressions');
}
