import fc from 'fast-check';
import { compareQuantities, parseQuantity } from '../../functions/guardrails/kubernetes/quantity';
import { useOracle } from '../support/oracle';
import { describeWithTool } from '../support/tools';

type Comparison = '<' | '=' | '>';

const COMPARED: readonly [a: string, comparison: Comparison, b: string][] = [
  // Suffixes
  ['1', '=', '1000m'],
  ['1m', '=', '1000u'],
  ['1u', '=', '1000n'],
  ['1k', '=', '1000'],
  ['1M', '=', '1000k'],
  ['1G', '=', '1000M'],
  ['1T', '=', '1000G'],
  ['1P', '=', '1000T'],
  ['1E', '=', '1000P'],
  ['1Ki', '=', '1024'],
  ['1Mi', '=', '1024Ki'],
  ['1Gi', '=', '1024Mi'],
  ['1Ti', '=', '1024Gi'],
  ['1Pi', '=', '1024Ti'],
  ['1Ei', '=', '1024Pi'],
  ['1e3', '=', '1k'],
  ['1E3', '=', '1k'],
  ['1e+3', '=', '1k'],
  ['1e-3', '=', '1m'],
  ['1E', '=', '1e18'],
  // What people mix up
  ['128M', '<', '128Mi'],
  ['512Mi', '>', '512M'],
  ['100m', '=', '0.1'],
  ['500m', '<', '1'],
  ['100m', '<', '0.2'],
  ['1.5Gi', '=', '1536Mi'],
  // Forms of a number
  ['+1', '=', '1'],
  ['-1', '<', '0'],
  ['-2', '<', '-1'],
  ['-0', '=', '0'],
  ['007', '=', '7'],
  ['1.', '=', '1'],
  ['.5', '=', '500m'],
  ['1.50', '=', '1.5'],
  ['.5Ki', '=', '512'],
  // No digit is lost
  ['9007199254740993', '>', '9007199254740992'],
  ['123456789012345678901234567890', '<', '123456789012345678901234567891'],
  // Smaller than a billionth: rounded up, away from zero
  ['0.1n', '=', '1n'],
  ['1.1n', '=', '2n'],
  ['-0.1n', '=', '-1n'],
  ['0.0000000001', '>', '0'],
  ['1e-100', '=', '1n'],
  // Binary ones end at 2^63 - 1, others do not
  ['9Ei', '=', '8Ei'],
  ['8Ei', '=', '9223372036854775807'],
  ['-9Ei', '=', '-8Ei'],
  ['10E', '>', '9Ei'],
  ['1e100', '>', '9Ei'],
];

const INVALID = [
  ...['', ' ', ' 1', '1 ', '1\n', '1 Mi', '1_000', '1,5', '1.2.3', '--1', '+-1', '0x10', '1٣', '1m1', '1i'],
  ...['1MB', '1Kb', '1KI', '1ki', '1mi', '1K', '1g', '1e', '1e+', '1e3m', '1Mie3', '1e1.5', '1ee1'],
  ...['NaN', 'Infinity', 'one', '128MiB', '100%', 'e-10', '.Ei'],
];

/** Go reads these, as the sign says; here they are invalid. */
const STRICTER: readonly [text: string, sign: number][] = [
  // A number without a digit is 0 to Go: a slip of its author.
  ...['Ki', 'm', 'E', '+', '-', '.', '-.', '.Ki', 'e3'].map((text): [string, number] => [text, 0]),
  // An exponent beyond 100.
  ['1e101', 1],
  ['-1e101', -1],
  ['1e-101', 1],
];

const SIGNS = { '<': -1, '=': 0, '>': 1 };

function compared(a: string, b: string): number | undefined {
  const [first, second] = [parseQuantity(a), parseQuantity(b)];
  return first === undefined || second === undefined ? undefined : compareQuantities(first, second);
}

it.each(COMPARED)('%s %s %s', (a, comparison, b) => {
  expect(compared(a, b)).toBe(SIGNS[comparison]);
  expect(compared(b, a)).toBe(0 - SIGNS[comparison]);
});

it.each([...INVALID, ...STRICTER.map(([text]) => text)])('%j is not a quantity', (text) => {
  expect(parseQuantity(text)).toBeUndefined();
});

it.each([
  [1, '1'],
  [0.1, '100m'],
  [1e9, '1G'],
  [1e21, '1000E'],
  [1e-7, '100n'],
  [-1, '-1'],
])('the number %s is %s', (number, text) => {
  expect(parseQuantity(number)).toEqual(parseQuantity(text));
});

it.each([[NaN], [Infinity], [null], [undefined], [true], [['1']], [{}]])('%p is not a quantity', (value) => {
  expect(parseQuantity(value)).toBeUndefined();
});

it('a long run of digits is answered', () => {
  for (const text of ['9'.repeat(100_000), `0.${'0'.repeat(100_000)}1`, `1${'m'.repeat(100_000)}`])
    expect(() => parseQuantity(text)).not.toThrow();
});

interface Verdict {
  readonly ok: readonly [boolean, boolean];
  readonly sign: readonly [number, number];
  readonly compare: number;
}

const SEED = 20_250_711;
const RUNS = 10_000;

describeWithTool('go', `against apimachinery v0.37.2 (seed ${SEED})`, (go) => {
  const judge = useOracle<Verdict>(go, 'quantity');

  function ownVerdict([a, b]: readonly [string, string]): Verdict {
    const [first, second] = [parseQuantity(a), parseQuantity(b)];
    const zero = { digits: 0n };
    return {
      ok: [first !== undefined, second !== undefined],
      sign: [compareQuantities(first ?? zero, zero), compareQuantities(second ?? zero, zero)],
      compare: compared(a, b) ?? 0,
    };
  }

  function disagreements(pairs: readonly (readonly [string, string])[]): unknown[] {
    const verdicts = judge(pairs);
    return pairs
      .map((pair, i) => ({ pair, theirs: verdicts[i], ours: ownVerdict(pair) }))
      .filter(({ theirs, ours }) => JSON.stringify(theirs) !== JSON.stringify(ours))
      .slice(0, 20);
  }

  it('says the same of the tables above', () => {
    expect(disagreements(COMPARED.map(([a, , b]) => [a, b]))).toEqual([]);
    expect(disagreements(INVALID.map((text) => [text, '1']))).toEqual([]);
  });

  it('reads what is refused here on purpose', () => {
    const verdicts = judge(STRICTER.map(([text]) => [text, '1']));
    expect(verdicts.map(({ ok: [ok], sign: [sign] }) => ({ ok, sign }))).toEqual(
      STRICTER.map(([, sign]) => ({ ok: true, sign })),
    );
  });

  it(`says the same of ${RUNS} generated pairs`, () => {
    const pairs = fc
      .sample(generatedPair(), { seed: SEED, numRuns: RUNS })
      .filter((pair) => !pair.some(isStricter));
    expect(pairs.length).toBeGreaterThan(RUNS * 0.9);
    expect(disagreements(pairs)).toEqual([]);

    // Each answer was asked for often enough for the agreement to mean something.
    const own = pairs.map(ownVerdict);
    const count = (wanted: (verdict: Verdict) => boolean): number => own.filter(wanted).length;
    expect(count(({ ok: [ok] }) => !ok)).toBeGreaterThan(RUNS / 10);
    const both = ({ ok }: Verdict) => ok[0] && ok[1];
    for (const wanted of [-1, 0, 1])
      expect(count((one) => both(one) && one.compare === wanted)).toBeGreaterThan(RUNS / 50);
    expect(pairs.filter(([a, b]) => a !== b && compared(a, b) === 0).length).toBeGreaterThan(RUNS / 100);
  });
});

/** Read by Go and refused here, as in the table. */
function isStricter(text: string): boolean {
  const [, number = '0', exponent = '0'] = /^[+-]?([0-9.]*)[a-zA-Z]*([+-]?[0-9]*)$/.exec(text) ?? [];
  return /^\.?$/.test(number) || Math.abs(Number(exponent)) > 100;
}

/** Two of them, or one amount written in two ways, of which one may be a little off. */
function generatedPair(): fc.Arbitrary<readonly [string, string]> {
  const suffixes = fc.constantFrom<[higher: string, lower: string, factor: bigint]>(
    ...(
      [
        ['', 'm'],
        ['m', 'u'],
        ['u', 'n'],
        ['k', ''],
        ['M', 'k'],
        ['E', 'P'],
        ['e3', ''],
        ['e-6', 'n'],
      ] as const
    ).map(([higher, lower]): [string, string, bigint] => [higher, lower, 1000n]),
    ...(
      [
        ['Ki', ''],
        ['Mi', 'Ki'],
        ['Gi', 'Mi'],
        ['Ti', 'Gi'],
        ['Ei', 'Pi'],
      ] as const
    ).map(([higher, lower]): [string, string, bigint] => [higher, lower, 1024n]),
  );
  const amount = fc
    .bigInt({ min: -(2n ** 70n), max: 2n ** 70n })
    .chain((large) => fc.constantFrom(large, large % 1000n));
  const close = fc
    .tuple(suffixes, amount, fc.constantFrom(-1n, 0n, 0n, 1n), fc.boolean())
    .map(([[higher, lower, factor], number, off, swapped]) => {
      const pair = [`${number}${higher}`, `${number * factor + off}${lower}`] as const;
      return swapped ? ([pair[1], pair[0]] as const) : pair;
    });
  return fc.oneof(
    { weight: 4, arbitrary: fc.tuple(generatedQuantity(), generatedQuantity()) },
    { weight: 1, arbitrary: close },
  );
}

/** Texts in the shape of a quantity, around the places where suffixes meet; a third with a character changed. */
function generatedQuantity(): fc.Arbitrary<string> {
  const concat = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
    fc.tuple(...parts).map((texts) => texts.join(''));
  const sign = fc.constantFrom('', '', '', '', '-', '+');
  const round = fc.constantFrom('0', '1', '2', '8', '9', '10', '1000', '1024', '1023', '1048576', '1000000');
  const whole = fc.oneof(
    { weight: 4, arbitrary: round },
    { weight: 3, arbitrary: fc.stringMatching(/^[0-9]{1,4}$/) },
    { weight: 1, arbitrary: fc.stringMatching(/^[0-9]{15,22}$/) },
    { weight: 1, arbitrary: fc.constantFrom('9223372036854775807', '9223372036854775808', '') },
  );
  const fraction = fc.oneof(
    { weight: 5, arbitrary: fc.constant('') },
    { weight: 2, arbitrary: fc.constantFrom('.', '.0', '.5', '.25', '.001', '.0009765625', '.000000001') },
    { weight: 1, arbitrary: fc.stringMatching(/^\.[0-9]{1,14}$/) },
  );
  const suffix = fc.oneof(
    { weight: 2, arbitrary: fc.constant('') },
    { weight: 6, arbitrary: fc.constantFrom('n', 'u', 'm', 'k', 'M', 'G', 'T', 'P', 'E') },
    { weight: 5, arbitrary: fc.constantFrom('Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei') },
    { weight: 3, arbitrary: fc.stringMatching(/^[eE][+-]?[0-9]{1,2}$/) },
    { weight: 1, arbitrary: fc.constantFrom('K', 'ki', 'MB', 'mi', 'e', 'E+', 'ni', 'e100', 'e-100', 'i') },
  );
  const shaped = concat(sign, whole, fraction, suffix);
  const character = fc.constantFrom(...'0159.+-eEinumkKMGTP _x'.split(''));
  const mutated = fc
    .tuple(shaped, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat({ max: 1 }), character)
    .map(([text, at, removed, inserted]) => {
      const index = Math.round(at * text.length);
      return text.slice(0, index) + inserted + text.slice(index + removed);
    });
  return fc.oneof({ weight: 2, arbitrary: shaped }, { weight: 1, arbitrary: mutated });
}
