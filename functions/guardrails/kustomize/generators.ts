import { type YamlObject, entriesIn, textOf } from '../yaml/yaml';

/** The fields of a kustomization that generate objects, and the kind of these. */
export const GENERATORS = [
  ['configMapGenerator', 'ConfigMap'],
  ['secretGenerator', 'Secret'],
] as const;

/** The objects that a kustomization generates, without the hashes of their names. */
export function generatedObjects(
  kustomization: YamlObject,
): { readonly kind: string; readonly name: string }[] {
  return GENERATORS.flatMap(([field, kind]) =>
    entriesIn(kustomization[field]).map(({ name }) => ({ kind, name: textOf(name) })),
  );
}
