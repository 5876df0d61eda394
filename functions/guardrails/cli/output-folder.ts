import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { GuardrailsError, InputError } from '../errors';
import { type Message, message, words } from '../message';
import type { JudgedBuild } from '../pipeline';
import { codeOf, readFileIfThere } from './regular-file';
import { type FileWrite, NO_FILE, writeFiles } from './write-files';

/** The folder of the package that the builds are written to. */
export const OUTPUT = 'dist';
/** The files that earlier runs wrote, in the format of sha256sum. */
const LIST = `${OUTPUT}/.guardrails-files`;
const LINE = /^([0-9a-f]{64}) {2}([^/\n]+\.yaml)$/gm;

/**
 * The output folder of a package. Only files that an earlier run wrote, and that have not changed since, are replaced or
 * deleted. A file with exactly the content to write is adopted.
 */
export class OutputFolder {
  private readonly list: Uint8Array | undefined;
  /** Path to SHA-256, as the list has it. */
  private readonly written: ReadonlyMap<string, string>;

  /** @throws InputError the folder is a symbolic link or a file */
  constructor(private readonly root: string) {
    refuseLinkedFolder(root);
    this.list = readOutput(root, LIST);
    const lines = this.list?.toString().matchAll(LINE) ?? [];
    this.written = new Map([...lines].map(([, hash = '', name = '']) => [`${OUTPUT}/${name}`, hash]));
  }

  /**
   * The writes that put these builds, and nothing else of earlier runs, into the folder.
   *
   * @param outputs path to content
   * @throws GuardrailsError a file would be replaced that no earlier run wrote, or that was changed since
   */
  writes(outputs: ReadonlyMap<string, string>): FileWrite[] {
    if (outputs.size === 0 && this.list === undefined) return [];
    const writes: FileWrite[] = [];
    for (const [file, content] of outputs) {
      const original = readOutput(this.root, file);
      if (original !== undefined && !this.isOurs(file, original) && !Buffer.from(content).equals(original))
        throw new GuardrailsError(
          message`${file} was not written by guardrails, or was changed after that; no file was written; move it away`,
        );
      writes.push({ path: file, content, original: original ?? NO_FILE, isPrivate: hasSecret(content) });
    }
    for (const file of this.written.keys()) {
      const original = outputs.has(file) ? undefined : readOutput(this.root, file);
      if (original !== undefined && this.isOurs(file, original))
        writes.push({ path: file, content: undefined, original });
    }
    const list = [...outputs]
      .map(([file, content]) => `${hashOf(content)}  ${path.basename(file)}\n`)
      .join('');
    return [...writes, { path: LIST, content: list, original: this.list ?? NO_FILE }];
  }

  /** Lets only the owner enter the folder, if a build with a Secret is in it. */
  protect(outputs: ReadonlyMap<string, string>): void {
    if ([...outputs.values()].some(hasSecret)) chmodSync(path.join(this.root, OUTPUT), 0o700);
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
    const list: string[] = [];
    for (const file of new Set([...this.written.keys(), ...outputs])) {
      const bytes = readOutput(this.root, file);
      const problem = bytes === undefined ? undefined : this.remove(file, bytes);
      if (problem === undefined) continue;
      warnings.push(message`${file} ${problem}, and stays; do not apply it`);
      const hash = this.written.get(file);
      if (hash !== undefined) list.push(`${hash}  ${path.basename(file)}\n`);
    }
    const content = list.length === 0 ? undefined : list.join('');
    if (this.list === undefined || this.list.toString() === content) return warnings;
    await writeFiles(this.root, [{ path: LIST, content, original: this.list }]).catch((error: unknown) => {
      if (!(error instanceof GuardrailsError)) throw error;
      warnings.push(error.text);
    });
    return warnings;
  }

  /** Why a file stays. */
  private remove(file: string, bytes: Uint8Array): Message | undefined {
    if (!this.isOurs(file, bytes)) return words('was not written by guardrails, or was changed after that');
    try {
      unlinkSync(path.join(this.root, file)); // Node.js 24 gives errors of rmSync no code
      return undefined;
    } catch (error) {
      return message`cannot be removed: ${codeOf(error)}`;
    }
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
      throw new GuardrailsError(
        message`${overlay}: another overlay has the same output file, ${file}; rename one of the overlay folders`,
      );
    outputs.set(file, manifests);
  }
  return outputs;
}

/** `overlays/prod` is `dist/prod.yaml`; a folder elsewhere keeps its whole path. */
export function outputFile(overlay: string): string {
  return `${OUTPUT}/${flatName(overlay)}.yaml`;
}

/** The folder of an overlay as the name of a file. */
export function flatName(overlay: string): string {
  return overlay === '.' ? 'package' : overlay.replace(/^overlays\//, '').replaceAll('/', '-');
}

/** Files that are written there must not land elsewhere. */
function refuseLinkedFolder(root: string): void {
  const found = lstatSync(path.join(root, OUTPUT), { throwIfNoEntry: false });
  if (found !== undefined && !found.isDirectory())
    throw new InputError(words(`${OUTPUT} is not a folder, and the builds are written there; move it away`));
}

function readOutput(root: string, file: string): Buffer | undefined {
  return readFileIfThere(root, file, words('remove it'));
}

/** Also in a List, and where the kind is quoted; a text that only mentions Secrets is taken for one. */
function hasSecret(manifests: string): boolean {
  return /^[ -]*["']?kind["']?: *["']?Secret(List)?["']?\s*(#.*)?$/m.test(manifests);
}

function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
