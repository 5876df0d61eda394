import type { Report } from '../findings/finding';
import { podSpecOf } from '../kubernetes/workload';
import { message, words } from '../message';
import { isAbsent, objectAt, textOf } from '../yaml/yaml';
import type { Rule } from './rule';

const ADDABLE = 'NET_BIND_SERVICE';

/** No capability of root, except that of binding ports below 1024. */
export const capabilities: Rule = {
  id: 'capabilities',
  summary: '`drop: [ALL]`, and no `add` other than `NET_BIND_SERVICE`',
  adds: '`ALL` in the `drop` of each container',
  documentation: 'https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted',
  check: (resource) => {
    const pod = podSpecOf(resource);
    if (pod === undefined || pod.isWindows) return [];
    return pod.containers.flatMap(({ name: container, subject, value, path }) => {
      const { add, drop } = objectAt(objectAt(value, 'securityContext'), 'capabilities');
      const at = (...field: string[]) => [...path, 'securityContext', 'capabilities', ...field];
      const reports: Report[] = [];
      const added = (Array.isArray(add) ? add : isAbsent(add) ? [] : [add]).filter((one) => one !== ADDABLE);
      if (added.length > 0)
        reports.push({
          problem: message`${subject} adds capabilities that are not allowed: ${added.map(textOf).join(', ')}`,
          remedy: words(`remove them; only ${ADDABLE} may be added`),
          field: at('add'),
          currentValue: added,
          container,
        });
      if (!(Array.isArray(drop) && drop.includes('ALL')))
        reports.push({
          problem: message`${subject} does not drop all capabilities`,
          remedy: words('add ALL to capabilities.drop in the securityContext of the container'),
          field: at('drop'),
          container,
          fixes: [{ path: at('drop', '-'), value: 'ALL' }],
        });
      return reports;
    });
  },
};
