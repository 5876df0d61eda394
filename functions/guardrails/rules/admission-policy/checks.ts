import type { PlacedReport } from '../../findings/finding';
import { message, words } from '../../message';
import type { FieldPath } from '../../yaml/field-path';
import type { Compiled, Policy } from './policies';

/** What is wrong with policies themselves: an expression that is not CEL, and no binding. */
export function checkPolicies(policies: readonly Policy[]): PlacedReport[] {
  return policies.flatMap((policy): PlacedReport[] => {
    const { at, bindings } = policy;
    const invalid = expressionsOf(policy).flatMap(({ field, of }): PlacedReport[] =>
      of.problem === undefined
        ? []
        : [
            {
              at,
              report: {
                problem: message`has an expression that is not CEL: ${of.problem}`,
                remedy: words('correct the expression; the API server refuses the policy'),
                field,
                currentValue: of.text,
              },
            },
          ],
    );
    const unbound: PlacedReport = {
      at,
      report: {
        problem: words('judges nothing, because no ValidatingAdmissionPolicyBinding here names it'),
        remedy: words('add its binding to the build or under spec.policies'),
        field: ['metadata', 'name'],
        severity: 'info',
      },
    };
    return bindings.length === 0 ? [...invalid, unbound] : invalid;
  });
}

/** Every expression of a policy, with its path. */
function expressionsOf({
  conditions,
  variables,
  validations,
}: Policy): { readonly field: FieldPath; readonly of: Compiled }[] {
  return [
    ...conditions.map(({ check }, i) => ({ field: ['spec', 'matchConditions', i, 'expression'], of: check })),
    ...variables.map(({ check }, i) => ({ field: ['spec', 'variables', i, 'expression'], of: check })),
    ...validations.flatMap(({ check, messageExpression }, i) => [
      { field: ['spec', 'validations', i, 'expression'], of: check },
      ...(messageExpression === undefined
        ? []
        : [{ field: ['spec', 'validations', i, 'messageExpression'], of: messageExpression }]),
    ]),
  ];
}
