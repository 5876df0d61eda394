import { admissionPolicy } from './admission-policy';
import { apiSchema } from './api-schema';
import { availability } from './availability';
import { capabilities } from './capabilities';
import { deadKustomize } from './dead-kustomize';
import { ingressBackend } from './ingress-backend';
import { exposure } from './exposure';
import { imageRegistry } from './image-registry';
import { networkPolicy } from './network-policy';
import { pinnedImage } from './pinned-image';
import { plainSecret } from './plain-secret';
import { podSecurity } from './pod-security';
import { privilegeEscalation } from './privilege-escalation';
import { probes } from './probes';
import { rbac } from './rbac';
import { readOnlyRootFilesystem } from './read-only-root-filesystem';
import { references } from './references';
import { resources } from './resources';
import type { Rule } from './rule';
import { runAsNonRoot } from './run-as-non-root';
import { seccompProfile } from './seccomp-profile';
import { serviceAccountToken } from './service-account-token';
import { serviceTarget } from './service-target';
import { volumes } from './volumes';

/**
 * In the order in which findings are reported and fixes are written: the resource itself, images and Secrets first, then the securityContext
 * of pod and container, the rest of Pod Security, mounts and volumes, the ServiceAccount and what RBAC gives it, resources and
 * probes, what resources refer to, what keeps pods available, a team's own policies, the kustomizations themselves, and at last
 * the network.
 */
export const RULES: readonly Rule[] = [
  apiSchema,
  pinnedImage,
  imageRegistry,
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
  probes,
  references,
  serviceTarget,
  ingressBackend,
  availability,
  admissionPolicy,
  deadKustomize,
  networkPolicy,
  exposure,
];
