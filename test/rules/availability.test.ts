import { problemsOf } from '../support/build-findings';

type Resource = Record<string, unknown>;

/** The findings of the rule in a stream: `warning Deployment/web spec.replicas: <problem>`. */
const findings = (...items: Resource[]) => problemsOf('availability', items);

const labels = { app: 'web' };
const workload = (kind: string, replicas: number | undefined, pod: Resource = {}, spec: Resource = {}) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'web' },
  spec: {
    ...(replicas === undefined ? {} : { replicas }),
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1.0' }], ...pod } },
    ...spec,
  },
});
const deployment = (replicas?: number, pod: Resource = {}, spec: Resource = {}) =>
  workload('Deployment', replicas, pod, spec);
const withImage = (image: string, more: Resource = {}) =>
  deployment(1, { containers: [{ name: 'web', image, ...more }] });
const service = (name = 'web', selector: Resource = labels) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector, ports: [{ port: 80 }] },
});
const budget = (spec: Resource, selector: Resource = { matchLabels: labels }) => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'web' },
  spec: { selector, ...spec },
});
const autoscaler = (minReplicas: number | undefined, name = 'web') => ({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
    maxReplicas: 5,
    ...(minReplicas === undefined ? {} : { minReplicas }),
  },
});

const ALONE =
  'warning Deployment/web spec.replicas: has one replica, so Service/web has no endpoint while its pod moves to another node';

describe('one replica behind a Service', () => {
  it.each<[string, Resource[], string]>([
    ['as written', [deployment(1), service()], ALONE],
    ['by default', [deployment(), service()], ALONE],
    [
      'by the minimum of an autoscaler',
      [deployment(3), service(), autoscaler(1)],
      ALONE.replace('one replica', 'one replica by HorizontalPodAutoscaler/web'),
    ],
    [
      'by the default minimum of an autoscaler',
      [deployment(), service(), autoscaler(undefined)],
      ALONE.replace('one replica', 'one replica by HorizontalPodAutoscaler/web'),
    ],
  ])('%s', async (_, items, expected) => {
    expect(await findings(...items)).toEqual([expected]);
  });

  it.each<[string, Resource[]]>([
    ['two', [deployment(2), service()]],
    ['at least two by an autoscaler', [deployment(1), service(), autoscaler(2)]],
    ['none', [deployment(0), service()]],
    ['without a Service', [deployment(1)]],
    ['behind the Service of other pods', [deployment(1), service('web', { app: 'api' })]],
    ['behind a Service for metrics', [deployment(1), service('web-metrics')]],
    [
      'that is replaced before its successor starts',
      [deployment(1, {}, { strategy: { type: 'Recreate' } }), service()],
    ],
    [
      'with a claim',
      [deployment(1, { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'd' } }] }), service()],
    ],
    [
      'with a folder of the node',
      [deployment(1, { volumes: [{ name: 'd', hostPath: { path: '/d' } }] }), service()],
    ],
    ['a database', [withImage('docker.io/bitnami/postgresql:16.1'), service()]],
    [
      'a port of the node',
      [withImage('web:1.0', { ports: [{ containerPort: 80, hostPort: 80 }] }), service()],
    ],
    ['one that is elected', [withImage('web:1.0', { args: ['--leader-elect'] }), service()]],
    ['a controller', [{ ...deployment(1), metadata: { name: 'web-operator' } }, service()]],
    ['of a StatefulSet', [workload('StatefulSet', 1), service()]],
  ])('not: %s', async (_, items) => {
    expect(await findings(...items)).toEqual([]);
  });
});

const budgetOf = (field: string, value: string, reason = '') =>
  `warning PodDisruptionBudget/web spec.${field}: never allows an eviction: ${field} is ${value}${reason}, so a node with one of its pods cannot be drained`;

describe('a PodDisruptionBudget that never allows an eviction', () => {
  it.each<[string, Resource[], string]>([
    ['maxUnavailable: 0', [deployment(2), budget({ maxUnavailable: 0 })], budgetOf('maxUnavailable', '0')],
    [
      'maxUnavailable: 0%',
      [deployment(2), budget({ maxUnavailable: '0%' })],
      budgetOf('maxUnavailable', '0%'),
    ],
    [
      'minAvailable: 100%',
      [deployment(2), budget({ minAvailable: '100%' })],
      budgetOf('minAvailable', '100%'),
    ],
    [
      'as many as there are',
      [deployment(2), budget({ minAvailable: 2 })],
      budgetOf('minAvailable', '2', ', and Deployment/web has 2 replicas'),
    ],
    [
      'a percentage that is rounded up to all',
      [deployment(2), budget({ minAvailable: '51%' })],
      budgetOf('minAvailable', '51%', ', and Deployment/web has 2 replicas'),
    ],
    [
      'one of one by default',
      [deployment(), budget({ minAvailable: 1 })],
      budgetOf('minAvailable', '1', ', and Deployment/web has 1 replica'),
    ],
    [
      'the minimum of an autoscaler',
      [deployment(5), autoscaler(2), budget({ minAvailable: 2 })],
      budgetOf('minAvailable', '2', ', and Deployment/web (by HorizontalPodAutoscaler/web) has 2 replicas'),
    ],
    [
      'of a StatefulSet',
      [workload('StatefulSet', 3), budget({ minAvailable: 3 })],
      budgetOf('minAvailable', '3', ', and StatefulSet/web has 3 replicas'),
    ],
    [
      'of all pods of the namespace',
      [deployment(2), budget({ minAvailable: 2 }, {})],
      budgetOf('minAvailable', '2', ', and Deployment/web has 2 replicas'),
    ],
  ])('%s', async (_, items, expected) => {
    expect(await findings(...items)).toEqual([expected]);
  });

  it.each<[string, Resource[]]>([
    ['maxUnavailable: 1', [deployment(1), budget({ maxUnavailable: 1 })]],
    ['a percentage, which is rounded up', [deployment(2), budget({ maxUnavailable: '1%' })]],
    ['one less than there are', [deployment(2), budget({ minAvailable: 1 })]],
    ['half of two', [deployment(2), budget({ minAvailable: '50%' })]],
    ['an autoscaler with more', [deployment(1), autoscaler(3), budget({ minAvailable: 2 })]],
    ['pods that are not in the build', [budget({ minAvailable: 2 })]],
    ['pods of as many nodes as there are', [workload('DaemonSet', undefined), budget({ minAvailable: 1 })]],
    ['no replicas', [deployment(0), budget({ maxUnavailable: 0 })]],
    ['no selector', [deployment(1), { ...budget({}), spec: { minAvailable: 1 } }]],
    [
      'two workloads',
      [
        deployment(2),
        { ...workload('StatefulSet', 1), metadata: { name: 'other' } },
        budget({ minAvailable: 2 }),
      ],
    ],
  ])('not: %s', async (_, items) => {
    expect(await findings(...items)).toEqual([]);
  });
});
