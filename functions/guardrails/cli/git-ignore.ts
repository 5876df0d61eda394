import { existsSync } from 'node:fs';
import path from 'node:path';
import { matchesGlob } from '../kustomize/glob';
import { readFileIfThere } from './regular-file';

/**
 * Whether a `.gitignore` between a file and the top of its work tree ignores the file (git-scm.com/docs/gitignore); true
 * outside of a work tree.
 */
export function isIgnoredByGit(file: string): boolean {
  const top = workTreeOf(path.dirname(file));
  if (top === undefined) return true;
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const patterns = existsSync(folder) ? readFileIfThere(folder, '.gitignore') : undefined;
    const inFolder = path.relative(folder, file).replaceAll(path.sep, '/');
    if (patterns !== undefined && isIgnoredBy(patterns.toString('utf8'), inFolder)) return true;
    if (folder === top) return false;
  }
}

/** Whether the last pattern that matches the file, or else one of its folders, ignores it. */
function isIgnoredBy(patterns: string, file: string): boolean {
  const lines = patterns
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const parts = file.split('/');
  for (let depth = 1; depth <= parts.length; depth++) {
    const one = parts.slice(0, depth).join('/');
    const last = lines.findLast((line) => matches(line.replace(/^!/, ''), one, depth < parts.length));
    // What is in an ignored folder cannot be included again.
    if (last?.startsWith('!') === false) return true;
  }
  return false;
}

function matches(pattern: string, one: string, isFolder: boolean): boolean {
  if (pattern.endsWith('/') && !isFolder) return false;
  const body = pattern.replace(/\/$/, '');
  const isAnywhere = !body.includes('/');
  return matchesGlob(one, isAnywhere ? `**/${body}` : body.replace(/^\//, ''));
}

function workTreeOf(folder: string): string | undefined {
  if (existsSync(path.join(folder, '.git'))) return folder;
  const above = path.dirname(folder);
  return above === folder ? undefined : workTreeOf(above);
}
