import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { modelOf } from '../../functions/guardrails/kubernetes/api-types';
import {
  isAnnotationKey,
  isLabelKey,
  isLabelValue,
} from '../../functions/guardrails/kubernetes/label-syntax';
import type { Result } from '../../functions/guardrails/krm/result';
import { run } from '../../functions/guardrails/run';
import { REQUIRED } from '../../functions/guardrails/rules/api-schema/required';

const noKustomize = () => Promise.reject(new Error('a stream needs no kustomize'));

/** What the rule reports of a stream: `severity path: message`, the message up to its remedy. */
async function found(resources: readonly unknown[], spec: unknown = {}): Promise<string[]> {
  const functionConfig = { apiVersion: 'todo.example.com/v1alpha1', kind: 'Guardrails', spec };
  const list = {
    apiVersion: 'config.kubernetes.io/v1',
    kind: 'ResourceList',
    items: resources,
    functionConfig,
  };
  const { stdout } = await run(Buffer.from(stringify(list, { aliasDuplicateObjects: false })), noKustomize);
  const { results = [] } = parse(stdout) as { results?: Result[] };
  return results
    .filter(({ tags }) => tags?.rule === 'api-schema')
    .map(({ severity, field, message }) => `${severity} ${field?.path ?? ''}: ${message}`);
}

const metadata = { name: 'web', labels: { app: 'web' } };
const container = { name: 'web', image: 'web:v1' };
const pod = (spec: unknown) => ({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
const podOf = (own: unknown) => pod({ containers: [{ ...container, ...(own as object) }] });
const service = (spec: unknown) => ({ apiVersion: 'v1', kind: 'Service', metadata, spec });
const deployment = (spec: object, labels: unknown = { app: 'web' }) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata,
  spec: {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [container] } },
    ...spec,
  },
});
const of = (apiVersion: string, kind: string, rest: object = {}) => ({ apiVersion, kind, metadata, ...rest });

describe('is refused, and its neighbour is not', () => {
  it.each<[string, unknown, unknown, string[]]>([
    [
      'a misspelt field',
      podOf({ imagePullPolcy: 'Always' }),
      podOf({ imagePullPolicy: 'Always' }),
      [
        'error spec.containers[0].imagePullPolcy: Pod/web has the unknown field spec.containers[web].imagePullPolcy; did you mean imagePullPolicy?',
      ],
    ],
    [
      'a field in another case',
      podOf({ ImagePullPolicy: 'Always' }),
      podOf({ imagePullPolicy: 'Always' }),
      [
        'error spec.containers[0].ImagePullPolicy: Pod/web has the unknown field spec.containers[web].ImagePullPolicy; did you mean imagePullPolicy?',
      ],
    ],
    [
      'a field of the level above',
      podOf({ hostNetworks: false, restartPolicys: 'Never', terminationGracePeriodSeconds: 5 }),
      pod({ containers: [container], terminationGracePeriodSeconds: 5 }),
      [
        'error spec.containers[0].hostNetworks: Pod/web has the unknown field spec.containers[web].hostNetworks; remove it, or move it to where the API has it',
        'error spec.containers[0].restartPolicys: Pod/web has the unknown field spec.containers[web].restartPolicys; did you mean restartPolicy?',
        'error spec.containers[0].terminationGracePeriodSeconds: Pod/web has the unknown field spec.containers[web].terminationGracePeriodSeconds; move it to spec',
      ],
    ],
    [
      'a field of the level below',
      podOf({ limits: { cpu: '1' } }),
      podOf({ resources: { limits: { cpu: '1' } } }),
      [
        'error spec.containers[0].limits: Pod/web has the unknown field spec.containers[web].limits; move it to spec.containers[web].resources',
      ],
    ],
    [
      'a number as the value of a variable',
      podOf({ env: [{ name: 'PORT', value: 8080 }] }),
      podOf({ env: [{ name: 'PORT', value: '8080' }] }),
      [
        'error spec.containers[0].env[0].value: Pod/web has a number in spec.containers[web].env[PORT].value, which must be a string; put the value in quotes',
      ],
    ],
    [
      'a boolean as the value of a variable',
      podOf({ env: [{ name: 'DEBUG', value: true }] }),
      podOf({ env: [{ name: 'DEBUG', value: 'true' }] }),
      [
        'error spec.containers[0].env[0].value: Pod/web has the boolean true in spec.containers[web].env[DEBUG].value, which must be a string; put the value in quotes',
      ],
    ],
    [
      'a list for a mapping',
      of('v1', 'ConfigMap', { data: [{ name: 'A', value: 'b' }] }),
      of('v1', 'ConfigMap', { data: { A: 'b' } }),
      [
        'error data: ConfigMap/web has a list in data, which must be a mapping; write a mapping, without a dash',
      ],
    ],
    [
      'a mapping for a list',
      podOf({ env: { PORT: '8080' } }),
      podOf({ env: [] }),
      [
        'error spec.containers[0].env: Pod/web has a mapping in spec.containers[web].env, which must be a list; write a list, each entry after a dash',
      ],
    ],
    [
      'an integer in quotes',
      deployment({ replicas: '2' }),
      deployment({ replicas: 2 }),
      [
        'error spec.replicas: Deployment/web has a string in spec.replicas, which must be an integer; remove the quotes',
      ],
    ],
    [
      'a fraction as an integer',
      deployment({ replicas: 1.5 }),
      deployment({ replicas: null }),
      [
        'error spec.replicas: Deployment/web has a number in spec.replicas, which must be an integer; write an integer',
      ],
    ],
    [
      'an integer of more than 32 bits',
      deployment({ replicas: 3_000_000_000 }),
      deployment({ replicas: 2_147_483_647 }),
      [
        'error spec.replicas: Deployment/web has a number in spec.replicas, which must be an integer; write an integer',
      ],
    ],
    [
      'a size that is no quantity',
      pod({ containers: [container], volumes: [{ name: 'a', emptyDir: { sizeLimit: '1 Gi' } }] }),
      pod({ containers: [container], volumes: [{ name: 'a', emptyDir: { sizeLimit: 1024 } }] }),
      [
        'error spec.volumes[0].emptyDir.sizeLimit: Pod/web has a string in spec.volumes[a].emptyDir.sizeLimit, which must be a quantity, such as 100m or 128Mi; write a quantity, such as 100m or 128Mi',
      ],
    ],
    [
      'data of a Secret that is not base64, without its value',
      of('v1', 'Secret', { data: { key: 'p4ssw0rd!' } }),
      of('v1', 'Secret', { stringData: { key: 'p4ssw0rd!' } }),
      ['error data.key: Secret/web has a string in data.key, which must be base64; write base64'],
    ],
    [
      'a port of an Ingress that is a number where a mapping belongs',
      of('networking.k8s.io/v1', 'Ingress', {
        spec: { defaultBackend: { service: { name: 'web', port: 80 } } },
      }),
      of('networking.k8s.io/v1', 'Ingress', {
        spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
      }),
      [
        'error spec.defaultBackend.service.port: Ingress/web has a number in spec.defaultBackend.service.port, which must be a mapping; write a mapping',
      ],
    ],
    [
      'the fields of an older version',
      of('networking.k8s.io/v1', 'Ingress', { spec: { backend: { serviceName: 'web', servicePort: 80 } } }),
      of('networking.k8s.io/v1', 'Ingress', { spec: { defaultBackend: { service: { name: 'web' } } } }),
      [
        'error spec.backend: Ingress/web has the unknown field spec.backend; remove it, or move it to where the API has it',
      ],
    ],
    [
      'a missing selector',
      deployment({ selector: undefined }),
      deployment({}),
      ['error spec: Deployment/web has no spec.selector; set it; the API server requires it'],
    ],
    [
      'a path of an Ingress without its type',
      of('networking.k8s.io/v1', 'Ingress', {
        spec: { rules: [{ http: { paths: [{ path: '/', backend: { service: { name: 'web' } } }] } }] },
      }),
      of('networking.k8s.io/v1', 'Ingress', {
        spec: {
          rules: [{ http: { paths: [{ pathType: 'Prefix', backend: { service: { name: 'web' } } }] } }],
        },
      }),
      [
        'error spec.rules[0].http.paths[0]: Ingress/web has no spec.rules[0].http.paths[0].pathType; set it; the API server requires it',
      ],
    ],
    [
      'two containers of one name, one of them an initContainer',
      pod({ initContainers: [container], containers: [container] }),
      pod({ initContainers: [{ ...container, name: 'init' }], containers: [container] }),
      [
        'error spec.containers[0].name: Pod/web has two entries with the name "web" in spec.containers; rename one of them',
      ],
    ],
    [
      'two ports of a container with one name',
      podOf({
        ports: [
          { name: 'http', containerPort: 80 },
          { name: 'http', containerPort: 81 },
        ],
      }),
      podOf({
        ports: [
          { name: 'http', containerPort: 80 },
          { name: 'metrics', containerPort: 81 },
        ],
      }),
      [
        'error spec.containers[0].ports[1].name: Pod/web has two entries with the name "http" in spec.containers[web].ports; rename one of them',
      ],
    ],
    [
      'one port of a Service twice',
      service({
        ports: [
          { name: 'a', port: 53 },
          { name: 'b', port: 53, protocol: 'TCP' },
        ],
      }),
      service({
        ports: [
          { name: 'a', port: 53 },
          { name: 'b', port: 53, protocol: 'UDP' },
        ],
      }),
      [
        'error spec.ports[1].port: Service/web has two entries with the port "53" and the same protocol in spec.ports; remove one of them',
      ],
    ],
    [
      'a variable twice: a warning, unless it extends itself',
      podOf({
        env: [
          { name: 'PATH', value: '/a' },
          { name: 'PATH', value: '/b' },
        ],
      }),
      podOf({
        env: [
          { name: 'PATH', value: '/a' },
          { name: 'PATH', value: '$(PATH):/b' },
        ],
      }),
      [
        'warning spec.containers[0].env[1].name: Pod/web has two entries with the name "PATH" in spec.containers[web].env; remove one of them; the last one counts',
      ],
    ],
    [
      'an invalid label, once for the selector and the template',
      deployment({}, { app: 'web', t: '12:30' }),
      deployment({}, { app: 'web', t: '12.30' }),
      [
        'error spec.selector.matchLabels.t: Deployment/web has the invalid label value "12:30" in spec.selector.matchLabels.t; use at most 63 letters, digits, -, _ and ., with a letter or a digit at the start and at the end',
      ],
    ],
    [
      'an invalid label in a selector of a Service',
      service({ selector: { app: 'a b' }, ports: [] }),
      service({ selector: { app: 'a_b' }, ports: [] }),
      [
        'error spec.selector.app: Service/web has the invalid label value "a b" in spec.selector.app; use at most 63 letters, digits, -, _ and ., with a letter or a digit at the start and at the end',
      ],
    ],
    [
      'an invalid label key in the metadata of any kind',
      of('example.com/v1', 'Widget', { metadata: { name: 'web', labels: { 'Example.com/a': 'b' } } }),
      of('example.com/v1', 'Widget', { metadata: { name: 'web', annotations: { 'Example.com/a': 'b c' } } }),
      [
        'error metadata.labels."Example.com/a": Widget/web has the invalid key "Example.com/a" in metadata.labels; write a name of at most 63 letters, digits, -, _ and ., after a DNS subdomain and / if it has a prefix',
      ],
    ],
    [
      'a number as a label of a custom resource',
      of('example.com/v1', 'Widget', { metadata: { name: 'web', labels: { version: 1.2 } } }),
      of('example.com/v1', 'Widget', { metadata: { name: 'web', labels: { version: '1.2' } } }),
      [
        'error metadata.labels.version: Widget/web has a number in metadata.labels.version, which must be a string; put the value in quotes',
      ],
    ],
    [
      'a misspelt kind',
      of('batch/v1', 'Cronjob', { spec: {} }),
      of('batch/v1', 'JobQueue', { spec: {} }),
      ['error kind: Cronjob/web is of a kind that batch/v1 does not have; did you mean CronJob?'],
    ],
    [
      'a kind of another group',
      of('v1', 'Ingress'),
      of('networking.k8s.io/v1', 'Ingress'),
      [
        'error apiVersion: Ingress/web has the apiVersion v1, which the API server does not serve for this kind; write apiVersion: networking.k8s.io/v1',
      ],
    ],
  ])('%s', async (_, refused, neighbour, expected) => {
    expect(await found([refused])).toEqual(expected);
    expect(await found([neighbour])).toEqual([]);
  });
});

describe('nothing is reported of', () => {
  it.each<[string, unknown]>([
    [
      'null in the place of any value',
      podOf({ env: null, ports: [null], image: null, resources: { limits: { cpu: null } } }),
    ],
    ['the status of another tool', { ...deployment({}), status: {} }],
    [
      'a Secret that SOPS encrypts',
      of('v1', 'Secret', { data: { a: 'ENC[AES256_GCM,data:x]' }, sops: { mac: 'x' } }),
    ],
    [
      'fields that are newer than the models',
      podOf({ livenessProbe: { httpGet: { port: 80, protocol: 'h2c' } } }),
    ],
    [
      'a file of another tool',
      {
        ...of('example.com/v1', 'Settings'),
        metadata: {
          name: 'a',
          annotations: { 'config.kubernetes.io/local-config': 'true' },
          labels: { a: 'b c' },
        },
      },
    ],
    ['an alpha version', of('scheduling.k8s.io/v1alpha2', 'PodGroup', { spec: { any: 1 } })],
    [
      'a group that other projects define',
      of('gateway.networking.k8s.io/v1', 'Gateway', { spec: { any: 1 } }),
    ],
  ])('%s', async (_, resource) => {
    expect(await found([resource])).toEqual([]);
  });

  it('a template, but an info for each resource', async () => {
    expect(await found([deployment({ replicas: '${REPLICAS}', paused: '{{ .Values.paused }}' })])).toEqual([
      'info spec.replicas: Deployment/web has a template in spec.replicas, which must be an integer, so its value is unknown, and 1 more such template; check the values that replace it',
    ]);
  });
});

it('a value of a wrong type that another rule reports is reported once', async () => {
  const resource = podOf({ securityContext: { readOnlyRootFilesystem: 'true' } });
  expect(await found([resource])).toEqual([]);
  expect(await found([resource], { rules: { 'read-only-root-filesystem': false } })).toEqual([
    'error spec.containers[0].securityContext.readOnlyRootFilesystem: Pod/web has a string in spec.containers[web].securityContext.readOnlyRootFilesystem, which must be true or false; remove the quotes',
  ]);
});

describe('an apiVersion that is no longer served', () => {
  it.each([
    ['extensions/v1beta1', 'Ingress', '1.22', 'networking.k8s.io/v1'],
    ['extensions/v1beta1', 'Deployment', '1.16', 'apps/v1'],
    ['extensions/v1beta1', 'NetworkPolicy', '1.16', 'networking.k8s.io/v1'],
    ['apps/v1beta2', 'StatefulSet', '1.16', 'apps/v1'],
    ['networking.k8s.io/v1beta1', 'Ingress', '1.22', 'networking.k8s.io/v1'],
    ['policy/v1beta1', 'PodDisruptionBudget', '1.25', 'policy/v1'],
    ['batch/v1beta1', 'CronJob', '1.25', 'batch/v1'],
    ['rbac.authorization.k8s.io/v1beta1', 'RoleBinding', '1.22', 'rbac.authorization.k8s.io/v1'],
    ['autoscaling/v2beta1', 'HorizontalPodAutoscaler', '1.25', 'autoscaling/v2'],
    ['autoscaling/v2beta2', 'HorizontalPodAutoscaler', '1.26', 'autoscaling/v2'],
    ['apiextensions.k8s.io/v1beta1', 'CustomResourceDefinition', '1.22', 'apiextensions.k8s.io/v1'],
    [
      'admissionregistration.k8s.io/v1beta1',
      'ValidatingWebhookConfiguration',
      '1.22',
      'admissionregistration.k8s.io/v1',
    ],
    ['storage.k8s.io/v1beta1', 'CSIStorageCapacity', '1.27', 'storage.k8s.io/v1'],
    ['flowcontrol.apiserver.k8s.io/v1beta3', 'FlowSchema', '1.32', 'flowcontrol.apiserver.k8s.io/v1'],
  ])('%s %s, since %s', async (apiVersion, kind, since, replacement) => {
    const resource = of(apiVersion, kind, { spec: { anything: 1 } });
    expect(await found([resource])).toEqual([
      `error apiVersion: ${kind}/web has the apiVersion ${apiVersion}, which Kubernetes does not serve for this kind since ${since}; write apiVersion: ${replacement}, and change the fields that differ there`,
    ]);
    expect(
      await found([resource], { kubernetesVersion: `v${since === '1.16' ? '1.20' : since}` }),
    ).toHaveLength(1);
    const before = Number(since.slice(2)) - 1;
    if (before >= 20) expect(await found([resource], { kubernetesVersion: `v1.${before}` })).toEqual([]);
  });

  it('PodSecurityPolicy has no replacement', async () => {
    expect(await found([of('policy/v1beta1', 'PodSecurityPolicy')])).toEqual([
      'error apiVersion: PodSecurityPolicy/web has the apiVersion policy/v1beta1, which Kubernetes does not serve for this kind since 1.25; remove it; Pod Security admission replaces it',
    ]);
  });
});

describe('a key that a document has twice', () => {
  const TWICE = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  a: one\n  a: two\n';
  it('is an error with its line', async () => {
    const { exitCode, stderr } = await run(Buffer.from(`# first\n---\n${TWICE}`), noKustomize);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr:
        '[error] ConfigMap/web has the key a twice in one mapping, again in line 9; remove one of them; kubectl uses the last, and strict decoders refuse both\n',
    });
  });

  it.each([
    ['in two mappings', TWICE.replace('  a: two', 'binaryData:\n  a: dHdv')],
    ['that a merge key adds too', TWICE.replace('  a: two', '  <<: { a: two, b: three }')],
  ])('%s is none', async (_, text) => {
    expect((await run(Buffer.from(text), noKustomize)).exitCode).toBe(0);
  });

  it('in JSON, in a List', async () => {
    const list =
      '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","name":"b"}}]}';
    const { exitCode, stderr } = await run(Buffer.from(list), noKustomize);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('has the key name twice in one mapping, again in line 1;');
  });
});

describe('a custom resource is checked by its CustomResourceDefinition in the stream', () => {
  const schema = {
    type: 'object',
    required: ['spec'],
    properties: {
      spec: {
        type: 'object',
        required: ['size', 'mode'],
        properties: {
          size: { type: 'integer' },
          mode: { type: 'string', enum: ['fast', 'safe'], default: 'safe' },
          port: { 'x-kubernetes-int-or-string': true },
          labels: { type: 'object', additionalProperties: { type: 'string' } },
          extra: {
            type: 'object',
            'x-kubernetes-preserve-unknown-fields': true,
            properties: { enabled: { type: 'boolean' } },
          },
          tags: { type: 'array', items: { type: 'string' }, nullable: true },
          template: {
            type: 'object',
            'x-kubernetes-embedded-resource': true,
            properties: { spec: { type: 'object' } },
          },
        },
      },
    },
  };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } },
        { name: 'v1alpha1', served: false, storage: false, schema: { openAPIV3Schema: schema } },
      ],
    },
  };
  const widget = (spec: object, apiVersion = 'example.com/v1') =>
    of(apiVersion, 'Widget', { spec: { size: 1, ...spec } });

  it.each<[string, unknown, string[]]>([
    [
      'everything that it allows',
      widget({
        port: '80%',
        labels: { a: 'b' },
        extra: { enabled: true, more: 1 },
        tags: null,
        mode: 'fast',
        template: { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: {} },
      }),
      [],
    ],
    [
      'an unknown field',
      widget({ sizes: 2 }),
      ['error spec.sizes: Widget/web has the unknown field spec.sizes; did you mean size?'],
    ],
    [
      'a wrong type',
      widget({ size: '2' }),
      ['error spec.size: Widget/web has a string in spec.size, which must be an integer; remove the quotes'],
    ],
    [
      'a wrong type in a map',
      widget({ labels: { a: 1 } }),
      [
        'error spec.labels.a: Widget/web has a number in spec.labels.a, which must be a string; put the value in quotes',
      ],
    ],
    [
      'a wrong type in a list',
      widget({ tags: [true] }),
      [
        'error spec.tags[0]: Widget/web has the boolean true in spec.tags[0], which must be a string; put the value in quotes',
      ],
    ],
    [
      'a wrong type where unknown fields are kept',
      widget({ extra: { enabled: 'maybe' } }),
      [
        'error spec.extra.enabled: Widget/web has a string in spec.extra.enabled, which must be true or false; write true or false',
      ],
    ],
    [
      'null that it does not allow',
      widget({ labels: null }),
      ['error spec.labels: Widget/web has null in spec.labels, which must be a mapping; write a mapping'],
    ],
    [
      'a missing field',
      of('example.com/v1', 'Widget', { spec: {} }),
      ['error spec: Widget/web has no spec.size; set it; the CustomResourceDefinition requires it'],
    ],
    [
      'a value outside of an enum',
      widget({ mode: 'slow' }),
      [
        'error spec.mode: Widget/web has slow in spec.mode, which its CustomResourceDefinition does not allow; write one of fast, safe',
      ],
    ],
    [
      'a version that is not served',
      widget({}, 'example.com/v1alpha1'),
      [
        'error apiVersion: Widget/web has the apiVersion example.com/v1alpha1, which its CustomResourceDefinition does not serve; write apiVersion: example.com/v1',
      ],
    ],
  ])('%s', async (_, resource, expected) => {
    expect(await found([definition, resource])).toEqual(expected);
    expect(await found([resource])).toEqual([]);
  });
});

describe('labels', () => {
  it.each(['', 'a', 'A-b_c.1', 'a'.repeat(63)])('the value %j is valid', (text) => {
    expect(isLabelValue(text)).toBe(true);
  });
  it.each(['-a', 'a-', 'a b', '12:30', 'ä', 'a/b', 'a'.repeat(64), '.'])('the value %j is not', (text) => {
    expect(isLabelValue(text)).toBe(false);
  });
  it.each([
    ['a', true],
    ['example.com/a', true],
    ['a'.repeat(63), true],
    // Only annotations may have capital letters there.
    ['A.b-c/D_e', false],
  ])('the key %j is one of a label: %j; and of an annotation', (key, expected) => {
    expect(isLabelKey(key)).toBe(expected);
    expect(isAnnotationKey(key)).toBe(true);
  });
  it.each(['', '/', '/a', 'a/', 'a/b/c', 'a_b/c', 'a b', '-a', 'a'.repeat(64), `${'a'.repeat(254)}/a`])(
    'the key %j is not',
    (key) => {
      expect([isLabelKey(key), isAnnotationKey(key)]).toEqual([false, false]);
    },
  );
});

it('every required field is one that the models call required', () => {
  const models = path.join(__dirname, '../../node_modules/@kubernetes/client-node/dist/gen/models');
  for (const [model, fields] of REQUIRED) {
    const text = readFileSync(path.join(models, `${model}.d.ts`), 'utf8');
    const required = [...text.matchAll(/^ {4}'(\w+)': /gm)].map(([, name]) => name);
    expect([model, fields.filter((name) => !required.includes(name))]).toEqual([
      model,
      NOT_IN_MODELS.get(model) ?? [],
    ]);
    for (const name of fields) expect([model, modelOf(model)?.fields.has(name)]).toEqual([model, true]);
  }
});

/** The validation of the API server requires them all the same (pkg/apis/apps/validation, pkg/apis/core/validation). */
const NOT_IN_MODELS = new Map<string, readonly string[]>([
  ...['V1DaemonSet', 'V1Deployment', 'V1Job', 'V1Pod', 'V1ReplicaSet', 'V1StatefulSet'].map(
    (model) => [model, ['spec']] as const,
  ),
  ['V1ReplicaSetSpec', ['template']],
]);
