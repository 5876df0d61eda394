import { API_FIELDS } from '../../functions/guardrails/kubernetes/api-models';
import {
  type ApiType,
  type Model,
  modelOf,
  modelOfKind,
} from '../../functions/guardrails/kubernetes/api-types';
import { readItem } from '../../functions/guardrails/krm/item';
import { Decoder } from '../../functions/guardrails/rules/api-schema/decoder';
import { formatPath } from '../../functions/guardrails/yaml/field-path';
import { type YamlObject, type YamlValue, isObject, textOf } from '../../functions/guardrails/yaml/yaml';
import { Generator, KINDS, WRONG } from '../support/generated-resources';
import { useOracle } from '../support/oracle';
import { numbersFrom } from '../support/seeded';
import { describeWithTool } from '../support/tools';

const MODULE = 'k8s.io/client-go v0.37.2';
const SEED = 20_261_127;
const RUNS = 3_000;

/** What one side makes of a resource. */
interface Verdict {
  readonly unknown: readonly string[];
  readonly repeats: boolean;
  readonly hasWrongType: boolean;
}

/** Our verdict on the text of a resource. Only what the decoder decides counts, not what validation does later. */
function ours(text: string): Verdict {
  const item = readItem(text, 'a resource', { start: 0, end: text.length, column: 0 });
  if (item === undefined) throw new Error('an empty resource');
  const { apiVersion, kind } = item.value;
  const model = modelOfKind(textOf(apiVersion), textOf(kind));
  if (model === undefined) throw new Error(`no model of ${textOf(kind)}`);
  const reports = new Decoder(item.value).check(item.value, model);
  const of = (pattern: RegExp) => reports.filter(({ problem }) => pattern.test(problem.raw));
  return {
    unknown: of(/^has the unknown field /)
      .map(({ field }) => formatPath(field))
      .sort(),
    repeats: (item.repeatedKeys ?? []).length > 0,
    hasWrongType: of(/ which must be /).length > 0,
  };
}

/** The verdict in the errors of the oracle. */
function theirs(errors: readonly string[]): Verdict {
  const unknown = errors.flatMap((one) => /^unknown field "(.*)"$/.exec(one)?.[1] ?? []);
  const repeated = errors.filter((one) => one.startsWith('duplicate field '));
  return {
    unknown: [...new Set(unknown)].sort(),
    repeats: repeated.length > 0,
    hasWrongType: errors.length > unknown.length + repeated.length,
  };
}

/** A type error ends the decoding, so that the fields after it are not seen. */
function agree(one: Verdict, other: Verdict): boolean {
  if (one.hasWrongType || other.hasWrongType) return one.hasWrongType === other.hasWrongType;
  return one.repeats === other.repeats && JSON.stringify(one.unknown) === JSON.stringify(other.unknown);
}

/** The paths to all mappings, lists and scalars in a value. */
function pathsIn(
  value: YamlValue,
  path: readonly (string | number)[] = [],
): (readonly (string | number)[])[] {
  const children = Array.isArray(value)
    ? value.map((item, i) => [i, item] as const)
    : isObject(value)
      ? Object.entries(value)
      : [];
  return [path, ...children.flatMap(([step, child]) => pathsIn(child, [...path, step]))];
}

function at(value: YamlValue, path: readonly (string | number)[]): YamlValue {
  return path.reduce<YamlValue>(
    (one, step) => (one as Record<string | number, YamlValue>)[step] ?? null,
    value,
  );
}

function set(root: YamlObject, path: readonly (string | number)[], value: YamlValue): void {
  const parent = at(root, path.slice(0, -1)) as Record<string | number, YamlValue>;
  parent[path.at(-1) ?? ''] = value;
}

/** In the place of a key that is written twice in the text; nothing else has it. */
const TWICE = '\u0001twice';

/** One change that a decoder may refuse, or not: the text of the resource in JSON. */
function mutated(resource: YamlObject, generator: Generator): { text: string; change: string } {
  const root = structuredClone(resource);
  const paths = pathsIn(root).filter(
    ([first]) => first !== undefined && first !== 'apiVersion' && first !== 'kind',
  );
  const mappings = [[], ...paths].filter((path) => isObject(at(root, path)));
  const change = generator.pick([
    'unknown',
    'near',
    'case',
    'wrong',
    'wrong',
    'wrong',
    'null',
    'twice',
    'none',
  ]);
  const path = generator.pick(paths.length > 0 ? paths : [['metadata']]);
  const mapping = at(root, generator.pick(mappings)) as YamlObject;
  const keys = Object.keys(mapping);
  const key = keys.length === 0 ? 'name' : generator.pick(keys);
  if (change === 'wrong') set(root, path, generator.pick(WRONG));
  if (change === 'null') set(root, path, null);
  if (change === 'unknown') mapping.unknwon = generator.pick(WRONG);
  if (change === 'near') mapping[`${key}s`] = mapping[key] ?? 'a';
  if (change === 'case') mapping[key.charAt(0).toUpperCase() + key.slice(1)] = mapping[key] ?? 'a';
  if (change === 'twice') mapping[`${TWICE}${key}`] = mapping[key] ?? 'a';
  return { text: JSON.stringify(root).replaceAll(JSON.stringify(TWICE).slice(1, -1), ''), change };
}

/** Where our table and the types of Go differ, each with its reason. */
const DIFFERENCES = new Map([
  ['V1Device.nodeAllocatableResourceMappings', 'an alpha field of 1.36, renamed in 1.37'],
  ['V1NodeAllocatableResourceClaimStatus.resources', 'an alpha field of 1.36, replaced in 1.37'],
  ['V1CustomResourceSubresources.status', 'the models call a mapping without fields any value'],
]);

interface Dump {
  readonly kinds: Readonly<Record<string, string>>;
  readonly types: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The types of Go by the names of our table. */
const SCALARS = new Map([
  ['bool', 'boolean'],
  ['float64', 'double'],
  ['integer or string', 'intOrString'],
]);

describeWithTool('go', `against the strict decoder of ${MODULE}`, (go) => {
  const decode = useOracle<string[] | Dump>(go, 'strict-decoding');
  const judge = (texts: readonly string[]) => (decode(texts) as string[][]).map(theirs);

  test('every field of the types of Go is in the table, with its type, and no other', () => {
    const [answer] = decode(['fields']);
    const { kinds, types } = answer as Dump;
    const differences = new Set<string>();
    const seen = new Set<string>();
    const compare = (type: string, own: ApiType, where: string): void => {
      if (own.is === 'scalar' && own.scalar === 'any') {
        // A mapping that reads itself, or a field that is newer than the models.
        const isNewer = !new RegExp(`\\b${where.split('.')[1] ?? ''}:`).test(lineOf(where));
        if (!type.includes('custom ') && !isNewer) differences.add(where);
      } else if (own.is === 'scalar') {
        if ((SCALARS.get(type) ?? type) !== own.scalar) differences.add(where);
      } else if (own.is === 'model') models(type, own.model);
      else if (type.startsWith(own.is === 'list' ? '[]' : '{}')) compare(type.slice(2), own.of, where);
      else differences.add(where);
    };
    const models = (type: string, model: Model): void => {
      if (seen.has(model.name)) return;
      seen.add(model.name);
      const fields = new Map(Object.entries(types[type] ?? {}));
      for (const [name, of] of fields) {
        const own = model.fields.get(name);
        if (own === undefined) differences.add(`${model.name}.${name}`);
        else compare(of, own, `${model.name}.${name}`);
      }
      for (const name of model.fields.keys()) if (!fields.has(name)) differences.add(`${model.name}.${name}`);
    };
    for (const [apiVersion, kind] of KINDS) {
      const model = modelOfKind(apiVersion, kind);
      if (model !== undefined) models(kinds[`${apiVersion} ${kind}`] ?? kind, model);
    }
    expect(seen.size).toBeGreaterThan(450);
    expect([...differences].sort()).toEqual([...DIFFERENCES.keys()].sort());
  });

  test(`${RUNS} resources of all kinds with a change each, seed ${SEED}: unknown and repeated fields, types, null`, () => {
    const generator = new Generator(numbersFrom(SEED), new Set(DIFFERENCES.keys()));
    const cases = Array.from({ length: RUNS }, (_, i) => {
      const [apiVersion, kind] = KINDS[i % KINDS.length] ?? ['v1', 'Pod'];
      const resource = generator.resource(apiVersion, kind);
      return { original: JSON.stringify(resource), ...mutated(resource, generator) };
    });
    const clean = { unknown: [], repeats: false, hasWrongType: false };
    const originals = cases.map(({ original }) => original);
    expect(originals.filter((text) => !agree(ours(text), clean))).toEqual([]);
    const refused = judge(originals).flatMap((one, i) => (agree(one, clean) ? [] : [originals[i]]));
    expect(refused).toEqual([]);

    const verdicts = judge(cases.map(({ text }) => text));
    const counts = new Map<string, number>();
    const disagreed = cases.flatMap(({ text, change }, i) => {
      const theirVerdict = verdicts[i];
      if (theirVerdict === undefined) return [];
      const { unknown, repeats, hasWrongType } = theirVerdict;
      const outcome = hasWrongType
        ? 'type'
        : unknown.length > 0
          ? 'unknown'
          : repeats
            ? 'repeated'
            : 'accepted';
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      const own = ours(text);
      return agree(own, theirVerdict) ? [] : [{ change, own, theirVerdict, text }];
    });
    expect(disagreed).toEqual([]);
    for (const verdict of ['type', 'unknown', 'repeated', 'accepted'])
      expect([verdict, (counts.get(verdict) ?? 0) > RUNS / 20]).toEqual([verdict, true]);
  });
});

/** The line of a model in the table. @param where `V1Pod.spec` */
function lineOf(where: string): string {
  const name = where.split('.')[0] ?? '';
  if (modelOf(name) === undefined) throw new Error(`no model ${name}`);
  return API_FIELDS.split('\n').find((line) => line.startsWith(`${name} `)) ?? '';
}
