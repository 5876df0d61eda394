import { isNear } from '../kubernetes/spelling';
import type { FieldPath } from '../yaml/field-path';
import { type YamlObject, type YamlValue, entriesIn, isObject, objectAt } from '../yaml/yaml';
import { type Application, type Images, type NamedResource, applicationsOf } from './accumulate';
import type { Kustomization } from './graph';
import { type ImagesEntry, imagesEntry, matcherOf, nameOfImage } from './image-entries';
import type { Package } from './package';

/** An entry of a kustomization that kustomize ignores, in every build. */
export interface DeadEntry {
  readonly kustomization: Kustomization;
  readonly entry: FieldPath;
  readonly name: string;
  readonly why:
    /** `near`: what is meant, if that is likely. */
    | { readonly is: 'unmatched image'; readonly near: string | undefined }
    /** The other entry is for the same name. */
    | { readonly is: 'changed before' | 'overridden'; readonly other: FieldPath }
    | { readonly is: 'unmatched target'; readonly near: string | undefined };
}

/** A name of so many characters for each typo: short names differ by little. */
const LENGTH_OF_TYPO = 4;
const MOST_TYPOS = 2;

/** The entries of all kustomizations that match nothing, and `images` entries that another one for the name overrides. */
export function deadEntries(pkg: Package): DeadEntry[] {
  const hasEntries = ({ value }: Kustomization) =>
    [value.images, value.patches, value.patchesJson6902, value.replacements].some((one) =>
      Array.isArray(one),
    );
  if (![...pkg.graph.values()].some(hasEntries)) return [];
  const applications = new Map<Kustomization, Application[]>();
  for (const one of applicationsOf(pkg) ?? []) {
    const others = applications.get(one.kustomization) ?? [];
    others.push(one);
    applications.set(one.kustomization, others);
  }
  return [...applications].flatMap(([kustomization, all]) => [
    ...deadImages(kustomization, all),
    ...deadTargets(kustomization, all),
  ]);
}

function deadImages(kustomization: Kustomization, applications: readonly Application[]): DeadEntry[] {
  // Argo CD adds entries that the file does not have.
  if (kustomization.overrides.length > 0) return [];
  const entries = entriesIn(kustomization.value.images).map(imagesEntry);
  const unmatched = entries.map(
    (entry, i) => entry !== undefined && applications.every(({ images }) => isUnmatched(entry, images[i])),
  );
  return entries.flatMap((entry, i): DeadEntry[] => {
    if (entry === undefined) return [];
    const { name } = entry;
    const found = { kustomization, name, entry: ['images', i] };
    const earlier = entries.findLastIndex((one, j) => j < i && one?.name === name && unmatched[j] === false);
    const before = entries[earlier];
    const other = ['images', earlier];
    if (before !== undefined && unmatched[i] === true)
      return [{ ...found, why: { is: 'changed before', other } }];
    if (before !== undefined && overrides(entry, before))
      return [{ ...found, entry: other, why: { is: 'overridden', other: ['images', i] } }];
    if (unmatched[i] !== true) return [];
    const known = applications.flatMap(({ images }) => [...(images[i] ?? [])]);
    const taken = entries.flatMap((one) => (one === undefined ? [] : one.name));
    return [{ ...found, why: { is: 'unmatched image', near: nearImage(name, known, taken) } }];
  });
}

function isUnmatched(entry: ImagesEntry, images: Images | undefined): boolean {
  const isMatch = matcherOf(entry);
  return images !== undefined && isMatch !== undefined && ![...images.keys()].some(isMatch);
}

/** Whether a later entry sets all that an earlier one for the same images sets. */
function overrides(later: ImagesEntry, earlier: ImagesEntry): boolean {
  if (earlier.newName !== undefined && later.newName === undefined) return false;
  const isVersioned = ({ newTag, digest, tagSuffix }: ImagesEntry) =>
    newTag !== undefined || digest !== undefined || tagSuffix !== undefined;
  if (!isVersioned(earlier)) return earlier.newName !== undefined;
  return later.newTag !== undefined || later.digest !== undefined;
}

/**
 * What the name of an entry nearly is: an image that had the name before another kustomization renamed it, the name with
 * another registry, or the name with typos. Not an image that another entry names.
 */
function nearImage(
  name: string,
  known: readonly (readonly [image: string, former: readonly string[]])[],
  taken: readonly string[],
): string | undefined {
  const free = known.filter(([image]) => !taken.includes(nameOfImage(image)));
  const renamed = free.find(([, former]) => former.includes(nameOfImage(name)));
  const lastOf = (text: string) => nameOfImage(text).split('/').at(-1);
  const found =
    renamed ??
    free.find(([image]) => nameOfImage(image) === nameOfImage(name) || lastOf(image) === lastOf(name)) ??
    free.find(([image]) => isMisspelt(name, nameOfImage(image)));
  return found && nameOfImage(found[0]);
}

function isMisspelt(name: string, known: string): boolean {
  // `service-1` and `service-2` are two names.
  if (name.replace(/\d+/g, '') === known.replace(/\d+/g, '')) return false;
  const length = Math.min(name.length, known.length);
  return isNear(name, known, Math.min(MOST_TYPOS, Math.floor(length / LENGTH_OF_TYPO)));
}

function deadTargets(kustomization: Kustomization, applications: readonly Application[]): DeadEntry[] {
  const { value } = kustomization;
  const ofPatches = ['patches', 'patchesJson6902'].flatMap((field) =>
    entriesIn(value[field]).map((one, i) => ({ target: objectAt(one, 'target'), entry: [field, i] })),
  );
  const ofReplacements = entriesIn(value.replacements).flatMap(({ targets }, i) =>
    entriesIn(targets).map((one, j) => ({
      target: objectAt(one, 'select'),
      entry: ['replacements', i, 'targets', j],
    })),
  );
  return [...ofPatches, ...ofReplacements].flatMap(({ target, entry }): DeadEntry[] => {
    const { name } = target;
    // A name for many resources may well select none.
    if (typeof name !== 'string' || name === '' || /[*+?]/.test(name)) return [];
    const isMatch = selectorOf(target);
    if (isMatch === undefined) return [];
    if (!applications.every(({ resources }) => resources?.some(isMatch) === false)) return [];
    const isOfKind = selectorOf({ ...target, name: '' });
    const names = applications.flatMap(({ resources = [] }) =>
      resources.filter((one) => isOfKind?.(one)).flatMap((one) => one.names),
    );
    const near = names.find((one) => isMisspelt(name, one));
    const kind = typeof target.kind === 'string' && target.kind !== '' ? `${target.kind}/` : '';
    return [
      {
        kustomization,
        entry,
        name: `${kind}${name}`,
        why: { is: 'unmatched target', near: near && `${kind}${near}` },
      },
    ];
  });
}

/**
 * Whether a target may select a resource, by all but its namespace and its selectors, which patches and transformers change.
 * Undefined for an expression that is not read here.
 */
function selectorOf(target: YamlObject): ((resource: NamedResource) => boolean) | undefined {
  const [group, version, kind, name] = ['group', 'version', 'kind', 'name'].map((key) =>
    anchored(target[key]),
  );
  if (group === undefined || version === undefined || kind === undefined || name === undefined)
    return undefined;
  return (one) =>
    group.test(one.group) &&
    version.test(one.version) &&
    kind.test(one.kind) &&
    one.names.some((text) => name.test(text));
}

/** An expression of a target as kustomize anchors it, if it takes linear time: `.`, `.*`, and alternatives. */
function anchored(value: YamlValue | undefined): RegExp | undefined {
  const text = value ?? '';
  if (text === '') return /(?:)/;
  if (typeof text !== 'string' || isObject(value) || !/^(?:[\w./|-]|\.\*(?!.*\*))+$/.test(text))
    return undefined;
  return new RegExp(`^(?:${text})$`);
}
