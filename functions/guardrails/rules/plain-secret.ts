import { annotationsOf } from '../krm/resource';
import { isUnknownContent } from '../krm/unknown-content';
import { podSpecOf } from '../kubernetes/workload';
import { type Message, joinMessages, message, words } from '../message';
import type { Report } from '../findings/finding';
import { type FieldPath, formatPath } from '../yaml/field-path';
import { type YamlObject, type YamlValue, isObject } from '../yaml/yaml';
import { literalSecrets } from './plain-secret/literals';
import { tokensIn } from './plain-secret/tokens';
import type { Rule } from './rule';

/** kubectl's copy of what was applied: of a Secret, its values. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The manifests hold no Secret with values. Reports name keys, never values. */
export const plainSecret: Rule = {
  id: 'plain-secret',
  summary:
    'No Secret with values in it, and no private key or token of a well-known form anywhere; a warning for a literal value in `env` or a ConfigMap under a name such as `DB_PASSWORD`, and for a URL with a password',
  documentation: 'https://kubernetes.io/docs/concepts/security/secrets-good-practices/',
  check: (resource) => {
    if (resource.kind !== 'Secret') return checkOthers(resource);
    const reports: Report[] = [];
    const remedy = words(
      'remove the Secret from the package, and create it in the cluster with an ExternalSecret or a SealedSecret',
    );
    for (const field of ['data', 'stringData']) {
      const keys = keysWithValues(resource[field]);
      if (keys === undefined)
        reports.push({
          problem: message`has a ${words(field)} field that is not a mapping`,
          remedy,
          field: [field],
        });
      else if (keys.length > 0)
        reports.push({
          problem: message`holds unencrypted values under ${words(field)}: ${joinMessages(keys.map(nameOf), ', ')}`,
          remedy,
          field: [field],
        });
    }
    if (annotationsOf(resource)[LAST_APPLIED] !== undefined)
      reports.push({
        problem: words(`holds unencrypted values in the annotation ${LAST_APPLIED}`),
        remedy: words('remove the annotation'),
        field: ['metadata', 'annotations', LAST_APPLIED],
      });
    return reports;
  },
};

/** Kinds without values of their own, but with long texts: schemas and their descriptions. */
const WITHOUT_VALUES = 'CustomResourceDefinition';

/** What is secret in other kinds. */
function checkOthers(resource: YamlObject): Report[] {
  if (resource.kind === WITHOUT_VALUES) return [];
  const tokens = tokensIn(resource);
  const places = new Set(tokens.map(({ field }) => formatPath(field)));
  return [
    ...tokens.map(({ what, field }) => ({
      problem: message`holds ${words(what)} in ${formatPath(field)}`,
      remedy: words('revoke it, and read it from a Secret that is not in the package'),
      field,
      container: containerAt(resource, field),
    })),
    ...literalSecrets(resource).filter(({ field }) => !places.has(formatPath(field))),
  ];
}

/** The name of the container that a field is in. */
function containerAt(resource: YamlObject, field: FieldPath): string | undefined {
  const containers = podSpecOf(resource)?.containers ?? [];
  return containers.find(({ path }) => path.every((step, i) => field[i] === step))?.name;
}

function nameOf(key: string): Message {
  return isUnknownContent(key, '') ? words('keys of a file that is not in the input') : message`${key}`;
}

/** undefined for something other than a mapping. */
function keysWithValues(values: YamlValue | undefined): string[] | undefined {
  if (values === undefined || values === null) return [];
  if (!isObject(values)) return undefined;
  return Object.keys(values).filter((key) => values[key] !== null && values[key] !== '');
}
