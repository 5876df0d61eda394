import type { YamlObject, YamlValue } from '../krm/yaml';

/** Where a rule looks, for the mends it proposes. */
export interface RuleContext {
  /** The overlay's kustomization file; undefined in a stream. */
  readonly kustomization: string | undefined;
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
}

/** One rule: it reads and reports. */
export interface Rule {
  readonly id: string;
  readonly summary: string;
  /** Where the rule comes from. */
  readonly why: string;
  readonly check: (resource: YamlObject, context: RuleContext) => readonly Finding[];
}
