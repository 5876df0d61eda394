import path from 'node:path';
import { InputError } from '../errors';
import type { GivenBuild } from '../kustomize/build-overlays';
import { readGivenBuild } from './read-package';
import { count } from '../formats/text';
import { message, words } from '../message';
import type { CommandLine } from './command-line';
import { FLOOR, REFUSED, judgePackage, printDiff } from './session';

export const check: CommandLine = {
  name: 'check',
  description:
    'judge what every overlay builds; write nothing; exit 1 for errors, or if fix would change a file',
  options: {
    ...FLOOR,
    '--diff': 'show what fix would change',
    '--built <OVERLAY=FILE>': 'judge FILE as the build of that overlay; may be repeated',
  },
  async run(call) {
    const given = givenBuilds(call.values.get('--built') ?? []);
    const { changed, isRefused } = await judgePackage(call, { given });
    if (call.flags.has('--diff')) await printDiff(call.output, changed);
    if (isRefused) {
      call.output.print(REFUSED);
      return 1;
    }
    if (changed.length === 0) {
      call.output.print(words('no file would change; nothing was written'));
      return 0;
    }
    call.output.print(message`${count(changed.length, 'file')} would change; nothing was written`);
    return 1;
  },
};

/** @param built `overlays/prod=FILE` */
function givenBuilds(built: readonly string[]): Map<string, GivenBuild> {
  return new Map(
    built.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new InputError(message`--built must be OVERLAY=FILE, found ${text}`);
      return [path.posix.normalize(text.slice(0, at)).replace(/\/$/, ''), readGivenBuild(text.slice(at + 1))];
    }),
  );
}
