import { formatPath } from '../yaml/field-path';
import { isAbsent, objectAt, podSpecOf } from '../kubernetes/workload';
import type { Finding, Rule } from './rule';

/** No process of a pod runs as root. */
export const runAsNonRoot: Rule = {
  id: 'run-as-non-root',
  summary: '`runAsNonRoot: true` for every container, and no `runAsUser: 0`',
  why: 'https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted',
  fixes: true,
  check: (resource) => {
    const pod = podSpecOf(resource);
    if (pod === undefined) return [];
    const findings: Finding[] = [];
    const holders = [
      { subject: 'the pod', value: pod.value, path: pod.path },
      ...pod.containers.map((container) => ({ ...container, container: container.name })),
    ];
    for (const { subject, value, path, ...about } of holders) {
      const context = objectAt(value, 'securityContext');
      const at = (field: string) => formatPath([...path, 'securityContext', field]);
      if (!isAbsent(context.runAsNonRoot) && context.runAsNonRoot !== true)
        findings.push({
          what: `${subject} sets runAsNonRoot to other than true`,
          mend: 'set it to true, or remove the line',
          field: at('runAsNonRoot'),
          currentValue: context.runAsNonRoot,
          ...about,
        });
      const user = context.runAsUser;
      if (!isAbsent(user) && !(typeof user === 'number' && user > 0))
        findings.push({
          what:
            user === 0 ? `${subject} runs as user 0, root` : `${subject} runs as no user that has a number`,
          mend: 'give the image a user of its own, and its number here',
          field: at('runAsUser'),
          currentValue: user,
          ...about,
        });
    }
    const everyContainer =
      pod.containers.length > 0 &&
      pod.containers.every(({ value }) => objectAt(value, 'securityContext').runAsNonRoot === true);
    if (isAbsent(objectAt(pod.value, 'securityContext').runAsNonRoot) && !everyContainer) {
      const path = [...pod.path, 'securityContext', 'runAsNonRoot'];
      findings.push({
        what: 'the pod may run as root: no runAsNonRoot',
        mend: 'set runAsNonRoot: true in the pod securityContext',
        field: formatPath(path),
        fixes: [{ path, value: true }],
      });
    }
    return findings;
  },
};
