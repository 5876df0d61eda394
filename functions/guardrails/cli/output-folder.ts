import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { GuardrailsError, InputError } from '../errors';
import { type Message, message, words } from '../message';
import type { JudgedBuild } from '../pipeline';
import { OUTPUT_LIST } from './package-directory';
import { codeOf, readFileIfThere } from './regular-file';
import { type FileWrite, NO_FILE, writeFiles } from './write-files';

/** A file that earlier runs wrote, in the list, which has the format of sha256sum. */
const LINE = /^([0-9a-f]{64}) {2}([^/\n]+\.yaml)$/gm;

/**
 * The folder that the builds are written to. Only files that an earlier run wrote, and that have not changed since, are
 * replaced or deleted. A file with exactly the content to write is adopted.
 */
export class OutputFolder {
  /** A folder that exists, above it. */
  readonly root: string;
  /** The path from there. */
  private readonly path: string;
  private readonly listFile: string;
  private readonly list: Uint8Array | undefined;
  /** Path to SHA-256, as the list has it. */
  private readonly written: ReadonlyMap<string, string>;

  /**
   * @param folder absolute; it may not exist
   * @throws InputError the folder is a symbolic link or a file
   */
  constructor(readonly folder: string) {
    this.root = path.dirname(folder);
    while (!existsSync(this.root)) this.root = path.dirname(this.root);
    this.path = path.relative(this.root, folder).replaceAll(path.sep, '/');
    this.listFile = this.pathOf(OUTPUT_LIST);
    this.refuseLinkedFolder();
    this.list = this.read(this.listFile);
    const lines = this.list?.toString().matchAll(LINE) ?? [];
    this.written = new Map([...lines].map(([, hash = '', name = '']) => [this.pathOf(name), hash]));
  }

  /** @param name of a file in the folder */
  private pathOf(name: string): string {
    return `${this.path}/${name}`;
  }

  /**
   * The writes that put these builds, and nothing else of earlier runs, into the folder.
   *
   * @param outputs name to content
   * @returns the writes, below `root`
   * @throws GuardrailsError a file would be replaced that no earlier run wrote, or that was changed since
   */
  writes(outputs: ReadonlyMap<string, string>): FileWrite[] {
    if (outputs.size === 0 && this.list === undefined) return [];
    const writes: FileWrite[] = [];
    for (const [name, content] of outputs) {
      const file = this.pathOf(name);
      const original = this.read(file);
      if (original !== undefined && !this.isOurs(file, original) && !Buffer.from(content).equals(original))
        throw new GuardrailsError(
          message`${file} was not written by guardrails, or was changed after that; no file was written; move it away`,
        );
      writes.push({ path: file, content, original: original ?? NO_FILE, isPrivate: hasSecret(content) });
    }
    for (const file of this.written.keys()) {
      const original = outputs.has(path.basename(file)) ? undefined : this.read(file);
      if (original !== undefined && this.isOurs(file, original))
        writes.push({ path: file, content: undefined, original });
    }
    const list = [...outputs].map(([name, content]) => `${hashOf(content)}  ${name}\n`).join('');
    return [...writes, { path: this.listFile, content: list, original: this.list ?? NO_FILE }];
  }

  /** Lets only the owner enter the folder, if a build with a Secret is in it. */
  protect(outputs: ReadonlyMap<string, string>): void {
    if ([...outputs.values()].some(hasSecret)) chmodSync(path.join(this.root, this.path), 0o700);
  }

  /**
   * Deletes what earlier runs wrote, so that nobody applies it in place of what is refused now.
   *
   * @param names of the files that would have been written
   * @returns a warning for each file that stays
   */
  async clear(names: readonly string[]): Promise<Message[]> {
    this.refuseLinkedFolder();
    const warnings: Message[] = [];
    const list: string[] = [];
    for (const file of new Set([...this.written.keys(), ...names.map((name) => this.pathOf(name))])) {
      const bytes = this.read(file);
      const problem = bytes === undefined ? undefined : this.remove(file, bytes);
      if (problem === undefined) continue;
      warnings.push(message`${file} ${problem}, and stays; do not apply it`);
      const hash = this.written.get(file);
      if (hash !== undefined) list.push(`${hash}  ${path.basename(file)}\n`);
    }
    const content = list.length === 0 ? undefined : list.join('');
    if (this.list === undefined || this.list.toString() === content) return warnings;
    await writeFiles(this.root, [{ path: this.listFile, content, original: this.list }]).catch(
      (error: unknown) => {
        if (!(error instanceof GuardrailsError)) throw error;
        warnings.push(error.text);
      },
    );
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

  /** Files that are written there must not land elsewhere. */
  private refuseLinkedFolder(): void {
    const found = lstatSync(path.join(this.root, this.path), { throwIfNoEntry: false });
    if (found !== undefined && !found.isDirectory())
      throw new InputError(
        message`${this.path} is not a folder, and the builds are written there; move it away`,
      );
  }

  private read(file: string): Buffer | undefined {
    return readFileIfThere(this.root, file, words('remove it'));
  }

  private isOurs(file: string, bytes: Uint8Array): boolean {
    return this.written.get(file) === hashOf(bytes);
  }
}

/** The files for the builds of the overlays: name to content. */
export function outputsOf(builds: readonly JudgedBuild[]): Map<string, string> {
  const outputs = new Map<string, string>();
  for (const { overlay, manifests, resources } of builds) {
    if (overlay === undefined || resources === undefined) continue;
    const name = outputName(overlay);
    if (outputs.has(name))
      throw new GuardrailsError(
        message`${overlay}: another overlay has the same output file, ${name}; rename one of the overlay folders`,
      );
    outputs.set(name, manifests);
  }
  return outputs;
}

/** `overlays/prod` is written to `prod.yaml`; a folder elsewhere keeps its whole path. */
export function outputName(overlay: string): string {
  return `${flatName(overlay)}.yaml`;
}

/** The folder of an overlay as the name of a file. */
export function flatName(overlay: string): string {
  return overlay === '.' ? 'package' : overlay.replace(/^overlays\//, '').replaceAll('/', '-');
}

/** Also in a List, and where the kind is quoted; a text that only mentions Secrets is taken for one. */
export function hasSecret(manifests: string): boolean {
  return /^[ -]*["']?kind["']?: *["']?Secret(List)?["']?\s*(#.*)?$/m.test(manifests);
}

function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
