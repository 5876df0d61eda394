import path from 'node:path';
import { type Message, words } from '../message';
import { check } from './check';
import type { Call, CommandLine } from './command-line';
import { IGNORE_NOTHING, parseKrmIgnore } from './krmignore';
import { OutputFolder } from './output-folder';
import { OUTPUT } from './package-directory';
import { readFileIfThere } from './regular-file';
import { FLOOR, judgePackage, printDiff, writeBuilds } from './session';

/** What `npm run render` does. */
export const render: CommandLine = {
  name: 'render',
  description: `fix, and write the builds into ${OUTPUT}/ of the package`,
  options: {
    ...FLOOR,
    '--check': 'write nothing; exit 1 if something would change',
    '--diff': 'show the changes',
  },
  async run(call) {
    if (call.flags.has('--check')) return check.run(call);
    const { root, output, flags } = call;
    const session = await judgePackage(call, { writes: true });
    const folder = new OutputFolder(path.join(root, OUTPUT));
    if (flags.has('--diff') && !session.isRefused) await printDiff(output, session.changed);
    if (!(await writeBuilds(call, session, folder, session.changed))) return 1;
    for (const warning of unignoredOutput(call, session.pkg.isKptPackage)) output.print(warning);
    return 0;
  },
};

/** kpt reads `dist/` unless .krmignore names it, and would take the builds for resources of the package. */
function unignoredOutput({ root }: Call, isKptPackage: boolean): Message[] {
  const text = readFileIfThere(root, '.krmignore')?.toString();
  const ignored = text === undefined ? IGNORE_NOTHING : parseKrmIgnore(text);
  if (!isKptPackage || ignored.ignores(OUTPUT, true)) return [];
  return [words(`[warning] .krmignore does not name ${OUTPUT}/, so kpt reads it; add the line ${OUTPUT}/`)];
}
