import { API_KINDS } from '../../functions/guardrails/kubernetes/api-models';
import {
  type ApiType,
  type Model,
  type Scalar,
  modelOfKind,
} from '../../functions/guardrails/kubernetes/api-types';
import type { YamlObject, YamlValue } from '../../functions/guardrails/yaml/yaml';

/** Makes resources and changes of them at random. */
export class Generator {
  /** @param without fields that no resource gets, such as `V1Pod.spec` */
  constructor(
    private readonly random: () => number,
    private readonly without: ReadonlySet<string>,
  ) {}

  pick<T>(list: readonly T[]): T {
    const one = list[Math.floor(this.random() * list.length)];
    if (one === undefined) throw new Error('an empty list');
    return one;
  }

  chance(share: number): boolean {
    return this.random() < share;
  }

  /** A resource that decodes: of fields at random, down to lists in lists. */
  resource(apiVersion: string, kind: string): YamlObject {
    const model = modelOfKind(apiVersion, kind);
    if (model === undefined) throw new Error(`no model of ${apiVersion} ${kind}`);
    return { ...this.object(model, 0), apiVersion, kind };
  }

  private object(model: Model, depth: number): YamlObject {
    const fields = [...model.fields].filter(
      ([name, type]) => !isNewer(type) && !this.without.has(`${model.name}.${name}`),
    );
    // Deeper, fewer fields: a pod has hundreds.
    const share = Math.max(0.08, Math.min(1, (depth < 3 ? 24 : 9) / fields.length) * 0.85 ** depth);
    return Object.fromEntries(
      fields
        .filter(([name]) => this.chance(depth < 2 && WANTED.has(name) ? 1 : share))
        .map(([name, type]) => [name, this.value(type, depth + 1)]),
    );
  }

  private value(type: ApiType, depth: number): YamlValue {
    if (type.is === 'scalar') return this.scalar(type.scalar);
    if (type.is === 'model') return depth > 12 ? {} : this.object(type.model, depth);
    const entries = Array.from({ length: depth > 12 ? 0 : 1 + Math.floor(this.random() * 2) }, (_, i) => i);
    if (type.is === 'list') return entries.map(() => this.value(type.of, depth));
    const { of } = type;
    return Object.fromEntries(entries.map((i) => [`key-${i}`, this.value(of, depth)]));
  }

  private scalar(scalar: Scalar): YamlValue {
    return this.pick(VALID[scalar]);
  }
}

const WANTED = new Set(['spec', 'metadata', 'template', 'data', 'rules']);

/** Values of each type, by hand. */
const VALID: Readonly<Record<Scalar, readonly YamlValue[]>> = {
  string: ['', 'web', '5', 'true', '12:30', 'a b', 'ä'],
  boolean: [true, false],
  int32: [0, 1, -1, 8080, 2_147_483_647, -2_147_483_648],
  int64: [0, 1, 3_000_000_000, -3_000_000_000, 9_007_199_254_740_991],
  double: [0, 1, 0.5, -2.25],
  quantity: ['100m', '1', '1.5Gi', '5e3', '-1', 5, 0.5, '.5', '1E'],
  intOrString: [80, 'http', '25%', ''],
  time: ['2026-01-31T10:00:00Z', '2026-01-31T10:00:00.123456789+02:00'],
  microtime: ['2026-01-31T10:00:00.000000Z'],
  bytes: ['', 'YQ==', 'YWI=', 'YWJj', 'YW\nJj'],
  any: [{}],
};

/** Values that no type but a few takes, by hand. */
export const WRONG: readonly YamlValue[] = [
  'web',
  '',
  '5',
  'true',
  5,
  0.5,
  -1,
  2_147_483_648,
  1e19,
  true,
  false,
  [],
  ['a'],
  [{}],
  {},
  { a: 'b' },
  '2026-01-31',
  '2026-01-31T10:00:00Z',
  'YQ=',
  'Y Q==',
  '100 m',
  '1Kib',
];

/** Fields of the API that are newer than the models have type `any`, and none of the types of Go. */
function isNewer(type: ApiType): boolean {
  return type.is === 'scalar' && type.scalar === 'any';
}

/** The apiVersion and kind of every kind with a model. */
export const KINDS: readonly (readonly [string, string])[] = API_KINDS.trim()
  .split('\n')
  .map((line) => {
    const [apiVersion = '', kind = ''] = line.split(' ');
    return [apiVersion, kind] as const;
  });
