import ignore from 'ignore';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readFileIfThere } from './regular-file';

/** Whether a `.gitignore` between a file and the top of its work tree names the file; true outside of a work tree. */
export function isIgnoredByGit(file: string): boolean {
  const top = workTreeOf(path.dirname(file));
  if (top === undefined) return true;
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const patterns = existsSync(folder) ? readFileIfThere(folder, '.gitignore') : undefined;
    const inFolder = path.relative(folder, file).replaceAll(path.sep, '/');
    if (patterns !== undefined && ignore().add(patterns.toString('utf8')).ignores(inFolder)) return true;
    if (folder === top) return false;
  }
}

function workTreeOf(folder: string): string | undefined {
  if (existsSync(path.join(folder, '.git'))) return folder;
  const above = path.dirname(folder);
  return above === folder ? undefined : workTreeOf(above);
}
