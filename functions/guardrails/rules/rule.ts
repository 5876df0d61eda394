import type { PlacedReport, Report, Source } from '../findings/finding';
import type { Placed } from '../krm/resource';
import type { AnnotationNames } from '../kubernetes/annotation-names';
import type { ImagePolicy } from '../kubernetes/image-policy';
import type { NamespaceObjects } from '../kubernetes/namespace-objects';
import type { PodSecurity } from '../kubernetes/pod-security';
import type { ResourceDefaults } from '../kubernetes/resource-defaults';
import type { ExternalPeers } from '../network/external-peers';
import type { Selector } from '../network/selector';
import type { ServiceIndex } from '../network/service-index';
import type { Message } from '../message';
import type { YamlObject } from '../yaml/yaml';
import type { CustomSchemas } from './api-schema/structural-schema';

/** `error`: findings as reported; `warning`: warnings at most; `off`: infos, and no fix. */
export type Level = 'error' | 'warning' | 'off';

/** What is done about containers without a readiness probe. */
export interface ProbeSettings {
  /** Whether a probe is added, and required. */
  readonly add: boolean;
}

/** What a rule may know besides the resource. */
export interface RuleContext {
  /** The overlay's kustomization file, for remedies; undefined in a stream and at the source. */
  readonly kustomization: string | undefined;
  readonly annotations: AnnotationNames;
  readonly resourceDefaults: ResourceDefaults;
  /** What the namespace admits. */
  readonly podSecurity: PodSecurity;
  /** Whether the values that a known public image needs are written, or proposed. */
  readonly knownImages: 'propose' | 'apply';
  readonly network: ExternalPeers;
  /** The objects beside the resource that decide what its pods get. */
  readonly namespaceObjects: NamespaceObjects;
  /** Globs of the objects that exist outside of the package: `Secret/postgres-*`. */
  readonly external: readonly string[];
  /** The names that a build gives to an object which its files name otherwise, without hashes; undefined in a stream. */
  readonly formerNames?: FormerNames | undefined;
  /** What the package has besides a build; undefined in a stream. */
  readonly besides?: Besides | undefined;
  readonly images: ImagePolicy;
  readonly probes: ProbeSettings;
  /** The Services beside the resource. */
  readonly services: ServiceIndex;
  /** The workloads, by name, whose readiness probe a patch may set: a second one would conflict with it. */
  readonly patchesProbeOf?: ((name: string) => boolean) | undefined;
  /** Rule id to level; `error` where the rule is not named. */
  readonly levels: ReadonlyMap<string, Level>;
  /** Of the kinds that a CustomResourceDefinition of the build, or of the configuration, defines. */
  readonly schemas: CustomSchemas;
  /** The minor version of Kubernetes that serves the resources; Infinity: the newest. */
  readonly kubernetesMinor: number;
  /** The objects of `spec.policies`: policies, their bindings and parameters. */
  readonly policies?: readonly Placed[] | undefined;
}

/** An object as a reference names it. */
export interface NamedObject {
  readonly kind: string;
  readonly name: string;
  /** `''`: not known. */
  readonly namespace: string;
}

/** Where a package has an object that a build does not have. */
export interface Elsewhere {
  /** Overlays that build it and have nothing in common with that build: another application. */
  readonly overlays: readonly string[];
  /** A file with it that no kustomization lists. */
  readonly unlisted: string | undefined;
}

/** What a package has besides the build of an overlay. */
export interface Besides {
  /** Where it has an object that the build does not have. */
  find: (object: NamedObject) => Elsewhere;
  /** Whether an overlay of another application has pods that a selector selects. */
  hasPods: (selector: Selector, namespace: string) => boolean;
}

/** From the kind of an object and its name in a file to the names that prefixes, suffixes and patches make of it. */
export type FormerNames = (kind: string, name: string) => readonly string[];

/**
 * A rule reads and reports. A report with fixes is fixed at the source, and an error in a build. A rule without checks is one
 * of a package, which the pipeline checks.
 */
export interface Rule {
  readonly id: string;
  /** One sentence in Markdown: what the rule asks for. It is the rule's row in the README. */
  readonly summary: string;
  /** What is added where it is missing, in Markdown. At the source only rules that add something are asked. */
  readonly adds?: string;
  /** Whether its fixes rarely stop a workload: `harden: safe` adds only these. */
  readonly isSafe?: true;
  /** URL of the page that the rule comes from. */
  readonly documentation: string;
  readonly check?: (resource: YamlObject, context: RuleContext) => readonly Report[];
  /** A remedy that depends on what causes the finding; undefined: the report's own holds. */
  readonly remedyAt?: (source: Source) => Message | undefined;
  /** Whether what `checkBuild` reports holds for a part of a build too: a stream, or a build without pods. */
  readonly judgesParts?: true;
  /** For a rule that needs all of a build, Lists expanded. */
  readonly checkBuild?: (resources: readonly Placed[], context: RuleContext) => readonly PlacedReport[];
}
