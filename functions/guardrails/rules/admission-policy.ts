import type { Expression } from '../cel/syntax';
import type { PlacedReport } from '../findings/finding';
import type { Severity } from '../krm/result';
import { type Placed, expandLists, groupOf, resourceRef } from '../krm/resource';
import { message, words } from '../message';
import type { FieldPath } from '../yaml/field-path';
import { type YamlObject, textOf } from '../yaml/yaml';
import { ServedKinds } from './admission-policy/kinds';
import { checkPolicies } from './admission-policy/checks';
import { type Binding, type Policy, readPolicies } from './admission-policy/policies';
import { readField } from './admission-policy/read-field';
import { type JudgedObject, judgedObjects } from './admission-policy/subjects';
import { type Verdict, verdictsOf } from './admission-policy/verdicts';
import type { Rule, RuleContext } from './rule';

/** What the configuration adds to the policies of builds. */
export type ConfiguredPolicies = Pick<RuleContext, 'policies'>;

/** What a finding about a whole resource points to. */
const NAME = ['metadata', 'name'];
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
        const subject = object.template === undefined ? words('violates') : words('makes pods that violate');
        if (reports.has(key) && severity !== 'error') continue;
        reports.set(key, {
          at: object.at,
          report: {
            problem: message`${subject} ValidatingAdmissionPolicy/${policy.name}${onlyIf === undefined ? words('') : words(`, ${onlyIf}`)}: ${text}`,
            remedy: message`change the resource, or validations[${validation}] of the policy`,
            field: fieldOf(policy.validations[validation]?.check.expression, object),
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
        field: NAME,
        severity: unknown.some(({ severity }) => severity === 'warning') ? 'warning' : 'info',
      },
    },
  ];
}

function fieldOf(expression: Expression | undefined, { template = [] }: JudgedObject): FieldPath {
  const field = readField(expression);
  return field.length === 0 && template.length === 0 ? NAME : [...template, ...field];
}

function severityOf({ actions }: Binding, isDoubtful: boolean): Severity {
  if (actions.includes('Deny')) return isDoubtful ? 'warning' : 'error';
  return actions.includes('Warn') ? 'warning' : 'info';
}
