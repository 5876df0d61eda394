import path from 'node:path/posix';
import { InputError } from '../errors';
import { message } from '../message';
import { type Item, isKustomizationFile } from '../krm/item';
import { groupOf } from '../krm/resource';
import { textOf } from '../yaml/yaml';
import { type Graph, type PackageItems, readGraph } from './graph';

/** The items that have a path, and the kustomizations among them. */
export interface Package {
  readonly files: PackageItems;
  readonly graph: Graph;
}

/**
 * The package that items make; undefined for a stream, which has no kustomization.
 *
 * @throws InputError a path outside the package, a path that is a file and a folder, a folder with two kustomizations
 */
export function packageOf(items: readonly Item[]): Package | undefined {
  const files = filesOf(items);
  for (const { path: file, value } of items)
    if (file === undefined && groupOf(value) === 'kustomize.config.k8s.io')
      throw new InputError(
        message`${textOf(value.kind)} has no annotation internal.config.kubernetes.io/path, so it cannot be built; add the path of its file`,
      );
  if (![...files.keys()].some(isKustomizationFile)) return undefined;
  return { files, graph: readGraph(files) };
}

function filesOf(items: readonly Item[]): PackageItems {
  const files = new Map<string, Item[]>();
  for (const item of items) {
    if (item.path === undefined) continue;
    if (path.normalize(item.path) !== item.path || /^\/|^\.\.(\/|$)|\0/.test(item.path))
      throw new InputError(
        message`path annotation "${item.path}" is outside the package or not normalized; write it relative to the package, without ".."`,
      );
    const documents = files.get(item.path) ?? [];
    documents.push(item);
    files.set(item.path, documents);
  }
  for (const [file, documents] of files) {
    for (let dir = path.dirname(file); dir !== '.'; dir = path.dirname(dir))
      if (files.has(dir))
        throw new InputError(message`${dir} is both a file and the folder of ${file}; rename one of them`);
    documents.sort((a, b) => a.index - b.index);
  }
  return files;
}

/**
 * The content of every file that a secretGenerator reads, for the redactor.
 *
 * @param extraFiles files of the package that are not among its items, with their content
 */
export function secretInputs(
  { files, graph }: Package,
  extraFiles: ReadonlyMap<string, Uint8Array>,
): Uint8Array[] {
  return [...graph.values()]
    .flatMap((kustomization) => kustomization.secretInputs)
    .map(
      (file) => extraFiles.get(file) ?? Buffer.from((files.get(file) ?? []).map(({ text }) => text).join('')),
    );
}
