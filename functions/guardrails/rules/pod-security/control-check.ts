import type { Report } from '../../findings/finding';
import type { ControlId, PodSecurity } from '../../kubernetes/pod-security';
import type { PodSpec } from '../../kubernetes/workload';

/** How the fields of a pod violate one control of the Pod Security Standards. */
export interface ControlCheck {
  readonly id: ControlId;
  readonly violations: (pod: PodSpec, podSecurity: PodSecurity) => readonly Report[];
}
