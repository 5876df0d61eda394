import type { Finding } from '../findings/finding';
import type { Revision } from '../findings/revision';
import { type Edit, type Item, isKustomizationFile, withItemEdit } from '../krm/item';
import { annotationsOf, expandLists, resourceRef } from '../krm/resource';
import { isWorkload } from '../kubernetes/workload';
import type { Graph } from '../kustomize/graph';
import { message, words } from '../message';
import { type Fix, formatPath, withFixes } from '../yaml/field-path';
import { textOf } from '../yaml/yaml';
import { type InspectContext, type Level, inspect } from './inspect';

/** What hardening may know; levels come by item, because overlays may turn a rule off. */
export type HardenContext = Omit<InspectContext, 'levels' | 'scope' | 'kustomization'>;

/**
 * Adds to every complete resource what the rules ask for and the author left out. Complete is what a kustomization names
 * under `resources` and nowhere else; without any kustomization, everything.
 *
 * @param levelsOf the level of each rule for a file; a rule that is off adds nothing
 */
export function harden(
  items: readonly Item[],
  graph: Graph | undefined,
  context: HardenContext,
  levelsOf: (file: string | undefined) => ReadonlyMap<string, Level>,
): Revision {
  const edits = new Map<Item, Edit>();
  const changed: Finding[] = [];
  const isComplete = completeResources(graph);
  const hardened = items.map((item) => {
    if (!isComplete(item)) return item;
    const applied = new FixList(item);
    const found = inspect([item.value], {
      ...context,
      levels: levelsOf(item.path),
      scope: 'source',
      kustomization: undefined,
    });
    for (const { finding } of found) {
      if (finding.suppression !== undefined) continue;
      for (const fix of applied.add(finding.fixes ?? [])) changed.push(changeOf(finding, item, fix));
    }
    if (applied.fixes.length === 0) return item;
    edits.set(item, applied.fixes);
    return withItemEdit(item, applied.fixes);
  });
  return {
    items: hardened,
    changes: { edits, removed: new Set(), added: [] },
    changed,
    findings: graph === undefined ? [] : unbuilt(items, graph),
  };
}

/** The fixes of one item, each once. Those of a finding are added together, or not at all. */
class FixList {
  readonly fixes: Fix[] = [];
  private readonly seen = new Set<string>();

  constructor(private readonly item: Item) {}

  /** Adds the fixes of a finding, and returns those that are new. */
  add(fixes: readonly Fix[]): readonly Fix[] {
    const fresh = fixes.filter((fix) => !this.seen.has(JSON.stringify(fix)));
    if (fresh.length === 0 || withFixes(this.item.value, fresh) === undefined) return [];
    for (const fix of fresh) this.seen.add(JSON.stringify(fix));
    this.fixes.push(...fresh);
    return fresh;
  }
}

function completeResources(graph: Graph | undefined): (item: Item) => boolean {
  if (graph === undefined) return () => true;
  const kustomizations = [...graph.values()];
  const resources = new Set(kustomizations.flatMap(({ resources }) => resources));
  const others = new Set(kustomizations.flatMap(({ patches, others }) => [...patches, ...others]));
  return ({ path }) => path !== undefined && resources.has(path) && !others.has(path);
}

const LOCAL_CONFIG = 'config.kubernetes.io/local-config';

/** Workloads that no kustomization names. */
function unbuilt(items: readonly Item[], graph: Graph): Finding[] {
  const named = new Set(
    [...graph.values()].flatMap((one) => [...one.resources, ...one.patches, ...one.others]),
  );
  return items.flatMap(({ path: file, value }) => {
    if (file !== undefined && (named.has(file) || isKustomizationFile(file))) return [];
    if (textOf(annotationsOf(value)[LOCAL_CONFIG]) === 'true') return [];
    return expandLists(value)
      .filter(({ resource }) => isWorkload(resource))
      .map(({ resource }) => ({
        severity: 'warning',
        problem: words('is not listed in any kustomization, so it is neither hardened nor built'),
        remedy: words('list its file under resources, or remove it'),
        resource: resourceRef(resource),
        overlays: [],
        ...(file === undefined ? {} : { source: { file } }),
      }));
  });
}

/** One fix as a finding: `sets` a value, or `adds` an entry to a list. */
function changeOf({ rule, documentation, resource }: Finding, { path: file }: Item, fix: Fix): Finding {
  const isEntry = fix.path.at(-1) === '-';
  const field = isEntry ? fix.path.slice(0, -1) : fix.path;
  const value = textOf(fix.value);
  return {
    rule,
    documentation,
    severity: 'info',
    problem: isEntry
      ? message`adds an entry to ${formatPath(field)}: ${value}`
      : message`sets ${formatPath(field)}: ${value}`,
    resource,
    field,
    fixes: [{ ...fix, path: field }],
    overlays: [],
    ...(file === undefined ? {} : { source: { file } }),
  };
}
