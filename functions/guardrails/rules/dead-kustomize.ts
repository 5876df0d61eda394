import type { Finding } from '../findings/finding';
import { type DeadEntry, deadEntries } from '../kustomize/dead-entries';
import { type PackageItems, reachableFrom } from '../kustomize/graph';
import type { Package } from '../kustomize/package';
import { placeInFile } from '../kustomize/source-place';
import { type Message, message, words } from '../message';
import { formatPath } from '../yaml/field-path';
import type { Rule } from './rule';

/** What a kustomization says, and kustomize ignores without a word. It is checked for a package, not for a resource. */
export const deadKustomize: Rule = {
  id: 'dead-kustomize',
  summary:
    'Every entry of `images`, every named target of `patches` and `replacements` matches something; no generator without a use',
  documentation: 'https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/',
};

/**
 * Finds the entries of a package that have no effect, to report those of the kustomizations that an overlay builds on.
 *
 * @param shown the files in which to count lines
 */
export function deadKustomizeIn(pkg: Package, shown: PackageItems): (overlay: string) => Finding[] {
  const dead = deadEntries(pkg).map((one) => ({
    dir: one.kustomization.dir,
    finding: findingOf(one, shown),
  }));
  return (overlay) => {
    if (dead.length === 0) return [];
    const reached = reachableFrom(pkg.graph, [overlay]);
    return dead
      .filter(({ dir }) => reached.has(dir))
      .map(({ finding }) => ({ ...finding, overlays: [overlay] }));
  };
}

function findingOf(dead: DeadEntry, shown: PackageItems): Finding {
  const { kustomization, entry, why } = dead;
  const { file, isComponent } = kustomization;
  const documents = shown.get(file) ?? [];
  const isNear = why.is === 'unmatched image' && why.near !== undefined;
  const [inKustomization, inComponent] = isNear
    ? (['error', 'warning'] as const)
    : (['warning', 'info'] as const);
  const { id: rule, documentation } = deadKustomize;
  return {
    rule,
    documentation,
    // A Component is for kustomizations of which some may not have what it changes.
    severity: isComponent ? inComponent : inKustomization,
    ...textsOf(dead),
    overlays: [],
    source: { file, ...placeInFile(documents, documents[0], entry), entry },
  };
}

function textsOf({ name, why }: DeadEntry): { readonly problem: Message; readonly remedy: Message } {
  switch (why.is) {
    case 'unmatched image':
      return {
        problem: message`the images entry ${name} matches no image, so it has no effect`,
        remedy:
          why.near === undefined
            ? words('write the name of the image as the resources have it, or remove the entry')
            : message`did you mean ${why.near}? correct the name, or remove the entry`,
      };
    case 'changed before':
      return {
        problem: message`the images entry ${name} has no effect, because ${formatPath(why.other)} changes that image first`,
        remedy: words('write one entry for the image'),
      };
    case 'overridden':
      return {
        problem: message`the images entry ${name} has no effect, because ${formatPath(why.other)} is for the same name and is applied later`,
        remedy: words('keep one entry for the image'),
      };
    case 'unmatched target':
      return {
        problem: message`the target ${name} matches no resource, so the entry has no effect`,
        remedy:
          why.near === undefined
            ? words('correct the target, or remove the entry')
            : message`did you mean ${why.near}? correct the target, or remove the entry`,
      };
  }
}
