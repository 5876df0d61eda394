import type { Item } from '../krm/item';
import { resourceRef } from '../krm/resource';
import type { Topology, Workload } from '../network/connection';
import type { WantedRule, WantedRules } from '../network/generate';
import type { HeldBack } from '../network/held-back';
import { DIRECTIONS, type Direction } from '../network/policy';
import { type YamlObject, type YamlValue, isObject, isSame, objectAt, objectsIn } from '../yaml/yaml';
import type { SourcePolicy } from './source-policy';

/**
 * Pods about whose traffic content decides that the function does not have. What their committed policies say of it is
 * kept: whoever wrote them had the content.
 */
export class UnknownPods {
  /** The selectors of pods that read such content, as JSON. */
  private readonly readers = new Set<string>();
  /** The selector of pods, as JSON, to the directions about which nothing is known. */
  private readonly directions = new Map<string, Set<Direction>>();

  get isEmpty(): boolean {
    return this.directions.size === 0;
  }

  /** Adds those of one build. */
  add({ workloads, unknownContent }: Topology, heldBack: HeldBack): void {
    for (const workload of workloads) {
      const key = keyOf({ matchLabels: workload.selector });
      if (unknownContent.has(workload)) this.readers.add(key);
      const unknown = DIRECTIONS.filter((direction) => isUnknown(workload, direction, heldBack));
      if (unknown.length > 0)
        this.directions.set(key, new Set([...(this.directions.get(key) ?? []), ...unknown]));
    }
  }

  /** The policies that a file must have, with what is kept of those that it has. */
  keepIn(required: readonly SourcePolicy[], committed: readonly Item[]): SourcePolicy[] {
    if (this.isEmpty) return [...required];
    const kept = new Map(required.map((policy) => [policy.name, policy]));
    for (const { value, text } of committed) {
      const { name, namespace } = resourceRef(value);
      const spec = objectAt(value, 'spec');
      const own = kept.get(name);
      const rules = this.rulesToKeep(spec, text, own?.rules ?? {});
      if (Object.keys(rules).length === 0) continue;
      const podSelector = objectAt(spec, 'podSelector');
      const base = own ?? { name, subject: name, namespace, podSelector };
      if (isSame(base.podSelector, podSelector)) kept.set(name, { ...base, rules });
    }
    // In the order of the file, and new ones after these.
    const names = committed.map(({ value }) => resourceRef(value).name);
    const written = names.flatMap((name) => kept.get(name) ?? []);
    return [...written, ...[...kept.values()].filter(({ name }) => !names.includes(name))];
  }

  /** Empty: nothing has to be kept. */
  private rulesToKeep(spec: YamlObject, text: string, own: WantedRules): WantedRules {
    const unknown = this.directions.get(keyOf(spec.podSelector));
    const isForAll = Object.keys(objectAt(spec, 'podSelector')).length === 0;
    const reasons = reasonsIn(text);
    const rules = DIRECTIONS.flatMap((direction): [Direction, WantedRule[]][] => {
      const all = objectsIn(spec[direction]).map((rule) => ({ rule, reasons: reasons.shift() ?? [] }));
      const isKept = isForAll || unknown?.has(direction) === true;
      const extra = all.filter(({ rule }) => isKept || this.leadsToReader(rule, direction));
      const required = own[direction];
      const isIsolated = listed(spec.policyTypes).includes(direction === 'ingress' ? 'Ingress' : 'Egress');
      if (!isIsolated || (required === undefined && !isKept && extra.length === 0))
        return required === undefined ? [] : [[direction, [...required]]];
      const others = extra.filter(({ rule }) => !required?.some((one) => isSame(one.rule, rule)));
      return [[direction, inOrderOf(all, [...(required ?? []), ...others])]];
    });
    return Object.fromEntries(rules);
  }

  private leadsToReader(rule: YamlObject, direction: Direction): boolean {
    const peers = objectsIn(rule[direction === 'ingress' ? 'from' : 'to']);
    return peers.some(({ podSelector }) => this.readers.has(keyOf(podSelector)));
  }
}

function isUnknown(workload: Workload, direction: Direction, heldBack: HeldBack): boolean {
  const needs = heldBack.reasons(workload, direction);
  return needs.length > 0 && needs.every(({ isUnknownContent }) => isUnknownContent === true);
}

function keyOf(podSelector: YamlValue | undefined): string {
  const { matchLabels } = isObject(podSelector) ? podSelector : {};
  return JSON.stringify(Object.entries(isObject(matchLabels) ? matchLabels : {}).sort());
}

function listed(value: YamlValue | undefined): readonly YamlValue[] {
  return Array.isArray(value) ? value : [];
}

/** Rules in the order in which a file has them, and others after these. */
function inOrderOf(written: readonly WantedRule[], rules: readonly WantedRule[]): WantedRule[] {
  const positionOf = ({ rule }: WantedRule) => {
    const position = written.findIndex((one) => isSame(one.rule, rule));
    return position < 0 ? written.length : position;
  };
  return rules.toSorted((a, b) => positionOf(a) - positionOf(b));
}

/** The comments before each rule of a policy, in the order of its text. */
function reasonsIn(text: string): string[][] {
  const all: string[][] = [];
  let reasons: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, comment] = /^\s*# ?(.*)$/.exec(line) ?? [];
    if (comment !== undefined) reasons.push(comment);
    else if (/^\s*- (?:from|to|ports):/.test(line)) {
      all.push(reasons);
      reasons = [];
    } else reasons = [];
  }
  return all;
}
