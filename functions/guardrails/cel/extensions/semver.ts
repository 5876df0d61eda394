import { CelError } from '../errors';
import type { Library, Overload } from '../library';
import { Opaque } from '../value';

/** https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string */
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/;

class Semver extends Opaque {
  readonly type = 'kubernetes.Semver';
  readonly key: string;
  constructor(
    readonly numbers: readonly bigint[],
    readonly prerelease: readonly string[],
  ) {
    super();
    this.key = `${numbers.join('.')}-${prerelease.join('.')}`;
  }
}

function parse(text: string, isNormalized: boolean): Semver | undefined {
  const [, major, minor, patch, prerelease] = SEMVER.exec(isNormalized ? normalized(text) : text) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  return new Semver([BigInt(major), BigInt(minor), BigInt(patch)], prerelease?.split('.') ?? []);
}

/** Without `v`, with missing numbers and without leading zeros, as Kubernetes' semver(text, true) reads it. */
function normalized(text: string): string {
  const [, core = '', rest = ''] = /^v?([^-+]*)(.*)$/s.exec(text) ?? [];
  const numbers = core.split('.').map((one) => one.replace(/^0+(?=\d)/, ''));
  while (numbers.length < 3) numbers.push('0');
  return numbers.join('.') + rest;
}

/** https://semver.org/#spec-item-11 */
function compare(a: Semver, b: Semver): number {
  for (const [i, number] of a.numbers.entries()) {
    const other = b.numbers[i] ?? 0n;
    if (number !== other) return number < other ? -1 : 1;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0)
    return Number(a.prerelease.length === 0) - Number(b.prerelease.length === 0);
  for (const [i, part] of a.prerelease.entries()) {
    const other = b.prerelease[i];
    if (other === undefined) return 1;
    if (part === other) continue;
    const [isNumber, isOtherNumber] = [/^\d+$/.test(part), /^\d+$/.test(other)];
    if (isNumber && isOtherNumber) return BigInt(part) < BigInt(other) ? -1 : 1;
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    return part < other ? -1 : 1;
  }
  return a.prerelease.length < b.prerelease.length ? -1 : 0;
}

function comparison(of: (order: number) => bigint | boolean): Overload {
  return (a = null, b = null) => (a instanceof Semver && b instanceof Semver ? of(compare(a, b)) : undefined);
}

const numberAt =
  (index: number): Overload =>
  (value = null) =>
    value instanceof Semver ? (value.numbers[index] ?? 0n) : undefined;

/** The library semver of Kubernetes. */
export const semverFunctions: Library = {
  global: {
    semver: (text = null, isNormalized = false) => {
      if (typeof text !== 'string' || typeof isNormalized !== 'boolean') return undefined;
      const version = parse(text, isNormalized);
      if (version === undefined) throw new CelError(`invalid semver ${JSON.stringify(text)}`);
      return version;
    },
    isSemver: (text = null, isNormalized = false) =>
      typeof text === 'string' && typeof isNormalized === 'boolean'
        ? parse(text, isNormalized) !== undefined
        : undefined,
  },
  methods: {
    major: numberAt(0),
    minor: numberAt(1),
    patch: numberAt(2),
    isGreaterThan: comparison((order) => order > 0),
    isLessThan: comparison((order) => order < 0),
    compareTo: comparison((order) => BigInt(order)),
  },
};
