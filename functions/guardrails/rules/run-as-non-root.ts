import type { Report } from '../findings/finding';
import { severityOf } from '../kubernetes/pod-security';
import { podSpecOf, securityContextFixes, securityContextHolders } from '../kubernetes/workload';
import { type Message, message, words } from '../message';
import type { FieldPath } from '../yaml/field-path';
import { isAbsent, objectAt } from '../yaml/yaml';
import { imageNeeds, usersOfImages } from './image-needs';
import type { Rule } from './rule';

/** No process of a pod runs as root. */
export const runAsNonRoot: Rule = {
  id: 'run-as-non-root',
  summary: '`runAsNonRoot: true` for every container; no `false`, no `runAsUser: 0`',
  adds: 'pod `runAsNonRoot: true`',
  documentation: 'https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted',
  check: (resource, { podSecurity, knownImages }) => {
    const pod = podSpecOf(resource);
    // Both controls, runAsNonRoot and runAsUser, hold for the same pods.
    const severity = pod && severityOf('runAsNonRoot', pod, podSecurity);
    if (pod === undefined || severity === undefined) return [];
    const inheritsTrue = objectAt(pod.value, 'securityContext').runAsNonRoot === true;
    const reports: Report[] = [];
    for (const { subject, value, path, container } of securityContextHolders(pod)) {
      const { runAsNonRoot, runAsUser } = objectAt(value, 'securityContext');
      if (!isAbsent(runAsNonRoot) && runAsNonRoot !== true)
        reports.push({
          problem: message`${subject} sets runAsNonRoot to a value other than true`,
          remedy: words(container === undefined ? 'set it to true' : 'set it to true, or remove the line'),
          field: [...path, 'securityContext', 'runAsNonRoot'],
          currentValue: runAsNonRoot,
          container,
          severity,
        });
      if (!isAbsent(runAsUser) && !(typeof runAsUser === 'number' && runAsUser > 0))
        reports.push({
          problem:
            runAsUser === 0
              ? message`${subject} runs as user 0, which is root`
              : message`${subject} has a runAsUser that is not a numeric UID above 0`,
          remedy: words('set runAsUser to the numeric UID of a non-root user in the image'),
          field: [...path, 'securityContext', 'runAsUser'],
          currentValue: runAsUser,
          container,
          severity,
          ...(inheritsTrue && container !== undefined && isAbsent(runAsNonRoot)
            ? { ifExempt: stillNeeds(subject, path) }
            : {}),
        });
    }
    const isSetInAll =
      pod.containers.length > 0 &&
      pod.containers.every(({ value }) => objectAt(value, 'securityContext').runAsNonRoot === true);
    if (isAbsent(objectAt(pod.value, 'securityContext').runAsNonRoot) && !isSetInAll) {
      reports.push({
        problem: words('pod may run as root: runAsNonRoot is missing'),
        remedy: words('set runAsNonRoot: true in the securityContext of the pod'),
        field: [...pod.path, 'securityContext', 'runAsNonRoot'],
        severity,
        fixes: securityContextFixes(pod, ['runAsNonRoot'], true),
        needs: imageNeeds(pod),
      });
    }
    return knownImages === 'apply' ? [...reports, ...usersOfImages(pod, severity)] : reports;
  },
};

/** A container that is exempt, and runs as root, inherits `runAsNonRoot: true` from its pod: the kubelet does not start it. */
function stillNeeds(subject: Message, path: FieldPath): Report {
  return {
    problem: message`${subject} is exempt and runs as root, but inherits runAsNonRoot from the pod, so the kubelet does not start it`,
    remedy: words('set runAsNonRoot: false in the securityContext of the container'),
    field: [...path, 'securityContext', 'runAsNonRoot'],
  };
}
