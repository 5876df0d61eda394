import { count } from '../formats/text';
import { message } from '../message';
import type { CommandLine } from './command-line';
import { FLOOR, REFUSED, judgePackage, printDiff } from './session';
import { writeFiles } from './write-files';

export const fix: CommandLine = {
  name: 'fix',
  description:
    'harden the resources and update the network policies; exit 1, and write nothing, if errors are left',
  options: { ...FLOOR, '--diff': 'show the changes' },
  async run(call) {
    const { changed, isRefused } = await judgePackage(call, { writes: true });
    if (isRefused) {
      call.output.print(REFUSED);
      return 1;
    }
    if (call.flags.has('--diff')) await printDiff(call.output, changed);
    await writeFiles(call.root, changed);
    call.output.print(message`${count(changed.length, 'file')} changed`);
    return 0;
  },
};
