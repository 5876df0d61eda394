import type { Fix } from '../yaml/field-path';
import type { Severity } from '../krm/result';
import type { YamlObject, YamlValue } from '../yaml/yaml';
import type { Placed } from '../krm/resource';
import type { ResourceDefaults } from '../kubernetes/resource-defaults';
import type { NetworkPeers } from '../network/external-peers';

/** What a rule may know beside the resource. */
export interface RuleContext {
  /** The overlay's kustomization file, for the mends it proposes; undefined in a stream and at the source. */
  readonly kustomization: string | undefined;
  readonly resourceDefaults: ResourceDefaults;
  readonly network: NetworkPeers;
}

/** What a rule objects to in one resource. It never holds a value of a Secret. */
export interface Finding {
  /** What is wrong, as the end of a sentence whose subject is the resource: `container "backend" runs ...`. */
  readonly what: string;
  /** What to do about it. */
  readonly mend: string;
  /** The field, in the notation of kustomize: `spec.template.spec.containers[0].image`. */
  readonly field: string;
  readonly currentValue?: YamlValue;
  /** The container that it is about, so that it can be exempted alone. */
  readonly container?: string;
  /** Default: error. */
  readonly severity?: Severity;
  /** What mends it at the source: only ever a value where none stands. */
  readonly fixes?: readonly Fix[];
}

/** One rule: it reads and reports. A finding with fixes is mended at the source and an error in a build. */
export interface Rule {
  readonly id: string;
  readonly summary: string;
  /** Where the rule comes from. */
  readonly why: string;
  /** Whether its findings may carry fixes. At the source no other rule is asked. */
  readonly fixes?: true;
  readonly check?: (resource: YamlObject, context: RuleContext) => readonly Finding[];
  /** For a rule that needs all that is built, Lists taken apart. */
  readonly checkBuild?: (resources: readonly Placed[], context: RuleContext) => readonly PlacedFinding[];
}

/** A finding about one resource of a build. */
export interface PlacedFinding {
  readonly at: Placed;
  readonly finding: Finding;
}
