import { annotationsOf } from '../krm/resource';
import { isUnknownContent } from '../krm/unknown-content';
import { type Message, joinMessages, message, words } from '../message';
import type { Report } from '../findings/finding';
import { type YamlValue, isObject } from '../yaml/yaml';
import type { Rule } from './rule';

/** kubectl's copy of what was applied: of a Secret, its values. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The manifests hold no Secret with values. Reports name keys, never values. */
export const plainSecret: Rule = {
  id: 'plain-secret',
  summary: 'No Secret with values in it',
  documentation: 'https://kubernetes.io/docs/concepts/security/secrets-good-practices/',
  check: (resource) => {
    if (resource.kind !== 'Secret') return [];
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

function nameOf(key: string): Message {
  return isUnknownContent(key, '') ? words('keys of a file that is not in the input') : message`${key}`;
}

/** undefined for something other than a mapping. */
function keysWithValues(values: YamlValue | undefined): string[] | undefined {
  if (values === undefined || values === null) return [];
  if (!isObject(values)) return undefined;
  return Object.keys(values).filter((key) => values[key] !== null && values[key] !== '');
}
