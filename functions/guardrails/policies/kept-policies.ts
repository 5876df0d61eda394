import path from 'node:path/posix';
import type { Finding } from '../findings/finding';
import { type ResourceRef, expandLists, resourceRef } from '../krm/resource';
import type { OverlayBuild } from '../kustomize/build-overlays';
import { reachableFrom } from '../kustomize/graph';
import type { Package } from '../kustomize/package';
import { type Message, words } from '../message';
import { generatedLabelsOf } from '../network/generate';
import { append } from '../network/multimap';
import { isNetworkPolicy } from '../network/policy';
import { networkPolicy } from '../rules/network-policy';
import type { YamlObject } from '../yaml/yaml';
import { renamingsOf } from './names';
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
  const renamings = renamingsOf(pkg.graph, overlay);
  const kept = matchByName(
    generated.map(({ value, path: file = '' }) => {
      const { name } = resourceRef(value);
      const [renaming] = renamings.get(path.dirname(file)) ?? [];
      return { policy: value, built: renaming?.builtName(name) ?? name };
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
  const left = new Set(builtPolicies);
  const matches = new Map<YamlObject, YamlObject>();
  const byName = new Map<string, YamlObject[]>();
  for (const one of builtPolicies) append(byName, resourceRef(one).name, one);
  const take = (policy: YamlObject, candidates: readonly YamlObject[]) => {
    const { namespace } = resourceRef(policy);
    const free = candidates.filter((one) => left.has(one));
    const match = free.find((one) => resourceRef(one).namespace === namespace) ?? free[0];
    if (match === undefined) return;
    matches.set(policy, match);
    left.delete(match);
  };
  for (const { policy, built } of policies) take(policy, byName.get(built) ?? []);
  for (const { policy } of policies) {
    if (matches.has(policy)) continue;
    const { name } = resourceRef(policy);
    const isRenamed = (one: YamlObject) =>
      resourceRef(one).name.includes(name) && generatedLabelsOf(one).length > 0;
    take(policy, [...left].filter(isRenamed));
  }
  return matches;
}
