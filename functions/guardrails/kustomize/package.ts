import path from 'node:path/posix';
import { InputError } from '../errors';
import type { OtherSources } from '../findings/redact';
import { message } from '../message';
import { type Item, isKustomizationFile } from '../krm/item';
import { groupOf } from '../krm/resource';
import { textOf } from '../yaml/yaml';
import { type Graph, type PackageDirectory, type PackageItems, readGraph } from './graph';

/** The items that have a path, and the kustomizations among them. */
export interface Package {
  readonly files: PackageItems;
  readonly graph: Graph;
  /** Files of the directory that are not items, and that a kustomization names: path to content. */
  readonly others: ReadonlyMap<string, Uint8Array>;
  readonly directory: PackageDirectory | undefined;
}

/**
 * The package that items make; undefined for a stream, which has no kustomization.
 *
 * @param directory where the items come from, if that is known
 * @throws InputError a path outside the package, a path that is a file and a folder
 */
export function packageOf(items: readonly Item[], directory?: PackageDirectory): Package | undefined {
  const files = filesOf(items);
  for (const { path: file, value } of items)
    if (file === undefined && groupOf(value) === 'kustomize.config.k8s.io')
      throw new InputError(
        message`${textOf(value.kind)} has no annotation internal.config.kubernetes.io/path, so it cannot be built; add the path of its file`,
      );
  if (![...files.keys(), ...(directory?.kustomizations ?? [])].some(isKustomizationFile)) return undefined;
  const others = new Map<string, Uint8Array>();
  const graph = readGraph(files, directory, others);
  return { files, graph, others, directory };
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

/** What is secret in the files of a package that are not items. */
export function secretSources({ files, graph, others }: Package): OtherSources {
  const kustomizations = [...graph.values()];
  const inputs = new Set(kustomizations.flatMap(({ secretInputs }) => secretInputs));
  const patches = new Set(kustomizations.flatMap(({ otherPatches }) => otherPatches));
  const textOfOther = (file: string) => Buffer.from(others.get(file) ?? []).toString('utf8');
  return {
    inputs: [...inputs].map(
      (file) => others.get(file) ?? Buffer.from((files.get(file) ?? []).map(({ text }) => text).join('')),
    ),
    patches: [...patches].map(textOfOther),
    documents: [...others.keys()].filter((file) => !inputs.has(file) && !patches.has(file)).map(textOfOther),
  };
}
