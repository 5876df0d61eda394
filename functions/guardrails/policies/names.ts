import { type Graph, reachableFrom } from '../kustomize/graph';

/** What an overlay's build does to the names and the namespace of the resources of a kustomization. */
export interface Renaming {
  /** What the kustomizations set: the outermost wins; undefined: none sets one. */
  readonly namespace: string | undefined;
  /** The name that a resource has in the build. */
  readonly builtName: (name: string) => string;
  /** The name that a resource must have to have this one in the build. */
  readonly sourceName: (name: string) => string;
}

/** @param place the folder of a kustomization that the overlay builds on */
export function renamingOf(graph: Graph, overlay: string, place: string): Renaming {
  const kustomizations = foldersBetween(graph, overlay, place).map((folder) => graph.get(folder)?.value);
  const affixes = kustomizations.map((one) => [textIn(one?.namePrefix), textIn(one?.nameSuffix)] as const);
  return {
    namespace: kustomizations.map((one) => textIn(one?.namespace)).find((namespace) => namespace !== ''),
    builtName: (name) => affixes.reduceRight((inner, [prefix, suffix]) => prefix + inner + suffix, name),
    sourceName: (name) =>
      affixes.reduce((outer, [prefix, suffix]) => {
        const isAffixed = outer.startsWith(prefix) && outer.endsWith(suffix);
        const inner = isAffixed ? outer.slice(prefix.length, outer.length - suffix.length) : outer;
        return inner === '' ? outer : inner;
      }, name),
  };
}

/**
 * The folders whose transformers apply, in an overlay's build, to a resource of a kustomization: the outermost first, and
 * the one of the resource last.
 */
function foldersBetween(graph: Graph, overlay: string, place: string): string[] {
  const own = graph.get(overlay);
  const components = (own?.folders ?? []).filter((folder) => graph.get(folder)?.isComponent);
  const here = [overlay, ...components.toReversed()];
  if (overlay === place) return here;
  const next = own?.folders.find((folder) => reachableFrom(graph, [folder]).has(place));
  return next === undefined ? here : [...here, ...foldersBetween(graph, next, place)];
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
