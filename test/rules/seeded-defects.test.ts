import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { fix } from '../support/fix-package';
import { type PackageFiles, repositoryFiles } from '../support/package-files';
import { describeWithTool } from '../support/tools';

type Resource = Record<string, unknown>;

/** A package, one of its Deployments, and the labels of its pods. */
interface Base {
  readonly files: PackageFiles;
  readonly name: string;
  readonly labels: Resource;
  /** Of prod. */
  readonly namespace?: string;
}

/** The YAML files of a folder of test/packages. */
function packageIn(folder: string): PackageFiles {
  const root = path.join(__dirname, '../packages', folder);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.yaml'),
  );
  return Object.fromEntries(files.map((file) => [file, readFileSync(path.join(root, file), 'utf8')]));
}

const KUSTOMIZATION = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' };
const labels = { app: 'podinfo' };
/** As public packages are: a Deployment, its Service and an Ingress, and an overlay with a namespace. */
const PODINFO: PackageFiles = {
  'base/kustomization.yaml': stringify({
    ...KUSTOMIZATION,
    resources: ['deployment.yaml', 'service.yaml', 'ingress.yaml'],
  }),
  'base/deployment.yaml': stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'podinfo' },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            {
              name: 'podinfod',
              image: 'ghcr.io/stefanprodan/podinfo:6.9.0',
              ports: [{ name: 'http', containerPort: 9898 }],
              readinessProbe: { httpGet: { path: '/readyz', port: 'http' } },
            },
          ],
        },
      },
    },
  }),
  'base/service.yaml': stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'podinfo' },
    spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  }),
  'base/ingress.yaml': stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'podinfo' },
    spec: {
      tls: [{ hosts: ['podinfo.example.org'], secretName: 'podinfo-tls' }],
      rules: [
        {
          host: 'podinfo.example.org',
          http: {
            paths: [
              {
                path: '/',
                pathType: 'Prefix',
                backend: { service: { name: 'podinfo', port: { name: 'http' } } },
              },
            ],
          },
        },
      ],
    },
  }),
  'overlays/prod/kustomization.yaml': stringify({
    ...KUSTOMIZATION,
    namespace: 'podinfo',
    resources: ['../../base'],
  }),
};

const BASES: readonly [name: string, base: Base][] = [
  [
    'the Todo App',
    {
      files: repositoryFiles(),
      name: 'todo-backend',
      labels: { app: 'todo-backend' },
      namespace: 'todo-prod',
    },
  ],
  ['a shop', { files: packageIn('two-trees/shop'), name: 'shop', labels: { app: 'shop' } }],
  ['podinfo', { files: PODINFO, name: 'podinfo', labels, namespace: 'podinfo' }],
];

/** A defect: what is added to prod, and what is changed in the Deployment. */
interface Seed {
  readonly resources?: readonly Resource[];
  /** Operations of JSON 6902 on the pod template's first container. */
  readonly container?: readonly Resource[];
  /** Settings of the Guardrails for the overlay. */
  readonly settings?: Resource;
}

const object = (apiVersion: string, kind: string, spec: Resource, name = 'seed') => ({
  apiVersion,
  kind,
  metadata: { name },
  spec,
});
const add = (field: string, value: unknown) => ({ op: 'add', path: `/${field}`, value });

const SEEDS: readonly [rule: string, seed: (base: Base) => Seed, expected: (name: string) => string][] = [
  [
    'probes',
    () => ({ container: [add('livenessProbe', { httpGet: { path: '/', port: 'no-such-port' } })] }),
    () => 'has a livenessProbe on port "no-such-port", which it does not have',
  ],
  [
    'probes, readiness',
    ({ labels: selector }) => ({
      container: [add('readinessProbe', null), add('ports', [{ name: 'seed', containerPort: 9999 }])],
      resources: [object('v1', 'Service', { selector, ports: [{ port: 80, targetPort: 'seed' }] })],
    }),
    () => 'has no readinessProbe, and Service/',
  ],
  [
    'exposure, Ingress',
    () => ({
      resources: [object('networking.k8s.io/v1', 'Ingress', { rules: [{ host: 'seed.example.org' }] })],
    }),
    () => 'Ingress/seed serves seed.example.org without TLS',
  ],
  [
    'exposure, load balancer',
    ({ labels: selector }) => ({
      resources: [object('v1', 'Service', { type: 'LoadBalancer', selector, ports: [{ port: 7777 }] })],
      settings: { rules: { 'network-policy': 'off' } },
    }),
    (name) =>
      `Service/seed is of type LoadBalancer, which opens Deployment/${name} to clients that nothing names`,
  ],
  [
    'availability, budget',
    ({ labels: matchLabels }) => ({
      resources: [
        object('policy/v1', 'PodDisruptionBudget', { minAvailable: '100%', selector: { matchLabels } }),
      ],
    }),
    () => 'PodDisruptionBudget/seed never allows an eviction: minAvailable is 100%',
  ],
  [
    'availability, replicas',
    ({ name, labels: selector }) => ({
      resources: [
        object('v1', 'Service', { selector, ports: [{ port: 80, targetPort: 8080 }] }),
        object('autoscaling/v1', 'HorizontalPodAutoscaler', {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
          minReplicas: 1,
          maxReplicas: 2,
        }),
      ],
    }),
    (name) => `Deployment/${name} has one replica by HorizontalPodAutoscaler/seed`,
  ],
  [
    'plain-secret, literal',
    () => ({ container: [add('env', [{ name: 'SEED_PASSWORD', value: 'correct-horse' }])] }),
    () => 'env SEED_PASSWORD holds a literal value, and its name is that of a secret',
  ],
  [
    'plain-secret, token',
    () => ({ container: [add('args', [`--token=glpat-aB3dE6gH9jK2mN5pQ8rS`])] }),
    () => 'holds a GitLab token in spec.template.spec.containers[0].args[0]',
  ],
  [
    'image-registry',
    () => ({
      container: [add('image', 'registry.example.org/seed:v1')],
      settings: { images: { registries: ['registry.example.com', 'example.com', 'ghcr.io', 'docker.io'] } },
    }),
    () => 'which spec.images.registries does not list',
  ],
  [
    'pinned-image, digest',
    () => ({
      container: [add('image', 'registry.example.com/seed:v1')],
      settings: { images: { digest: 'required' } },
    }),
    () => 'runs registry.example.com/seed:v1, which has no digest, which spec.images.digest requires',
  ],
  [
    'resources, maximum',
    () => ({
      container: [add('resources', { limits: { memory: '64Gi' } })],
      settings: { resources: { max: { memory: '2Gi' } } },
    }),
    () => 'has a memory limit of 64Gi that exceeds the maximum 2Gi of spec.resources.max',
  ],
];

/** The package with an overlay `overlays/seeded` on `overlays/prod`. */
function seeded(
  { files, name, namespace }: Base,
  { resources = [], container = [], settings = {} }: Seed,
): PackageFiles {
  const patch = container.map((one) => ({
    ...one,
    path: `/spec/template/spec/containers/0${String(one.path)}`,
  }));
  const kustomization = {
    ...KUSTOMIZATION,
    ...(namespace === undefined ? {} : { namespace }),
    resources: ['../prod', ...resources.map((_, i) => `seed-${i}.yaml`)],
    ...(patch.length === 0
      ? {}
      : { patches: [{ target: { kind: 'Deployment', name }, patch: stringify(patch) }] }),
  };
  return {
    ...files,
    'overlays/seeded/kustomization.yaml': stringify(kustomization),
    ...Object.fromEntries(resources.map((one, i) => [`overlays/seeded/seed-${i}.yaml`, stringify(one)])),
    'base/guardrails.yaml': stringify({
      apiVersion: 'todo.example.com/v1alpha1',
      kind: 'Guardrails',
      metadata: { name: 'guardrails', annotations: { 'config.kubernetes.io/local-config': 'true' } },
      spec: {
        environments: { 'overlays/seeded': settings },
      },
    }),
  };
}

describeWithTool('kustomize', 'a defect that is seeded into', () => {
  describe.each(BASES)('%s', (_, base) => {
    it.each(SEEDS)('%s', async (_rule, seed, expected) => {
      const { errors, reported } = await fix(seeded(base, seed(base)), { asIs: true });
      const found = [...errors, ...reported].filter((text) => text.includes(expected(base.name)));
      expect(found).toHaveLength(1);
      expect(found[0]).toMatch(/^overlays\/seeded: /);
    });
  });
});
