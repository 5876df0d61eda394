import type { Finding } from '../findings/finding';
import { type ResourceRef, expandLists, resourceRef } from '../krm/resource';
import type { OverlayBuild } from '../kustomize/build-overlays';
import { reachableFrom } from '../kustomize/graph';
import type { Package } from '../kustomize/package';
import { type Message, words } from '../message';
import { generatedLabelsOf } from '../network/generate';
import { isNetworkPolicy } from '../network/policy';
import { networkPolicy } from '../rules/network-policy';
import type { YamlObject } from '../yaml/yaml';
import { generatedItems } from './update-policies';

/**
 * Reports generated policies that an overlay removes, or builds without the label of generated policies: the rule would
 * take such a policy for a hand-written one, which may allow any traffic.
 */
export function checkGeneratedAreKept(pkg: Package, { overlay, resources }: OverlayBuild): Finding[] {
  const files = new Set(
    [...reachableFrom(pkg.graph, [overlay])].flatMap((dir) => pkg.graph.get(dir)?.resources ?? []),
  );
  const generated = [...generatedItems(pkg)].filter(({ path = '' }) => files.has(path));
  const built = resources
    .flatMap((one) => expandLists(one))
    .map(({ resource }) => resource)
    .filter(isNetworkPolicy);
  const finding = (resource: ResourceRef, problem: Message, remedy: string, file = ''): Finding => ({
    rule: networkPolicy.id,
    documentation: networkPolicy.documentation,
    severity: 'error',
    problem,
    remedy: words(remedy),
    resource,
    overlays: [overlay],
    source: { file },
  });
  const kept = matchByName(
    generated.map(({ value }) => value),
    built,
  );
  return generated.flatMap(({ value, path: file }) => {
    const resource = kept.get(value);
    if (resource === undefined)
      return [
        finding(
          resourceRef(value),
          words('is generated, but this build does not contain it'),
          'remove the patch that deletes or renames it',
          file,
        ),
      ];
    const inBuild = generatedLabelsOf(resource);
    // A package that is judged as it is may have the label of a former domain.
    const label = generatedLabelsOf(value).find((one) => !inBuild.includes(one));
    if (label === undefined) return [];
    return [
      finding(
        resourceRef(resource),
        words(`is generated, but this build changes its label ${label}`),
        'remove the patch or the entry of labels that changes the label',
        file,
      ),
    ];
  });
}

/** Policies to what a build makes of them: the one of the same name, or else one whose name has a prefix or a suffix more. */
function matchByName(
  policies: readonly YamlObject[],
  built: readonly YamlObject[],
): ReadonlyMap<YamlObject, YamlObject> {
  const nameOf = (resource: YamlObject) => resourceRef(resource).name;
  const byName = new Map(built.map((one) => [nameOf(one), one]));
  const matches = new Map<YamlObject, YamlObject>();
  for (const policy of policies) {
    const match = byName.get(nameOf(policy));
    if (match !== undefined) matches.set(policy, match);
    byName.delete(nameOf(policy));
  }
  for (const policy of policies.filter((one) => !matches.has(one)))
    for (const [name, match] of byName) {
      if (matches.has(policy) || !name.includes(nameOf(policy))) continue;
      matches.set(policy, match);
      byName.delete(name);
    }
  return matches;
}
