import { type YamlObject, type YamlValue, isAbsent, objectAt, objectsIn, textOf } from '../../yaml/yaml';
import { Field } from '../../network/decode';
import { readSelector, selects } from '../../network/selector';

/** What a request to create an object is about. */
export interface Subject {
  readonly object: YamlObject;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** undefined: not known. */
  readonly isNamespaced: boolean | undefined;
  readonly name: string;
  /** undefined: that of the request, which the build does not say; or of the cluster. */
  readonly namespace: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Those of its namespace; undefined: the build does not have the Namespace. */
  readonly namespaceLabels: Readonly<Record<string, string>> | undefined;
}

/** `unknown`: it depends on labels of the namespace that are not in the build. */
export type Match = boolean | 'unknown';

/** The label that every Namespace has. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/** Whether a policy or a binding matches the creation of an object (apiserver, admission/plugin/policy/matching). */
export function matches(constraints: YamlObject, subject: Subject): Match {
  if (
    objectsIn(constraints.excludeResourceRules).some((rule) =>
      matchesRule(rule, subject, constraints.matchPolicy),
    )
  )
    return false;
  const rules = constraints.resourceRules;
  const isNamed =
    isAbsent(rules) || objectsIn(rules).some((rule) => matchesRule(rule, subject, constraints.matchPolicy));
  if (!isNamed || !selectsLabels(constraints.objectSelector, subject.labels)) return false;
  return matchesNamespace(constraints.namespaceSelector, subject);
}

function matchesRule(rule: YamlObject, subject: Subject, matchPolicy: YamlValue | undefined): boolean {
  const { group, version, resource, isNamespaced, name } = subject;
  const has = (list: YamlValue | undefined, value: string) =>
    Array.isArray(list) && (list.includes('*') || list.includes(value));
  const isOfScope =
    isAbsent(rule.scope) ||
    rule.scope === '*' ||
    isNamespaced === undefined ||
    (rule.scope === 'Namespaced') === isNamespaced;
  const { resources, resourceNames } = rule;
  const isNamed = !Array.isArray(resourceNames) || resourceNames.length === 0 || resourceNames.includes(name);
  // With Equivalent, the API server converts the object to a version that the rule names.
  const isOfVersion = matchPolicy !== 'Exact' || has(rule.apiVersions, version);
  return (
    has(rule.operations, 'CREATE') &&
    has(rule.apiGroups, group) &&
    isOfVersion &&
    (has(resources, resource) || (Array.isArray(resources) && resources.includes('*/*'))) &&
    isOfScope &&
    isNamed
  );
}

function selectsLabels(selector: YamlValue | undefined, labels: Readonly<Record<string, string>>): boolean {
  if (isAbsent(selector)) return true;
  const read = readSelector(new Field({ selector: selector ?? null }).at('selector'));
  return read !== undefined && selects(read, labels);
}

function matchesNamespace(selector: YamlValue | undefined, subject: Subject): Match {
  const { isNamespaced, object, namespace, namespaceLabels } = subject;
  if (isAbsent(selector) || Object.keys(objectAt({ selector: selector ?? null }, 'selector')).length === 0)
    return true;
  if (object.kind === 'Namespace') return selectsLabels(selector, withName(subject.labels, subject.name));
  if (isNamespaced === false) return true;
  if (namespaceLabels !== undefined && namespace !== undefined)
    return selectsLabels(selector, withName(namespaceLabels, namespace));
  if (namespace === undefined || !isAboutNames(selector)) return 'unknown';
  return selectsLabels(selector, { [NAME_LABEL]: namespace });
}

function withName(labels: Readonly<Record<string, string>>, name: string): Record<string, string> {
  return { ...labels, [NAME_LABEL]: name };
}

/** Whether a selector asks for nothing but the name of a namespace. */
function isAboutNames(selector: YamlValue | undefined): boolean {
  const { matchLabels, matchExpressions } = objectAt({ selector: selector ?? null }, 'selector');
  const keys = [
    ...Object.keys(objectAt({ matchLabels: matchLabels ?? null }, 'matchLabels')),
    ...objectsIn(matchExpressions).map(({ key }) => textOf(key)),
  ];
  return keys.every((key) => key === NAME_LABEL);
}
