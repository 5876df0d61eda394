import path from 'node:path';
import type { CommandLine } from './command-line';
import { OutputFolder, outputsOf } from './output-folder';
import { OUTPUT } from './package-directory';
import { typedPath } from './typed-path';
import { FLOOR, REFUSED, judgePackage, writeBuilds } from './session';

export const build: CommandLine = {
  name: 'build',
  description: 'judge the package as it is, and write what every overlay builds',
  options: {
    ...FLOOR,
    '--output <DIR>': `the folder to write into, or - for standard output; default: ${OUTPUT}/ of the package`,
  },
  async run(call) {
    const { root, output } = call;
    const written = call.values.get('--output')?.at(-1);
    if (written === '-') {
      output.reportToStandardError();
      const { judged, isRefused } = await judgePackage(call, { asIs: true });
      if (isRefused) {
        output.print(REFUSED);
        return 1;
      }
      output.writeBuild([...outputsOf(judged.builds).values()].join('---\n'));
      return 0;
    }
    const session = await judgePackage(call, { asIs: true });
    const folder = new OutputFolder(written === undefined ? path.join(root, OUTPUT) : typedPath(written));
    return (await writeBuilds(call, session, folder)) ? 0 : 1;
  },
};
