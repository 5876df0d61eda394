import type { Item } from '../krm/item';
import type { Placed, ResourceRef } from '../krm/resource';
import type { Severity } from '../krm/result';
import type { Changes } from '../krm/wire';
import type { Message } from '../message';
import type { FieldPath, Fix } from '../yaml/field-path';
import type { YamlObject, YamlValue } from '../yaml/yaml';

/** What the summary counts: a workload that no policy isolates, a kind that is not understood. */
export type Counted = 'not isolated' | 'not understood';

/** What a rule reports of one resource. */
export interface Report {
  /** What is wrong, as the end of a sentence whose subject is the resource: `container "web" is privileged`. */
  readonly problem: Message;
  /** How to fix it, as a sentence in the imperative. */
  readonly remedy: Message;
  /** From the resource's root. */
  readonly field: FieldPath;
  readonly currentValue?: YamlValue | undefined;
  /** The container that it is about, so that it can be exempted alone. */
  readonly container?: string | undefined;
  /** Default: error. */
  readonly severity?: Severity;
  /** What fixes it at the source: only ever values where there are none. */
  readonly fixes?: readonly Fix[];
  /** What the resource needs besides the fixes, as the end of a sentence; an info where they are applied. */
  readonly needs?: Message | undefined;
  /** What the summary counts it as. */
  readonly counts?: Counted | undefined;
  /** What is reported besides where an exemption covers it: what the exempt pod still needs to start. */
  readonly ifExempt?: Report;
  /** Is left out where another rule has an error or a warning at its field, or below: one cause is reported once. */
  readonly unlessReported?: boolean;
}

/** A report about one resource of a build. */
export interface PlacedReport {
  readonly at: Placed;
  readonly report: Report;
}

/** Why a finding counts as an info: an exemption with its reason, or a level of the configuration. */
export type Suppression =
  { readonly by: 'exemption'; readonly reason: string } | { readonly by: 'configuration' };

/** What causes a finding: a place in a file of the package. */
export interface Source {
  readonly file: string;
  /** From 1; undefined where the place in the file is not known. */
  readonly line?: number | undefined;
  /** From 1, in UTF-16 units. */
  readonly column?: number | undefined;
  /** The entry of a kustomization that causes it, in `file` or naming `file`: `['patches', 0]`. */
  readonly entry?: FieldPath | undefined;
}

/** A finding, from the rule to every output. */
export interface Finding {
  /** The id of the rule; undefined for a finding of none, such as a warning of kustomize. */
  readonly rule?: string | undefined;
  readonly severity: Severity;
  readonly problem: Message;
  readonly remedy?: Message | undefined;
  /** The page that explains the rule. */
  readonly documentation?: string | undefined;
  /** The subject of `problem`; undefined where it is a sentence of its own. */
  readonly resource?: ResourceRef | undefined;
  readonly container?: string | undefined;
  readonly field?: FieldPath | undefined;
  readonly currentValue?: YamlValue | undefined;
  readonly fixes?: readonly Fix[] | undefined;
  readonly needs?: Message | undefined;
  readonly counts?: Counted | undefined;
  readonly suppression?: Suppression | undefined;
  /** Folders of the overlays whose builds have it; empty for one at the source or in a stream. */
  readonly overlays: readonly string[];
  readonly source?: Source | undefined;
}

/** A finding, and the resource that has it. */
export interface Inspected {
  readonly finding: Finding;
  /** The resource as it was read: the List, for one in a List. The finding's field starts there. */
  readonly root: YamlObject;
}

/** A package between two passes: its items with all changes so far, and the changes. */
export interface Revision {
  readonly items: readonly Item[];
  readonly changes: Changes;
  /** One info for each change. */
  readonly changed: readonly Finding[];
  /** What the changes ask of images, and what they do to pods that run: infos. */
  readonly effects: readonly Finding[];
  /** Warnings and errors about the source itself. */
  readonly findings: readonly Finding[];
}

/** Whether a finding of severity error is among them: then nothing is written. */
export function hasError(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity === 'error');
}

/**
 * An `f` and 16 hexadecimal digits that stay the same when lines move, lists are reordered or an overlay is added: of
 * rule, kind, name, container, field without indices, and problem; of the file where there is no resource. Without the
 * letter, YAML may read a number.
 */
export function fingerprintOf({ rule, resource, container, field, problem, source }: Finding): string {
  const keys = field?.filter((step) => typeof step === 'string');
  const name = resource === undefined ? source?.file : resource.name;
  const identity = JSON.stringify([rule, resource?.kind, name, container, keys, problem.raw]);
  const { createHash } = process.getBuiltinModule('node:crypto');
  return `f${createHash('sha256').update(identity).digest('hex').slice(0, 16)}`;
}

const ORDER: readonly Severity[] = ['error', 'warning', 'info'];

/** Errors first, since kpt shows four results; otherwise in the order given. */
export function bySeverity(findings: readonly Finding[]): Finding[] {
  return ORDER.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
}
