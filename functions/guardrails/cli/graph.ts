import { instance } from '@viz-js/viz';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { type ExitCode, InputError } from '../errors';
import { message } from '../message';
import { expandLists } from '../krm/resource';
import { buildOverlays } from '../kustomize/build-overlays';
import { packageOf } from '../kustomize/package';
import { redactor } from '../findings/redact';
import { readConnectionMap } from '../network/connection-map';
import { escapeMarkdown, printDot, printMermaid, printTable } from '../formats/diagram';
import { readConfig } from '../config/read-config';
import { functionConfigIn, kustomizeHere, readPackage, readTextIfThere } from './read-package';
import { type Call, runCommand, say, withProgress } from './command-line';
import { type FileWrite, NO_FILE, writeFiles } from './write-files';

const README = 'README.md';
const START = '<!-- connections:start -->';
const END = '<!-- connections:end -->';
const USAGE = `usage: npm run graph -- [DIR] [--check]
  DIR      the package; default: this repository
  --check  write nothing; exit 1 where something would change

Draws who may talk to whom, by the network policies that each overlay builds: into ${README} between
${START} and ${END}, and beside each overlay's kustomization as connections.svg.
`;

async function main({ root, flags }: Call<'check'>): Promise<ExitCode> {
  const changed = await withProgress('building the overlays', () => pictures(root));
  if (!flags.has('check')) await writeFiles(root, changed);
  for (const { path: file } of changed)
    say(`${file} ${flags.has('check') ? 'would change' : 'is brought up to date'}\n`);
  if (changed.length === 0) say('the pictures are up to date\n');
  return flags.has('check') && changed.length > 0 ? 1 : 0;
}

/** The files that are to read otherwise. */
async function pictures(root: string): Promise<FileWrite[]> {
  const { items } = await readPackage(root);
  const config = readConfig(functionConfigIn(items));
  const pkg = packageOf(items);
  if (pkg === undefined)
    throw new InputError(message`${root}: no kustomization in it, so that nothing is built`);
  const top = realpathSync(root);
  const viz = await instance();
  const sections: string[] = [];
  const writes: FileWrite[] = [];
  const built = await buildOverlays(pkg, {
    config,
    findKustomize: kustomizeHere,
    extraFiles: new Map(),
    redact: redactor(items),
  });
  try {
    for (const { overlay, resources } of built.builds) {
      const map = readConnectionMap(
        resources.flatMap((resource) => expandLists(resource)),
        config.network,
      );
      const svg = path.join(overlay, 'connections.svg');
      const title = overlay === '.' ? 'this package' : overlay;
      const picture = viz.renderString(printDot(map, `${title}: who may talk to whom`), { format: 'svg' });
      writes.push(fileWrite(top, svg, () => picture));
      sections.push(
        `### ${escapeMarkdown(title)}\n\n\`\`\`mermaid\n${printMermaid(map)}\`\`\`\n\n${printTable(map)}\n[As a picture](${linkTo(svg)})\n`,
      );
    }
  } finally {
    built.remove();
  }
  writes.push(fileWrite(top, README, (text) => withSections(text, sections)));
  return writes.filter(({ content, original }) => !isUnchanged(content, original));
}

function fileWrite(top: string, file: string, change: (text: string) => string): FileWrite {
  const text = readTextIfThere(top, file);
  return {
    path: file,
    content: change(text ?? ''),
    original: text === undefined ? NO_FILE : Buffer.from(text),
  };
}

function withSections(text: string, sections: readonly string[]): string {
  const [starts, ends] = [START, END].map((marker) => [
    ...text.matchAll(new RegExp(`^${marker}\\r?$`, 'gm')),
  ]);
  const [start, end] = [starts?.[0], ends?.[0]];
  const isOnce = starts?.length === 1 && ends?.length === 1;
  if (!isOnce || start === undefined || end === undefined || end.index < start.index)
    throw new InputError(
      message`${README}: needs the lines ${START} and ${END}, each once and in this order, where the picture belongs`,
    );
  const newline = start[0].endsWith('\r') ? '\r\n' : '\n';
  const inside = `\n\n${sections.join('\n')}\n`.replaceAll('\n', newline);
  return text.slice(0, start.index) + START + inside + text.slice(end.index);
}

function linkTo(file: string): string {
  return encodeURI(file).replace(/[()#?]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
}

function isUnchanged(content: string | undefined, original: FileWrite['original']): boolean {
  return original instanceof Uint8Array && content !== undefined && Buffer.from(content).equals(original);
}

runCommand(USAGE, ['check'], main);
