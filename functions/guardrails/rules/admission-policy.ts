import type { PlacedReport } from '../findings/finding';
import { type Placed, expandLists, groupOf, resourceRef } from '../krm/resource';
import { type YamlObject, textOf } from '../yaml/yaml';
import { ServedKinds } from './admission-policy/kinds';
import { checkPolicies } from './admission-policy/checks';
import { readPolicies } from './admission-policy/policies';
import { reportsOf } from './admission-policy/reports';
import { judgedObjects } from './admission-policy/subjects';
import type { Rule, RuleContext } from './rule';

/** What the configuration adds to the policies of builds. */
export type ConfiguredPolicies = Pick<RuleContext, 'policies'>;

/** The kinds that the API server never passes to these policies. */
const NOT_JUDGED = /^(?:Validating|Mutating)AdmissionPolicy(?:Binding)?$/;

/** The resources satisfy the ValidatingAdmissionPolicies that are beside them, or under `spec.policies`. */
export const admissionPolicy: Rule = {
  id: 'admission-policy',
  summary:
    'Every `ValidatingAdmissionPolicy` of the build and of `spec.policies` admits the resources, and the pods that they make',
  documentation: 'https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/',
  judgesParts: true,
  checkBuild: (resources, { policies: configured = [] }) => {
    const names = new Set(resources.map(identityOf));
    // A file of spec.policies may be a part of the build, too.
    const candidates = [...resources, ...configured.filter((one) => !names.has(identityOf(one)))];
    const policies = readPolicies(candidates);
    if (policies.length === 0) return [];
    const kinds = new ServedKinds(candidates);
    const objects = judgedObjects(resources, kinds).filter(
      ({ object }) => !NOT_JUDGED.test(textOf(object.kind)),
    );
    const own = policies.filter(({ at }) => resources.includes(at));
    return [
      ...checkPolicies(own),
      ...policies.flatMap((policy) => reportsOf(policy, objects, candidates, own.includes(policy))),
    ];
  },
};

function identityOf({ resource }: Placed): string {
  const { kind, namespace, name } = resourceRef(resource);
  return JSON.stringify([groupOf(resource), kind, namespace, name]);
}

/** What is wrong with the policies of the configuration: a binding may be in any of the builds. */
export function checkConfigured(
  configured: readonly Placed[],
  builds: readonly (readonly YamlObject[])[],
): PlacedReport[] {
  if (configured.length === 0) return [];
  const built = builds.flat().flatMap((root) => expandLists(root));
  const own = new Set(configured.map(({ resource }) => resource));
  return checkPolicies(readPolicies([...configured, ...built]).filter(({ at }) => own.has(at.resource)));
}
