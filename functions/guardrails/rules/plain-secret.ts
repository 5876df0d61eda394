import { annotationsOf } from '../krm/item';
import { type YamlValue, isObject } from '../yaml/yaml';
import type { Finding, Rule } from './rule';

/** kubectl's copy of what was applied: of a Secret, its values. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** No Secret stands in the manifests with its values. Key names are told, values never. */
export const plainSecret: Rule = {
  id: 'plain-secret',
  summary: 'No Secret with values in it',
  why: 'https://kubernetes.io/docs/concepts/security/secrets-good-practices/',
  check: (resource) => {
    if (resource.kind !== 'Secret') return [];
    const findings: Finding[] = [];
    const mend = 'let an ExternalSecret, a SealedSecret or a vault make it in the cluster';
    for (const field of ['data', 'stringData']) {
      const keys = keysWithValues(resource[field]);
      if (keys.length > 0)
        findings.push({ what: `holds values in plain text: ${keys.join(', ')}`, mend, field });
    }
    if (annotationsOf(resource)[LAST_APPLIED] !== undefined)
      findings.push({
        what: `holds values in its annotation ${LAST_APPLIED}`,
        mend: 'remove the annotation',
        field: 'metadata.annotations',
      });
    return findings;
  },
};

function keysWithValues(values: YamlValue | undefined): string[] {
  if (values === undefined || values === null) return [];
  if (!isObject(values)) return ['not a mapping'];
  return Object.keys(values).filter((key) => values[key] !== null && values[key] !== '');
}
