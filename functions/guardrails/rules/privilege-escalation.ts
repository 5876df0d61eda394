import { formatPath } from '../yaml/field-path';
import type { YamlObject } from '../yaml/yaml';
import { isAbsent, objectAt, podSpecOf } from '../kubernetes/workload';
import type { Finding, Rule } from './rule';

/** No process gains more privileges than its parent, and no container has the host's. */
export const privilegeEscalation: Rule = {
  id: 'privilege-escalation',
  summary: '`allowPrivilegeEscalation: false`, and no `privileged: true`',
  why: 'https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted',
  fixes: true,
  check: (resource) => {
    const pod = podSpecOf(resource);
    if (pod === undefined || pod.isWindows) return [];
    return pod.containers.flatMap(({ name, subject, value, path }) => {
      const context = objectAt(value, 'securityContext');
      const at = (field: string) => [...path, 'securityContext', field];
      const findings: Finding[] = [];
      if (!isAbsent(context.privileged) && context.privileged !== false)
        findings.push({
          what: `${subject} is privileged`,
          mend: 'remove the line; name the one capability that it needs',
          field: formatPath(at('privileged')),
          currentValue: context.privileged,
          container: name,
        });
      const escalation = context.allowPrivilegeEscalation;
      const field = formatPath(at('allowPrivilegeEscalation'));
      if (!isAbsent(escalation) && escalation !== false)
        findings.push({
          what: `${subject} sets allowPrivilegeEscalation to other than false`,
          mend: 'set it to false, or remove the line',
          field,
          currentValue: escalation,
          container: name,
        });
      if (isAbsent(escalation) && findings.length === 0)
        findings.push({
          what: `${subject} may gain privileges: no allowPrivilegeEscalation: false`,
          mend: 'set allowPrivilegeEscalation: false in its securityContext',
          field,
          container: name,
          // The API server refuses false beside this capability (validateSecurityContext).
          ...(addsSysAdmin(context)
            ? {}
            : { fixes: [{ path: at('allowPrivilegeEscalation'), value: false }] }),
        });
      return findings;
    });
  },
};

function addsSysAdmin(securityContext: YamlObject): boolean {
  const { add } = objectAt(securityContext, 'capabilities');
  return Array.isArray(add) && add.some((one) => one === 'SYS_ADMIN' || one === 'CAP_SYS_ADMIN');
}
