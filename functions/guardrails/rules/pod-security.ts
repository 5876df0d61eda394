import type { Report } from '../findings/finding';
import { severityOf, standardOf } from '../kubernetes/pod-security';
import { podSpecOf } from '../kubernetes/workload';
import { message, words } from '../message';
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
    'The other controls of Pod Security: host namespaces, ports and paths, volume types, AppArmor, SELinux, `procMount`, sysctls, hosts of probes, Windows host processes',
  documentation: 'https://kubernetes.io/docs/concepts/security/pod-security-standards/',
  check: (resource, { podSecurity: required }) => {
    const pod = podSpecOf(resource);
    if (pod === undefined) return [];
    const reports = CHECKS.flatMap(({ id, violations }): Report[] => {
      const severity = severityOf(id, pod, required);
      if (severity === undefined) return [];
      const standard = standardOf(severity === 'error' ? required : { ...required, level: 'restricted' });
      return violations(pod, required).map((one) => ({
        ...one,
        problem: message`${one.problem}, which ${words(standard)} refuses`,
        severity,
      }));
    });
    // What baseline refuses, restricted refuses too.
    const refused = new Set(reports.filter((one) => one.severity === 'error').map(fieldOf));
    return reports.filter((one) => one.severity === 'error' || !refused.has(fieldOf(one)));
  },
};

function fieldOf({ field }: Report): string {
  return JSON.stringify(field);
}
