import type { PlacedReport } from '../findings/finding';
import type { Severity } from '../krm/result';
import { type Placed, resourceRef } from '../krm/resource';
import { message, words } from '../message';
import { ServedKinds } from './admission-policy/kinds';
import { checkPolicies } from './admission-policy/checks';
import { type Binding, type Policy, readPolicies } from './admission-policy/policies';
import { type JudgedObject, judgedObjects } from './admission-policy/subjects';
import { type Verdict, verdictsOf } from './admission-policy/verdicts';
import type { Rule } from './rule';

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
    const candidates = [...resources, ...configured];
    const policies = readPolicies(candidates);
    if (policies.length === 0) return [];
    const kinds = new ServedKinds(candidates);
    const objects = judgedObjects(resources, kinds).filter(
      ({ object }) => !NOT_JUDGED.test(String(object.kind)),
    );
    const own = policies.filter(({ at }) => resources.includes(at));
    return [
      ...checkPolicies(own),
      ...policies.flatMap((policy) => reportsOf(policy, objects, candidates, own.includes(policy))),
    ];
  },
};

/** The reports about one policy: each violation once, and what cannot be judged in one line. */
function reportsOf(
  policy: Policy,
  objects: readonly JudgedObject[],
  candidates: readonly Placed[],
  isInBuild: boolean,
): PlacedReport[] {
  const reports = new Map<string, PlacedReport>();
  const unknown: (Extract<Verdict, { is: 'unknown' }> & { readonly object: JudgedObject })[] = [];
  for (const object of objects)
    for (const binding of policy.bindings)
      for (const verdict of verdictsOf(policy, binding, object, { resources: candidates, areAll: false })) {
        if (verdict.is === 'unknown') {
          unknown.push({ object, ...verdict });
          continue;
        }
        const { message: text, validation, onlyIf } = verdict;
        const severity = severityOf(binding, onlyIf !== undefined);
        const key = JSON.stringify([objects.indexOf(object), text, validation]);
        const subject = object.isPodOfTemplate ? words('makes pods that violate') : words('violates');
        if (reports.has(key) && severity !== 'error') continue;
        reports.set(key, {
          at: object.at,
          report: {
            problem: message`${subject} ValidatingAdmissionPolicy/${policy.name}${onlyIf === undefined ? words('') : words(`, ${onlyIf}`)}: ${text}`,
            remedy: message`change the resource, or validations[${validation}] of the policy`,
            field: [],
            severity,
          },
        });
      }
  const [first] = unknown;
  if (first === undefined) return [...reports.values()];
  const { kind, name } = resourceRef(first.object.at.resource);
  const more = new Set(unknown.map(({ object }) => object.at)).size - 1;
  const others = more === 0 ? words('') : message` and ${more} more`;
  const at = isInBuild ? policy.at : first.object.at;
  return [
    ...reports.values(),
    {
      at,
      report: {
        problem: isInBuild
          ? message`cannot be evaluated here for ${kind}/${name}${others}: ${first.reason}`
          : message`is not judged by ValidatingAdmissionPolicy/${policy.name}${more === 0 ? words('') : message`, as ${more} more are not`}: ${first.reason}`,
        remedy: words(
          'add what is missing to the build or under spec.policies, or test the policy in a cluster',
        ),
        field: [],
        severity: unknown.some(({ severity }) => severity === 'warning') ? 'warning' : 'info',
      },
    },
  ];
}

function severityOf({ actions }: Binding, isDoubtful: boolean): Severity {
  if (actions.includes('Deny')) return isDoubtful ? 'warning' : 'error';
  return actions.includes('Warn') ? 'warning' : 'info';
}
