import type { Finding } from '../findings/finding';
import type { Severity } from '../krm/result';
import { type DeadEntry, deadEntries } from '../kustomize/dead-entries';
import type { OverlayBuild } from '../kustomize/build-overlays';
import { type Kustomization, type PackageItems, reachableFrom } from '../kustomize/graph';
import type { Package } from '../kustomize/package';
import { placeInFile } from '../kustomize/source-place';
import { unusedGenerators } from '../kustomize/unused-generators';
import { type Message, message, words } from '../message';
import { type FieldPath, formatPath } from '../yaml/field-path';
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
export function deadKustomizeIn(
  pkg: Package,
  builds: readonly OverlayBuild[],
  shown: PackageItems,
): (overlay: string) => Finding[] {
  const found = [
    ...deadEntries(pkg).map((one) => findingOf(one, { severity: severityOf(one), ...textsOf(one) }, shown)),
    ...unusedGenerators(pkg, builds).map((one) => findingOf(one, unused(one.name), shown)),
  ];
  return (overlay) => {
    if (found.length === 0) return [];
    const reached = reachableFrom(pkg.graph, [overlay]);
    return found
      .filter(({ kustomization: { dir } }) => reached.has(dir))
      .map(({ finding }) => ({ ...finding, overlays: [overlay] }));
  };
}

/** An entry of a kustomization. */
interface Entry {
  readonly kustomization: Kustomization;
  readonly entry: FieldPath;
}

function findingOf(
  { kustomization, entry }: Entry,
  texts: Pick<Finding, 'severity' | 'problem' | 'remedy'>,
  shown: PackageItems,
): { readonly kustomization: Kustomization; readonly finding: Finding } {
  const { file } = kustomization;
  const documents = shown.get(file) ?? [];
  const { id: rule, documentation } = deadKustomize;
  const source = { file, ...placeInFile(documents, documents[0], entry), entry };
  return { kustomization, finding: { rule, documentation, ...texts, overlays: [], source } };
}

/** A Component is for kustomizations of which some may not have what it changes. */
function severityOf({ kustomization: { isComponent }, why }: DeadEntry): Severity {
  const isNear = why.is === 'unmatched image' && why.near !== undefined;
  if (isNear) return isComponent ? 'warning' : 'error';
  return isComponent ? 'info' : 'warning';
}

function unused(name: string): Pick<Finding, 'severity' | 'problem' | 'remedy'> {
  return {
    severity: 'info',
    problem: message`the generated ${name} is not used: no other resource of the build names it`,
    remedy: words('remove the generator, or refer to its name where it is used'),
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
