import { type Graph, reachableFrom } from '../kustomize/graph';

/**
 * The folders whose transformers apply, in an overlay's build, to a resource of a kustomization: the outermost first, and
 * the one of the resource last.
 */
export function foldersBetween(graph: Graph, overlay: string, place: string): string[] {
  const own = graph.get(overlay);
  const components = (own?.folders ?? []).filter((folder) => graph.get(folder)?.isComponent);
  const here = [overlay, ...components.toReversed()];
  if (overlay === place) return here;
  const next = own?.folders.find((folder) => reachableFrom(graph, [folder]).has(place));
  return next === undefined ? here : [...here, ...foldersBetween(graph, next, place)];
}

/** The name that a resource of a kustomization has in an overlay's build: with their prefixes and suffixes. */
export function builtName(graph: Graph, overlay: string, place: string, name: string): string {
  return foldersBetween(graph, overlay, place).reduceRight((inner, folder) => {
    const [prefix, suffix] = affixesOf(graph, folder);
    return prefix + inner + suffix;
  }, name);
}

/** The name that a resource must have in a kustomization to have this one in an overlay's build. */
export function sourceName(graph: Graph, overlay: string, place: string, name: string): string {
  return foldersBetween(graph, overlay, place).reduce((outer, folder) => {
    const [prefix, suffix] = affixesOf(graph, folder);
    const isAffixed = outer.startsWith(prefix) && outer.endsWith(suffix);
    const inner = isAffixed ? outer.slice(prefix.length, outer.length - suffix.length) : outer;
    return inner === '' ? outer : inner;
  }, name);
}

function affixesOf(graph: Graph, folder: string): [prefix: string, suffix: string] {
  const { namePrefix, nameSuffix } = graph.get(folder)?.value ?? {};
  const textIn = (value: unknown) => (typeof value === 'string' ? value : '');
  return [textIn(namePrefix), textIn(nameSuffix)];
}
