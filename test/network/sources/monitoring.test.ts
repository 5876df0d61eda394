import { EXTERNAL_PEERS, type ExternalPeers } from '../../../functions/guardrails/network/external-peers';
import { readBuild, readNeeds } from '../../support/network-build';

const deployment = ({ ports = '', pod = '', own = '', name = 'web' }) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, annotations: {${own}}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}, annotations: {${pod}}}
    spec:
      containers: [{name: ${name}, image: "web:1", ports: [${ports}]}]
`;
const service = (ports: string, metadata = 'labels: {app: web}') => `apiVersion: v1
kind: Service
metadata: {name: web, ${metadata}}
spec: {selector: {app: web}, ports: [${ports}]}
`;
const monitor = (
  kind: string,
  spec: string,
  group = 'monitoring.coreos.com',
  namespace = '',
) => `apiVersion: ${group}/v1
kind: ${kind}
metadata: {name: prom, namespace: "${namespace}"}
spec: ${spec}
`;
const WEB = deployment({ ports: '{name: http, containerPort: 8080}, {name: stats, containerPort: 9090}' });
const SERVICE = service(
  '{name: http, port: 80, targetPort: http}, {name: stats, port: 81, targetPort: stats}',
);
/** Shows no metrics. */
const NEIGHBOURS = [
  deployment({ name: 'neighbour', ports: '{name: http, containerPort: 8080}' }),
  service('{name: http, port: 80}').replaceAll('web', 'neighbour'),
];

const need = (evidence: string) =>
  `Deployment/web ingress: ${evidence}; set spec.network.monitoring in the configuration, or name the clients in todo.example.com/accepts-from`;
const BY_SERVICE = need('ServiceMonitor/prom collects metrics of Service/web');
const BY_POD = need('PodMonitor/prom collects its metrics');
const PEERS: ExternalPeers = {
  ...EXTERNAL_PEERS,
  monitoring: { namespace: 'monitoring', podLabels: { app: 'prometheus' } },
};
const opened = (ports: string) => `monitoring app=prometheus -> Deployment/web: ${ports}`;

/** What holds isolation back, but for Services without a client in the build. */
const needsIn = (documents: readonly string[], peers?: ExternalPeers) =>
  readNeeds(documents, peers).filter((line) => !line.includes(' has no client in this build; '));

/** The needs without spec.network.monitoring, and the connections with it, in any order of the documents. */
function expectOpen(build: readonly string[], needs: readonly string[], connections: readonly string[]) {
  for (const all of [
    [...build, ...NEIGHBOURS],
    [...NEIGHBOURS, ...build.toReversed()],
  ]) {
    expect(needsIn(all)).toEqual(needs);
    expect(needsIn(all, PEERS)).toEqual([]);
    const lines = readBuild(all, PEERS).connections.filter((line) => !line.includes('dns'));
    expect(lines).toEqual(connections);
  }
}

describe('ServiceMonitor', () => {
  test.each<[string, string, string | undefined]>([
    [
      'a port of the Service',
      '{selector: {matchLabels: {app: web}}, endpoints: [{port: stats}]}',
      'TCP 9090',
    ],
    [
      'two endpoints',
      '{selector: {matchLabels: {app: web}}, endpoints: [{port: stats}, {port: http}]}',
      'TCP 9090, TCP 8080',
    ],
    [
      'the number of a port of the pods',
      '{selector: {matchLabels: {app: web}}, endpoints: [{targetPort: 7000}]}',
      'TCP 7000',
    ],
    [
      'the name of a port of the pods',
      '{selector: {matchLabels: {app: web}}, endpoints: [{targetPort: stats}]}',
      'TCP 9090',
    ],
    ['every Service', '{selector: {}, endpoints: [{port: stats}]}', 'TCP 9090'],
    [
      'an expression',
      '{selector: {matchExpressions: [{key: app, operator: In, values: [api, web]}]}, endpoints: [{port: stats}]}',
      'TCP 9090',
    ],
    [
      'a label and an expression that exclude each other',
      '{selector: {matchLabels: {app: web}, matchExpressions: [{key: app, operator: DoesNotExist}]}, endpoints: [{port: stats}]}',
      undefined,
    ],
    ['other Services', '{selector: {matchLabels: {app: api}}, endpoints: [{port: stats}]}', undefined],
    [
      'a port that the Service does not have',
      '{selector: {matchLabels: {app: web}}, endpoints: [{port: prom}]}',
      undefined,
    ],
    ['no endpoints', '{selector: {matchLabels: {app: web}}}', undefined],
  ])('%s', (_, spec, ports) => {
    expectOpen(
      [WEB, SERVICE, monitor('ServiceMonitor', spec)],
      ports === undefined ? [] : [BY_SERVICE],
      ports === undefined ? [] : [opened(ports)],
    );
  });

  const inShop = [WEB, SERVICE].map((one) => one.replace('name: web,', 'name: web, namespace: shop,'));
  test.each<[string, string, string, readonly string[]]>([
    ['its own namespace', '', 'shop', [BY_SERVICE]],
    ['its own namespace, with other Services', '', 'prom', []],
    ['an empty list of names', 'namespaceSelector: {matchNames: []}, ', 'shop', [BY_SERVICE]],
    ['another namespace', 'namespaceSelector: {matchNames: [other, shop]}, ', 'prom', [BY_SERVICE]],
    ['not its own one', 'namespaceSelector: {matchNames: [other]}, ', 'shop', []],
    ['any namespace', 'namespaceSelector: {any: true}, ', 'prom', [BY_SERVICE]],
  ])('namespaces: %s', (_, namespaces, namespace, needs) => {
    const spec = `{${namespaces}selector: {matchLabels: {app: web}}, endpoints: [{port: stats}]}`;
    expect(needsIn([...inShop, monitor('ServiceMonitor', spec, 'monitoring.coreos.com', namespace)])).toEqual(
      needs,
    );
  });

  test('a named namespace, and Services whose namespace kubectl apply chooses', () => {
    const spec =
      '{namespaceSelector: {matchNames: [shop]}, selector: {matchLabels: {app: web}}, endpoints: [{port: stats}]}';
    expect(needsIn([WEB, SERVICE, monitor('ServiceMonitor', spec)])).toEqual([BY_SERVICE]);
  });

  test('the port number of the pods for a Service whose port has another one (d3)', () => {
    const plain = deployment({});
    const spec = '{selector: {matchLabels: {app: web}}, endpoints: [{port: prom}]}';
    expectOpen(
      [plain, service('{name: prom, port: 8080}'), monitor('ServiceMonitor', spec)],
      [BY_SERVICE],
      [opened('TCP 8080')],
    );
  });

  test('VMServiceScrape, and another kind with these fields', () => {
    const spec = '{selector: {matchLabels: {app: web}}, endpoints: [{port: stats}]}';
    const scrape = monitor('VMServiceScrape', spec, 'operator.victoriametrics.com');
    expect(needsIn([WEB, SERVICE, scrape])).toEqual([
      BY_SERVICE.replace('ServiceMonitor', 'VMServiceScrape'),
    ]);
    expect(needsIn([WEB, SERVICE, monitor('ServiceMonitor', spec, 'example.com')])).toEqual([]);
  });
});

describe('PodMonitor', () => {
  test.each<[string, string, string | undefined]>([
    [
      'the name of a port',
      '{selector: {matchLabels: {app: web}}, podMetricsEndpoints: [{port: stats}]}',
      'TCP 9090',
    ],
    [
      'a number',
      '{selector: {matchLabels: {app: web}}, podMetricsEndpoints: [{portNumber: 7000}]}',
      'TCP 7000',
    ],
    [
      'a targetPort',
      '{selector: {matchLabels: {app: web}}, podMetricsEndpoints: [{targetPort: http}]}',
      'TCP 8080',
    ],
    ['other pods', '{selector: {matchLabels: {app: api}}, podMetricsEndpoints: [{port: stats}]}', undefined],
    [
      'a port that the pods do not have',
      '{selector: {matchLabels: {app: web}}, podMetricsEndpoints: [{port: prom}]}',
      undefined,
    ],
  ])('%s', (_, spec, ports) => {
    expectOpen(
      [WEB, SERVICE, monitor('PodMonitor', spec)],
      ports === undefined ? [] : [BY_POD],
      ports === undefined ? [] : [opened(ports)],
    );
  });
});

describe('annotations', () => {
  const scrape = 'prometheus.io/scrape: "true"';
  const BY_ANNOTATION = need('annotation prometheus.io/scrape asks to collect its metrics');
  const ports =
    '{name: http, containerPort: 8080}, {containerPort: 9090}, {containerPort: 53, protocol: UDP}';

  test.each<[string, string, readonly string[], readonly string[]]>([
    [
      'with a port (d3)',
      deployment({ pod: `${scrape}, prometheus.io/port: "9102"` }),
      [BY_ANNOTATION],
      [opened('TCP 9102')],
    ],
    [
      'without a port: those of the containers',
      deployment({ pod: scrape, ports }),
      [BY_ANNOTATION],
      [opened('TCP 8080, TCP 9090')],
    ],
    ['false', deployment({ pod: 'prometheus.io/scrape: "false", prometheus.io/port: "9102"' }), [], []],
    ['a port alone', deployment({ pod: 'prometheus.io/port: "9102"' }), [], []],
    [
      'at the Deployment, where nothing reads it',
      deployment({ own: `${scrape}, prometheus.io/port: "9102"` }),
      [],
      [],
    ],
  ])('of pods: %s', (_, web, needs, connections) => {
    expectOpen([web], needs, connections);
  });

  test('of pods whose ports are not known, whatever the configuration', () => {
    const unknown =
      'Deployment/web ingress: annotation prometheus.io/scrape asks to collect its metrics; set the annotation prometheus.io/port';
    expect(needsIn([deployment({ pod: scrape })])).toEqual([unknown]);
    expect(needsIn([deployment({ pod: scrape })], PEERS)).toEqual([unknown]);
  });

  const BY_SERVICE_ANNOTATION = need(
    'annotation prometheus.io/scrape of Service/web asks to collect its metrics',
  );
  test.each<[string, string, readonly string[], readonly string[]]>([
    [
      'with a port',
      `annotations: {${scrape}, prometheus.io/port: "9102"}`,
      [BY_SERVICE_ANNOTATION],
      [opened('TCP 9102')],
    ],
    [
      'without a port: those of the Service',
      `annotations: {${scrape}}`,
      [BY_SERVICE_ANNOTATION],
      [opened('TCP 8080')],
    ],
    ['false', 'annotations: {prometheus.io/scrape: "false"}', [], []],
  ])('of a Service: %s', (_, metadata, needs, connections) => {
    expectOpen([WEB, service('{port: 80, targetPort: http}', metadata)], needs, connections);
  });
});

describe('names of ports', () => {
  test.each(['metrics', 'http-metrics', 'https-metrics'])('a container with the port %s (22)', (name) => {
    const web = deployment({
      ports: `{name: http, containerPort: 8080}, {name: ${name}, containerPort: 9090}`,
    });
    const sameName = service(`{name: ${name}, port: 80, targetPort: ${name}}`);
    expectOpen([web, sameName], [need(`container "web" has the port ${name}`)], [opened('TCP 9090')]);
  });

  test('a Service with the port metrics', () => {
    const named = service('{port: 80, targetPort: http}, {name: metrics, port: 81, targetPort: 9090}');
    expectOpen([WEB, named], [need('Service/web has the port metrics')], [opened('TCP 9090')]);
  });

  test.each(['web-metrics', 'metric', 'metricsx'])('not %s', (name) => {
    expectOpen([deployment({ ports: `{name: ${name}, containerPort: 9090}` })], [], []);
  });

  test('a sidecar has ports, a plain init container has none', () => {
    const init = (rest: string) =>
      deployment({}).replace(
        '      containers:',
        `      initContainers: [{name: init, image: "a:1", ports: [{name: metrics, containerPort: 9090}]${rest}}]\n      containers:`,
      );
    expectOpen(
      [init(', restartPolicy: Always')],
      [need('initContainer "init" has the port metrics')],
      [opened('TCP 9090')],
    );
    expectOpen([init('')], [], []);
  });
});

test('a port counts once, for the most specific evidence; two sorts with two ports are two needs', () => {
  const web = deployment({
    ports: '{name: metrics, containerPort: 9090}',
    pod: 'prometheus.io/scrape: "true", prometheus.io/port: "9102"',
  });
  const named = service('{name: metrics, port: 80, targetPort: 9090}');
  const spec = '{selector: {matchLabels: {app: web}}, endpoints: [{port: metrics}]}';
  expectOpen(
    [web, named, monitor('ServiceMonitor', spec)],
    [BY_SERVICE, need('annotation prometheus.io/scrape asks to collect its metrics')],
    [opened('TCP 9090'), opened('TCP 9102')],
  );
});

test('two monitors with two ports are one need', () => {
  const one = monitor('ServiceMonitor', '{selector: {matchLabels: {app: web}}, endpoints: [{port: stats}]}');
  const other = one.replace('name: prom', 'name: other').replace('port: stats', 'port: http');
  expect(needsIn([WEB, SERVICE, one, other])).toEqual([BY_SERVICE]);
  expect(readBuild([WEB, SERVICE, one, other], PEERS).connections).toEqual([
    opened('TCP 9090'),
    opened('TCP 8080'),
    'Deployment/web -> dns: UDP 53, TCP 53',
  ]);
});

describe('answers', () => {
  const ports = '{name: metrics, containerPort: 9090}';
  const NAMED = need('container "web" has the port metrics');
  test.each<[string, string, readonly string[]]>([
    ['accepts-from with this port', 'todo.example.com/accepts-from: "monitoring/app=prometheus:9090"', []],
    [
      'accepts-from with another port',
      'todo.example.com/accepts-from: "monitoring/app=prometheus:8080"',
      [NAMED],
    ],
    ['accepts-from none', 'todo.example.com/accepts-from: none', []],
    ['connects-to none', 'todo.example.com/connects-to: none', [NAMED]],
  ])('%s', (_, own, needs) => {
    expect(needsIn([deployment({ ports, own })])).toEqual(needs);
  });

  test('no connection where accepts-from says none', () => {
    const web = deployment({ ports, own: 'todo.example.com/accepts-from: none' });
    expect(readBuild([web], PEERS).connections).toEqual(['Deployment/web -> dns: UDP 53, TCP 53']);
  });
});

test('a policy selects the monitoring', () => {
  const web = deployment({ ports: '{name: metrics, containerPort: 9090}' });
  expect(readBuild([web], PEERS).policies.web).toMatchObject({
    ingress: [
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } },
            podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['prometheus'] }] },
          },
        ],
        ports: [{ protocol: 'TCP', port: 9090 }],
      },
    ],
  });
});

test('1,000 workloads, Services and ServiceMonitors', () => {
  const spec =
    '{namespaceSelector: {any: true}, selector: {matchLabels: {app: web}}, endpoints: [{port: stats}]}';
  const one = [WEB, SERVICE, monitor('ServiceMonitor', spec).replace('name: prom', 'name: web')];
  const build = Array.from({ length: 1000 }, (_, i) =>
    one.map((text) => text.replaceAll(/\bweb\b(?!:1)/g, `web-${i}`)),
  ).flat();
  const start = performance.now();
  const needs = needsIn(build);
  expect(needs).toHaveLength(1000);
  expect(needs[999]).toBe(BY_SERVICE.replace('/prom', '/web').replaceAll('/web', '/web-999'));
  expect(performance.now() - start).toBeLessThan(20_000);
});
