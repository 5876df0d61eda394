import { groupOf } from '../krm/resource';
import type { YamlObject } from '../yaml/yaml';

/**
 * How a field of a resource names an image:
 * - `image`: an image reference;
 * - `kustomize text`: an entry of `images` as Argo CD has it, `[name=]newName[:tag][@digest]`;
 * - `kustomize entry`: an entry of `images` as kustomize has it, with `newName`, `newTag` and `digest`;
 * - `tag`: a tag without a name;
 * - `Helm values`: a mapping of Helm values;
 * - `Helm values text`: the same as YAML text;
 * - `Helm parameters`: a list of `name` and `value`, as `helm --set` has them.
 */
export type ImageForm =
  | 'image'
  | 'kustomize text'
  | 'kustomize entry'
  | 'tag'
  | 'Helm values'
  | 'Helm values text'
  | 'Helm parameters';

/** How the parameters of a kind start; its controller replaces them with their values. */
export type TemplateMark = '{{' | '$(' | '$ARGOCD';

/** Kinds that deploy images, with the fields that name them beside the lists of containers that every kind may have. */
export interface ImageKind {
  readonly group: string;
  readonly kinds: readonly string[];
  /**
   * Fields from the root of the resource: `spec.templates[].script.image`. `[]` is every entry of a list, `*` every field
   * of a mapping, and `**` any number of mappings and lists.
   */
  readonly fields: Partial<Readonly<Record<ImageForm, readonly string[]>>>;
  readonly templates?: TemplateMark;
}

const under = (parents: readonly string[], fields: readonly string[]) =>
  parents.flatMap((parent) => fields.map((field) => `${parent}.${field}`));

const WORKFLOW = under(
  ['templates[]', 'templateDefaults'],
  ['container.image', 'script.image', 'sidecars[].image'],
);
const SPARK = [
  'image',
  'driver.image',
  'executor.image',
  'driver.sidecars[].image',
  'executor.sidecars[].image',
];
const TASK = ['steps[].image', 'sidecars[].image', 'stepTemplate.image'];
const SOURCES = ['spec.source', 'spec.sources[]', 'spec.sourceHydrator.drySource'];
const TEMPLATE_SOURCES = under(['spec.template', 'spec.generators[].**.template'], SOURCES);
const KERNEL_BOOT = 'domain.firmware.kernelBoot.container.image';
const REDIS = [
  'spec.kubernetesConfig.image',
  'spec.redisExporter.image',
  'spec.initContainer.image',
  'spec.sidecars[].image',
];

const argoCdFields = (sources: readonly string[]): ImageKind['fields'] => ({
  'kustomize text': under(sources, ['kustomize.images[]']),
  'Helm values': under(sources, ['helm.valuesObject']),
  'Helm values text': under(sources, ['helm.values']),
  'Helm parameters': under(sources, ['helm.parameters']),
});

/**
 * The table, by the schemas of the CustomResourceDefinitions in github.com/datreeio/CRDs-catalog (August 2026) where no
 * other source is named. Only fields whose images run: not those that a kind builds, scans or matches.
 */
export const IMAGE_KINDS: readonly ImageKind[] = [
  // GitHub runners; the lists of containers of AutoscalingRunnerSet are found as in every kind.
  {
    group: 'actions.summerwind.dev',
    kinds: ['RunnerDeployment', 'RunnerReplicaSet'],
    fields: { image: ['spec.template.spec.image', 'spec.template.spec.sidecarContainers[].image'] },
  },
  {
    group: 'actions.summerwind.dev',
    kinds: ['Runner'],
    fields: { image: ['spec.image', 'spec.sidecarContainers[].image'] },
  },
  { group: 'actions.summerwind.dev', kinds: ['RunnerSet'], fields: { image: ['spec.image'] } },
  { group: 'actions.github.com', kinds: ['AutoscalingListener'], fields: { image: ['spec.image'] } },

  // Argo Workflows; variables: https://argo-workflows.readthedocs.io/en/latest/variables/
  {
    group: 'argoproj.io',
    kinds: ['Workflow', 'WorkflowTemplate', 'ClusterWorkflowTemplate'],
    fields: { image: under(['spec'], WORKFLOW) },
    templates: '{{',
  },
  {
    group: 'argoproj.io',
    kinds: ['CronWorkflow'],
    fields: { image: under(['spec.workflowSpec'], WORKFLOW) },
    templates: '{{',
  },

  // Argo CD: https://argo-cd.readthedocs.io/en/stable/user-guide/build-environment/ and .../operator-manual/applicationset/
  { group: 'argoproj.io', kinds: ['Application'], fields: argoCdFields(SOURCES), templates: '$ARGOCD' },
  {
    group: 'argoproj.io',
    kinds: ['ApplicationSet'],
    fields: argoCdFields(TEMPLATE_SOURCES),
    templates: '{{',
  },

  // Flux; images: apis/kustomize of github.com/fluxcd/pkg
  {
    group: 'kustomize.toolkit.fluxcd.io',
    kinds: ['Kustomization'],
    fields: { 'kustomize entry': ['spec.images[]'] },
  },
  {
    group: 'helm.toolkit.fluxcd.io',
    kinds: ['HelmRelease'],
    fields: {
      'kustomize entry': ['spec.postRenderers[].kustomize.images[]'],
      'Helm values': ['spec.values'],
    },
  },

  // The Helm controller of k3s and RKE2
  {
    group: 'helm.cattle.io',
    kinds: ['HelmChart'],
    fields: {
      image: ['spec.jobImage'],
      'Helm values': ['spec.values'],
      'Helm values text': ['spec.valuesContent'],
    },
  },
  {
    group: 'helm.cattle.io',
    kinds: ['HelmChartConfig'],
    fields: { 'Helm values text': ['spec.valuesContent'] },
  },
  {
    group: 'upgrade.cattle.io',
    kinds: ['Plan'],
    fields: { image: ['spec.upgrade.image', 'spec.prepare.image'] },
  },

  // Tekton: pkg/apis/pipeline/v1 of github.com/tektoncd/pipeline
  {
    group: 'tekton.dev',
    kinds: ['Task', 'ClusterTask'],
    fields: { image: under(['spec'], TASK) },
    templates: '$(',
  },
  { group: 'tekton.dev', kinds: ['StepAction'], fields: { image: ['spec.image'] }, templates: '$(' },
  {
    group: 'tekton.dev',
    kinds: ['TaskRun', 'Pipeline', 'PipelineRun'],
    fields: { image: under(['spec.**.taskSpec'], TASK) },
    templates: '$(',
  },
  // https://tekton.dev/docs/triggers/triggertemplates/: the resources in it are found by their own rows.
  { group: 'triggers.tekton.dev', kinds: ['TriggerTemplate'], fields: {}, templates: '$(' },

  // Data processing
  {
    group: 'sparkoperator.k8s.io',
    kinds: ['SparkApplication'],
    fields: { image: under(['spec'], SPARK) },
  },
  {
    group: 'sparkoperator.k8s.io',
    kinds: ['ScheduledSparkApplication'],
    fields: { image: under(['spec.template'], SPARK) },
  },
  { group: 'flink.apache.org', kinds: ['FlinkDeployment'], fields: { image: ['spec.image'] } },
  {
    group: 'kafka.strimzi.io',
    kinds: ['Kafka'],
    fields: {
      image: [
        'spec.kafka.image',
        'spec.kafka.brokerRackInitImage',
        'spec.zookeeper.image',
        'spec.entityOperator.topicOperator.image',
        'spec.entityOperator.userOperator.image',
        'spec.entityOperator.tlsSidecar.image',
        'spec.cruiseControl.image',
        'spec.kafkaExporter.image',
      ],
    },
  },
  {
    group: 'kafka.strimzi.io',
    kinds: ['KafkaConnect', 'KafkaBridge', 'KafkaMirrorMaker2'],
    fields: { image: ['spec.image', 'spec.clientRackInitImage'] },
  },
  { group: 'kafka.strimzi.io', kinds: ['KafkaMirrorMaker'], fields: { image: ['spec.image'] } },

  // Virtual machines
  {
    group: 'kubevirt.io',
    kinds: ['VirtualMachine', 'VirtualMachineInstanceReplicaSet'],
    fields: { image: under(['spec.template.spec'], ['volumes[].containerDisk.image', KERNEL_BOOT]) },
  },
  {
    group: 'kubevirt.io',
    kinds: ['VirtualMachineInstance'],
    fields: { image: under(['spec'], ['volumes[].containerDisk.image', KERNEL_BOOT]) },
  },

  // Packages of operators
  { group: 'operators.coreos.com', kinds: ['CatalogSource'], fields: { image: ['spec.image'] } },
  {
    group: 'pkg.crossplane.io',
    kinds: ['Provider', 'Function', 'Configuration'],
    fields: { image: ['spec.package'] },
  },
  {
    group: 'pkg.crossplane.io',
    kinds: ['ControllerConfig', 'ProviderRevision', 'FunctionRevision', 'ConfigurationRevision'],
    fields: { image: ['spec.image'] },
  },

  // Monitoring; baseImage with tag and sha is the deprecated form.
  {
    group: 'monitoring.coreos.com',
    kinds: ['Prometheus'],
    fields: { image: ['spec.image', 'spec.thanos.image'], tag: ['spec.tag', 'spec.thanos.tag'] },
  },
  {
    group: 'monitoring.coreos.com',
    kinds: ['Alertmanager'],
    fields: { image: ['spec.image'], tag: ['spec.tag'] },
  },
  {
    group: 'monitoring.coreos.com',
    kinds: ['PrometheusAgent', 'ThanosRuler'],
    fields: { image: ['spec.image'] },
  },
  {
    group: 'opentelemetry.io',
    kinds: ['OpenTelemetryCollector'],
    fields: { image: ['spec.image', 'spec.targetAllocator.image', 'spec.additionalContainers[].image'] },
  },
  {
    group: 'opentelemetry.io',
    kinds: ['TargetAllocator', 'OpAMPBridge'],
    fields: { image: ['spec.image'] },
  },
  {
    group: 'opentelemetry.io',
    kinds: ['Instrumentation'],
    fields: {
      image: [
        'spec.java.image',
        'spec.java.extensions[].image',
        'spec.nodejs.image',
        'spec.python.image',
        'spec.dotnet.image',
        'spec.go.image',
        'spec.apacheHttpd.image',
        'spec.nginx.image',
      ],
    },
  },
  {
    group: 'jaegertracing.io',
    kinds: ['Jaeger'],
    fields: {
      image: [
        'spec.allInOne.image',
        'spec.agent.image',
        'spec.collector.image',
        'spec.ingester.image',
        'spec.query.image',
        'spec.storage.cassandraCreateSchema.image',
        'spec.storage.dependencies.image',
        'spec.storage.esIndexCleaner.image',
        'spec.storage.esRollover.image',
        'spec.storage.grpcPlugin.image',
      ],
    },
  },

  // Databases and queues
  {
    group: 'postgresql.cnpg.io',
    kinds: ['Cluster'],
    fields: { image: ['spec.imageName', 'spec.postgresql.extensions[].image.reference'] },
  },
  {
    group: 'postgresql.cnpg.io',
    kinds: ['ImageCatalog', 'ClusterImageCatalog'],
    fields: { image: ['spec.images[].image'] },
  },
  {
    group: 'acid.zalan.do',
    kinds: ['postgresql'],
    fields: {
      image: ['spec.dockerImage', 'spec.connectionPooler.dockerImage', 'spec.sidecars[].image'],
    },
  },
  {
    group: 'postgres-operator.crunchydata.com',
    kinds: ['PostgresCluster'],
    fields: {
      image: [
        'spec.image',
        'spec.backups.pgbackrest.image',
        'spec.proxy.pgBouncer.image',
        'spec.monitoring.pgmonitor.exporter.image',
        'spec.userInterface.pgAdmin.image',
        'spec.instrumentation.image',
      ],
    },
  },
  {
    group: 'postgres-operator.crunchydata.com',
    kinds: ['PGAdmin', 'PGUpgrade'],
    fields: { image: ['spec.image'] },
  },
  {
    group: 'pxc.percona.com',
    kinds: ['PerconaXtraDBCluster'],
    fields: {
      image: [
        'spec.pxc.image',
        'spec.haproxy.image',
        'spec.proxysql.image',
        'spec.backup.image',
        'spec.pmm.image',
        'spec.logcollector.image',
        'spec.initContainer.image',
        'spec.initImage',
      ],
    },
  },
  {
    group: 'psmdb.percona.com',
    kinds: ['PerconaServerMongoDB'],
    fields: {
      image: [
        'spec.image',
        'spec.initImage',
        'spec.backup.image',
        'spec.pmm.image',
        'spec.logcollector.image',
      ],
    },
  },
  {
    group: 'pg.percona.com',
    kinds: ['PerconaPGCluster'],
    fields: {
      image: [
        'spec.image',
        'spec.backups.pgbackrest.image',
        'spec.proxy.pgBouncer.image',
        'spec.pmm.image',
        'spec.instances[].sidecars[].image',
      ],
    },
  },
  {
    group: 'k8s.mariadb.com',
    kinds: ['MariaDB'],
    fields: {
      image: [
        'spec.image',
        'spec.metrics.exporter.image',
        'spec.galera.agent.image',
        'spec.galera.initContainer.image',
        'spec.sidecarContainers[].image',
      ],
    },
  },
  {
    group: 'k8s.mariadb.com',
    kinds: ['MaxScale'],
    fields: { image: ['spec.image', 'spec.metrics.exporter.image'] },
  },
  {
    group: 'elasticsearch.k8s.elastic.co',
    kinds: ['Elasticsearch'],
    fields: { image: ['spec.image'] },
  },
  { group: 'kibana.k8s.elastic.co', kinds: ['Kibana'], fields: { image: ['spec.image'] } },
  { group: 'logstash.k8s.elastic.co', kinds: ['Logstash'], fields: { image: ['spec.image'] } },
  { group: 'beat.k8s.elastic.co', kinds: ['Beat'], fields: { image: ['spec.image'] } },
  { group: 'agent.k8s.elastic.co', kinds: ['Agent'], fields: { image: ['spec.image'] } },
  { group: 'apm.k8s.elastic.co', kinds: ['ApmServer'], fields: { image: ['spec.image'] } },
  {
    group: 'enterprisesearch.k8s.elastic.co',
    kinds: ['EnterpriseSearch'],
    fields: { image: ['spec.image'] },
  },
  {
    group: 'maps.k8s.elastic.co',
    kinds: ['ElasticMapsServer'],
    fields: { image: ['spec.image'] },
  },
  { group: 'rabbitmq.com', kinds: ['RabbitmqCluster'], fields: { image: ['spec.image'] } },
  {
    group: 'databases.spotahome.com',
    kinds: ['RedisFailover'],
    fields: {
      image: [
        'spec.redis.image',
        'spec.sentinel.image',
        'spec.redis.exporter.image',
        'spec.sentinel.exporter.image',
        'spec.redis.extraContainers[].image',
        'spec.sentinel.extraContainers[].image',
      ],
    },
  },
  {
    group: 'redis.redis.opstreelabs.in',
    kinds: ['Redis', 'RedisCluster', 'RedisReplication', 'RedisSentinel'],
    fields: { image: REDIS },
  },
  {
    group: 'minio.min.io',
    kinds: ['Tenant'],
    fields: { image: ['spec.image', 'spec.kes.image'] },
  },
  {
    group: 'dragonflydb.io',
    kinds: ['Dragonfly'],
    fields: { image: ['spec.image', 'spec.additionalContainers[].image'] },
  },
  { group: 'ceph.rook.io', kinds: ['CephCluster'], fields: { image: ['spec.cephVersion.image'] } },

  // Identity
  { group: 'k8s.keycloak.org', kinds: ['Keycloak'], fields: { image: ['spec.image'] } },

  // Istio: operator/v1alpha1/operator.proto of github.com/istio/api, and the values of github.com/istio-ecosystem/sail-operator
  {
    group: 'install.istio.io',
    kinds: ['IstioOperator'],
    fields: {
      tag: ['spec.tag', 'spec.components.*.tag', 'spec.components.*[].tag', 'spec.values.global.tag'],
      'Helm values': ['spec.values'],
    },
  },
  {
    group: 'sailoperator.io',
    kinds: ['Istio', 'IstioRevision', 'IstioCNI', 'ZTunnel'],
    fields: { tag: ['spec.values.global.tag'], 'Helm values': ['spec.values'] },
  },

  // Knative, whose Services have lists of containers
  {
    group: 'operator.knative.dev',
    kinds: ['KnativeServing', 'KnativeEventing'],
    fields: { image: ['spec.registry.override.*'] },
  },
];

/**
 * Groups and kinds in which an image is no image that runs: data, schemas, images to scan, and policies, whose images are
 * patterns such as `!*:latest`.
 */
const WITHOUT_IMAGES: readonly { readonly group: string; readonly kinds?: readonly string[] }[] = [
  { group: '', kinds: ['ConfigMap', 'Secret'] },
  { group: 'apiextensions.k8s.io' },
  { group: 'image.toolkit.fluxcd.io' },
  { group: 'kyverno.io' },
  { group: 'policies.kyverno.io' },
  { group: 'policy.sigstore.dev' },
  { group: 'templates.gatekeeper.sh' },
  { group: 'constraints.gatekeeper.sh' },
];

/** The row of a resource's kind in the table. */
export function imageKindOf(resource: YamlObject): ImageKind | undefined {
  return typeof resource.kind === 'string' ? ROWS.get(`${groupOf(resource)}/${resource.kind}`) : undefined;
}

/** Whether nothing in a resource is an image that runs. */
export function isWithoutImages(resource: YamlObject): boolean {
  const kinds = IGNORED.get(groupOf(resource));
  return kinds !== undefined && (kinds.length === 0 || kinds.some((kind) => kind === resource.kind));
}

const ROWS = new Map(
  IMAGE_KINDS.flatMap((row) => row.kinds.map((kind) => [`${row.group}/${kind}`, row] as const)),
);
const IGNORED = new Map(WITHOUT_IMAGES.map(({ group, kinds = [] }) => [group, kinds]));
