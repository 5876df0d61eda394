import { EXTERNAL_PEERS, type ExternalPeers } from '../network/external-peers';
import { RESOURCE_DEFAULTS, type ResourceDefaults } from '../kubernetes/resource-defaults';

export interface Config {
  /** Overlay folder to the ids of the rules that it is allowed to break. What is not named is held to every rule. */
  readonly environments: ReadonlyMap<string, ReadonlySet<string>>;
  /** The environment that a stream belongs to; undefined: every rule holds. */
  readonly environment: string | undefined;
  /** The stream is all there is: rules that need the whole build give errors. */
  readonly complete: boolean;
  readonly resourceDefaults: ResourceDefaults;
  readonly network: ExternalPeers;
  /** Rules that no annotation exempts from. */
  readonly neverExempt: ReadonlySet<string>;
}

/** Strict: every rule holds everywhere. */
export const DEFAULTS: Config = {
  environments: new Map(),
  environment: undefined,
  complete: false,
  resourceDefaults: RESOURCE_DEFAULTS,
  network: EXTERNAL_PEERS,
  neverExempt: new Set(['pinned-image']),
};

/** The rules that an overlay, or a stream, is allowed to break. */
export function allowedRules(config: Config, overlay: string | undefined): ReadonlySet<string> {
  const name = overlay ?? config.environment;
  return (name === undefined ? undefined : config.environments.get(name)) ?? new Set();
}
