import { admissionPolicy } from './admission-policy';
import { apiSchema } from './api-schema';
import { capabilities } from './capabilities';
import { deadKustomize } from './dead-kustomize';
import { networkPolicy } from './network-policy';
import { pinnedImage } from './pinned-image';
import { plainSecret } from './plain-secret';
import { podSecurity } from './pod-security';
import { privilegeEscalation } from './privilege-escalation';
import { rbac } from './rbac';
import { readOnlyRootFilesystem } from './read-only-root-filesystem';
import { resources } from './resources';
import type { Rule } from './rule';
import { runAsNonRoot } from './run-as-non-root';
import { seccompProfile } from './seccomp-profile';
import { serviceAccountToken } from './service-account-token';
import { volumes } from './volumes';

/**
 * In the order in which findings are reported and fixes are written: the resource itself, images and Secrets first, then the securityContext
 * of pod and container, the rest of Pod Security, mounts and volumes, the ServiceAccount and what RBAC gives it, resources,
 * a team's own policies, the kustomizations themselves, and at last the network.
 */
export const RULES: readonly Rule[] = [
  apiSchema,
  pinnedImage,
  plainSecret,
  runAsNonRoot,
  seccompProfile,
  privilegeEscalation,
  capabilities,
  podSecurity,
  readOnlyRootFilesystem,
  volumes,
  serviceAccountToken,
  rbac,
  resources,
  admissionPolicy,
  deadKustomize,
  networkPolicy,
];
