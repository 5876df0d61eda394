/**
 * Whether a path matches a glob, segment by segment; a segment `**` matches any number of segments, also none. No regular
 * expression: a glob comes from the input, and must not make a match take long.
 */
export function matchesGlob(path: string, glob: string): boolean {
  const parts = glob.split('/').map((part) => (part === '**' ? undefined : parseGlob(part)));
  // The numbers of parts that match the segments so far.
  let matched = withEmpty(new Set([0]), parts);
  for (const segment of path.split('/')) {
    const next = new Set<number>();
    for (const n of matched) {
      const part = parts[n];
      if (n < parts.length && part === undefined) next.add(n);
      else if (part?.(segment) === true) next.add(n + 1);
    }
    matched = withEmpty(next, parts);
  }
  return matched.has(parts.length);
}

/** With what matches after `**` that match nothing. */
function withEmpty(matched: Set<number>, parts: readonly unknown[]): Set<number> {
  for (const n of matched) if (n < parts.length && parts[n] === undefined) matched.add(n + 1);
  return matched;
}

const SLASH = 0x2f;

/**
 * Go's path/filepath.Match (https://pkg.go.dev/path/filepath#Match), on the bytes of UTF-8 as there. An invalid pattern
 * matches nothing. Each run of elements between two stars takes its first match, so that nothing is tried twice.
 */
export function parseGlob(pattern: string): (part: string) => boolean {
  const runs = parseRuns(Buffer.from(pattern));
  return runs === undefined ? () => false : (part) => matchesRuns(runs, Buffer.from(part));
}

/** Takes one element of a glob from `name` at `at`; the offset after it, or -1. */
type Step = (name: Buffer, at: number) => number;

function matchesRuns(runs: readonly (readonly Step[])[], name: Buffer): boolean {
  let at = 0;
  for (const [i, run] of runs.entries()) {
    const isLast = i === runs.length - 1;
    if (isLast && i > 0 && run.length === 0) return !name.includes(SLASH, at);
    const fits = (end: number): boolean => end >= 0 && (!isLast || end === name.length);
    let end = takeRun(run, name, at);
    for (; !fits(end) && i > 0 && at < name.length && name[at] !== SLASH; at++)
      end = takeRun(run, name, at + 1);
    if (!fits(end)) return false;
    at = end;
  }
  return at === name.length;
}

function takeRun(steps: readonly Step[], name: Buffer, start: number): number {
  return steps.reduce((at, step) => (at >= 0 && at < name.length ? step(name, at) : -1), start);
}

/** The elements between the stars of a pattern; undefined for an invalid one. */
function parseRuns(pattern: Buffer): Step[][] | undefined {
  const runs: Step[][] = [[]];
  for (let at = 0; at < pattern.length;) {
    const sign = String.fromCharCode(pattern.readUInt8(at));
    at++;
    if (sign === '*') runs.push([]);
    else if (sign === '?')
      runs.at(-1)?.push((name, from) => (name[from] === SLASH ? -1 : from + runeAt(name, from).width));
    else if (sign === '[') {
      const parsed = parseClass(pattern, at);
      if (parsed === undefined) return undefined;
      runs.at(-1)?.push(parsed.step);
      at = parsed.end;
    } else {
      if (sign === '\\' && at === pattern.length) return undefined;
      const byte = sign === '\\' ? pattern.readUInt8(at++) : sign.charCodeAt(0);
      runs.at(-1)?.push((name, from) => (name[from] === byte ? from + 1 : -1));
    }
  }
  return runs;
}

/** The class whose first element is at `start`, after the `[`; undefined for an invalid one. */
function parseClass(pattern: Buffer, start: number): { step: Step; end: number } | undefined {
  const ranges: { low: number; high: number }[] = [];
  const is = (at: number, sign: string): boolean => pattern[at] === sign.charCodeAt(0);
  const element = (from: number): { rune: number; end: number } | undefined => {
    const at = is(from, '\\') ? from + 1 : from;
    if (at >= pattern.length || is(from, '-') || is(from, ']')) return undefined;
    const { rune, width } = runeAt(pattern, at);
    return { rune, end: at + width };
  };
  const isNegated = is(start, '^');
  let at = isNegated ? start + 1 : start;
  while (ranges.length === 0 || !is(at, ']')) {
    const low = element(at);
    const high = low !== undefined && is(low.end, '-') ? element(low.end + 1) : low;
    if (low === undefined || high === undefined) return undefined;
    ranges.push({ low: low.rune, high: high.rune });
    at = high.end;
  }
  const step: Step = (name, from) => {
    const { rune, width } = runeAt(name, from);
    return ranges.some(({ low, high }) => low <= rune && rune <= high) === isNegated ? -1 : from + width;
  };
  return { step, end: at + 1 };
}

/** The code point at `at`. A star may stop inside of one; Go counts each byte from there on as U+FFFD. */
function runeAt(text: Buffer, at: number): { rune: number; width: number } {
  const lead = text.readUInt8(at);
  if (lead < 0x80) return { rune: lead, width: 1 };
  if (lead < 0xc0) return { rune: 0xfffd, width: 1 };
  const width = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return { rune: text.toString('utf8', at, at + width).codePointAt(0) ?? 0xfffd, width };
}
