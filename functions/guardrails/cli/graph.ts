import { realpathSync } from 'node:fs';
import { overlaySettings, settingsFor } from '../config/config';
import { GuardrailsError, InputError } from '../errors';
import { escapeMarkdown, printTable } from '../formats/connection-table';
import { printDot } from '../formats/dot';
import { printMermaid } from '../formats/mermaid';
import { expandLists } from '../krm/resource';
import { buildOverlays } from '../kustomize/build-overlays';
import { message, words } from '../message';
import { readConnectionMap } from '../network/connection-map';
import { type Call, type CommandLine, withProgress } from './command-line';
import { flatName } from './output-folder';
import { readTextIfThere } from './read-package';
import { openPackage } from './session';
import { removeStaged } from './staging';
import { type FileWrite, NO_FILE, writeFiles } from './write-files';

const README = 'README.md';
const START = '<!-- connections:start -->';
const END = '<!-- connections:end -->';
const DIAGRAMS = 'docs/connections';
export const graph: CommandLine = {
  name: 'graph',
  description: `draw the traffic that the network policies of each overlay allow, into ${README} between ${START} and ${END}, and as ${DIAGRAMS}/OVERLAY.svg`,
  options: { '--check': 'write nothing; exit 1 if something would change' },
  async run(call) {
    const { root, flags, output } = call;
    const changed = await withProgress('building the overlays', () => diagrams(call));
    const isCheck = flags.has('--check');
    if (!isCheck) {
      removeStaged(realpathSync(root));
      await writeFiles(root, changed);
    }
    for (const { path: file } of changed)
      output.print(message`${file} ${words(isCheck ? 'would change' : 'was updated')}`);
    if (changed.length === 0) output.print(words('the diagrams are up to date'));
    return isCheck && changed.length > 0 ? 1 : 0;
  },
};

/** The files that change. */
async function diagrams(call: Call): Promise<FileWrite[]> {
  const { root, output, findKustomize } = call;
  const { source: pkg, config } = await openPackage(call);
  if (pkg === undefined)
    throw new InputError(
      message`${root}: the package has no kustomization, so nothing is built; add a kustomization.yaml`,
    );
  const top = realpathSync(root);
  // Imported here, because no other command needs it.
  const { instance } = await import('@viz-js/viz');
  const viz = await instance();
  const sections: string[] = [];
  const writes: FileWrite[] = [];
  const built = await buildOverlays(pkg, { settings: overlaySettings(config), findKustomize });
  try {
    const failure = built.failures.find(({ severity }) => severity === 'error');
    if (failure !== undefined)
      throw new GuardrailsError(
        message`${failure.overlay}: ${failure.problem}; \`guardrails check\` shows how to fix it`,
      );
    for (const { overlay, resources } of built.builds) {
      const map = readConnectionMap(
        resources.flatMap((resource) => expandLists(resource)),
        settingsFor(config, overlay).network,
        config.annotations,
      );
      const svg = `${DIAGRAMS}/${flatName(overlay)}.svg`;
      const title = overlay === '.' ? 'this package' : overlay;
      const diagram = viz.renderString(printDot(map, `${title}: allowed traffic`, output.redact), {
        format: 'svg',
      });
      writes.push(...changeOf(top, svg, () => diagram));
      sections.push(
        `### ${escapeMarkdown(output.redact(title))}\n\n\`\`\`mermaid\n${printMermaid(map, output.redact)}\`\`\`\n\n${printTable(map, output.redact)}\n[As SVG](${linkTo(svg)})\n`,
      );
    }
  } finally {
    built.remove();
  }
  return [...writes, ...changeOf(top, README, (text) => withSections(text, sections))];
}

/** The write of a file, if that changes it. */
function changeOf(top: string, file: string, change: (text: string) => string): FileWrite[] {
  const text = readTextIfThere(top, file);
  const content = change(text ?? '');
  return content === text
    ? []
    : [{ path: file, content, original: text === undefined ? NO_FILE : Buffer.from(text) }];
}

function withSections(text: string, sections: readonly string[]): string {
  const [starts, ends] = [START, END].map((marker) => [
    ...text.matchAll(new RegExp(`^${marker}\\r?$`, 'gm')),
  ]);
  const [start, end] = [starts?.[0], ends?.[0]];
  const isOnce = starts?.length === 1 && ends?.length === 1;
  if (!isOnce || start === undefined || end === undefined || end.index < start.index)
    throw new InputError(
      message`${README} must contain the lines ${words(START)} and ${words(END)}, each once and in this order; the diagrams are written between them`,
    );
  const newline = start[0].endsWith('\r') ? '\r\n' : '\n';
  const inside = `\n\n${sections.join('\n')}\n`.replaceAll('\n', newline);
  return text.slice(0, start.index) + START + inside + text.slice(end.index);
}

function linkTo(file: string): string {
  return encodeURI(file).replace(/[()#?&]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
}
