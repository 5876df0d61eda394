import type { PlacedReport } from '../../findings/finding';
import { type Placed, groupOf, resourceRef } from '../../krm/resource';
import { type Message, message, words } from '../../message';
import type { Workload } from '../../network/connection';
import { Field } from '../../network/decode';
import { type Selector, readSelector, selects } from '../../network/selector';
import { workloadIndexOf } from '../../network/workload-index';
import { type YamlValue, isAbsent, objectAt, textOf } from '../../yaml/yaml';
import { listOf } from '../lists';
import type { Scales } from './scales';

/** PodDisruptionBudgets that refuse every eviction, so that a node with one of their pods cannot be drained. */
export function checkBudgets(resources: readonly Placed[], scales: Scales): PlacedReport[] {
  return resources.flatMap((at): PlacedReport[] => {
    const { resource } = at;
    if (resource.kind !== 'PodDisruptionBudget' || groupOf(resource) !== 'policy') return [];
    const { maxUnavailable, minAvailable } = objectAt(resource, 'spec');
    const field = isAbsent(maxUnavailable) ? 'minAvailable' : 'maxUnavailable';
    const workloads = selectedBy(at, resources);
    const reason = isAbsent(maxUnavailable)
      ? reasonOfMinimum(minAvailable, workloads, scales)
      : isNothing(maxUnavailable)
        ? words('')
        : undefined;
    // Without pods there is nothing to evict.
    if (reason === undefined || (workloads.length > 0 && totalOf(workloads, scales) === 0)) return [];
    const value = (isAbsent(maxUnavailable) ? minAvailable : maxUnavailable) ?? null;
    return [
      {
        at,
        report: {
          problem: message`never allows an eviction: ${words(field)} is ${textOf(value)}${reason}, so a node with one of its pods cannot be drained`,
          remedy: words('set maxUnavailable: 1 in its place, and run 2 replicas or more'),
          field: ['spec', field],
          currentValue: value,
          severity: 'warning',
        },
      },
    ];
  });
}

function isNothing(value: YamlValue): boolean {
  return value === 0 || (typeof value === 'string' && /^0+%$/.test(value));
}

/** Why a minimum is all of the pods; undefined: it is not, or not known to be. */
function reasonOfMinimum(
  minimum: YamlValue | undefined,
  workloads: readonly Workload[],
  scales: Scales,
): Message | undefined {
  const [, percent] = /^(\d+)%$/.exec(typeof minimum === 'string' ? minimum : '') ?? [];
  if (Number(percent) >= 100) return words('');
  const total = totalOf(workloads, scales);
  if (total === undefined || total === 0) return undefined;
  // A percentage is rounded up (kubernetes, pkg/controller/disruption, getExpectedPodCount).
  const required = percent === undefined ? minimum : Math.ceil((Number(percent) * total) / 100);
  if (typeof required !== 'number' || required < total) return undefined;
  const names = workloads.map(({ resource }) => nameOf(resource, scales));
  return message`, and ${listOf(names)} ${words(names.length === 1 ? 'has' : 'have')} ${total} ${words(total === 1 ? 'replica' : 'replicas')}`;
}

/** `Deployment/web`, and what scales it. */
function nameOf(resource: Workload['resource'], scales: Scales): Message {
  const { kind, name } = resourceRef(resource);
  const by = scales.of(resource)?.by;
  return by === undefined ? message`${kind}/${name}` : message`${kind}/${name} (by ${by})`;
}

/** undefined: the replicas of one of them are not known. */
function totalOf(workloads: readonly Workload[], scales: Scales): number | undefined {
  const all = workloads.map(({ resource }) => scales.of(resource)?.replicas);
  return all.reduce<number | undefined>(
    (sum, one) => (sum === undefined || one === undefined ? undefined : sum + one),
    0,
  );
}

/** The workloads whose pods a budget selects; an empty selector selects all of the namespace (policy/v1). */
function selectedBy({ resource }: Placed, resources: readonly Placed[]): readonly Workload[] {
  const { namespace = '' } = resourceRef(resource);
  const selector: Selector | undefined = readSelector(new Field(resource).at('spec').at('selector'));
  if (selector === undefined) return [];
  return [...workloadIndexOf(resources).workloads.values()].filter(
    (one) => one.namespace === namespace && selects(selector, one.labels),
  );
}
