/** Requests and limits of a container, as quantities; null: a container needs none, and gets none. */
export interface ResourceDefaults {
  /** What a container must have, and gets where it is missing. */
  readonly add: 'all' | 'requests' | 'none';
  readonly requests: Readonly<Record<ResourceName, string | null>>;
  readonly limits: Readonly<Record<ResourceName, string | null>>;
  /** What no request and no limit of a container may exceed; null: there is no maximum. */
  readonly max: Readonly<Record<ResourceName, string | null>>;
}

export type ResourceName = 'cpu' | 'memory';

/** What a container gets that sets none of its own. */
export const RESOURCE_DEFAULTS: ResourceDefaults = {
  add: 'all',
  requests: {
    cpu: '100m', // 0.1 core; specification 2.1
    memory: '128Mi', // specification 2.1
  },
  limits: {
    cpu: '500m', // 0.5 core; specification 2.1
    memory: '512Mi', // specification 2.1
  },
  max: { cpu: null, memory: null },
};
