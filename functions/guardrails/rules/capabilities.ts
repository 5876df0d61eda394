import type { Report } from '../findings/finding';
import { severityOf } from '../kubernetes/pod-security';
import { podSpecOf } from '../kubernetes/workload';
import { message, words } from '../message';
import { isAbsent, objectAt, textOf } from '../yaml/yaml';
import type { Rule } from './rule';

const ADDABLE = 'NET_BIND_SERVICE';
/** The capabilities that a container runtime grants by default, and that baseline allows to add (policy/check_capabilities_baseline.go). */
const DEFAULT_SET =
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT';
const BASELINE = new Set<unknown>(DEFAULT_SET.split(' '));

/** No capability of root, except that of binding ports below 1024. */
export const capabilities: Rule = {
  id: 'capabilities',
  summary: '`drop: [ALL]`, and no `add` other than `NET_BIND_SERVICE`',
  adds: '`ALL` in the `drop` of each container',
  documentation: 'https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted',
  check: (resource, { podSecurity }) => {
    const pod = podSpecOf(resource);
    if (pod === undefined) return [];
    const ofBaseline = severityOf('capabilities_baseline', pod, podSecurity);
    const ofRestricted = severityOf('capabilities_restricted', pod, podSecurity);
    return pod.containers.flatMap(({ name: container, subject, value, path }) => {
      const { add, drop } = objectAt(objectAt(value, 'securityContext'), 'capabilities');
      const at = (...field: string[]) => [...path, 'securityContext', 'capabilities', ...field];
      const reports: Report[] = [];
      const added = Array.isArray(add) ? add : isAbsent(add) ? [] : [add];
      const beyondBaseline = added.filter((one) => !BASELINE.has(one));
      const isRefusedByBaseline = ofBaseline !== undefined && beyondBaseline.length > 0;
      const refused = isRefusedByBaseline ? beyondBaseline : added.filter((one) => one !== ADDABLE);
      const severity = isRefusedByBaseline ? ofBaseline : ofRestricted;
      if (severity !== undefined && refused.length > 0)
        reports.push({
          problem: message`${subject} adds capabilities that are not allowed: ${refused.map(textOf).join(', ')}`,
          remedy: words(isRefusedByBaseline ? `remove them` : `remove them; only ${ADDABLE} may be added`),
          field: at('add'),
          currentValue: refused,
          container,
          severity,
        });
      if (ofRestricted !== undefined && !(Array.isArray(drop) && drop.includes('ALL')))
        reports.push({
          problem: message`${subject} does not drop all capabilities`,
          remedy: words('add ALL to capabilities.drop in the securityContext of the container'),
          field: at('drop'),
          container,
          severity: ofRestricted,
          fixes: [{ path: at('drop', '-'), value: 'ALL' }],
        });
      return reports;
    });
  },
};
