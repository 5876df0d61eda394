import { createHash } from 'node:crypto';
import { lstatSync, rmSync } from 'node:fs';
import path from 'node:path';
import { GuardrailsError, InputError } from '../errors';
import { type Message, message, words } from '../message';
import type { JudgedBuild } from '../pipeline';
import { codeOf, readFileIfThere } from './regular-file';
import { type FileWrite, NO_FILE, writeFiles } from './write-files';

/** The folder of the package that the builds are written to. */
export const OUTPUT = 'dist';
/** The list of the files that earlier runs wrote, in the format of sha256sum. */
const LIST = `${OUTPUT}/.guardrails-files`;

/**
 * The output folder of a package. Only files that an earlier run wrote, and that have not changed since, are replaced or
 * deleted. A file with exactly the content to write is adopted.
 */
export class OutputFolder {
  private constructor(
    private readonly root: string,
    private readonly list: Uint8Array | undefined,
    /** Path to bytes, of files that are there. */
    private readonly found: ReadonlyMap<string, Uint8Array>,
    /** Path to SHA-256, as the list has it. */
    private readonly written: ReadonlyMap<string, string>,
  ) {}

  /** @throws InputError the folder is a symbolic link or a file */
  static open(root: string): OutputFolder {
    refuseLinkedFolder(root);
    const list = readFileIfThere(root, LIST);
    const written = new Map<string, string>();
    for (const [, hash = '', name = ''] of list
      ?.toString()
      .matchAll(/^([0-9a-f]{64}) {2}([^/\n]+\.yaml)$/gm) ?? [])
      written.set(`${OUTPUT}/${name}`, hash);
    const found = new Map<string, Uint8Array>();
    for (const file of written.keys()) {
      const bytes = readFileIfThere(root, file);
      if (bytes !== undefined) found.set(file, bytes);
    }
    return new OutputFolder(root, list, found, written);
  }

  /**
   * The writes that put these builds, and nothing else of earlier runs, into the folder.
   *
   * @param outputs path to content
   * @throws GuardrailsError a file would be replaced that no earlier run wrote, or that was changed since
   */
  writes(outputs: ReadonlyMap<string, string>): FileWrite[] {
    const writes: FileWrite[] = [];
    for (const [file, content] of outputs) {
      const original = this.found.get(file) ?? readFileIfThere(this.root, file);
      if (original !== undefined && !this.isOurs(file, original) && !Buffer.from(content).equals(original))
        throw new GuardrailsError(
          message`${file} was not written by guardrails, or was changed since; nothing was written. Move it away`,
        );
      writes.push({ path: file, content, original: original ?? NO_FILE });
    }
    for (const [file, original] of this.found)
      if (!outputs.has(file) && this.isOurs(file, original))
        writes.push({ path: file, content: undefined, original });
    if (outputs.size === 0 && this.list === undefined) return writes;
    const list = [...outputs].map(([file, content]) => `${hashOf(content)}  ${path.basename(file)}\n`);
    return [...writes, { path: LIST, content: list.join(''), original: this.list ?? NO_FILE }];
  }

  /**
   * Deletes what earlier runs wrote, so that nobody applies it in place of what is refused now.
   *
   * @param outputs the files that would have been written
   * @returns a warning for each file that stays
   */
  async clear(outputs: readonly string[]): Promise<Message[]> {
    refuseLinkedFolder(this.root);
    const warnings: Message[] = [];
    const kept: string[] = [];
    for (const file of new Set([...this.found.keys(), ...outputs])) {
      const bytes = readFileIfThere(this.root, file);
      if (bytes === undefined) continue;
      const problem = this.isOurs(file, bytes)
        ? this.remove(file)
        : words('was not written by guardrails, or was changed since');
      if (problem === undefined) continue;
      warnings.push(message`${file} ${problem}, and stays; do not apply it`);
      kept.push(file);
    }
    if (this.list !== undefined) await this.writeList(kept);
    return warnings;
  }

  private remove(file: string): Message | undefined {
    try {
      rmSync(path.join(this.root, file));
      return undefined;
    } catch (error) {
      return message`cannot be removed: ${codeOf(error)}`;
    }
  }

  private async writeList(kept: readonly string[]): Promise<void> {
    const lines = kept.flatMap((file) => {
      const hash = this.written.get(file);
      return hash === undefined ? [] : [`${hash}  ${path.basename(file)}\n`];
    });
    const content = lines.length === 0 ? undefined : lines.join('');
    await writeFiles(this.root, [{ path: LIST, content, original: this.list ?? NO_FILE }]);
  }

  private isOurs(file: string, bytes: Uint8Array): boolean {
    return this.written.get(file) === hashOf(bytes);
  }
}

/** The files for the builds of the overlays: path to content. */
export function outputsOf(builds: readonly JudgedBuild[]): Map<string, string> {
  const outputs = new Map<string, string>();
  for (const { overlay, manifests } of builds) {
    if (overlay === undefined) continue;
    const file = outputFile(overlay);
    if (outputs.has(file))
      throw new GuardrailsError(message`${overlay}: another overlay is written to ${file} too; rename one`);
    outputs.set(file, manifests);
  }
  return outputs;
}

/** `overlays/prod` is `dist/prod.yaml`; a folder elsewhere keeps its whole path. */
export function outputFile(overlay: string): string {
  const name = overlay === '.' ? 'package' : overlay.replace(/^overlays\//, '').replaceAll('/', '-');
  return `${OUTPUT}/${name}.yaml`;
}

/** Files that are written there must not land elsewhere. */
function refuseLinkedFolder(root: string): void {
  const found = lstatSync(path.join(root, OUTPUT), { throwIfNoEntry: false });
  if (found !== undefined && !found.isDirectory())
    throw new InputError(words(`${OUTPUT} is not a folder, and the builds are written there; move it away`));
}

function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
