import path from 'node:path/posix';
import { InputError } from '../errors';
import { message } from '../message';
import { type YamlObject, type YamlValue, isObject } from '../yaml/yaml';
import { PACKAGE_PATH, STANDARD_INPUT, type Item, withWireAnnotations } from './item';
import { annotationsOf, resourceRef } from './resource';

/**
 * The package that `kpt fn render` renders, and its subpackages: folders with a Kptfile of their own. kpt sends the path
 * of a file relative to its own package, and the folder of that package on disk in an annotation (kpt
 * pkg/lib/kptops/render_executor.go, adjustRelPath). `kpt fn eval` and `kpt fn source` send neither.
 */
export class KptPackages {
  /** The items, with paths relative to the root package. */
  readonly items: readonly Item[];
  /** Folder of a package, relative to the root package, to its folder on disk; `.` is the root package. */
  private readonly packages = new Map<string, string>();

  /** @throws InputError an item of a package that is not in that of the functionConfig */
  constructor(items: readonly Item[], functionConfig: YamlValue | undefined) {
    const root = rootOf(items, functionConfig);
    this.items = root === undefined ? items : items.map((item) => this.place(item, root));
  }

  /**
   * A new item as kpt takes it back: its path is relative to the innermost package that contains it. kpt writes an item
   * that names no package into the one whose pipeline runs.
   */
  print(item: Item): string {
    const { path: file = '' } = item;
    let dir = path.dirname(file);
    while (!this.packages.has(dir) && dir.includes('/')) dir = path.dirname(dir);
    const folder = this.packages.has(dir) ? dir : '.';
    const inPackage = folder === '.' ? file : file.slice(folder.length + 1);
    return withWireAnnotations(item, inPackage, this.packages.get(folder));
  }

  private place(item: Item, root: string): Item {
    const packagePath = packagePathOf(item.value);
    if (packagePath === undefined) return item;
    const folder = folderBelow(root, packagePath);
    if (folder === undefined) {
      const { kind, name } = resourceRef(item.value);
      throw new InputError(
        message`${STANDARD_INPUT}: ${kind}/${name} is from the package ${packagePath}, which is not in the package of the functionConfig (${root}); send only items of that package and its subpackages`,
      );
    }
    this.packages.set(folder, packagePath);
    // Joined as text: a path with `..` must stay recognizable, because it is refused.
    return folder === '.' || !item.path ? item : { ...item, path: `${folder}/${item.path}` };
  }
}

/**
 * The folder on disk that paths are made relative to: the package of the functionConfig, or else the innermost folder
 * that contains the packages of all items.
 */
function rootOf(items: readonly Item[], functionConfig: YamlValue | undefined): string | undefined {
  const configured = isObject(functionConfig) ? packagePathOf(functionConfig) : undefined;
  if (configured !== undefined) return configured;
  const [first, ...others] = new Set(items.flatMap(({ value }) => packagePathOf(value) ?? []));
  if (first === undefined) return undefined;
  let root = first;
  while (others.some((one) => folderBelow(root, one) === undefined)) {
    // Packages that have nothing in common: a hand-made input, whose paths stay as they are.
    if (root.lastIndexOf('/') < 1) return undefined;
    root = path.dirname(root);
  }
  return root;
}

function packagePathOf(value: YamlObject): string | undefined {
  const packagePath = annotationsOf(value)[PACKAGE_PATH];
  return typeof packagePath === 'string' && packagePath !== '' ? packagePath : undefined;
}

/** A folder relative to one that contains it; `.` for that one itself, undefined outside of it. */
function folderBelow(root: string, folder: string): string | undefined {
  if (folder === root) return '.';
  const prefix = root.endsWith('/') ? root : `${root}/`;
  return folder.startsWith(prefix) ? folder.slice(prefix.length) : undefined;
}
