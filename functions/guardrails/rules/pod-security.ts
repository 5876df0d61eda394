import type { Report } from '../findings/finding';
import { groupOf } from '../krm/resource';
import { severityOf, standardOf } from '../kubernetes/pod-security';
import { imagesOf } from '../kubernetes/images';
import { isKubernetesGroup, podSpecOf } from '../kubernetes/workload';
import { message, words } from '../message';
import { formatPath } from '../yaml/field-path';
import type { YamlObject } from '../yaml/yaml';
import type { Rule } from './rule';
import type { ControlCheck } from './pod-security/control-check';
import {
  hostNamespaces,
  hostPorts,
  hostProbesAndHostLifecycle,
  windowsHostProcess,
} from './pod-security/host-access';
import {
  appArmorProfile,
  procMount,
  procMountRestricted,
  seLinuxOptions,
  sysctls,
} from './pod-security/kernel-settings';
import { hostPathVolumes, restrictedVolumes } from './pod-security/volume-types';

/** In the order in which they are reported. The controls that are not here have rules of their own. */
const CHECKS: readonly ControlCheck[] = [
  hostNamespaces,
  hostPorts,
  hostProbesAndHostLifecycle,
  windowsHostProcess,
  hostPathVolumes,
  restrictedVolumes,
  appArmorProfile,
  seLinuxOptions,
  procMount,
  procMountRestricted,
  sysctls,
];

/** The namespace admits every pod: the controls of Pod Security that no other rule checks. */
export const podSecurity: Rule = {
  id: 'pod-security',
  summary:
    'No violation of the other Pod Security controls: host namespaces, host ports, hostPath, volume types, AppArmor, SELinux, `procMount`, sysctls, `host` in probes and lifecycle hooks, HostProcess containers',
  documentation: 'https://kubernetes.io/docs/concepts/security/pod-security-standards/',
  check: (resource, { podSecurity: required }) => {
    const pod = podSpecOf(resource);
    if (pod === undefined) return otherContainers(resource);
    const reports = CHECKS.flatMap(({ id, violations }): Report[] => {
      const severity = severityOf(id, pod, required);
      if (severity === undefined) return [];
      const standard = standardOf(severity === 'error' ? required : { ...required, level: 'restricted' });
      return violations(pod, required).map((one) => ({
        ...one,
        problem: message`violates ${words(standard)}: ${one.problem}`,
        severity,
      }));
    });
    // What baseline refuses, restricted refuses too.
    const refused = new Set(reports.filter((one) => one.severity === 'error').map(fieldOf));
    return reports.filter((one) => one.severity === 'error' || !refused.has(fieldOf(one)));
  },
};

/** Containers of a kind that is not understood: what is not judged is reported. */
function otherContainers(resource: YamlObject): Report[] {
  if (isKubernetesGroup(groupOf(resource))) return [];
  const use = imagesOf(resource).find(({ field }) => field.at(-3) === 'containers');
  if (use === undefined) return [];
  const field = use.field.slice(0, -2);
  return [
    {
      problem: message`has containers in ${formatPath(field)}, but the function does not support its kind, so only their images are checked`,
      remedy: words('check the pods that its controller creates'),
      field,
      severity: 'info',
    },
  ];
}

function fieldOf({ field }: Report): string {
  return JSON.stringify(field);
}
