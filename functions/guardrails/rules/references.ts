import { readTopology } from '../network/topology';
import { lookupIn } from './references/lookup';
import { missingHosts } from './references/missing-hosts';
import { missingObjects } from './references/missing-objects';
import type { Rule } from './rule';

/** What the resources of a build refer to is in the build, or known to exist elsewhere. */
export const references: Rule = {
  id: 'references',
  summary:
    'ConfigMaps, ServiceAccounts, scale targets and keys that resources refer to are in the build, and so are Services of nearly the same name as a host; a warning for Secrets, claims, roles and subjects, which others may create',
  documentation:
    'https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/#restrictions',
  checkBuild: (resources, context) => {
    const lookup = lookupIn(resources, context);
    const topology = readTopology(resources, context.annotations, context.network);
    return [...missingObjects(resources, lookup), ...missingHosts(resources, topology, lookup)];
  },
};
