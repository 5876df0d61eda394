import { CelSyntaxError } from '../../cel/errors';
import { type Expression, parseCel } from '../../cel/syntax';
import { type Placed, groupOf, resourceRef } from '../../krm/resource';
import { type YamlObject, type YamlValue, entriesIn, isAbsent, objectAt, textOf } from '../../yaml/yaml';

/** An expression of a policy, and what is wrong with it. */
export interface Compiled {
  readonly text: string;
  readonly expression: Expression | undefined;
  /** Why it is not CEL. */
  readonly problem: string | undefined;
}

export interface Validation {
  readonly check: Compiled;
  /** undefined: the message names the expression. */
  readonly message: string | undefined;
  readonly messageExpression: Compiled | undefined;
}

export interface NamedExpression {
  readonly name: string;
  readonly check: Compiled;
}

export interface ParamKind {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface Policy {
  readonly name: string;
  readonly at: Placed;
  readonly constraints: YamlObject;
  /** `undefined`: the policy has no parameters. */
  readonly paramKind: ParamKind | undefined;
  readonly conditions: readonly NamedExpression[];
  readonly variables: readonly NamedExpression[];
  readonly validations: readonly Validation[];
  /** `failurePolicy: Ignore`: an error of an expression is no violation. */
  readonly ignoresErrors: boolean;
  readonly bindings: readonly Binding[];
}

export interface Binding {
  readonly name: string;
  /** `undefined`: everything that the policy matches. */
  readonly constraints: YamlObject | undefined;
  readonly paramRef: YamlObject | undefined;
  readonly actions: readonly string[];
}

const GROUP = 'admissionregistration.k8s.io';

/** The ValidatingAdmissionPolicies among objects, each with its bindings. */
export function readPolicies(resources: readonly Placed[]): Policy[] {
  const ofGroup = resources.filter(({ resource }) => groupOf(resource) === GROUP);
  const bindings = new Map<string, Binding[]>();
  for (const { resource } of ofGroup) {
    if (resource.kind !== 'ValidatingAdmissionPolicyBinding') continue;
    const spec = objectAt(resource, 'spec');
    const name = textOf(spec.policyName);
    const binding = {
      name: resourceRef(resource).name,
      constraints: isAbsent(spec.matchResources) ? undefined : objectAt(spec, 'matchResources'),
      paramRef: isAbsent(spec.paramRef) ? undefined : objectAt(spec, 'paramRef'),
      actions: Array.isArray(spec.validationActions) ? spec.validationActions.map(textOf) : [],
    };
    bindings.set(name, [...(bindings.get(name) ?? []), binding]);
  }
  return ofGroup
    .filter(({ resource }) => resource.kind === 'ValidatingAdmissionPolicy')
    .map((at) => policyOf(at, bindings.get(resourceRef(at.resource).name) ?? []));
}

function policyOf(at: Placed, bindings: readonly Binding[]): Policy {
  const spec = objectAt(at.resource, 'spec');
  const { apiVersion, kind } = objectAt(spec, 'paramKind');
  return {
    name: resourceRef(at.resource).name,
    at,
    constraints: objectAt(spec, 'matchConstraints'),
    paramKind: isAbsent(spec.paramKind) ? undefined : { apiVersion: textOf(apiVersion), kind: textOf(kind) },
    conditions: namedIn(spec.matchConditions),
    variables: namedIn(spec.variables),
    validations: entriesIn(spec.validations).map(({ expression, message, messageExpression }) => ({
      check: compiled(expression),
      message: isAbsent(message) ? undefined : textOf(message),
      messageExpression: isAbsent(messageExpression) ? undefined : compiled(messageExpression),
    })),
    ignoresErrors: spec.failurePolicy === 'Ignore',
    bindings,
  };
}

function namedIn(list: YamlValue | undefined): NamedExpression[] {
  return entriesIn(list).map(({ name, expression }) => ({ name: textOf(name), check: compiled(expression) }));
}

/** The expressions of all builds: the policies of one are mostly those of the others. */
const KNOWN = new Map<string, Compiled>();

function compiled(expression: YamlValue | undefined): Compiled {
  const text = textOf(expression ?? '');
  const known = KNOWN.get(text) ?? parsed(text);
  KNOWN.set(text, known);
  return known;
}

function parsed(text: string): Compiled {
  try {
    return { text, expression: parseCel(text), problem: undefined };
  } catch (error) {
    if (!(error instanceof CelSyntaxError)) throw error;
    return { text, expression: undefined, problem: error.message };
  }
}
