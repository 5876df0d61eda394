import type { Report } from '../findings/finding';
import { severityOf } from '../kubernetes/pod-security';
import { podSpecOf } from '../kubernetes/workload';
import { message, words } from '../message';
import { type YamlObject, isAbsent, objectAt } from '../yaml/yaml';
import type { Rule } from './rule';

/** No process gains more privileges than its parent, and no container has those of the host. */
export const privilegeEscalation: Rule = {
  id: 'privilege-escalation',
  summary: '`allowPrivilegeEscalation: false`, and no `privileged: true`',
  adds: 'container `allowPrivilegeEscalation: false`',
  isSafe: true,
  documentation: 'https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted',
  check: (resource, { podSecurity }) => {
    const pod = podSpecOf(resource);
    if (pod === undefined) return [];
    const severity = severityOf('allowPrivilegeEscalation', pod, podSecurity);
    return pod.containers.flatMap(({ name: container, subject, value, path }) => {
      const context = objectAt(value, 'securityContext');
      const { privileged, allowPrivilegeEscalation } = context;
      const field = [...path, 'securityContext', 'allowPrivilegeEscalation'];
      const reports: Report[] = [];
      if (!isAbsent(privileged) && privileged !== false)
        reports.push({
          problem: message`${subject} is privileged`,
          remedy: words(
            'remove the field privileged; to bind a port below 1024, add the capability NET_BIND_SERVICE',
          ),
          field: [...path, 'securityContext', 'privileged'],
          currentValue: privileged,
          container,
        });
      if (severity === undefined) return reports;
      if (!isAbsent(allowPrivilegeEscalation) && allowPrivilegeEscalation !== false)
        reports.push({
          problem: message`${subject} sets allowPrivilegeEscalation to a value other than false`,
          remedy: words('set it to false'),
          field,
          currentValue: allowPrivilegeEscalation,
          container,
          severity,
        });
      if (isAbsent(allowPrivilegeEscalation) && reports.length === 0)
        reports.push({
          problem: message`${subject} may gain privileges: allowPrivilegeEscalation is missing`,
          remedy: words('set allowPrivilegeEscalation: false in the securityContext of the container'),
          field,
          container,
          severity,
          // The API server refuses false beside this capability (validateSecurityContext).
          ...(addsSysAdmin(context) ? {} : { fixes: [{ path: field, value: false }] }),
        });
      return reports;
    });
  },
};

function addsSysAdmin(securityContext: YamlObject): boolean {
  const { add } = objectAt(securityContext, 'capabilities');
  return Array.isArray(add) && add.some((one) => one === 'SYS_ADMIN' || one === 'CAP_SYS_ADMIN');
}
