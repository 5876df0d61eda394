import { servedApiVersion } from '../kubernetes/workload';
import { message } from '../message';
import { textOf } from '../yaml/yaml';
import type { Rule } from './rule';

/** A built-in workload has the apiVersion of its kind. */
export const apiSchema: Rule = {
  id: 'api-schema',
  summary: 'Every workload has an `apiVersion` that the API server serves for its kind',
  documentation: 'https://kubernetes.io/docs/reference/using-api/deprecation-guide/',
  check: (resource) => {
    const served = servedApiVersion(resource);
    const { apiVersion } = resource;
    if (served === undefined || apiVersion === served) return [];
    return [
      {
        problem: message`has the apiVersion ${textOf(apiVersion)}, which the API server does not serve for this kind`,
        remedy: message`write apiVersion: ${served}`,
        field: ['apiVersion'],
        currentValue: apiVersion ?? null,
      },
    ];
  },
};
