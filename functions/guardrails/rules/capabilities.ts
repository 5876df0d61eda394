import { formatPath } from '../yaml/field-path';
import { textOf } from '../yaml/yaml';
import { isAbsent, objectAt, podSpecOf } from '../kubernetes/workload';
import type { Finding, Rule } from './rule';

const ADDABLE = 'NET_BIND_SERVICE';

/** No capability of root but, at most, the ports below 1024. */
export const capabilities: Rule = {
  id: 'capabilities',
  summary: '`drop: [ALL]`, and no `add` beyond `NET_BIND_SERVICE`',
  why: 'https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted',
  fixes: true,
  check: (resource) => {
    const pod = podSpecOf(resource);
    if (pod === undefined || pod.isWindows) return [];
    return pod.containers.flatMap(({ name, subject, value, path }) => {
      const { add, drop } = objectAt(objectAt(value, 'securityContext'), 'capabilities');
      const at = (...field: string[]) => [...path, 'securityContext', 'capabilities', ...field];
      const findings: Finding[] = [];
      const added = (Array.isArray(add) ? add : isAbsent(add) ? [] : [add]).filter((one) => one !== ADDABLE);
      if (added.length > 0)
        findings.push({
          what: `${subject} adds the capabilities ${added.map(textOf).join(', ')}`,
          mend: `remove them; only ${ADDABLE} may be added`,
          field: formatPath(at('add')),
          currentValue: added,
          container: name,
        });
      if (!(Array.isArray(drop) && drop.includes('ALL')))
        findings.push({
          what: `${subject} keeps capabilities: no drop of ALL`,
          mend: 'add ALL to capabilities.drop in its securityContext',
          field: formatPath(at('drop')),
          container: name,
          fixes: [{ path: at('drop', '-'), value: 'ALL' }],
        });
      return findings;
    });
  },
};
