import type { PlacedReport } from '../../findings/finding';
import { type Placed, groupOf, resourceRef } from '../../krm/resource';
import { parseImageReference } from '../../kubernetes/image-reference';
import { type PodSpec, podSpecOf } from '../../kubernetes/workload';
import { message, words } from '../../message';
import { type YamlObject, objectAt, objectsIn, textOf } from '../../yaml/yaml';
import { isForMetrics } from '../metrics';
import type { RuleContext } from '../rule';
import type { Scales } from './scales';

/** Names of folders that are bases of others, or of environments in which a gap does no harm. */
const ELSEWHERE =
  /^(?:bases?|common|shared|templates?)$|(?:^|[-_.])(?:dev|devel|development|developer|local|localhost|test|tests|testing|e2e|ci|qa|demo|demos|example|examples|sample|samples|sandbox|preview|playground|kind|minikube|k3d|k3s|poc|lab|homelab|tutorial|quickstart|load-?test(?:s|er|ing)?)(?:$|[-_.])/i;
/** Programs with a state of their own: a second replica is another database, not a copy. */
const STATEFUL =
  /(?:postgres|postgis|mysql|mariadb|mongo|redis|valkey|keydb|memcached|rabbitmq|kafka|zookeeper|etcd|elasticsearch|opensearch|influxdb|cassandra|minio|nats|mosquitto|clickhouse|prometheus|loki|registry|vault|neo4j|couchdb|mssql|sqlserver|oracle|ldap|mailhog|mailpit|pgadmin|adminer|grafana|database)|(?:^|[-_])(?:db|dex)$/i;
/** Of several replicas of a controller one works, and the others wait: its Service is for webhooks or metrics. */
const ELECTION = /leader-?elect/i;
const CONTROLLER = /(?:^|-)(?:operator|controller|controller-manager)$/;

/** Deployments with one replica behind a Service, whose pods can have a second one beside them. */
export function checkReplicas(
  resources: readonly Placed[],
  scales: Scales,
  { kustomization, services }: RuleContext,
): PlacedReport[] {
  if (kustomization?.split('/').some((segment) => ELSEWHERE.test(segment)) === true) return [];
  return resources.flatMap((at): PlacedReport[] => {
    const { resource } = at;
    if (resource.kind !== 'Deployment' || groupOf(resource) !== 'apps') return [];
    const scale = scales.of(resource);
    const pod = podSpecOf(resource);
    if (scale?.replicas !== 1 || pod === undefined || isAlone(resource, pod)) return [];
    const service = services.portsServedBy(resource, pod).find((port) => !isForMetrics(port))?.service;
    if (service === undefined) return [];
    const cause = scale.by === undefined ? words('') : message` by ${scale.by}`;
    return [
      {
        at,
        report: {
          problem: message`has one replica${cause}, so Service/${service.name} has no endpoint while its pod moves to another node`,
          remedy:
            scale.by === undefined
              ? words('set spec.replicas to 2 or more')
              : message`set the minimum of ${scale.by} to 2 or more`,
          field: ['spec', 'replicas'],
          severity: 'warning',
        },
      },
    ];
  });
}

/** Whether a second pod beside the first one would not do its work. */
function isAlone(resource: YamlObject, { value, containers }: PodSpec): boolean {
  const spec = objectAt(resource, 'spec');
  if (objectAt(spec, 'strategy').type === 'Recreate' || value.hostNetwork === true) return true;
  if (CONTROLLER.test(resourceRef(resource).name)) return true;
  // One claim for all replicas: only ReadWriteMany would do, which few storage classes have.
  const hasOwnData = objectsIn(value.volumes).some(
    ({ persistentVolumeClaim, hostPath, ephemeral }) =>
      (persistentVolumeClaim ?? hostPath ?? ephemeral) !== undefined,
  );
  if (hasOwnData) return true;
  return containers.some(
    ({ value: container }) =>
      hasHostPort(container) || isStateful(container) || ELECTION.test(JSON.stringify(container.args ?? '')),
  );
}

function hasHostPort(container: YamlObject): boolean {
  return objectsIn(container.ports).some(({ hostPort }) => typeof hostPort === 'number' && hostPort !== 0);
}

function isStateful({ image }: YamlObject): boolean {
  const reference = parseImageReference(textOf(image));
  if ('invalid' in reference) return false;
  return STATEFUL.test(reference.path.split('/').at(-1) ?? '');
}
