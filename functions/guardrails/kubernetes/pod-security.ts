import type { Severity } from '../krm/result';
import type { PodSpec } from './workload';

/** What a namespace enforces: the label `pod-security.kubernetes.io/enforce`, without `privileged`. */
export type PodSecurityLevel = 'baseline' | 'restricted';

export interface PodSecurity {
  readonly level: PodSecurityLevel;
  /** The minor version of the standards: 37 for v1.37; Infinity for `latest`. */
  readonly minor: number;
}

export const POD_SECURITY: PodSecurity = { level: 'restricted', minor: Infinity };
/** The versions of the standards that the table below has: v1.25 to v1.37. */
export const OLDEST_MINOR = 25;
export const NEWEST_MINOR = 37;

interface ControlOfStandards {
  readonly level: PodSecurityLevel;
  /** The first minor version with this control; undefined: every version. */
  readonly since?: number;
  /** The control of baseline that it takes the place of at restricted. */
  readonly replaces?: string;
  /** Whether it holds for Windows pods (`os.name: windows`) too. Default: true. */
  readonly holdsOnWindows?: false;
  /** The minor version from which on it does not hold in a user namespace (`hostUsers: false`). */
  readonly freeInUserNamespaceSince?: number;
}

/**
 * Every control of the Pod Security Standards, by the names of k8s.io/pod-security-admission v0.37.2 (policy/check_*.go).
 * The values that each allows are in the rule that checks it.
 */
const CONTROLS = {
  allowPrivilegeEscalation: { level: 'restricted', holdsOnWindows: false },
  appArmorProfile: { level: 'baseline' },
  capabilities_baseline: { level: 'baseline' },
  capabilities_restricted: { level: 'restricted', replaces: 'capabilities_baseline', holdsOnWindows: false },
  hostNamespaces: { level: 'baseline' },
  hostPathVolumes: { level: 'baseline' },
  hostPorts: { level: 'baseline' },
  hostProbesAndHostLifecycle: { level: 'baseline', since: 34 },
  privileged: { level: 'baseline' },
  procMount: { level: 'baseline', freeInUserNamespaceSince: 35 },
  procMount_restricted: { level: 'restricted', since: 35, replaces: 'procMount' },
  restrictedVolumes: { level: 'restricted', replaces: 'hostPathVolumes' },
  runAsNonRoot: { level: 'restricted', freeInUserNamespaceSince: 35 },
  runAsUser: { level: 'restricted', freeInUserNamespaceSince: 35 },
  seLinuxOptions: { level: 'baseline' },
  seccompProfile_baseline: { level: 'baseline' },
  seccompProfile_restricted: {
    level: 'restricted',
    replaces: 'seccompProfile_baseline',
    holdsOnWindows: false,
  },
  sysctls: { level: 'baseline' },
  windowsHostProcess: { level: 'baseline' },
} as const satisfies Record<string, ControlOfStandards>;

/** Control of baseline to the minor version from which on one of restricted takes its place. */
const REPLACED_SINCE = new Map(
  Object.values<ControlOfStandards>(CONTROLS).flatMap(({ replaces, since = 0 }) =>
    replaces === undefined ? [] : [[replaces, since] as const],
  ),
);

export type ControlId = keyof typeof CONTROLS;

/**
 * How severe a violation of a control is: an error where the namespace refuses the pod, a warning where only a higher
 * level would; undefined where the control does not hold for the pod.
 */
export function severityOf(id: ControlId, pod: PodSpec, { level, minor }: PodSecurity): Severity | undefined {
  const control: ControlOfStandards = CONTROLS[id];
  if (!holds(control, pod, minor)) return undefined;
  if (level === 'baseline') return control.level === 'baseline' ? 'error' : 'warning';
  const replaced = REPLACED_SINCE.get(id);
  return replaced !== undefined && replaced <= minor ? undefined : 'error';
}

function holds(control: ControlOfStandards, pod: PodSpec, minor: number): boolean {
  const { since = 0, holdsOnWindows = true, freeInUserNamespaceSince: free } = control;
  const isFree = pod.hasUserNamespace && free !== undefined && free <= minor;
  return since <= minor && !(pod.isWindows && !holdsOnWindows) && !isFree;
}

/** `PodSecurity "restricted:latest"`, as the API server writes it. */
export function standardOf({ level, minor }: PodSecurity): string {
  return `PodSecurity "${level}:${minor === Infinity ? 'latest' : `v1.${minor}`}"`;
}
