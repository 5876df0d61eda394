import type { Report } from '../findings/finding';
import { severityOf } from '../kubernetes/pod-security';
import {
  type PodSpec,
  podSpecOf,
  securityContextFixes,
  securityContextHolders,
} from '../kubernetes/workload';
import { message, words } from '../message';
import { type YamlObject, isAbsent, isObject, objectAt, textOf } from '../yaml/yaml';
import type { Rule } from './rule';

const ALLOWED = ['RuntimeDefault', 'Localhost'];

/** A filter restricts the system calls of every container. */
export const seccompProfile: Rule = {
  id: 'seccomp-profile',
  summary: 'A seccomp profile of type `RuntimeDefault` or `Localhost` for every container',
  adds: 'pod `seccompProfile.type: RuntimeDefault`',
  isSafe: true,
  documentation: 'https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted',
  check: (resource, { podSecurity }) => {
    const pod = podSpecOf(resource);
    if (pod === undefined) return [];
    const ofMissing = severityOf('seccompProfile_restricted', pod, podSecurity);
    const ofRefused = severityOf('seccompProfile_baseline', pod, podSecurity) ?? ofMissing;
    if (ofRefused === undefined) return [];
    const reports: Report[] = [];
    for (const { subject, value, path, container } of securityContextHolders(pod)) {
      const profile = profileOf(value);
      if (profile === undefined || ALLOWED.includes(textOf(profile.type))) continue;
      // A profile of the pod without a type is reported below.
      if (container === undefined && isAbsent(profile.type)) continue;
      reports.push({
        problem: isAbsent(profile.type)
          ? message`${subject} has a seccomp profile without a type`
          : message`${subject} has a seccomp profile of type ${textOf(profile.type)}`,
        remedy: words(`set the type to ${ALLOWED.join(' or ')}`),
        field: [...path, 'securityContext', 'seccompProfile', 'type'],
        currentValue: profile.type,
        container,
        severity: ofRefused,
      });
    }
    const ofPod = profileOf(pod.value);
    const isSetInAll =
      pod.containers.length > 0 && pod.containers.every(({ value }) => profileOf(value) !== undefined);
    const severity = ofPod === undefined ? ofMissing : ofRefused;
    if (severity !== undefined && (ofPod === undefined ? !isSetInAll : isAbsent(ofPod.type)))
      reports.push({
        field: [...pod.path, 'securityContext', 'seccompProfile', 'type'],
        severity,
        ...missingProfile(pod, ofPod),
      });
    return reports;
  },
};

function missingProfile(pod: PodSpec, ofPod: YamlObject | undefined) {
  // A localhostProfile is valid with the type Localhost alone, which only its author can choose.
  if (!isAbsent(ofPod?.localhostProfile))
    return {
      problem: words('pod has a seccomp profile without a type'),
      remedy: words('set seccompProfile.type: Localhost, which localhostProfile requires'),
    };
  const annotation = otherAnnotation(pod);
  if (annotation !== undefined)
    return {
      problem: message`pod sets its seccomp profile only in the annotation ${annotation}`,
      remedy: words('remove the annotation, and set seccompProfile in the securityContext of the pod'),
    };
  return {
    problem: words('pod has no seccomp profile'),
    remedy: words('set seccompProfile.type: RuntimeDefault in the securityContext of the pod'),
    fixes: securityContextFixes(pod, ['seccompProfile', 'type'], 'RuntimeDefault'),
  };
}

/** undefined: the profile of the pod applies, or that of the runtime. */
function profileOf(holder: YamlObject): YamlObject | undefined {
  const { seccompProfile } = objectAt(holder, 'securityContext');
  if (isAbsent(seccompProfile)) return undefined;
  return isObject(seccompProfile) ? seccompProfile : {};
}

/** The annotations that had the profile before the field, of a pod and of a container. */
const POD_ANNOTATION = 'seccomp.security.alpha.kubernetes.io/pod';
const CONTAINER_ANNOTATION = 'container.seccomp.security.alpha.kubernetes.io/';
/** Their values that mean the same as the field RuntimeDefault. */
const RUNTIME_DEFAULT_VALUES = ['runtime/default', 'docker/default'];

/** An annotation that the API server compares with the field that is added, and that has another value (validateSeccompAnnotationsAndFields). */
function otherAnnotation({ metadata, writable }: PodSpec): string | undefined {
  const isCompared = (key: string) =>
    writable === 'no pod securityContext' ? key.startsWith(CONTAINER_ANNOTATION) : key === POD_ANNOTATION;
  const annotations = Object.entries(objectAt(metadata, 'annotations'));
  return annotations.find(
    ([key, value]) => isCompared(key) && !RUNTIME_DEFAULT_VALUES.includes(textOf(value)),
  )?.[0];
}
