import path from 'node:path/posix';
import { ConfigError } from '../errors';
import { joinMessages, message } from '../message';
import { matchesGlob } from './glob';
import { type Graph, type Kustomization, reachableFrom } from './graph';

/** What the configuration says of the kustomizations of a package. */
export interface OverlaySettings {
  /** Folders that `environments` names: each is an overlay. */
  readonly configured: readonly string[];
  /** Globs of folders that are overlays, and of folders that are not, whatever their names say. */
  readonly overlays?: readonly string[];
  readonly bases?: readonly string[];
}

/** The folders whose builds are judged, and those that are judged only as part of what builds on them. */
export interface Overlays {
  readonly judged: readonly string[];
  readonly bases: readonly string[];
  /** Components that no kustomization includes, and that are not judged. */
  readonly unused: readonly string[];
  /** Kustomizations below a base that lists the folders beside them, and not them: they are not judged. */
  readonly forgotten: readonly Forgotten[];
}

/** A kustomization that a base does not list. */
export interface Forgotten {
  readonly dir: string;
  /** The folder of the base. */
  readonly base: string;
}

const BASE_NAMES = /^(bases?|common|shared)$/;
const OVERLAY_NAMES = /^(overlays?|environments?|envs?|clusters?)$/;
const ENVIRONMENT = 'dev|development|test|testing|qa|uat|staging|stage|preprod|prod|production|live';
/** `prod`, `prod-eu`, `eu-prod`. */
const ENVIRONMENT_NAMES = new RegExp(
  `^(${ENVIRONMENT})$|^(dev|staging|prod|production)[-_.]|[-_.](dev|staging|prod|production)$`,
);

/** Checks that each folder that the configuration names is an overlay. @throws ConfigError with all overlays */
export function checkConfiguredOverlays(graph: Graph, configured: readonly string[]): void {
  const known = kustomizationFolders(graph);
  const unknown = configured.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new ConfigError(
    message`configuration: environments names the overlay "${unknown}", which does not exist; use one of ${joinMessages(known.sort(), ', ')}`,
  );
}

/**
 * Decides which kustomizations are judged: each that someone could deploy by itself, because kustomize and Argo CD build
 * any folder. The configuration decides first. A Kustomization that nothing includes is judged. One that is included is
 * judged if the innermost telling segment of its path is the name of an overlay or of an environment, and if no segment
 * tells, unless it includes nothing or several include it. A Component is judged if nothing includes it and it is not
 * below a folder `components`. A folder that a base forgot to list is not judged, unless its name or the configuration says
 * that it is an overlay.
 */
export function overlaysOf(graph: Graph, settings: OverlaySettings): Overlays {
  const included = countIncluding(graph);
  const isRoot = (dir: string) => !included.has(dir);
  const judged = new Set<string>();
  const unused: string[] = [];
  for (const kustomization of graph.values()) {
    const { dir, isComponent } = kustomization;
    if (isOverlay(kustomization, settings, included.get(dir) ?? 0)) judged.add(dir);
    else if (isComponent && isRoot(dir)) unused.push(dir);
  }
  const forgotten = forgottenFolders(graph, [...judged].filter(isRoot).sort(), isRoot, settings);
  for (const { dir } of forgotten) judged.delete(dir);
  const ofForgotten = reachableFrom(
    graph,
    forgotten.map(({ dir }) => dir),
  );
  const isBase = (dir: string) => matchesOne(dir, settings.bases);
  // Kustomizations that build on each other have no root; kustomize reports the cycle.
  for (const dir of kustomizationFolders(graph))
    if (!isBase(dir) && !ofForgotten.has(dir) && !reachableFrom(graph, [...judged]).has(dir)) judged.add(dir);
  const isForgotten = (dir: string) => forgotten.some((one) => one.dir === dir);
  const bases = kustomizationFolders(graph).filter((dir) => !judged.has(dir) && !isForgotten(dir));
  return { judged: [...judged].sort(), bases: bases.sort(), unused: unused.sort(), forgotten };
}

/**
 * Of kustomizations that nothing includes, those beside folders that a base above them lists. One that builds on a part of
 * that base is a variant of it, and not a part.
 */
function forgottenFolders(
  graph: Graph,
  roots: readonly string[],
  isRoot: (dir: string) => boolean,
  { configured, overlays }: OverlaySettings,
): Forgotten[] {
  const isDeclared = (dir: string) => configured.includes(dir) || matchesOne(dir, overlays);
  /** Folder to the base that lists kustomizations in it. */
  const bases = new Map<string, string>();
  for (const { dir, folders, isComponent } of graph.values()) {
    if (isComponent || isRoot(dir) || isDeclared(dir) || roleByName(dir) === true) continue;
    for (const folder of folders) if (isBelow(folder, dir)) bases.set(path.dirname(folder), dir);
  }
  return roots.flatMap((dir) => {
    const base = bases.get(path.dirname(dir));
    const isComponent = graph.get(dir)?.isComponent !== false;
    if (base === undefined || isComponent || isDeclared(dir) || isNamedOverlay(dir)) return [];
    const parts = reachableFrom(graph, [base]);
    const isVariant = [...reachableFrom(graph, [dir])].some((one) => parts.has(one));
    return isVariant ? [] : [{ dir, base }];
  });
}

function isNamedOverlay(dir: string): boolean {
  const segments = dir.toLowerCase().split('/');
  return roleByName(dir) === true || segments.some((one) => OVERLAY_NAMES.test(one));
}

function isBelow(folder: string, dir: string): boolean {
  return dir === '.' ? !folder.startsWith('../') : folder.startsWith(`${dir}/`);
}

function isOverlay(
  { dir, isComponent, folders }: Kustomization,
  { configured, overlays, bases }: OverlaySettings,
  including: number,
): boolean {
  if (configured.includes(dir) || matchesOne(dir, overlays)) return true;
  if (matchesOne(dir, bases)) return false;
  if (including === 0) return !isComponent || !dir.split('/').includes('components');
  if (isComponent) return false;
  return roleByName(dir) ?? (folders.length > 0 && including < 2);
}

/** Whether the innermost telling segment of a path is that of an overlay; undefined if no segment tells. */
function roleByName(dir: string): boolean | undefined {
  for (const segment of dir.toLowerCase().split('/').toReversed()) {
    if (BASE_NAMES.test(segment)) return false;
    if (OVERLAY_NAMES.test(segment) || ENVIRONMENT_NAMES.test(segment)) return true;
  }
  return undefined;
}

function matchesOne(dir: string, globs: readonly string[] = []): boolean {
  return globs.some((glob) => matchesGlob(dir, glob));
}

/** Folder to the number of kustomizations that include it. */
function countIncluding(graph: Graph): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { folders } of graph.values())
    for (const folder of new Set(folders)) counts.set(folder, (counts.get(folder) ?? 0) + 1);
  return counts;
}

/** Folders of Kustomizations, as opposed to Components. */
function kustomizationFolders(graph: Graph): string[] {
  return [...graph.values()].filter(({ isComponent }) => !isComponent).map(({ dir }) => dir);
}
