import { InputError } from '../errors';
import { message } from '../message';

/**
 * The patterns of `.krmignore` as kpt understands them. It hands the file to github.com/monochromegane/go-gitignore
 * (v0.0.0-20200626010858), whose patterns differ from those of Git and of npm's `ignore`:
 *
 * - A pattern is compared with as many path segments as it has itself: `x.yaml` and `a/x.yaml` with the last one or
 *   two, at any depth; a pattern that starts with `/` with the first ones.
 * - `**` means `*`, and neither `*` nor `?` crosses a slash; so two stars, a slash and `x` miss the `x` at the
 *   top. `./x` matches nothing.
 * - A pattern hides what is under a folder only because the folder is not entered; so nothing in it comes back by `!`.
 * - `!x` wins over every other line of the file, before it or after it.
 * - Only spaces are trimmed, at both ends; a tab is part of the pattern. `\#` starts a pattern with `#`; `\!` does not start one with `!`.
 */
export interface KrmIgnore {
  /** path: relative to the folder of the `.krmignore`, '/'-separated, neither empty nor ending in '/'. */
  ignores(path: string, isDirectory: boolean): boolean;
}

/** For a folder without a `.krmignore`. */
export const IGNORE_NOTHING: KrmIgnore = { ignores: () => false };

interface Pattern {
  readonly rooted: boolean;
  readonly directoriesOnly: boolean;
  /** How many segments of a path the pattern is compared with. */
  readonly depth: number;
  readonly matches: (part: string) => boolean;
}

const LINE_LIMIT = 65_536; // bytes; bufio.MaxScanTokenSize of Go: the scanner stops at a longer line, without an error

/**
 * Reads the text of a `.krmignore`.
 *
 * @param file its path, for messages
 * @throws InputError a line that is only `/` or `!`, on which kpt panics
 */
export function parseKrmIgnore(text: string, file = '.krmignore'): KrmIgnore {
  const ignored: Pattern[] = [];
  const accepted: Pattern[] = [];
  for (const [index, rawLine] of text.split('\n').entries()) {
    if (Buffer.byteLength(rawLine) >= LINE_LIMIT) break;
    const line = trim(rawLine.replace(/\r$/, ''), ' ');
    if (line === '' || line.startsWith('#')) continue;
    const accepts = line.startsWith('!');
    const pattern = accepts ? line.slice(1) : line.replace(/^\\#/, '#');
    if (pattern === '' || pattern === '/')
      throw new InputError(
        message`${file}:${index + 1}: the pattern "${line}" names no file, and kpt crashes on it; delete the line`,
      );
    (accepts ? accepted : ignored).push(parsePattern(pattern));
  }
  return {
    ignores(path, isDirectory) {
      const segments = path.split('/');
      const hits = (pattern: Pattern): boolean => matchesPath(pattern, segments, isDirectory);
      return !accepted.some(hits) && ignored.some(hits);
    },
  };
}

function parsePattern(pattern: string): Pattern {
  const body = trim(pattern, '/');
  return {
    rooted: pattern.startsWith('/'),
    directoriesOnly: pattern.endsWith('/'),
    depth: body.split('/').length,
    matches: /[*?[]/.test(body) ? parseGlob(body) : (part) => part === body,
  };
}

/** Go's strings.Trim for one character; a regular expression would take quadratic time. */
function trim(text: string, character: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === character) start++;
  while (start < end && text[end - 1] === character) end--;
  return text.slice(start, end);
}

function matchesPath(pattern: Pattern, segments: readonly string[], isDirectory: boolean): boolean {
  const { depth, directoriesOnly, rooted } = pattern;
  if (depth > segments.length) return false;
  if (rooted && depth < segments.length) {
    // The library leaves the slash at the end, which only a class can match: `/a[^b]` hides all that is under `a`.
    return !directoriesOnly && pattern.matches(`${segments.slice(0, depth).join('/')}/`);
  }
  return (isDirectory || !directoriesOnly) && pattern.matches(segments.slice(-depth).join('/'));
}

const SLASH = 0x2f;

/**
 * Go's path/filepath.Match (https://pkg.go.dev/path/filepath#Match), on the bytes of UTF-8 as there. An invalid pattern
 * matches nothing. Each run of elements between two stars takes its first match, so that nothing is tried twice.
 */
function parseGlob(pattern: string): (part: string) => boolean {
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
