import type { OpenNeed, Topology, Workload } from './connection';
import { append } from './multimap';
import { DIRECTIONS, type Direction, type Policy, type PolicyRule } from './policy';
import type { PolicySet } from './policy-set';
import { type PodEndpoint, namespaceLabels } from './traffic';

/**
 * The workloads whose isolation is held back, by direction: a rule cannot serve all that the build shows. Where
 * hand-written policies isolate a workload already, nothing is held back: what is not allowed is closed anyway.
 */
export class HeldBack {
  private readonly needs = new Map<string, OpenNeed[]>();

  constructor(
    { needs }: Topology,
    private readonly handWritten: PolicySet,
  ) {
    for (const need of needs) append(this.needs, keyOf(need.workload, need.direction), need);
  }

  /** Why a workload must not be isolated in a direction; empty where it may be. */
  reasons(workload: Workload, direction: Direction): readonly OpenNeed[] {
    const needs = this.needs.get(keyOf(workload, direction)) ?? [];
    return needs.length === 0 || this.isolating(workload, direction).length > 0 ? [] : needs;
  }

  /** The needs of a workload that hand-written policies isolate and for which none of them seems to have a rule. */
  doubts(workload: Workload, direction: Direction): readonly OpenNeed[] {
    const needs = this.needs.get(keyOf(workload, direction)) ?? [];
    if (needs.length === 0) return [];
    const policies = this.isolating(workload, direction);
    const rules = policies.flatMap((policy) => policy[direction] ?? []).filter(leadsOutside);
    return policies.length === 0 ? [] : needs.filter((need) => !rules.some((rule) => mayServe(rule, need)));
  }

  /** Whether a workload is held back in some direction. */
  includes(workload: Workload): boolean {
    return DIRECTIONS.some((direction) => this.reasons(workload, direction).length > 0);
  }

  private isolating(workload: Workload, direction: Direction): readonly Policy[] {
    return this.handWritten.isolating(podOf(workload), direction);
  }
}

function keyOf({ kind, namespace, name }: Workload, direction: Direction): string {
  return JSON.stringify([kind, namespace, name, direction]);
}

function podOf({ namespace, labels, ports, usesHostNetwork }: Workload): PodEndpoint {
  return { namespace, labels, namespaceLabels: namespaceLabels(namespace), ports, usesHostNetwork };
}

/** Whether a rule has a peer that is not in the namespace of the policy. */
function leadsOutside({ peers }: PolicyRule): boolean {
  return peers?.some((peer) => 'ipBlock' in peer || peer.namespaceSelector !== undefined) ?? true;
}

function mayServe({ ports }: PolicyRule, need: OpenNeed): boolean {
  if (ports === undefined || need.ports === undefined) return true;
  return need.ports.some((one) =>
    ports.some(({ protocol, port, endPort }) => {
      if (protocol !== one.protocol) return false;
      if (typeof port !== 'number') return true;
      return one.port >= port && one.port <= (endPort ?? port);
    }),
  );
}
