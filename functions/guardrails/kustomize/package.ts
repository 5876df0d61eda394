import { groupOf } from '../krm/resource';
import path from 'node:path/posix';
import { InputError } from '../errors';
import { message } from '../message';
import { type Item, isKustomizationFile } from '../krm/item';
import { textOf } from '../yaml/yaml';
import { type Graph, type PackageItems, readGraph } from './graph';

/** Items that came with paths, and the kustomizations among them. */
export interface Package {
  readonly files: PackageItems;
  readonly graph: Graph;
}

/**
 * The package that items make; undefined for a stream, which has no kustomization in it.
 *
 * @throws InputError a path that leaves the package, a path that is a file and a folder, a folder with two kustomizations
 */
export function packageOf(items: readonly Item[]): Package | undefined {
  const files = filesOf(items);
  for (const { path: file, value } of items)
    if (file === undefined && groupOf(value) === 'kustomize.config.k8s.io')
      throw new InputError(
        message`a ${textOf(value.kind)} without the annotation that says in which file it stands: it cannot be built`,
      );
  if (![...files.keys()].some(isKustomizationFile)) return undefined;
  return { files, graph: readGraph(files) };
}

function filesOf(items: readonly Item[]): PackageItems {
  const files = new Map<string, Item[]>();
  for (const item of items) {
    if (item.path === undefined) continue;
    if (
      path.isAbsolute(item.path) ||
      path.normalize(item.path) !== item.path ||
      /^\.\.(\/|$)|\0/.test(item.path)
    )
      throw new InputError(
        message`${JSON.stringify(item.path)}: a path annotation that leaves the package, or is not in its shortest form`,
      );
    const documents = files.get(item.path) ?? [];
    documents.push(item);
    files.set(item.path, documents);
  }
  for (const [file, documents] of files) {
    for (let dir = path.dirname(file); dir !== '.'; dir = path.dirname(dir))
      if (files.has(dir)) throw new InputError(message`${file}: ${dir} is a file and a folder in this input`);
    documents.sort((a, b) => a.index - b.index);
  }
  return files;
}
