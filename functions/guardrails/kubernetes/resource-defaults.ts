/** Requests and limits of a container, as quantities. */
export interface ResourceDefaults {
  readonly requests: Readonly<Record<ResourceName, string>>;
  readonly limits: Readonly<Record<ResourceName, string>>;
}

export type ResourceName = 'cpu' | 'memory';

/** What a container gets that sets none of its own. */
export const RESOURCE_DEFAULTS: ResourceDefaults = {
  requests: {
    cpu: '100m', // 0.1 core; specification 2.1
    memory: '128Mi', // specification 2.1
  },
  limits: {
    cpu: '500m', // 0.5 core; specification 2.1
    memory: '512Mi', // specification 2.1
  },
};
