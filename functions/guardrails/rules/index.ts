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
 * In the order in which findings are reported and fixes are written: images and Secrets first, then the securityContext
 * of pod and container, mounts and volumes, resources, and at last the network.
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
