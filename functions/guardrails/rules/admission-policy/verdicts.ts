import { CelError, CelUnknown } from '../../cel/errors';
import { evaluateCel } from '../../cel/evaluate';
import type { Scope } from '../../cel/macros';
import { type Key, Unknown, type Value, fromYaml } from '../../cel/value';
import { type Placed, groupOf, resourceRef } from '../../krm/resource';
import { Field } from '../../network/decode';
import { readSelector, selects, stringsIn } from '../../network/selector';
import { type YamlObject, isAbsent, objectAt, textOf } from '../../yaml/yaml';
import { type Match, matches } from './match';
import type { Binding, Compiled, NamedExpression, ParamKind, Policy, Validation } from './policies';
import type { JudgedObject } from './subjects';

/** What a policy with a binding says of an object. */
export type Verdict =
  | {
      readonly is: 'violation';
      readonly message: string;
      readonly validation: number;
      readonly onlyIf: string | undefined;
    }
  | { readonly is: 'unknown'; readonly reason: string; readonly severity: 'warning' | 'info' };

/** The objects that may be parameters. */
export interface Candidates {
  readonly resources: readonly Placed[];
  /** Whether the cluster has no others. */
  readonly areAll: boolean;
}

/** The verdicts of a policy with one of its bindings. */
export function verdictsOf(
  policy: Policy,
  binding: Binding,
  object: JudgedObject,
  candidates: Candidates,
): Verdict[] {
  const match = both(matches(policy.constraints, object), () =>
    binding.constraints === undefined ? true : matches(binding.constraints, object),
  );
  if (match === false) return [];
  const onlyIf = match === 'unknown' ? 'if its namespace has the labels that the policy selects' : undefined;
  if (policy.paramKind === undefined || binding.paramRef === undefined)
    return verdictsWith(policy, object, null, onlyIf);
  const params = paramsOf(policy.paramKind, binding.paramRef, object, candidates.resources);
  if (params.length > 0) return params.flatMap((value) => verdictsWith(policy, object, value, onlyIf));
  const isAllowed = binding.paramRef.parameterNotFoundAction === 'Allow';
  if (!candidates.areAll)
    return [
      {
        is: 'unknown',
        reason: `its parameter, ${nameOfParam(policy.paramKind, binding.paramRef)}, is neither in the build nor under spec.policies`,
        severity: isAllowed ? 'info' : 'warning',
      },
    ];
  return isAllowed
    ? []
    : failed(
        policy,
        'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
        onlyIf,
        0,
      );
}

function both(first: Match, second: () => Match): Match {
  if (first === false) return false;
  const other = second();
  return other === true ? first : other;
}

function verdictsWith(
  policy: Policy,
  object: JudgedObject,
  params: Value,
  onlyIf: string | undefined,
): Verdict[] {
  const scope = scopeOf(policy, object, params);
  try {
    const condition = conditionOf(policy, scope);
    if (condition === false) return [];
    if (condition !== true) return failed(policy, condition.error, onlyIf, 0);
    // A computed message may hold a value of a Secret in any form.
    const isSecret = object.object.kind === 'Secret' || policy.paramKind?.kind === 'Secret';
    return policy.validations.flatMap((written, i) => {
      const validation = isSecret ? { ...written, messageExpression: undefined } : written;
      return validated(policy, validation, i, scope, onlyIf);
    });
  } catch (error) {
    if (error instanceof CelUnknown) return [{ is: 'unknown', reason: error.message, severity: 'warning' }];
    throw error;
  }
}

/**
 * Whether all conditions hold: one that is false decides, even if others are errors. Conditions do not see the variables.
 */
function conditionOf({ conditions }: Policy, scope: Scope): boolean | { readonly error: string } {
  let error: string | undefined;
  for (const { check } of conditions) {
    const result = outcomeOf(check, (variable) => (variable === 'variables' ? undefined : scope(variable)));
    if (result.is === 'error') error ??= errorOf(check, result.message);
    else if (result.value !== true) return false;
  }
  return error === undefined ? true : { error };
}

function validated(
  policy: Policy,
  { check, message, messageExpression }: Validation,
  index: number,
  scope: Scope,
  onlyIf: string | undefined,
): Verdict[] {
  let result: Outcome;
  try {
    result = outcomeOf(check, scope);
  } catch (error) {
    if (error instanceof CelUnknown) return [{ is: 'unknown', reason: error.message, severity: 'warning' }];
    throw error;
  }
  if (result.is === 'error') return failed(policy, errorOf(check, result.message), onlyIf, index);
  if (result.value === true) return [];
  const text =
    messageOf(messageExpression, scope) ?? message?.trim() ?? `failed expression: ${check.text.trim()}`;
  return [{ is: 'violation', message: text, validation: index, onlyIf }];
}

function errorOf({ text }: Compiled, message: string): string {
  return `expression '${text}' resulted in error: ${message}`;
}

/** An error is a violation unless the policy ignores errors. */
function failed(
  { ignoresErrors }: Policy,
  message: string,
  onlyIf: string | undefined,
  validation: number,
): Verdict[] {
  return ignoresErrors ? [] : [{ is: 'violation', message, validation, onlyIf }];
}

type Outcome =
  { readonly is: 'value'; readonly value: Value } | { readonly is: 'error'; readonly message: string };

/** @throws CelUnknown */
function outcomeOf({ expression, problem }: Compiled, scope: Scope): Outcome {
  if (expression === undefined) throw new CelUnknown(`an expression is not CEL: ${problem ?? ''}`);
  try {
    return { is: 'value', value: evaluateCel(expression, scope) };
  } catch (error) {
    if (error instanceof CelError) return { is: 'error', message: error.message };
    throw error;
  }
}

/** The text of a messageExpression, unless it is empty, has line breaks, or cannot be evaluated. */
function messageOf(expression: Compiled | undefined, scope: Scope): string | undefined {
  if (expression === undefined) return undefined;
  try {
    const result = outcomeOf(expression, scope);
    if (result.is === 'error' || typeof result.value !== 'string') return undefined;
    const text = result.value.trim();
    return text === '' || text.includes('\n') ? undefined : text;
  } catch (error) {
    if (error instanceof CelUnknown) return undefined;
    throw error;
  }
}

/** The composed variables of a policy, which are evaluated when they are read. */
class Variables extends Map<Key, Value> {
  private readonly outcomes = new Map<Key, Outcome>();

  constructor(
    private readonly named: readonly NamedExpression[],
    private readonly scope: () => Scope,
  ) {
    super();
  }

  override get(key: Key): Value | undefined {
    const variable = this.named.find(({ name }) => name === key);
    if (variable === undefined) return undefined;
    const outcome = this.outcomes.get(key) ?? outcomeOf(variable.check, this.scope());
    this.outcomes.set(key, outcome);
    if (outcome.is === 'error')
      throw new CelError(`composited variable "${variable.name}" fails to evaluate: ${outcome.message}`);
    return outcome.value;
  }
}

const OF_CLUSTER = 'is known to a cluster alone';

function scopeOf(policy: Policy, object: JudgedObject, params: Value): Scope {
  const variables: Record<string, () => Value> = {
    object: object.value,
    oldObject: () => null,
    params: () => params,
    namespaceObject: object.namespaceValue,
    request: () => requestOf(object),
    authorizer: () => new Unknown(`authorizer ${OF_CLUSTER}`),
    variables: () => composed,
  };
  const scope: Scope = (name) => (Object.hasOwn(variables, name) ? variables[name]?.() : undefined);
  const composed = new Variables(policy.variables, () => scope);
  return scope;
}

/** The request that creates the object. */
function requestOf({ object, group, version, resource, namespace, isNamespaced, name }: JudgedObject): Value {
  const kind = fromYaml({ group, version, kind: textOf(object.kind) });
  const served = fromYaml({ group, version, resource });
  const unknown = (field: string) => new Unknown(`request.${field} ${OF_CLUSTER}`);
  return new Map<Key, Value>([
    ['kind', kind],
    ['requestKind', kind],
    ['resource', served],
    ['requestResource', served],
    ['subResource', ''],
    ['requestSubResource', ''],
    ['operation', 'CREATE'],
    ['name', name],
    ['namespace', isNamespaced === false ? '' : (namespace ?? unknown('namespace'))],
    ...['userInfo', 'uid', 'dryRun', 'options'].map((field): [Key, Value] => [field, unknown(field)]),
  ]);
}

/** The values of `params`, one for each parameter that a binding refers to. */
function paramsOf(
  paramKind: ParamKind,
  paramRef: YamlObject,
  object: JudgedObject,
  resources: readonly Placed[],
): Value[] {
  const group = groupOf({ apiVersion: paramKind.apiVersion });
  const namespace = isAbsent(paramRef.namespace) ? object.namespace : textOf(paramRef.namespace);
  const isThere = (own: string | undefined) =>
    own === undefined || namespace === undefined || own === namespace;
  return resources
    .map(({ resource }) => resource)
    .filter((one) => one.kind === paramKind.kind && groupOf(one) === group)
    .filter((one) => isThere(resourceRef(one).namespace) && isReferred(one, paramRef))
    .map((one) => fromYaml(one));
}

function nameOfParam({ kind }: ParamKind, { name }: YamlObject): string {
  return isAbsent(name) ? `a ${kind} with the labels of paramRef.selector` : `${kind}/${textOf(name)}`;
}

function isReferred(param: YamlObject, paramRef: YamlObject): boolean {
  if (!isAbsent(paramRef.name)) return resourceRef(param).name === textOf(paramRef.name);
  const selector = readSelector(new Field(paramRef).at('selector'));
  return selector !== undefined && selects(selector, stringsIn(objectAt(param, 'metadata').labels));
}
