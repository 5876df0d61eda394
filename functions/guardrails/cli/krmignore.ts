import { InputError } from '../errors';
import { parseGlob } from '../kustomize/glob';
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
