import type { Finding } from '../findings/finding';
import { type AnnotationNames, annotationNames } from '../kubernetes/annotation-names';
import { IMAGE_POLICY, type ImagePolicy } from '../kubernetes/image-policy';
import { POD_SECURITY, type PodSecurity } from '../kubernetes/pod-security';
import { RESOURCE_DEFAULTS, type ResourceDefaults } from '../kubernetes/resource-defaults';
import type { OverlaySettings } from '../kustomize/overlays';
import { type Message, words } from '../message';
import { EXTERNAL_PEERS, type ExternalPeers } from '../network/external-peers';
import type { ExemptionLimits } from '../rules/exemptions';
import type { HardenMode } from '../rules/annotations';
import type { ListedExemptions } from '../rules/listed-exemptions';
import type { Level } from '../rules/inspect';
import type { ProbeSettings } from '../rules/rule';
import type { YamlObject } from '../yaml/yaml';

/** Rule id to level; `error` where a rule is not named. */
export type Levels = ReadonlyMap<string, Level>;

/** Settings of `spec`, which an entry of `spec.environments` may override. */
export interface Settings {
  readonly levels: Levels;
  readonly podSecurity: PodSecurity;
  readonly resourceDefaults: ResourceDefaults;
  readonly harden: HardenMode;
  /** Whether the values that a known public image needs are written, or proposed. */
  readonly knownImages: 'propose' | 'apply';
  readonly network: ExternalPeers;
  readonly images: ImagePolicy;
  readonly probes: ProbeSettings;
  /** The file with the variables that Flux replaces; undefined: Flux replaces nothing. */
  readonly substitute: string | undefined;
  /** Globs of the objects that exist outside of the package: `Secret/postgres-*`. */
  readonly external: readonly string[];
  /** The minor version of Kubernetes that serves the resources; Infinity: the newest. */
  readonly kubernetesMinor: number;
}

export interface Config extends Settings {
  /** Overlay folder to the settings that hold there. */
  readonly environments: ReadonlyMap<string, Settings>;
  /** The environment of a stream; undefined: the settings of the top hold. */
  readonly environment: string | undefined;
  /** The stream is everything: rules that need a whole build report errors. */
  readonly complete: boolean;
  /** Globs of folders that are overlays, and of folders that are bases, whatever their names say. */
  readonly overlays: readonly string[];
  readonly bases: readonly string[];
  /** Files and folders of policies that every build is checked against. */
  readonly policyFiles: readonly string[];
  /** The version of kustomize that must build the overlays; undefined: any. */
  readonly kustomizeVersion: string | undefined;
  /** Files with CustomResourceDefinitions, besides those that the builds have. */
  readonly schemaFiles: readonly string[];
  /** The CustomResourceDefinitions in these files. */
  readonly definitions: readonly YamlObject[];
  readonly exemptions: ExemptionLimits;
  /** The keys of annotations and of the label of generated policies. */
  readonly annotations: AnnotationNames;
  /** The exemptions of the file beside the configuration. */
  readonly listedExemptions?: ListedExemptions | undefined;
  /** What is outdated in the configuration. */
  readonly warnings: readonly Message[];
  /** Where it is looser than the floor: errors. */
  readonly loosenings: readonly Finding[];
}

/** Strict: every rule reports errors everywhere. */
export const DEFAULTS: Config = {
  levels: new Map(),
  podSecurity: POD_SECURITY,
  environments: new Map(),
  environment: undefined,
  complete: false,
  resourceDefaults: RESOURCE_DEFAULTS,
  harden: 'all',
  knownImages: 'propose',
  network: EXTERNAL_PEERS,
  images: IMAGE_POLICY,
  probes: { add: false },
  overlays: [],
  bases: [],
  policyFiles: [],
  substitute: undefined,
  external: [],
  kubernetesMinor: Infinity,
  schemaFiles: [],
  definitions: [],
  kustomizeVersion: undefined,
  exemptions: {
    neverExempt: new Map([['pinned-image', words('the configuration')]]),
    maxDays: { days: 365, setBy: words('spec.exemptions.maxDays') },
  },
  annotations: annotationNames(),
  warnings: [],
  loosenings: [],
};

/** The settings for an overlay, or for a stream. */
export function settingsFor(config: Config, overlay: string | undefined): Settings {
  return config.environments.get(overlay ?? config.environment ?? '') ?? config;
}

/** What the configuration says of the kustomizations of a package. */
export function overlaySettings({ environments, overlays, bases }: Config): OverlaySettings {
  return { configured: [...environments.keys()], overlays, bases };
}
