import type { Graph } from '../kustomize/graph';
import { append } from '../network/multimap';
import { type Labels, stringsIn } from '../network/selector';
import { type YamlObject, objectsIn } from '../yaml/yaml';

/** What an overlay's build does to the names, the namespace and the selectors of the resources of a kustomization. */
export interface Renaming {
  /** What the kustomizations set: the outermost wins; undefined: none sets one. */
  readonly namespace: string | undefined;
  /** The name that a resource has in the build. */
  readonly builtName: (name: string) => string;
  /** The name that a resource must have to have this one in the build. */
  readonly sourceName: (name: string) => string;
  /** The labels that the kustomizations add to selectors. */
  readonly labels: Labels;
}

/** A kustomization that is included more often is not followed further: no real build does it. */
const MOST_INCLUSIONS = 100;

/**
 * The folders of the kustomizations that an overlay builds on, itself included, to what the build does to the resources
 * that they list: once for each time that the folder is included.
 */
export function renamingsOf(graph: Graph, overlay: string): ReadonlyMap<string, readonly Renaming[]> {
  const renamings = new Map<string, Renaming[]>();
  const queue: { readonly folder: string; readonly outer: readonly YamlObject[] }[] = [
    { folder: overlay, outer: [] },
  ];
  for (const { folder, outer } of queue) {
    const own = graph.get(folder);
    const isCycle = own !== undefined && outer.includes(own.value);
    if (own === undefined || isCycle || (renamings.get(folder)?.length ?? 0) >= MOST_INCLUSIONS) continue;
    const components = own.folders.filter((one) => graph.get(one)?.isComponent);
    // A Component transforms what its kustomization and the Components before it bring.
    const appliedTo = (next: string) => {
      const after = components.slice(components.indexOf(next) + 1).toReversed();
      return [...outer, own.value, ...after.map((one) => graph.get(one)?.value ?? {})];
    };
    append(renamings, folder, renamingBy(appliedTo(folder)));
    for (const next of own.folders) queue.push({ folder: next, outer: appliedTo(next) });
  }
  return renamings;
}

/** @param kustomizations those whose transformers apply: the outermost first */
function renamingBy(kustomizations: readonly YamlObject[]): Renaming {
  const affixes = kustomizations
    .map((one) => [textIn(one.namePrefix), textIn(one.nameSuffix)] as const)
    .filter(([prefix, suffix]) => prefix + suffix !== '');
  return {
    namespace: kustomizations.map((one) => textIn(one.namespace)).find((namespace) => namespace !== ''),
    builtName: (name) => affixes.reduceRight((inner, [prefix, suffix]) => prefix + inner + suffix, name),
    sourceName: (name) =>
      affixes.reduce((outer, [prefix, suffix]) => {
        const isAffixed = outer.startsWith(prefix) && outer.endsWith(suffix);
        const inner = isAffixed ? outer.slice(prefix.length, outer.length - suffix.length) : outer;
        return inner === '' ? outer : inner;
      }, name),
    labels: Object.fromEntries(kustomizations.toReversed().flatMap(selectorLabels)),
  };
}

/** The labels that a kustomization adds to selectors. */
function selectorLabels({ commonLabels, labels }: YamlObject): [key: string, value: string][] {
  const inSelectors = objectsIn(labels).filter((one) => one.includeSelectors === true);
  return [commonLabels, ...inSelectors.map(({ pairs }) => pairs)].flatMap((one) =>
    Object.entries(stringsIn(one)),
  );
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
