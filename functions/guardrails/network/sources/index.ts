import type { Source } from '../topology-builder';
import { readAcmeSolver } from './acme-solver';
import { readConnectsTo } from './connects-to';
import { readDns } from './dns';
import { readEnvAndFiles } from './env-and-files';
import { readExposures } from './exposures';
import { readGatewayRoute } from './gateway-route';
import { readIngress } from './ingress';
import { readInternetEgress } from './internet-egress';

/**
 * The sources of traffic, in two passes over the resources of a build. The second pass asks what the first one found:
 * only clients resolve names, and a Service that an Ingress or a route leads to is not exposed by its type.
 */
export const PASSES: readonly (readonly Source[])[] = [
  [readIngress, readGatewayRoute, readAcmeSolver, readEnvAndFiles, readConnectsTo, readInternetEgress],
  [readDns, readExposures],
];
