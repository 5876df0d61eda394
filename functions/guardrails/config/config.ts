import { RESOURCE_DEFAULTS, type ResourceDefaults } from '../kubernetes/resource-defaults';
import type { OverlaySettings } from '../kustomize/overlays';
import type { Message } from '../message';
import { EXTERNAL_PEERS, type ExternalPeers } from '../network/external-peers';
import type { Level } from '../rules/inspect';

/** Rule id to level; `error` where a rule is not named. */
export type Levels = ReadonlyMap<string, Level>;

export interface Config {
  readonly levels: Levels;
  /** Overlay folder to the levels that differ there. */
  readonly environments: ReadonlyMap<string, Levels>;
  /** The environment of a stream; undefined: the levels of the top hold. */
  readonly environment: string | undefined;
  /** The stream is everything: rules that need a whole build report errors. */
  readonly complete: boolean;
  readonly resourceDefaults: ResourceDefaults;
  readonly network: ExternalPeers;
  /** Globs of folders that are overlays, and of folders that are bases, whatever their names say. */
  readonly overlays: readonly string[];
  readonly bases: readonly string[];
  /** The file with the variables that Flux replaces: of the top, and of the overlays where it differs. */
  readonly substitute: string | undefined;
  readonly substitutes: ReadonlyMap<string, string>;
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
  environments: new Map(),
  environment: undefined,
  complete: false,
  resourceDefaults: RESOURCE_DEFAULTS,
  network: EXTERNAL_PEERS,
  overlays: [],
  bases: [],
  substitute: undefined,
  substitutes: new Map(),
  kustomizeVersion: undefined,
  neverExempt: new Set(['pinned-image']),
  warnings: [],
};

/** The levels for an overlay, or for a stream: those of its environment before those of the top. */
export function levelsOf({ levels, environments, environment }: Config, overlay: string | undefined): Levels {
  const own = environments.get(overlay ?? environment ?? '');
  return own === undefined ? levels : new Map([...levels, ...own]);
}

/** What the configuration says of the kustomizations of a package. */
export function settingsOf({ environments, overlays, bases }: Config): OverlaySettings {
  return { configured: [...environments.keys()], overlays, bases };
}

/** The file with the variables of an overlay; undefined: Flux replaces nothing in it. */
export function substituteOf({ substitute, substitutes }: Config, overlay: string): string | undefined {
  return substitutes.get(overlay) ?? substitute;
}
