import type { PlacedReport } from '../findings/finding';
import { type Placed, groupOf, isDefinition } from '../krm/resource';
import { joinMessages, message } from '../message';
import { type YamlValue, entriesIn, objectAt } from '../yaml/yaml';
import { RoleHolders } from './rbac/holders';
import { riskyRights } from './rbac/rights';
import { checkBinding } from './rbac/subjects';
import type { Rule } from './rule';

/** The objects of RBAC give no more rights than they must. */
export const rbac: Rule = {
  id: 'rbac',
  summary:
    'No binding of `system:anonymous`, `system:unauthenticated` or `system:masters`; a warning for `system:authenticated`, `cluster-admin`, `*` in a role, rights that lead to more rights, and all Secrets',
  documentation: 'https://kubernetes.io/docs/concepts/security/rbac-good-practices/',
  judgesParts: true,
  checkBuild: (resources) => {
    const ofRbac = resources.filter(({ resource }) => groupOf(resource) === 'rbac.authorization.k8s.io');
    if (ofRbac.length === 0) return [];
    const holders = new RoleHolders(resources);
    const ownGroups = groupsOfDefinitions(resources);
    return ofRbac.flatMap((at) => {
      const { kind } = at.resource;
      if (kind === 'Role' || kind === 'ClusterRole')
        return checkRole(at, holders, (group) => ownGroups.has(group));
      if (kind !== 'RoleBinding' && kind !== 'ClusterRoleBinding') return [];
      return checkBinding(at.resource, holders).map((report) => ({ at, report }));
    });
  },
};

/** One report for each entry of `rules` that gives risky rights. */
function checkRole(at: Placed, holders: RoleHolders, isOwnGroup: (group: string) => boolean): PlacedReport[] {
  const isNamespaced = at.resource.kind === 'Role';
  return entriesIn(at.resource.rules).flatMap((entry, i) => {
    const rights = riskyRights(entry, isNamespaced);
    if (rights.length === 0) return [];
    const { sentence, isBound } = holders.ofRole(at.resource);
    // A controller has every right on its own API, and kubebuilder writes a role for the users of each kind, which others bind.
    const isHarmless = rights.every(
      ({ customGroups }) => customGroups !== undefined && (!isBound || customGroups.every(isOwnGroup)),
    );
    if (isHarmless) return [];
    const allows = joinMessages(
      rights.map(({ allows }) => allows),
      ', and ',
    );
    const remedies = [...new Map(rights.map(({ remedy }) => [remedy.raw, remedy])).values()];
    return {
      at,
      report: {
        problem: sentence === undefined ? message`allows ${allows}` : message`allows ${allows}: ${sentence}`,
        remedy: joinMessages(remedies, ', and '),
        field: ['rules', i],
        severity: 'warning',
      },
    };
  });
}

/** The API groups whose CustomResourceDefinitions are in a build. */
function groupsOfDefinitions(resources: readonly Placed[]): ReadonlySet<YamlValue | undefined> {
  const definitions = resources.filter(({ resource }) => isDefinition(resource));
  return new Set(definitions.map(({ resource }) => objectAt(resource, 'spec').group));
}
