import type { PlacedReport } from '../findings/finding';
import type { AnnotationNames } from '../kubernetes/annotation-names';
import type { Placed } from '../krm/resource';
import { blockedTraffic } from './checks/blocked-traffic';
import { CheckedBuild, type PolicyCheck, type ServiceMeant } from './checks/checked-build';
import { excessTraffic } from './checks/excess-traffic';
import { hostNetwork } from './checks/host-network';
import { isolation } from './checks/isolation';
import { openPolicies } from './checks/open-policies';
import { otherApis } from './checks/other-apis';
import { unreachableExposures } from './checks/unreachable-exposures';
import type { ExternalPeers } from './external-peers';

const CHECKS: readonly PolicyCheck[] = [
  // Required connections for which no policy can be generated.
  ({ topology }) => topology.reports,
  // Policies that the API server refuses, and rules without effect.
  ({ invalid }) => invalid,
  isolation,
  hostNetwork,
  blockedTraffic,
  unreachableExposures,
  openPolicies,
  excessTraffic,
  otherApis,
];

/**
 * Checks the NetworkPolicies of a build, with its Lists expanded, against the traffic that it requires. Errors are
 * required traffic that is blocked, pods that are not isolated, policies that the API server refuses, and generated
 * policies that allow more than the required traffic; a hand-written policy that allows more is an info, and one that
 * allows everyone a warning.
 */
export function checkPolicies(
  resources: readonly Placed[],
  peers: ExternalPeers,
  annotations: AnnotationNames,
  serviceMeant?: ServiceMeant,
): PlacedReport[] {
  const build = new CheckedBuild(resources, peers, annotations, serviceMeant);
  return CHECKS.flatMap((check) => check(build));
}
