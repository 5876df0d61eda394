import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** The files of a package: path to text. */
export type PackageFiles = Readonly<Record<string, string>>;

const REPOSITORY = path.join(__dirname, '../..');

/** Everything that kpt reads of this repository below base and overlays. */
export function repositoryFiles(): Record<string, string> {
  const files = ['base', 'overlays'].flatMap((folder) =>
    readdirSync(path.join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' }).map(
      (file) => `${folder}/${file}`,
    ),
  );
  return Object.fromEntries(
    files
      .filter((file) => file.endsWith('.yaml'))
      .sort()
      .map((file) => [file, readFileSync(path.join(REPOSITORY, file), 'utf8')]),
  );
}

/** Replaces a text in a file. */
export function withEdit(files: PackageFiles, file: string, from: string, to: string): PackageFiles {
  const text = files[file] ?? '';
  if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`);
  return { ...files, [file]: text.replace(from, to) };
}

/** The ResourceList that kpt sends for a package, with the Guardrails of base as its functionConfig. */
export function resourceList(files: PackageFiles): string {
  const items = Object.entries(files).flatMap(([file, text]) =>
    text.split(/^---\n/m).map((document, index) => entryOf(document, file, index)),
  );
  const config = files['base/guardrails.yaml'];
  const functionConfig =
    config === undefined ? '' : `functionConfig:\n${config.trimEnd().replace(/^(?=.)/gm, '  ')}\n`;
  return `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${items.join('')}${functionConfig}`;
}

function entryOf(document: string, file: string, index: number): string {
  const wire = `internal.config.kubernetes.io/path: ${file}\n    internal.config.kubernetes.io/index: '${index}'`;
  const annotated = /^ {2}annotations:\n/m.test(document)
    ? document.replace(/^ {2}annotations:\n/m, `  annotations:\n    ${wire}\n`)
    : /^metadata:\n/m.test(document)
      ? document.replace(/^metadata:\n/m, `metadata:\n  annotations:\n    ${wire}\n`)
      : `${document}metadata:\n  annotations:\n    ${wire}\n`;
  return `- ${annotated.trimEnd().replace(/\n(?=.)/g, '\n  ')}\n`;
}
