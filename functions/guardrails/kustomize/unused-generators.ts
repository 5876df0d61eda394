import { expandLists, resourceRef } from '../krm/resource';
import { isKustomizationFile } from '../krm/item';
import { type YamlObject, type YamlValue, entriesIn, isAbsent, isObject, objectAt } from '../yaml/yaml';
import type { FieldPath } from '../yaml/field-path';
import type { OverlayBuild } from './build-overlays';
import { GENERATORS } from './generators';
import { type Kustomization, reachableFrom } from './graph';
import type { Package } from './package';

/** An entry of a kustomization that generates an object which nothing in a build names. */
export interface UnusedGenerator {
  readonly kustomization: Kustomization;
  readonly entry: FieldPath;
  /** `ConfigMap/env`. */
  readonly name: string;
}

interface GeneratorUse extends UnusedGenerator {
  readonly isUsed: boolean;
}

/** What kustomize appends to a name: ten letters and digits of a hash of the content. */
const HASH = /-[a-z0-9]{10}$/;

/** The generators whose objects are not used in any of the builds. */
export function unusedGenerators(pkg: Package, builds: readonly OverlayBuild[]): UnusedGenerator[] {
  const uses = new Map<string, GeneratorUse>();
  for (const build of builds)
    for (const one of usesOf(pkg, build)) {
      const key = JSON.stringify([one.kustomization.file, one.entry]);
      if (uses.get(key)?.isUsed !== true) uses.set(key, one);
    }
  return [...uses.values()].filter(({ isUsed }) => !isUsed);
}

/**
 * The generators of an overlay, and whether anything else names their objects. A label or an annotation may be how a program finds an
 * object, and so may a name without a hash: those count as used.
 */
function usesOf(pkg: Package, { overlay, resources: roots }: OverlayBuild): GeneratorUse[] {
  const reached = [...reachableFrom(pkg.graph, [overlay])].flatMap((dir) => pkg.graph.get(dir) ?? []);
  const generators = reached.flatMap((kustomization) =>
    GENERATORS.flatMap(([field, kind]) =>
      entriesIn(kustomization.value[field]).flatMap(({ name, behavior }, i) => {
        const isNew = isAbsent(behavior) || behavior === 'create';
        return typeof name === 'string' && name !== '' && isNew
          ? [{ kustomization, kind, name, entry: [field, i] }]
          : [];
      }),
    ),
  );
  if (generators.length === 0) return [];
  const resources = roots.flatMap((root) => expandLists(root)).map(({ resource }) => resource);
  return generators.flatMap(({ kustomization, kind, name, entry }) => {
    const generated = resources.filter((one) => one.kind === kind && resourceRef(one).name.includes(name));
    // A patch may rename it.
    const isKnown = generated.length > 0 && generated.every(isAnonymous);
    const others = resources.filter((one) => !generated.includes(one));
    const isUsed =
      !isKnown ||
      others.length === 0 ||
      others.some((one) => mentions(one, name)) ||
      isSource(pkg, reached, name);
    return [{ kustomization, entry, name: `${kind}/${name}`, isUsed }];
  });
}

/** Whether nothing but its name with the hash identifies an object. */
function isAnonymous(resource: YamlObject): boolean {
  const metadata = objectAt(resource, 'metadata');
  return HASH.test(resourceRef(resource).name) && isAbsent(metadata.labels) && isAbsent(metadata.annotations);
}

/** Whether a kustomization copies values of the object: replacements, vars, patches and transformers name it. */
function isSource(pkg: Package, reached: readonly Kustomization[], name: string): boolean {
  const isNamed = reached.some(({ value, others, patches }) => {
    const rest = { ...value, configMapGenerator: null, secretGenerator: null };
    const files = [...others, ...patches].flatMap((file) => pkg.files.get(file) ?? []);
    return mentions(rest, name) || files.some((item) => mentions(item.value, name));
  });
  return (
    isNamed ||
    [...pkg.others].some(
      ([file, content]) => !isKustomizationFile(file) && Buffer.from(content).includes(name),
    )
  );
}

/** Whether a text of a value, or a key, contains a name. Not recursive: resources may be deep. */
function mentions(root: YamlValue, name: string): boolean {
  const open: YamlValue[] = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === 'string' && value.includes(name)) return true;
    if (Array.isArray(value)) for (const entry of value) open.push(entry);
    else if (isObject(value))
      for (const [key, child] of Object.entries(value)) {
        if (key.includes(name)) return true;
        open.push(child);
      }
  }
  return false;
}
