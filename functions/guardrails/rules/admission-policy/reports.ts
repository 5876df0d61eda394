import type { Expression } from '../../cel/syntax';
import type { PlacedReport } from '../../findings/finding';
import type { Severity } from '../../krm/result';
import { type Placed, resourceRef } from '../../krm/resource';
import { message, words } from '../../message';
import type { FieldPath } from '../../yaml/field-path';
import type { Binding, Policy } from './policies';
import { readField } from './read-field';
import type { JudgedObject } from './subjects';
import { type Verdict, verdictsOf } from './verdicts';

/** What a finding about a whole resource points to. */
const NAME = ['metadata', 'name'];

/** The reports about one policy: each violation once, and what cannot be judged in one line. */
export function reportsOf(
  policy: Policy,
  objects: readonly JudgedObject[],
  candidates: readonly Placed[],
  isInBuild: boolean,
): PlacedReport[] {
  const reports = new Map<string, PlacedReport>();
  const unknown: (Extract<Verdict, { is: 'unknown' }> & { readonly object: JudgedObject })[] = [];
  for (const [index, object] of objects.entries())
    for (const binding of policy.bindings)
      for (const verdict of verdictsOf(policy, binding, object, { resources: candidates, areAll: false })) {
        if (verdict.is === 'unknown') {
          unknown.push({ object, ...verdict });
          continue;
        }
        const { message: text, validation, onlyIf } = verdict;
        const severity = severityOf(binding, onlyIf !== undefined);
        const key = JSON.stringify([index, text, validation]);
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
