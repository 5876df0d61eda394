import { POD_SECURITY, type PodSecurity } from '../kubernetes/pod-security';
import { RESOURCE_DEFAULTS, type ResourceDefaults } from '../kubernetes/resource-defaults';
import type { OverlaySettings } from '../kustomize/overlays';
import type { Message } from '../message';
import { EXTERNAL_PEERS, type ExternalPeers } from '../network/external-peers';
import type { Level } from '../rules/inspect';

/** Rule id to level; `error` where a rule is not named. */
export type Levels = ReadonlyMap<string, Level>;

/** What differs from the top in an environment. */
export interface Environment {
  readonly levels: Levels;
  readonly podSecurity: Partial<PodSecurity>;
  /** The file with the variables that Flux replaces; undefined: that of the top. */
  readonly substitute: string | undefined;
}

export interface Config {
  readonly levels: Levels;
  readonly podSecurity: PodSecurity;
  /** By overlay folder. */
  readonly environments: ReadonlyMap<string, Environment>;
  /** The environment of a stream; undefined: the levels of the top hold. */
  readonly environment: string | undefined;
  /** The stream is everything: rules that need a whole build report errors. */
  readonly complete: boolean;
  readonly resourceDefaults: ResourceDefaults;
  readonly network: ExternalPeers;
  /** Globs of folders that are overlays, and of folders that are bases, whatever their names say. */
  readonly overlays: readonly string[];
  readonly bases: readonly string[];
  /** The file with the variables that Flux replaces; undefined: Flux replaces nothing. */
  readonly substitute: string | undefined;
  /** The version of kustomize that must build the overlays; undefined: any. */
  readonly kustomizeVersion: string | undefined;
  /** Rules that no annotation exempts from. */
  readonly neverExempt: ReadonlySet<string>;
  /** What is outdated in the configuration. */
  readonly warnings: readonly Message[];
}

/** Strict: every rule reports errors everywhere. */
export const DEFAULTS: Config = {
  levels: new Map(),
  podSecurity: POD_SECURITY,
  environments: new Map(),
  environment: undefined,
  complete: false,
  resourceDefaults: RESOURCE_DEFAULTS,
  network: EXTERNAL_PEERS,
  overlays: [],
  bases: [],
  substitute: undefined,
  kustomizeVersion: undefined,
  neverExempt: new Set(['pinned-image']),
  warnings: [],
};

/** The levels for an overlay, or for a stream: those of its environment before those of the top. */
export function levelsOf(config: Config, overlay: string | undefined): Levels {
  const own = environmentOf(config, overlay)?.levels;
  return own === undefined ? config.levels : new Map([...config.levels, ...own]);
}

/** What the namespace of an overlay, or of a stream, admits. */
export function podSecurityOf(config: Config, overlay: string | undefined): PodSecurity {
  return { ...config.podSecurity, ...environmentOf(config, overlay)?.podSecurity };
}

function environmentOf({ environments, environment }: Config, overlay: string | undefined) {
  return environments.get(overlay ?? environment ?? '');
}

/** What the configuration says of the kustomizations of a package. */
export function settingsOf({ environments, overlays, bases }: Config): OverlaySettings {
  return { configured: [...environments.keys()], overlays, bases };
}

/** The file with the variables of an overlay; undefined: Flux replaces nothing in it. */
export function substituteOf(config: Config, overlay: string): string | undefined {
  return environmentOf(config, overlay)?.substitute ?? config.substitute;
}
