import type { Config } from '../config/config';
import { type Fix, formatPath, withFixes } from '../yaml/field-path';
import { type Edit, type Item, annotationsOf, isKustomizationFile, withItemEdit } from '../krm/item';
import { textOf } from '../yaml/yaml';
import type { Result } from '../krm/result';
import type { Revision } from '../findings/revision';
import type { Graph } from '../kustomize/graph';
import { expandLists, resourceRef } from '../krm/resource';
import { isWorkload } from '../kubernetes/workload';
import { inspect } from './inspect';

/**
 * Puts into every whole resource what the rules would have there and its author left out. Whole is what a kustomization
 * names under `resources` and nowhere else; without any kustomization, everything.
 */
export function harden(items: readonly Item[], graph: Graph | undefined, config: Config): Revision {
  const edits = new Map<Item, Edit>();
  const told: Result[] = [];
  const isWhole = wholeResources(graph);
  const hardened = items.map((item) => {
    if (!isWhole(item)) return item;
    const applied = new FixList(item);
    for (const { rule, finding, path, resource, exemption } of inspect([item.value], {
      ...config,
      scope: 'source',
      kustomization: undefined,
    })) {
      if (finding.fixes === undefined || exemption !== undefined) continue;
      const placed = finding.fixes.map((fix) => ({ ...fix, path: [...path, ...fix.path] }));
      for (const fix of applied.add(placed)) told.push(changeResult(rule, item, resourceRef(resource), fix));
    }
    if (applied.fixes.length === 0) return item;
    edits.set(item, applied.fixes);
    return withItemEdit(item, applied.fixes);
  });
  return {
    items: hardened,
    changes: { edits, removed: new Set(), added: [] },
    told,
    findings: graph === undefined ? [] : unbuilt(items, graph),
  };
}

/** The fixes of one item, each once. Those of a finding are added together, where all of them have a place. */
class FixList {
  readonly fixes: Fix[] = [];
  private readonly seen = new Set<string>();

  constructor(private readonly item: Item) {}

  /** Adds the fixes of a finding, and returns those that are new. */
  add(fixes: readonly Fix[]): readonly Fix[] {
    const fresh = fixes.filter((fix) => !this.seen.has(JSON.stringify(fix)));
    if (withFixes(this.item.value, fresh) === undefined) return [];
    for (const fix of fresh) this.seen.add(JSON.stringify(fix));
    this.fixes.push(...fresh);
    return fresh;
  }
}

function wholeResources(graph: Graph | undefined): (item: Item) => boolean {
  if (graph === undefined) return () => true;
  const kustomizations = [...graph.values()];
  const resources = new Set(kustomizations.flatMap(({ resources }) => resources));
  const others = new Set(kustomizations.flatMap(({ patches, others }) => [...patches, ...others]));
  return ({ path }) => path !== undefined && resources.has(path) && !others.has(path);
}

const LOCAL_CONFIG = 'config.kubernetes.io/local-config';

function unbuilt(items: readonly Item[], graph: Graph): Result[] {
  const named = new Set(
    [...graph.values()].flatMap((one) => [...one.resources, ...one.patches, ...one.others]),
  );
  return items.flatMap((item) => {
    const { path, value } = item;
    if (path !== undefined && (named.has(path) || isKustomizationFile(path))) return [];
    if (textOf(annotationsOf(value)[LOCAL_CONFIG]) === 'true') return [];
    return expandLists(value)
      .filter(({ resource }) => isWorkload(resource))
      .map(({ resource }) => {
        const ref = resourceRef(resource);
        const file = path ?? 'standard input';
        return {
          message: `${file}: ${ref.kind}/${ref.name} is named by no kustomization, so that it is neither hardened nor built; name it under resources, or remove it`,
          severity: 'warning',
          resourceRef: ref,
          ...(path === undefined ? {} : { file: { path } }),
        } as const;
      });
  });
}

function changeResult(
  rule: string,
  { path: file }: Item,
  ref: ReturnType<typeof resourceRef>,
  fix: Fix,
): Result {
  const field = formatPath(fix.path.filter((step) => step !== '-'));
  const how = fix.path.at(-1) === '-' ? 'gets' : 'is set to';
  return {
    message: `${file === undefined ? '' : `${file}: `}${ref.kind}/${ref.name}: ${field} ${how} ${textOf(fix.value)}`,
    severity: 'info',
    resourceRef: ref,
    field: { path: field, proposedValue: fix.value },
    ...(file === undefined ? {} : { file: { path: file } }),
    tags: { rule },
  };
}
