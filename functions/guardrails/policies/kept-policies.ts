import path from 'node:path/posix';
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
import { builtName } from './names';
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
    generated.map(({ value, path: file = '' }) => {
      const { name } = resourceRef(value);
      return { policy: value, built: builtName(pkg.graph, overlay, path.dirname(file), name) };
    }),
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

/**
 * Policies to what a build makes of them: the one with the name that prefixes and suffixes of kustomizations give it, or
 * else a generated one whose name contains it, as a transformer may name it.
 */
function matchByName(
  policies: readonly { readonly policy: YamlObject; readonly built: string }[],
  builtPolicies: readonly YamlObject[],
): ReadonlyMap<YamlObject, YamlObject> {
  const nameOf = (resource: YamlObject) => resourceRef(resource).name;
  const byName = new Map(builtPolicies.map((one) => [nameOf(one), one]));
  const matches = new Map<YamlObject, YamlObject>();
  const take = (policy: YamlObject, name: string) => {
    const match = byName.get(name);
    if (match !== undefined) matches.set(policy, match);
    byName.delete(name);
  };
  for (const { policy, built } of policies) take(policy, built);
  for (const { policy } of policies.filter((one) => !matches.has(one.policy))) {
    const names = [...byName].filter(([, one]) => generatedLabelsOf(one).length > 0).map(([name]) => name);
    take(policy, names.find((name) => name.includes(nameOf(policy))) ?? '');
  }
  return matches;
}
