import { parse } from 'yaml';
import type { Result } from '../../functions/guardrails/krm/result';
import { run } from '../../functions/guardrails/run';

type Resource = Record<string, unknown>;

interface Answer {
  readonly items: Resource[];
  /** `warning Deployment/web spec...: <problem>`, of the rule alone. */
  readonly findings: string[];
}

/** What the function answers to a stream. */
async function answerTo(items: readonly Resource[], spec: Resource = {}): Promise<Answer> {
  const functionConfig = { apiVersion: 'todo.example.com/v1alpha1', kind: 'Guardrails', spec };
  const list = { apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', items, functionConfig };
  const { stdout } = await run(Buffer.from(JSON.stringify(list)), () =>
    Promise.reject(new Error('a stream needs no kustomize')),
  );
  const answer = parse(stdout) as { items: Resource[]; results?: Result[] };
  const findings = (answer.results ?? [])
    .filter(({ tags }) => tags?.rule === 'probes')
    .map(({ severity, field, resourceRef, message }) => {
      const { kind = '', name = '' } = resourceRef ?? {};
      const [problem = ''] = message.replace(`${kind}/${name} `, '').split('; ');
      return `${severity} ${kind}/${name} ${field?.path ?? ''}: ${problem}`;
    });
  return { items: answer.items, findings };
}

const labels = { app: 'web' };
const container = (name: string, more: Resource = {}) => ({ name, image: `${name}:1.0`, ...more });
const ports = (...entries: Resource[]) => ({ ports: entries });
const http = { name: 'http', containerPort: 8080 };
const workload = (kind: string, containers: Resource[], pod: Resource = {}) => ({
  apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
  kind,
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers, ...pod } },
  },
});
const deployment = (...containers: Resource[]) => workload('Deployment', containers);
const service = (spec: Resource, metadata: Resource = {}) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', ...metadata },
  spec: { selector: labels, ...spec },
});
const toPort = (targetPort: number | string, more: Resource = {}) =>
  service({ ports: [{ port: 80, targetPort, ...more }] });

const FIELD = 'spec.template.spec.containers[0].readinessProbe';
const missing = (target: string, kind = 'Deployment') =>
  `warning ${kind}/web ${FIELD}: container "web" has no readinessProbe, and Service/web sends traffic to its port ${target} before it is ready`;

describe('a container that a Service sends traffic to', () => {
  it.each<[string, Resource[], string]>([
    ['by the name of a port', [deployment(container('web', ports(http))), toPort('http')], missing('http')],
    ['by a number', [deployment(container('web', ports(http))), toPort(8080)], missing('8080')],
    [
      'by a number that the only container does not declare',
      [deployment(container('web')), toPort(8080)],
      missing('8080'),
    ],
    [
      'in a StatefulSet behind a headless Service',
      [workload('StatefulSet', [container('web')]), service({ clusterIP: 'None', ports: [{ port: 5432 }] })],
      missing('5432', 'StatefulSet'),
    ],
    [
      'with a liveness probe alone',
      [deployment(container('web', { livenessProbe: { exec: { command: ['/live'] } } })), toPort(8080)],
      missing('8080'),
    ],
    [
      'beside another container',
      [deployment(container('web', ports(http)), container('log')), toPort('http')],
      missing('http'),
    ],
  ])('%s', async (_, items, expected) => {
    expect((await answerTo(items)).findings).toEqual([expected]);
  });

  it('a sidecar, where a Service targets it', async () => {
    const proxy = container('proxy', {
      restartPolicy: 'Always',
      ...ports({ name: 'proxy', containerPort: 9000 }),
    });
    const ready = container('web', { readinessProbe: { httpGet: { port: 8080 } } });
    const withProxy = workload('Deployment', [ready], { initContainers: [proxy] });
    expect((await answerTo([withProxy, toPort('proxy')])).findings).toEqual([
      'warning Deployment/web spec.template.spec.initContainers[0].readinessProbe: initContainer "proxy" has no readinessProbe, and Service/web sends traffic to its port proxy before it is ready',
    ]);
    expect((await answerTo([withProxy, toPort(8080)])).findings).toEqual([]);
  });
});

describe('needs no readiness probe', () => {
  const bare = deployment(container('web', ports(http)));
  it.each<[string, Resource[]]>([
    [
      'one that has it',
      [deployment(container('web', { readinessProbe: { exec: { command: ['/ready'] } } })), toPort(8080)],
    ],
    ['without a Service', [bare]],
    [
      'behind the Service of other pods',
      [bare, service({ selector: { app: 'api' }, ports: [{ port: 80 }] })],
    ],
    [
      'behind a Service of another namespace',
      [
        { ...bare, metadata: { name: 'web', namespace: 'a' } },
        service({ ports: [{ port: 80, targetPort: 8080 }] }, { namespace: 'b' }),
      ],
    ],
    ['a port for UDP', [bare, toPort(8080, { protocol: 'UDP' })]],
    ['a port for metrics', [bare, toPort(8080, { name: 'metrics' })]],
    [
      'a Service for metrics',
      [bare, service({ ports: [{ port: 80, targetPort: 8080 }] }, { name: 'web-metrics' })],
    ],
    [
      'a Service that publishes pods that are not ready',
      [bare, service({ publishNotReadyAddresses: true, ports: [{ port: 80, targetPort: 8080 }] })],
    ],
    [
      'an undeclared port of one of two containers',
      [deployment(container('web'), container('log')), toPort(8080)],
    ],
    ['a Job', [workload('Job', [container('web')]), toPort(8080)]],
    [
      'a Service without a selector',
      [bare, { ...toPort(8080), spec: { ports: [{ port: 80, targetPort: 8080 }] } }],
    ],
    [
      'a Knative Service',
      [
        {
          apiVersion: 'serving.knative.dev/v1',
          kind: 'Service',
          metadata: { name: 'web' },
          spec: { template: { metadata: { labels }, spec: { containers: [container('web', ports(http))] } } },
        },
        toPort(8080),
      ],
    ],
  ])('%s', async (_, items) => {
    expect((await answerTo(items)).findings).toEqual([]);
  });
});

describe('spec.probes.add', () => {
  const probeIn = (items: readonly Resource[]) =>
    (items[0] as ReturnType<typeof deployment>).spec.template.spec.containers[0]?.readinessProbe;

  it.each<[string, Resource, number | string]>([
    ['a name', toPort('http'), 'http'],
    ['a number', toPort(8080), 8080],
    ['the port of the Service', service({ ports: [{ port: 8080 }] }), 8080],
  ])('adds a tcpSocket probe on the target port: %s', async (_, target, port) => {
    const items = [deployment(container('web', ports(http))), target];
    const { items: fixed, findings } = await answerTo(items, { probes: { add: true } });
    expect(probeIn(fixed)).toEqual({ tcpSocket: { port } });
    expect(findings).toEqual([
      `info Deployment/web ${FIELD}.tcpSocket.port: gets ${FIELD}.tcpSocket.port: ${String(port)}`,
    ]);
    const again = await answerTo(fixed, { probes: { add: true } });
    expect(again).toEqual({ items: fixed, findings: [] });
  });

  it('keeps a probe, and adds none where no Service leads', async () => {
    const own = { httpGet: { path: '/ready', port: 'http' } };
    const kept = deployment(container('web', { ...ports(http), readinessProbe: own }));
    const answer = await answerTo([kept, toPort('http')], { probes: { add: true } });
    expect(answer.findings).toEqual([]);
    expect(probeIn(answer.items)).toEqual(own);
    const alone = await answerTo([deployment(container('web', ports(http)))], { probes: { add: true } });
    expect(probeIn(alone.items)).toBeUndefined();
  });

  it('is off where the rule is off', async () => {
    const items = [deployment(container('web', ports(http))), toPort('http')];
    const { items: same } = await answerTo(items, { probes: { add: true }, rules: { probes: 'off' } });
    expect(probeIn(same)).toBeUndefined();
  });
});
