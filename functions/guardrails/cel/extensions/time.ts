import { CelError } from '../errors';
import type { Library, Overload } from '../library';
import { Duration, Timestamp } from '../value';

const NANOS = 1_000_000_000n;
/** Nanoseconds of each unit of Go's time.ParseDuration. */
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  ms: 1_000_000n,
  s: NANOS,
  m: 60n * NANOS,
  h: 3600n * NANOS,
};
const PART = /([0-9]+)(?:\.([0-9]*))?(ns|us|µs|ms|s|m|h)/y;
const RFC3339 = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/;

/** A text that is no value of a type. */
export function conversionError(type: string): CelError {
  return new CelError(`type conversion error from 'string' to '${type}'`);
}

/** @throws CelError a text that Go's time.ParseDuration refuses */
export function parseDuration(text: string): Duration {
  const [, sign = '', rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  let total = 0n;
  let at = 0;
  while (at < rest.length) {
    PART.lastIndex = at;
    const part = PART.exec(rest);
    if (part === null) break;
    const [all, whole = '0', fraction = '', unit = 's'] = part;
    const size = UNITS[unit] ?? NANOS;
    total += BigInt(whole) * size + (BigInt(fraction || '0') * size) / 10n ** BigInt(fraction.length);
    at += all.length;
  }
  if (rest !== '0' && (at === 0 || at < rest.length)) throw conversionError('google.protobuf.Duration');
  return new Duration(sign === '-' ? -total : total);
}

/** @throws CelError a text that is not a time of RFC 3339 */
export function parseTimestamp(text: string): Timestamp {
  const [, time = '', fraction = '', zone = ''] = RFC3339.exec(text) ?? [];
  const seconds = Date.parse(`${time}${zone}`);
  if (time === '' || Number.isNaN(seconds)) throw conversionError('google.protobuf.Timestamp');
  return new Timestamp(BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0')));
}

/** Digits without the zeros at their end. */
export function withoutZeros(digits: string): string {
  let end = digits.length;
  while (digits.charAt(end - 1) === '0') end -= 1;
  return digits.slice(0, end);
}

export function printTimestamp({ key }: Timestamp): string {
  const seconds = key / NANOS - (key % NANOS < 0n ? 1n : 0n);
  const fraction = withoutZeros(String(key - seconds * NANOS).padStart(9, '0'));
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** As cel-go prints it: in seconds. */
export function printDuration({ key }: Duration): string {
  const size = key < 0n ? -key : key;
  const fraction = withoutZeros(String(size % NANOS).padStart(9, '0'));
  return `${key < 0n ? '-' : ''}${size / NANOS}${fraction === '' ? '' : `.${fraction}`}s`;
}

/** A part of a time: in UTC, at an offset such as `+02:00`, or in a zone such as `Europe/Berlin`. */
function timePart(of: (date: Date) => number): Overload {
  return (value = null, zone = 'UTC') => {
    if (!(value instanceof Timestamp) || typeof zone !== 'string') return undefined;
    const time = Number(value.key / 1_000_000n);
    return BigInt(of(new Date(time + offsetOf(zone, time))));
  };
}

/** Milliseconds that a zone is ahead of UTC at a time. @throws CelError an unknown zone */
function offsetOf(zone: string, time: number): number {
  if (zone === 'UTC' || zone === '') return 0;
  const [, sign, hours, minutes] = /^([+-]?)(\d\d):(\d\d)$/.exec(zone) ?? [];
  if (hours !== undefined) return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60_000 : 60_000);
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    const name = format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, direction, ahead = '0', more = '0'] = /([+-])(\d\d):(\d\d)/.exec(name) ?? [];
    return (Number(ahead) * 60 + Number(more)) * (direction === '-' ? -60_000 : 60_000);
  } catch (error) {
    if (error instanceof RangeError) throw new CelError(`unknown time zone ${zone}`);
    throw error;
  }
}

function durationOr(part: Overload, unit: bigint): Overload {
  return (value = null, zone) => (value instanceof Duration ? value.key / unit : part(value, zone));
}

const DAY = 86_400_000;

/** Parts of times and durations. */
export const timeFunctions: Library = {
  methods: {
    getFullYear: timePart((date) => date.getUTCFullYear()),
    getMonth: timePart((date) => date.getUTCMonth()),
    getDate: timePart((date) => date.getUTCDate()),
    getDayOfMonth: timePart((date) => date.getUTCDate() - 1),
    getDayOfWeek: timePart((date) => date.getUTCDay()),
    getDayOfYear: timePart((date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0)) / DAY)),
    getHours: durationOr(
      timePart((date) => date.getUTCHours()),
      3600n * NANOS,
    ),
    getMinutes: durationOr(
      timePart((date) => date.getUTCMinutes()),
      60n * NANOS,
    ),
    getSeconds: durationOr(
      timePart((date) => date.getUTCSeconds()),
      NANOS,
    ),
    getMilliseconds: durationOr(
      timePart((date) => date.getUTCMilliseconds()),
      1_000_000n,
    ),
  },
};
