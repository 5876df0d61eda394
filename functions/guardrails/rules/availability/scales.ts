import { type Placed, groupOf, resourceRef } from '../../krm/resource';
import { type YamlObject, isAbsent, objectAt } from '../../yaml/yaml';

/** Kinds that `spec.replicas` scales. */
const SCALED = new Set([
  'Deployment',
  'StatefulSet',
  'ReplicaSet',
  'ReplicationController',
  'DeploymentConfig',
  'Rollout',
  'CloneSet',
]);

/** How many replicas a workload has at least. */
export interface Scale {
  readonly replicas: number;
  /** The autoscaler that decides: `HorizontalPodAutoscaler/web`; undefined: the workload's own field does. */
  readonly by: string | undefined;
}

/** The replicas of the workloads of a build. An autoscaler's minimum counts in place of `spec.replicas`. */
export class Scales {
  private readonly minimums = new Map<string, Scale>();

  constructor(resources: readonly Placed[]) {
    for (const { resource } of resources) {
      const { kind, name } = resourceRef(resource);
      const spec = objectAt(resource, 'spec');
      const isKeda = kind === 'ScaledObject' && groupOf(resource) === 'keda.sh';
      if (!isKeda && (kind !== 'HorizontalPodAutoscaler' || groupOf(resource) !== 'autoscaling')) continue;
      // The default of KEDA is 0: it creates and removes the first replica.
      const minimum = isKeda ? (spec.minReplicaCount ?? 0) : (spec.minReplicas ?? 1);
      const target = objectAt(spec, 'scaleTargetRef');
      const key = keyOf(isAbsent(target.kind) ? 'Deployment' : target.kind, target.name, resource);
      // Two for one workload conflict, and the larger minimum is the safer guess.
      if (typeof minimum === 'number' && minimum > (this.minimums.get(key)?.replicas ?? -1))
        this.minimums.set(key, { replicas: minimum, by: `${kind}/${name}` });
    }
  }

  /** undefined: not known, such as that of a DaemonSet. */
  of(workload: YamlObject): Scale | undefined {
    const { kind, name } = resourceRef(workload);
    if (!SCALED.has(kind)) return undefined;
    const minimum = this.minimums.get(keyOf(kind, name, workload));
    if (minimum !== undefined) return minimum;
    const { replicas } = objectAt(workload, 'spec');
    if (isAbsent(replicas)) return { replicas: 1, by: undefined };
    return typeof replicas === 'number' ? { replicas, by: undefined } : undefined;
  }
}

function keyOf(kind: unknown, name: unknown, { metadata }: YamlObject): string {
  return JSON.stringify([kind, name, objectAt({ metadata: metadata ?? null }, 'metadata').namespace ?? '']);
}
