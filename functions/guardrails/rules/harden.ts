import type { Finding, Revision } from '../findings/finding';
import { type Edit, type Item, isKustomizationFile, withItemEdit } from '../krm/item';
import { annotationsOf, expandLists, resourceRef } from '../krm/resource';
import { NamespaceObjects } from '../kubernetes/namespace-objects';
import { isWorkload, podSpecOf } from '../kubernetes/workload';
import { ServiceIndex } from '../network/service-index';
import type { Graph } from '../kustomize/graph';
import { type Message, message, words } from '../message';
import { type Fix, canFix, formatPath } from '../yaml/field-path';
import { textOf } from '../yaml/yaml';
import { CustomSchemas } from './api-schema/structural-schema';
import { type InspectContext, inspect } from './inspect';

/** What hardening may know of a file: overlays may turn a rule off, and have other defaults. */
export type FileSettings = Pick<
  InspectContext,
  | 'levels'
  | 'podSecurity'
  | 'resourceDefaults'
  | 'harden'
  | 'knownImages'
  | 'images'
  | 'probes'
  | 'services'
  | 'patchesProbeOf'
>;
export type HardenContext = Omit<
  InspectContext,
  keyof FileSettings | 'scope' | 'kustomization' | 'namespaceObjects'
>;

/**
 * Adds to every complete resource what the rules ask for and the author left out. Complete is what a kustomization names
 * under `resources` and nowhere else; without any kustomization, everything.
 *
 * @param settingsOf the settings that hold for a file; a rule that is off adds nothing
 */
export function harden(
  items: readonly Item[],
  graph: Graph | undefined,
  context: HardenContext,
  settingsOf: (file: string | undefined) => FileSettings,
): Revision {
  const edits = new Map<Item, Edit>();
  const changed: Finding[] = [];
  const needs: Finding[] = [];
  const isComplete = completeResources(graph);
  const resources = items.flatMap(({ value }) => expandLists(value));
  const namespaceObjects = new NamespaceObjects(resources);
  const services = new ServiceIndex(graph === undefined ? resources : []);
  // No rule that adds something asks for them.
  const schemas = new CustomSchemas([]);
  const hardened = items.map((item) => {
    if (!isComplete(item)) return item;
    const found = inspect([item.value], {
      ...context,
      services,
      schemas,
      ...settingsOf(item.path),
      namespaceObjects,
      scope: 'source',
      onlyFixes: true,
      kustomization: undefined,
    });
    const applied = new Map<string, Fix>();
    for (const { finding } of found) {
      const added = new Map((finding.fixes ?? []).map((fix) => [JSON.stringify(fix), fix]));
      for (const key of added.keys()) if (applied.has(key)) added.delete(key);
      const fixes = [...added.values()];
      // The fixes of a finding are applied together, or not at all.
      if (finding.suppression !== undefined || !canFix(item.value, fixes)) continue;
      for (const [key, fix] of added) applied.set(key, fix);
      changed.push(...fixes.map((fix) => changeOf(finding, item, fix)));
      if (finding.needs !== undefined && fixes.length > 0) needs.push(needOf(finding, finding.needs, item));
    }
    if (applied.size === 0) return item;
    const edit = [...applied.values()];
    edits.set(item, edit);
    return withItemEdit(item, edit);
  });
  return {
    items: hardened,
    changes: { edits, removed: new Set(), added: [] },
    changed,
    effects: [...needs, ...effectsOnRunning(edits.keys())],
    findings: graph === undefined ? [] : unbuilt(items, graph),
  };
}

function completeResources(graph: Graph | undefined): (item: Item) => boolean {
  if (graph === undefined) return () => true;
  const kustomizations = [...graph.values()];
  const resources = new Set(kustomizations.flatMap(({ resources }) => resources));
  const others = new Set(kustomizations.flatMap(({ patches, others }) => [...patches, ...others]));
  return ({ path }) => path !== undefined && resources.has(path) && !others.has(path);
}

/** Workloads that no kustomization names. */
function unbuilt(items: readonly Item[], graph: Graph): Finding[] {
  const named = new Set(
    [...graph.values()].flatMap(({ resources, patches, others }) => [...resources, ...patches, ...others]),
  );
  return items.flatMap(({ path: file, value }) => {
    if (file !== undefined && (named.has(file) || isKustomizationFile(file))) return [];
    if (textOf(annotationsOf(value)['config.kubernetes.io/local-config']) === 'true') return [];
    return expandLists(value)
      .filter(({ resource }) => isWorkload(resource))
      .map(({ resource }) => ({
        severity: 'warning',
        problem: words('is not listed in any kustomization, so it is neither hardened nor built'),
        remedy: words('list its file under resources, or remove it'),
        resource: resourceRef(resource),
        overlays: [],
        source: file === undefined ? undefined : { file },
      }));
  });
}

/** Kinds whose pod template cannot be changed once they exist. */
const IMMUTABLE_KINDS = new Set(['Job', 'Pod']);
/** Kinds whose change affects only pods that are created later. */
const DEFERRED_KINDS = new Set([
  'CronJob',
  'PodTemplate',
  'ReplicaSet',
  'ReplicationController',
  'ScaledJob',
]);

/** What the changes do to what runs already. */
function effectsOnRunning(changed: Iterable<Item>): Finding[] {
  const workloads = [...changed]
    .flatMap(({ value }) => expandLists(value))
    .filter(({ resource }) => podSpecOf(resource) !== undefined)
    .map(({ resource }) => resourceRef(resource))
    .filter(({ kind }) => !DEFERRED_KINDS.has(kind));
  const namesOf = (isImmutable: boolean) =>
    workloads
      .filter(({ kind }) => IMMUTABLE_KINDS.has(kind) === isImmutable)
      .map(({ kind, name }) => `${kind}/${name}`);
  const [replaced, rejected] = [namesOf(false), namesOf(true)];
  const all: Finding[] = [];
  if (replaced.length > 0)
    all.push({
      severity: 'info',
      problem: message`applying the changes replaces the pods of ${replaced.join(', ')}`,
      remedy: words('choose when to apply them'),
      overlays: [],
    });
  if (rejected.length > 0)
    all.push({
      severity: 'info',
      problem: message`the API server rejects the changes of existing Jobs and Pods: ${rejected.join(', ')}`,
      remedy: words('delete them before the changes are applied'),
      overlays: [],
    });
  return all;
}

/** What a resource needs besides its fixes. */
function needOf({ rule, documentation, resource }: Finding, needs: Message, { path: file }: Item): Finding {
  return {
    rule,
    documentation,
    severity: 'info',
    problem: message`gets runAsNonRoot: true and may not start: ${needs}`,
    remedy: words('check the image, and set the missing fields'),
    resource,
    overlays: [],
    source: file === undefined ? undefined : { file },
  };
}

/** One fix as a finding: the resource gets a value, or an entry in a list. */
function changeOf({ rule, documentation, resource }: Finding, { path: file }: Item, fix: Fix): Finding {
  const isEntry = fix.path.at(-1) === '-';
  const field = isEntry ? fix.path.slice(0, -1) : fix.path;
  const action = words(isEntry ? 'gets an entry in' : 'gets');
  return {
    rule,
    documentation,
    severity: 'info',
    problem: message`${action} ${formatPath(field)}: ${textOf(fix.value)}`,
    resource,
    field,
    fixes: [{ ...fix, path: field }],
    overlays: [],
    source: file === undefined ? undefined : { file },
  };
}
