import { IMAGE_KINDS, type ImageForm } from '../../functions/guardrails/kubernetes/image-kinds';
import { imagesOf } from '../../functions/guardrails/kubernetes/images';
import type { Result } from '../../functions/guardrails/krm/result';
import { run } from '../../functions/guardrails/run';
import { type YamlObject, type YamlValue, parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';

const DIGEST = 'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';

/** `<severity> <field>` of the findings of pinned-image, in order, with the message after a `:` if asked for. */
async function findingsOf(resource: YamlObject, withMessages = false): Promise<string[]> {
  const list = { apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', items: [resource] };
  const { stdout } = await run(Buffer.from(JSON.stringify(list)), () =>
    Promise.reject(new Error('a stream needs no kustomize')),
  );
  const output = valueOf(parseYaml(stdout, '')[0] ?? null) as { results?: Result[] };
  return (output.results ?? [])
    .filter(({ tags }) => tags?.rule === 'pinned-image')
    .map(
      ({ severity, field, message }) =>
        `${severity} ${field?.path ?? ''}${withMessages ? `: ${message}` : ''}`,
    );
}

function resourceOf(kind: string, apiVersion: string, fields: YamlObject): YamlObject {
  return { apiVersion, kind, metadata: { name: 'example' }, ...fields };
}

/** A resource with a value at each path, such as `spec.steps[0].image`. */
function resourceWith(
  kind: string,
  apiVersion: string,
  paths: readonly string[],
  value: YamlValue,
): YamlObject {
  const resource = resourceOf(kind, apiVersion, {});
  for (const path of paths) {
    const steps = path.replaceAll('[0]', '.0').split('.');
    let at: Record<string, YamlValue | undefined> = resource;
    steps.forEach((step, i) => {
      const next = steps[i + 1];
      if (next === undefined) at[step] = value;
      else at[step] ??= next === '0' ? [] : {};
      at = at[step] as Record<string, YamlValue | undefined>;
    });
  }
  return resource;
}

/** A value of each form that is not pinned, one that is, and what the finding's field has after that of the value. */
const VALUES: Record<ImageForm, { wrong: YamlValue; right: YamlValue[]; after: string }> = {
  image: {
    wrong: 'registry.example.com/app',
    right: ['registry.example.com/app:1', `app@${DIGEST}`],
    after: '',
  },
  tag: { wrong: 'latest', right: ['1.2'], after: '' },
  'kustomize text': {
    wrong: 'web=registry.example.com/web:latest',
    right: ['web=registry.example.com/web:1', 'web=registry.example.com/web', `web:latest@${DIGEST}`],
    after: '',
  },
  'kustomize entry': {
    wrong: { name: 'web', newTag: 'latest' },
    right: [
      { name: 'web', newName: 'other' },
      { name: 'web', newTag: '1' },
      { name: 'web', newTag: 'latest', digest: DIGEST },
    ],
    after: '.newTag',
  },
  'Helm values': {
    wrong: { web: { repository: 'web', tag: 'latest' } },
    right: [{ web: { repository: 'web', tag: '1' } }, { git: { branch: 'main', tag: 'latest' } }],
    after: '.web.tag',
  },
  'Helm values text': {
    wrong: 'web:\n  repository: web\n  tag: latest\n',
    right: ['web:\n  repository: web\n  tag: "1"\n', '{{ no YAML', ''],
    after: '',
  },
  'Helm parameters': {
    wrong: [{ name: 'web.image.tag', value: 'latest' }],
    right: [[{ name: 'web.image.tag', value: '1' }], [{ name: 'channel', value: 'latest' }], 'latest'],
    after: '[0].value',
  },
};

type Example = readonly [apiVersion: string, kinds: string, fields: Partial<Record<ImageForm, string>>];

const WORKFLOW =
  'spec.templates[0].container.image spec.templates[0].script.image spec.templates[0].sidecars[0].image spec.templateDefaults.container.image spec.templateDefaults.script.image spec.templateDefaults.sidecars[0].image';
const TASK_RUN =
  'spec.taskSpec.steps[0].image spec.taskSpec.sidecars[0].image spec.taskSpec.stepTemplate.image';

/** One of every row, and of every field in it. */
const EXAMPLES: readonly Example[] = [
  [
    'actions.summerwind.dev/v1alpha1',
    'RunnerDeployment RunnerReplicaSet',
    { image: 'spec.template.spec.image spec.template.spec.sidecarContainers[0].image' },
  ],
  ['actions.summerwind.dev/v1alpha1', 'Runner', { image: 'spec.image spec.sidecarContainers[0].image' }],
  ['actions.summerwind.dev/v1alpha1', 'RunnerSet', { image: 'spec.image' }],
  ['actions.github.com/v1alpha1', 'AutoscalingListener', { image: 'spec.image' }],
  ['argoproj.io/v1alpha1', 'Workflow WorkflowTemplate ClusterWorkflowTemplate', { image: WORKFLOW }],
  ['argoproj.io/v1alpha1', 'CronWorkflow', { image: WORKFLOW.replaceAll('spec.', 'spec.workflowSpec.') }],
  [
    'argoproj.io/v1alpha1',
    'Application',
    {
      'kustomize text':
        'spec.source.kustomize.images[0] spec.sources[0].kustomize.images[0] spec.sourceHydrator.drySource.kustomize.images[0]',
      'Helm values':
        'spec.source.helm.valuesObject spec.sources[0].helm.valuesObject spec.sourceHydrator.drySource.helm.valuesObject',
      'Helm values text':
        'spec.source.helm.values spec.sources[0].helm.values spec.sourceHydrator.drySource.helm.values',
      'Helm parameters':
        'spec.source.helm.parameters spec.sources[0].helm.parameters spec.sourceHydrator.drySource.helm.parameters',
    },
  ],
  [
    'argoproj.io/v1alpha1',
    'ApplicationSet',
    Object.fromEntries(
      Object.entries({
        'kustomize text': 'kustomize.images[0]',
        'Helm values': 'helm.valuesObject',
        'Helm values text': 'helm.values',
        'Helm parameters': 'helm.parameters',
      }).map(([form, field]) => [
        form,
        [
          'spec.template',
          'spec.generators[0].list.template',
          'spec.generators[0].matrix.generators[0].git.template',
        ]
          .flatMap((template) =>
            ['spec.source', 'spec.sources[0]', 'spec.sourceHydrator.drySource'].map(
              (source) => `${template}.${source}.${field}`,
            ),
          )
          .join(' '),
      ]),
    ),
  ],
  ['kustomize.toolkit.fluxcd.io/v1', 'Kustomization', { 'kustomize entry': 'spec.images[0]' }],
  [
    'helm.toolkit.fluxcd.io/v2',
    'HelmRelease',
    { 'kustomize entry': 'spec.postRenderers[0].kustomize.images[0]', 'Helm values': 'spec.values' },
  ],
  [
    'helm.cattle.io/v1',
    'HelmChart',
    { image: 'spec.jobImage', 'Helm values': 'spec.values', 'Helm values text': 'spec.valuesContent' },
  ],
  ['helm.cattle.io/v1', 'HelmChartConfig', { 'Helm values text': 'spec.valuesContent' }],
  ['upgrade.cattle.io/v1', 'Plan', { image: 'spec.upgrade.image spec.prepare.image' }],
  [
    'tekton.dev/v1',
    'Task ClusterTask',
    { image: 'spec.steps[0].image spec.sidecars[0].image spec.stepTemplate.image' },
  ],
  ['tekton.dev/v1beta1', 'StepAction', { image: 'spec.image' }],
  ['tekton.dev/v1', 'TaskRun', { image: TASK_RUN }],
  [
    'tekton.dev/v1',
    'Pipeline',
    { image: `${TASK_RUN.replaceAll('spec.', 'spec.tasks[0].')} spec.finally[0].taskSpec.steps[0].image` },
  ],
  ['tekton.dev/v1', 'PipelineRun', { image: TASK_RUN.replaceAll('spec.', 'spec.pipelineSpec.tasks[0].') }],
  ['triggers.tekton.dev/v1beta1', 'TriggerTemplate', {}],
  [
    'sparkoperator.k8s.io/v1beta2',
    'SparkApplication',
    {
      image:
        'spec.image spec.driver.image spec.driver.sidecars[0].image spec.executor.image spec.executor.sidecars[0].image',
    },
  ],
  [
    'sparkoperator.k8s.io/v1beta2',
    'ScheduledSparkApplication',
    {
      image:
        'spec.template.image spec.template.driver.image spec.template.driver.sidecars[0].image spec.template.executor.image spec.template.executor.sidecars[0].image',
    },
  ],
  ['flink.apache.org/v1beta1', 'FlinkDeployment', { image: 'spec.image' }],
  [
    'kafka.strimzi.io/v1beta2',
    'Kafka',
    {
      image:
        'spec.kafka.image spec.kafka.brokerRackInitImage spec.zookeeper.image spec.entityOperator.topicOperator.image spec.entityOperator.userOperator.image spec.entityOperator.tlsSidecar.image spec.cruiseControl.image spec.kafkaExporter.image',
    },
  ],
  [
    'kafka.strimzi.io/v1beta2',
    'KafkaConnect KafkaBridge KafkaMirrorMaker2',
    { image: 'spec.image spec.clientRackInitImage' },
  ],
  ['kafka.strimzi.io/v1beta2', 'KafkaMirrorMaker', { image: 'spec.image' }],
  [
    'kubevirt.io/v1',
    'VirtualMachine VirtualMachineInstanceReplicaSet',
    {
      image:
        'spec.template.spec.volumes[0].containerDisk.image spec.template.spec.domain.firmware.kernelBoot.container.image',
    },
  ],
  [
    'kubevirt.io/v1',
    'VirtualMachineInstance',
    { image: 'spec.volumes[0].containerDisk.image spec.domain.firmware.kernelBoot.container.image' },
  ],
  ['operators.coreos.com/v1alpha1', 'CatalogSource', { image: 'spec.image' }],
  ['pkg.crossplane.io/v1', 'Provider Function Configuration', { image: 'spec.package' }],
  [
    'pkg.crossplane.io/v1',
    'ControllerConfig ProviderRevision FunctionRevision ConfigurationRevision',
    { image: 'spec.image' },
  ],
  [
    'monitoring.coreos.com/v1',
    'Prometheus',
    { image: 'spec.image spec.thanos.image', tag: 'spec.tag spec.thanos.tag' },
  ],
  ['monitoring.coreos.com/v1', 'Alertmanager', { image: 'spec.image', tag: 'spec.tag' }],
  ['monitoring.coreos.com/v1', 'PrometheusAgent ThanosRuler', { image: 'spec.image' }],
  [
    'opentelemetry.io/v1beta1',
    'OpenTelemetryCollector',
    { image: 'spec.image spec.targetAllocator.image spec.additionalContainers[0].image' },
  ],
  ['opentelemetry.io/v1alpha1', 'TargetAllocator OpAMPBridge', { image: 'spec.image' }],
  [
    'opentelemetry.io/v1alpha1',
    'Instrumentation',
    {
      image:
        'spec.java.image spec.java.extensions[0].image spec.nodejs.image spec.python.image spec.dotnet.image spec.go.image spec.apacheHttpd.image spec.nginx.image',
    },
  ],
  [
    'jaegertracing.io/v1',
    'Jaeger',
    {
      image:
        'spec.allInOne.image spec.agent.image spec.collector.image spec.ingester.image spec.query.image spec.storage.cassandraCreateSchema.image spec.storage.dependencies.image spec.storage.esIndexCleaner.image spec.storage.esRollover.image spec.storage.grpcPlugin.image',
    },
  ],
  [
    'postgresql.cnpg.io/v1',
    'Cluster',
    { image: 'spec.imageName spec.postgresql.extensions[0].image.reference' },
  ],
  ['postgresql.cnpg.io/v1', 'ImageCatalog ClusterImageCatalog', { image: 'spec.images[0].image' }],
  [
    'acid.zalan.do/v1',
    'postgresql',
    { image: 'spec.dockerImage spec.connectionPooler.dockerImage spec.sidecars[0].image' },
  ],
  [
    'postgres-operator.crunchydata.com/v1beta1',
    'PostgresCluster',
    {
      image:
        'spec.image spec.backups.pgbackrest.image spec.proxy.pgBouncer.image spec.monitoring.pgmonitor.exporter.image spec.userInterface.pgAdmin.image spec.instrumentation.image',
    },
  ],
  ['postgres-operator.crunchydata.com/v1beta1', 'PGAdmin PGUpgrade', { image: 'spec.image' }],
  [
    'pxc.percona.com/v1',
    'PerconaXtraDBCluster',
    {
      image:
        'spec.pxc.image spec.haproxy.image spec.proxysql.image spec.backup.image spec.pmm.image spec.logcollector.image spec.initContainer.image spec.initImage',
    },
  ],
  [
    'psmdb.percona.com/v1',
    'PerconaServerMongoDB',
    { image: 'spec.image spec.initImage spec.backup.image spec.pmm.image spec.logcollector.image' },
  ],
  [
    'pg.percona.com/v2beta1',
    'PerconaPGCluster',
    {
      image:
        'spec.image spec.backups.pgbackrest.image spec.proxy.pgBouncer.image spec.pmm.image spec.instances[0].sidecars[0].image',
    },
  ],
  [
    'k8s.mariadb.com/v1alpha1',
    'MariaDB',
    {
      image:
        'spec.image spec.metrics.exporter.image spec.galera.agent.image spec.galera.initContainer.image spec.sidecarContainers[0].image',
    },
  ],
  ['k8s.mariadb.com/v1alpha1', 'MaxScale', { image: 'spec.image spec.metrics.exporter.image' }],
  ['elasticsearch.k8s.elastic.co/v1', 'Elasticsearch', { image: 'spec.image' }],
  ['kibana.k8s.elastic.co/v1', 'Kibana', { image: 'spec.image' }],
  ['logstash.k8s.elastic.co/v1alpha1', 'Logstash', { image: 'spec.image' }],
  ['beat.k8s.elastic.co/v1beta1', 'Beat', { image: 'spec.image' }],
  ['agent.k8s.elastic.co/v1alpha1', 'Agent', { image: 'spec.image' }],
  ['apm.k8s.elastic.co/v1', 'ApmServer', { image: 'spec.image' }],
  ['enterprisesearch.k8s.elastic.co/v1', 'EnterpriseSearch', { image: 'spec.image' }],
  ['maps.k8s.elastic.co/v1alpha1', 'ElasticMapsServer', { image: 'spec.image' }],
  ['rabbitmq.com/v1beta1', 'RabbitmqCluster', { image: 'spec.image' }],
  [
    'databases.spotahome.com/v1',
    'RedisFailover',
    {
      image:
        'spec.redis.image spec.sentinel.image spec.redis.exporter.image spec.sentinel.exporter.image spec.redis.extraContainers[0].image spec.sentinel.extraContainers[0].image',
    },
  ],
  [
    'redis.redis.opstreelabs.in/v1beta2',
    'Redis RedisCluster RedisReplication RedisSentinel',
    {
      image:
        'spec.kubernetesConfig.image spec.redisExporter.image spec.initContainer.image spec.sidecars[0].image',
    },
  ],
  ['minio.min.io/v2', 'Tenant', { image: 'spec.image spec.kes.image' }],
  ['dragonflydb.io/v1alpha1', 'Dragonfly', { image: 'spec.image spec.additionalContainers[0].image' }],
  ['ceph.rook.io/v1', 'CephCluster', { image: 'spec.cephVersion.image' }],
  ['k8s.keycloak.org/v2alpha1', 'Keycloak', { image: 'spec.image' }],
  [
    'install.istio.io/v1alpha1',
    'IstioOperator',
    {
      tag: 'spec.tag spec.components.pilot.tag spec.components.ingressGateways[0].tag spec.values.global.tag',
      'Helm values': 'spec.values',
    },
  ],
  [
    'sailoperator.io/v1',
    'Istio IstioRevision IstioCNI ZTunnel',
    { tag: 'spec.values.global.tag', 'Helm values': 'spec.values' },
  ],
  [
    'operator.knative.dev/v1beta1',
    'KnativeServing KnativeEventing',
    { image: 'spec.registry.override.activator' },
  ],
];

const CASES = EXAMPLES.flatMap(([apiVersion, kinds, fields]) =>
  kinds.split(' ').flatMap((kind) =>
    Object.entries(fields).map(([form, paths]) => ({
      kind,
      apiVersion,
      form: form as ImageForm,
      paths: paths.split(' '),
    })),
  ),
);

describe('the table of kinds', () => {
  it.each(CASES)('$kind of $apiVersion: $form', async ({ kind, apiVersion, form, paths }) => {
    const { wrong, right, after } = VALUES[form];
    const findings = await findingsOf(resourceWith(kind, apiVersion, paths, wrong));
    expect(findings.toSorted()).toEqual(paths.map((path) => `error ${path}${after}`).toSorted());
    for (const value of [...right, null])
      expect(await findingsOf(resourceWith(kind, apiVersion, paths, value))).toEqual([]);
  });

  it.each(CASES.filter(({ form }) => form === 'image'))(
    '$kind of another group: not without a tag',
    async ({ kind, paths }) => {
      const resource = resourceWith(kind, 'example.com/v1', paths, 'registry.example.com/app');
      expect(await findingsOf(resource)).toEqual([]);
    },
  );

  it.each(IMAGE_KINDS.flatMap((row) => row.kinds.map((kind) => ({ ...row, kind }))))(
    '$group $kind has an example of every field',
    ({ group, kind, fields }) => {
      const own = CASES.filter((one) => one.kind === kind && one.apiVersion.startsWith(`${group}/`));
      const untested = Object.entries(fields).flatMap(([form, patterns]) => {
        const paths = own.filter((one) => one.form === form).flatMap((one) => one.paths);
        return patterns.filter((pattern) => !paths.some((path) => isExample(path, pattern)));
      });
      expect(untested).toEqual([]);
      expect(
        EXAMPLES.some(
          ([version, kinds]) => version.startsWith(`${group}/`) && kinds.split(' ').includes(kind),
        ),
      ).toBe(true);
    },
  );

  it('has each kind once', () => {
    const kinds = IMAGE_KINDS.flatMap((row) => row.kinds.map((kind) => `${row.group}/${kind}`));
    expect(kinds).toEqual([...new Set(kinds)]);
  });
});

/** Whether a pattern of the table covers a path. */
function isExample(path: string, pattern: string): boolean {
  const covers = ([step, ...steps]: readonly string[], [key, ...keys]: readonly string[]): boolean => {
    if (step === undefined || key === undefined) return step === key;
    if (step === '**') return covers(steps, [key, ...keys]) || covers([step, ...steps], keys);
    return (step === '*' || step === key) && covers(steps, keys);
  };
  return covers(pattern.replaceAll('[]', '.[]').split('.'), path.replaceAll('[0]', '.[]').split('.'));
}

const unknownKind = (spec: YamlValue) => resourceOf('Widget', 'example.com/v1', { spec });

describe('a kind that is not in the table: what is explicitly latest', () => {
  it.each<[string, YamlValue, string[]]>([
    ['an image', { image: 'app:latest' }, ['spec.image']],
    ['in capitals', { image: 'registry.example.com:5000/app:LATEST' }, ['spec.image']],
    [
      'images in a mapping and in a list',
      { a: { b: { image: 'a:latest' } }, c: [{ image: 'c:latest' }] },
      ['spec.a.b.image', 'spec.c[0].image'],
    ],
    ['a tag under an image', { image: { repository: 'app', tag: 'Latest' } }, ['spec.image.tag']],
    ['a tag alone under an image', { image: { tag: 'latest' } }, ['spec.image.tag']],
    ['a reference under an image', { image: { reference: 'app:latest' } }, ['spec.image.reference']],
    ['a tag beside an image', { image: 'app', tag: 'latest' }, ['spec.tag']],
    ['an imageTag', { agent: { imageTag: 'latest' } }, ['spec.agent.imageTag']],
    [
      'a volume',
      { volumes: [{ name: 'm', image: { reference: 'm' } }] },
      ['spec.volumes[0].image.reference'],
    ],
    [
      'containers, which need a tag',
      { containers: [{ name: 'a', image: 'a' }] },
      ['spec.containers[0].image'],
    ],
    [
      'containers in a mapping',
      { containers: { app: { image: { repository: 'a', tag: 'latest' } } } },
      ['spec.containers.app.image.tag'],
    ],
    [
      'components named status and metadata',
      { status: { image: 'a:latest' }, metadata: { image: 'b:latest' } },
      ['spec.status.image', 'spec.metadata.image'],
    ],
  ])('%s', async (_, spec, fields) => {
    expect(await findingsOf(unknownKind(spec))).toEqual(fields.map((field) => `error ${field}`));
  });

  it.each<[string, YamlValue]>([
    ['an image without a tag', { image: 'app' }],
    ['a digest', { image: `app:latest@${DIGEST}` }],
    ['a digest beside the tag', { image: { repository: 'app', tag: 'latest', digest: DIGEST } }],
    ['other tags', { image: 'app:latest-1', other: { image: { repository: 'app', tag: '1' } } }],
    ['no reference', { image: 'https://cdn.example.com/logo.png:latest' }],
    ['a machine image of a cloud', { image: { marketplace: { sku: 'x', version: 'latest' } } }],
    ['a machine image by name', { image: 'Canonical:UbuntuServer:18.04-LTS:latest' }],
    ['a tag of a repository', { source: { repository: 'git', tag: 'latest' } }],
    ['a digest in the image', { image: `app@${DIGEST}`, tag: 'latest' }],
    ['a digest beside an imageTag', { imageTag: 'latest', sha: DIGEST }],
    ['a version', { version: 'latest', channel: 'latest', tag: 'latest' }],
    [
      'annotations and labels',
      {
        template: { metadata: { annotations: { image: 'a:latest' }, image: 'a:latest' }, spec: {} },
        podAnnotations: { image: 'a:latest' },
        labels: { imageTag: 'latest' },
      },
    ],
    ['the status of a pod template', { podTemplate: { spec: {}, status: { image: 'a:latest' } } }],
    ['values that are no text', { image: 1, tag: 2, imageTag: null, containers: [1, null, 'a'] }],
    ['a mapping as the image of a container', { initContainers: [{ image: { repository: 'a', tag: '1' } }] }],
  ])('not %s', async (_, spec) => {
    expect(await findingsOf(unknownKind(spec))).toEqual([]);
  });

  it('not its own metadata and status', async () => {
    const resource = {
      ...unknownKind({}),
      metadata: { name: 'example', annotations: { image: 'a:latest' }, image: 'a:latest' },
      status: { image: 'a:latest', containers: [{ image: 'a' }] },
    };
    expect(await findingsOf(resource)).toEqual([]);
  });

  it.each<[apiVersion: string, kind: string, field: string]>([
    ['v1', 'ConfigMap', 'data'],
    ['apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'spec'],
    ['kyverno.io/v1', 'ClusterPolicy', 'spec'],
    ['policies.kyverno.io/v1', 'ImageValidatingPolicy', 'spec'],
    ['policy.sigstore.dev/v1beta1', 'ClusterImagePolicy', 'spec'],
    ['templates.gatekeeper.sh/v1', 'ConstraintTemplate', 'spec'],
    ['constraints.gatekeeper.sh/v1beta1', 'K8sDisallowedTags', 'spec'],
    ['image.toolkit.fluxcd.io/v1', 'ImageRepository', 'spec'],
  ])('not in %s %s', async (apiVersion, kind, field) => {
    const content = { image: 'a:latest', pattern: { containers: [{ image: '!*:latest' }] } };
    expect(await findingsOf(resourceOf(kind, apiVersion, { [field]: content }))).toEqual([]);
    expect(
      await findingsOf(
        resourceOf('Widget', apiVersion.includes('/') ? 'example.com/v1' : apiVersion, { [field]: content }),
      ),
    ).toHaveLength(2);
  });

  it('containers are found beside the kind of data', async () => {
    const template = { apiVersion: 'v1', kind: 'ConfigMap', spec: { containers: [{ image: 'a' }] } };
    expect(await findingsOf(unknownKind({ template }))).toEqual([
      'error spec.template.spec.containers[0].image',
    ]);
  });

  it('a resource in a resource has the fields of its own kind', async () => {
    const template = {
      resourcetemplates: [
        resourceOf('TaskRun', 'tekton.dev/v1', { spec: { taskSpec: { steps: [{ image: 'go' }] } } }),
        resourceOf('ConfigMap', 'v1', { data: { image: 'a:latest' } }),
      ],
    };
    expect(await findingsOf(unknownKind(template))).toEqual([
      'error spec.resourcetemplates[0].spec.taskSpec.steps[0].image',
    ]);
  });
});

describe('overrides of images in Argo CD', () => {
  const overriding = (image: YamlValue) =>
    resourceOf('Application', 'argoproj.io/v1alpha1', {
      spec: { source: { kustomize: { images: [image] } } },
    });
  const FIELD = 'spec.source.kustomize.images[0]';
  it.each([
    ['web:latest', 'error'],
    ['web=other:LATEST', 'error'],
    ['web=*:latest', 'error'],
    ['web=Registry/Web:1', 'error'],
    ['web=registry:5000/web:${TAG}', 'error'],
    ['web:$ARGOCD_APP_REVISION', 'warning'],
    ['web:${ARGOCD_APP_REVISION}', 'warning'],
  ])('%s: %s', async (image, severity) => {
    expect(await findingsOf(overriding(image))).toEqual([`${severity} ${FIELD}`]);
  });

  it.each([
    'web:1',
    'web=other',
    'web=registry:5000/other',
    'web=other:*',
    'web=*:1',
    `web@${DIGEST}`,
    `web=a:latest@${DIGEST}`,
    1,
  ])('%s is pinned, or keeps the tag', async (image) => {
    expect(await findingsOf(overriding(image))).toEqual([]);
  });
});

describe('templates, whose value is unknown', () => {
  const task = (image: string) => resourceOf('Task', 'tekton.dev/v1', { spec: { steps: [{ image }] } });
  const workflow = (image: string) =>
    resourceOf('Workflow', 'argoproj.io/v1alpha1', { spec: { templates: [{ container: { image } }] } });
  const pod = (image: string) => resourceOf('Pod', 'v1', { spec: { containers: [{ name: 'a', image }] } });

  it.each<[string, YamlObject, string[]]>([
    ['a parameter of Tekton', task('$(params.image)'), ['warning spec.steps[0].image']],
    ['a tag', task('app:$(params.tag)'), ['warning spec.steps[0].image']],
    ['a part of a tag', task('app:1-$(params.tag)'), ['warning spec.steps[0].image']],
    ['a registry before a tag', task('$(params.registry)/app:1'), []],
    ['a registry before a digest', task(`$(params.registry)/app@${DIGEST}`), []],
    ['before the tag latest', task('$(params.image):latest'), ['error spec.steps[0].image']],
    ['one of Argo in Tekton', task('app:{{tag}}'), ['error spec.steps[0].image']],
    ['one of Flux in Tekton', task('app:${TAG}'), ['error spec.steps[0].image']],
    [
      'a parameter of Argo',
      workflow('{{inputs.parameters.image}}'),
      ['warning spec.templates[0].container.image'],
    ],
    ['an expression of Argo', workflow("{{=sprig.lower('A')}}:1"), []],
    ['a container: of Argo', pod('app:{{tag}}'), ['error spec.containers[0].image']],
    ['a container: of Tekton', pod('$(params.image)'), ['error spec.containers[0].image']],
    ['a container: of Flux', pod('app:${TAG}'), ['error spec.containers[0].image']],
    ['a container: with a literal tag', pod('$(params.registry)/app:1'), ['error spec.containers[0].image']],
  ])('%s', async (_, resource, expected) => {
    expect(await findingsOf(resource)).toEqual(expected);
  });

  it('have a message and a remedy of their own', async () => {
    expect(await findingsOf(task('$(params.image)'), true)).toEqual([
      'warning spec.steps[0].image: Task/example spec.steps[0].image is $(params.image), a template whose value is unknown; replace the template with an image that has a tag or a digest',
    ]);
    expect(await findingsOf(pod('app:${TAG}'), true)).toEqual([
      expect.stringContaining('container "a" runs app:${TAG}, a template whose value is unknown; ') as string,
    ]);
  });
});

it.each<[string, YamlObject, string]>([
  [
    'an image',
    resourceOf('Keycloak', 'k8s.keycloak.org/v2alpha1', { spec: { image: 'keycloak' } }),
    'spec.image is keycloak, which has no tag; use a tag other than latest, or a digest',
  ],
  [
    'a tag',
    resourceOf('HelmRelease', 'helm.toolkit.fluxcd.io/v2', {
      spec: { values: { image: { tag: 'latest' } } },
    }),
    'spec.values.image.tag is latest; use a tag other than latest, or a digest',
  ],
  [
    'a tag in a text',
    resourceOf('HelmChart', 'helm.cattle.io/v1', {
      spec: { valuesContent: 'a:\n  image:\n    tag: latest\n' },
    }),
    'a.image.tag in spec.valuesContent is latest; use a tag other than latest, or a digest',
  ],
  [
    'a Helm parameter',
    resourceOf('Application', 'argoproj.io/v1alpha1', {
      spec: { source: { helm: { parameters: [{ name: 'image.tag', value: 'latest' }] } } },
    }),
    'the Helm parameter image.tag is latest; use a tag other than latest, or a digest',
  ],
])('the message of %s', async (_, resource, expected) => {
  const [finding = ''] = await findingsOf(resource, true);
  expect(finding).toMatch(new RegExp(`/example ${expected.replace(/[.[\]]/g, '\\$&')}$`));
});

describe('large resources', () => {
  it('a deep one, which no reader of YAML accepts', () => {
    let spec: YamlValue = { image: 'a:latest' };
    for (let i = 0; i < 100_000; i++) spec = i % 2 === 0 ? [spec] : { a: spec };
    const found = imagesOf({ apiVersion: 'tekton.dev/v1', kind: 'Pipeline', spec });
    expect(found.map(({ field }) => field.length)).toEqual([100_002]);
  });

  it('a kind of the table in itself, many times: each field once, in linear time', () => {
    const kind = { apiVersion: 'tekton.dev/v1', kind: 'Pipeline' };
    let resource: YamlObject = { ...kind, spec: { taskSpec: { steps: [{ image: 'go' }] } } };
    for (let i = 0; i < 20_000; i++) resource = { ...kind, spec: resource };
    const started = performance.now();
    expect(imagesOf(resource)).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('a long text that ends like an image is not slow', async () => {
    const texts = ['{{', '$(', '${A', '{{}}', 'a:'].map((one) => `${one.repeat(200_000)}:latest`);
    const started = performance.now();
    for (const text of texts)
      await findingsOf(resourceWith('Task', 'tekton.dev/v1', ['spec.steps[0].image'], text));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
