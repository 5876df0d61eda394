import { capabilities } from './capabilities';
import { networkPolicy } from './network-policy';
import { pinnedImage } from './pinned-image';
import { plainSecret } from './plain-secret';
import { privilegeEscalation } from './privilege-escalation';
import { readOnlyRootFilesystem } from './read-only-root-filesystem';
import { resources } from './resources';
import type { Rule } from './rule';
import { runAsNonRoot } from './run-as-non-root';
import { seccompProfile } from './seccomp-profile';
import { serviceAccountToken } from './service-account-token';
import { volumes } from './volumes';

/**
 * In the order in which findings are told, what runs and what it is given first, and in which fixes are written: a
 * pod's and a container's securityContext, then mounts and volumes, then resources. Last, who may talk to it.
 */
export const RULES: readonly Rule[] = [
  pinnedImage,
  plainSecret,
  runAsNonRoot,
  seccompProfile,
  privilegeEscalation,
  capabilities,
  readOnlyRootFilesystem,
  volumes,
  serviceAccountToken,
  resources,
  networkPolicy,
];
