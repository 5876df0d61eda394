import { formatPath } from '../yaml/field-path';
import { type YamlObject, isObject, textOf } from '../yaml/yaml';
import { isAbsent, objectAt, podSpecOf } from '../kubernetes/workload';
import type { Finding, Rule } from './rule';

const ALLOWED = ['RuntimeDefault', 'Localhost'];

/** System calls pass a filter. */
export const seccompProfile: Rule = {
  id: 'seccomp-profile',
  summary: 'A seccomp profile, `RuntimeDefault` or one of the node, for every container',
  why: 'https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted',
  fixes: true,
  check: (resource) => {
    const pod = podSpecOf(resource);
    if (pod === undefined || pod.isWindows) return [];
    const findings: Finding[] = [];
    const holders = [
      { subject: 'the pod', value: pod.value, path: pod.path },
      ...pod.containers.map((container) => ({ ...container, container: container.name })),
    ];
    for (const { subject, value, path, ...about } of holders) {
      const profile = profileOf(value);
      if (profile === undefined || ALLOWED.includes(textOf(profile.type))) continue;
      // A pod's profile without a type is mended below.
      if (value === pod.value && isAbsent(profile.type)) continue;
      findings.push({
        what: `${subject} sets the seccomp profile ${textOf(profile.type)}`,
        mend: `use ${ALLOWED.join(' or ')}`,
        field: formatPath([...path, 'securityContext', 'seccompProfile', 'type']),
        ...(profile.type === undefined ? {} : { currentValue: profile.type }),
        ...about,
      });
    }
    const ofPod = profileOf(pod.value);
    const everyContainer =
      pod.containers.length > 0 && pod.containers.every(({ value }) => profileOf(value) !== undefined);
    if (ofPod === undefined ? !everyContainer : isAbsent(ofPod.type)) {
      const path = [...pod.path, 'securityContext', 'seccompProfile', 'type'];
      findings.push({
        what: 'the pod has no seccomp profile',
        mend: 'set seccompProfile.type: RuntimeDefault in the pod securityContext',
        field: formatPath(path),
        // A localhostProfile goes with the type Localhost alone, which its author has to mean.
        ...(isAbsent(ofPod?.localhostProfile) ? { fixes: [{ path, value: 'RuntimeDefault' }] } : {}),
      });
    }
    return findings;
  },
};

/** undefined: left to the pod's, or to the runtime's. */
function profileOf(holder: YamlObject): YamlObject | undefined {
  const { seccompProfile } = objectAt(holder, 'securityContext');
  if (isAbsent(seccompProfile)) return undefined;
  return isObject(seccompProfile) ? seccompProfile : {};
}
