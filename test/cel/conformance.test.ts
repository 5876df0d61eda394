// The conformance tests of the CEL specification, but for those about protocol buffers and about extensions that Kubernetes lacks.
import { tests as conformance } from '@bufbuild/cel-spec/testdata/conformance.js';
import { evaluateCel } from '../../functions/guardrails/cel/evaluate';
import { CelError, CelSyntaxError, CelUnknown } from '../../functions/guardrails/cel/errors';
import { parseDuration, parseTimestamp } from '../../functions/guardrails/cel/extensions/time';
import { parseCel } from '../../functions/guardrails/cel/syntax';
import { type Key, Type, Uint, type Value, equal, keyOf, typeOf } from '../../functions/guardrails/cel/value';

const SUITES = new Set([
  'basic',
  'bindings_ext',
  'comparisons',
  'conversions',
  'fields',
  'fp_math',
  'integer_math',
  'lists',
  'logic',
  'macros',
  'macros2',
  'math_ext',
  'optionals',
  'parse',
  'plumbing',
  'string',
  'string_ext',
  'timestamps',
]);
/** Protocol buffers, and functions that Kubernetes does not have. */
const OTHERS =
  /TestAllTypes|google\.protobuf\.|proto[23]|GlobalEnum|cel\.expr|math\.(?!greatest|least)|cel\.@block|base64/;

/** The version of the extension `strings` that Kubernetes has quotes texts in lists (see test/oracles/admission-policies). */
const QUOTED = new Set(['list support for string', 'dyntype support for lists']);

interface Suite {
  readonly name: string;
  readonly suites?: readonly Suite[];
  readonly tests?: readonly { readonly original: Test }[];
}

interface Test {
  readonly name?: string;
  readonly expr: string;
  readonly value?: Written;
  readonly typedResult?: { readonly result?: Written };
  readonly evalError?: unknown;
  readonly container?: string;
  readonly checkOnly?: boolean;
  readonly disableMacros?: boolean;
  readonly bindings?: Readonly<Record<string, { readonly value?: Written }>>;
}

/** A value in the JSON form of cel.expr.Value. */
interface Written {
  readonly int64Value?: string;
  readonly uint64Value?: string;
  readonly doubleValue?: number | string;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly nullValue?: null;
  readonly bytesValue?: string;
  readonly typeValue?: string;
  readonly listValue?: { readonly values?: readonly Written[] };
  readonly mapValue?: { readonly entries?: readonly { readonly key: Written; readonly value: Written }[] };
  readonly objectValue?: { readonly '@type': string; readonly value?: string };
}

function valueOf(written: Written): Value | undefined {
  const { int64Value, uint64Value, doubleValue, stringValue, boolValue, bytesValue, typeValue } = written;
  if (int64Value !== undefined) return BigInt(int64Value);
  if (uint64Value !== undefined) return new Uint(BigInt(uint64Value));
  if (doubleValue !== undefined) return Number(doubleValue);
  if (stringValue !== undefined) return stringValue;
  if (boolValue !== undefined) return boolValue;
  if (bytesValue !== undefined) return Uint8Array.from(Buffer.from(bytesValue, 'base64'));
  if (typeValue !== undefined) return new Type(typeValue);
  if (written.listValue !== undefined)
    return (written.listValue.values ?? []).map((one) => valueOf(one) ?? null);
  if (written.mapValue !== undefined)
    return new Map(
      (written.mapValue.entries ?? []).map(({ key, value }): [Key, Value] => [
        keyOf(valueOf(key) ?? null) ?? '',
        valueOf(value) ?? null,
      ]),
    );
  const { '@type': type, value = '' } = written.objectValue ?? { '@type': '' };
  if (type.endsWith('Timestamp')) return parseTimestamp(value);
  if (type.endsWith('Duration')) return parseDuration(value);
  return 'nullValue' in written ? null : undefined;
}

function testsIn({ tests = [], suites = [] }: Suite): Test[] {
  return [...tests.map(({ original }) => original), ...suites.flatMap(testsIn)];
}

const suites = ((conformance as unknown as Suite).suites ?? []).filter(({ name }) => SUITES.has(name));

type Outcome = { readonly value: Value } | { readonly error: string };

function outcomeOf({ expr, bindings = {} }: Test): Outcome {
  const variables = new Map(Object.entries(bindings).map(([key, one]) => [key, valueOf(one.value ?? {})]));
  try {
    return { value: evaluateCel(parseCel(expr), (variable) => variables.get(variable)) };
  } catch (error) {
    if (error instanceof CelError || error instanceof CelSyntaxError || error instanceof CelUnknown)
      return { error: error.message };
    throw error;
  }
}

/** Whether a test is about what Kubernetes has. */
function isCompared({ name = '', expr, value, bindings = {}, ...rest }: Test): boolean {
  const isOfOthers = OTHERS.test(JSON.stringify([expr, value, bindings, rest.container]));
  const hasQualified = Object.keys(bindings).some((key) => key.includes('.'));
  return (
    !isOfOthers &&
    !hasQualified &&
    !QUOTED.has(name) &&
    rest.checkOnly !== true &&
    rest.disableMacros !== true
  );
}

function isSame(found: Value, expected: Value): boolean {
  if (Number.isNaN(expected)) return Number.isNaN(found);
  return equal(found, expected) && typeOf(found) === typeOf(expected);
}

function problemOf(one: Test): string[] {
  const { name = '', expr, value, typedResult, evalError } = one;
  const written = value ?? typedResult?.result;
  const outcome = outcomeOf(one);
  const expected = written === undefined ? true : (valueOf(written) ?? null);
  const isRight =
    'error' in outcome ? evalError !== undefined : evalError === undefined && isSame(outcome.value, expected);
  return isRight
    ? []
    : [`${name}: ${expr} is ${show(outcome)}, not ${evalError === undefined ? show(expected) : 'an error'}`];
}

test.each(suites.map((suite) => [suite.name, suite] as const))('%s', (_, suite) => {
  const compared = testsIn(suite).filter(isCompared);
  expect(compared.length).toBeGreaterThan(0);
  expect(compared.flatMap(problemOf)).toEqual([]);
});

test('1,000 tests at least are compared', () => {
  expect(suites.flatMap(testsIn).filter(isCompared).length).toBeGreaterThanOrEqual(1000);
});

function show(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}` : one));
}
