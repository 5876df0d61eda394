// Writes objects.yaml: objects that the API server accepts, from a seed, in mixes that part each policy's verdicts.
import fs from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';

const random = mulberry32(20261127);
const objects = [
  ...many(80, 'Pod', pod),
  ...many(70, 'Deployment', deployment),
  ...many(22, 'StatefulSet', statefulSet),
  ...many(18, 'DaemonSet', daemonSet),
  ...many(20, 'Job', job),
  ...many(24, 'CronJob', cronJob),
  ...many(50, 'Service', service),
  ...many(36, 'Ingress', ingress),
  ...many(36, 'ConfigMap', configMap),
  ...many(14, 'Namespace', namespace),
  ...many(16, 'PodDisruptionBudget', podDisruptionBudget),
  ...many(12, 'HorizontalPodAutoscaler', autoscaler),
  ...many(12, 'ServiceAccount', serviceAccount),
  ...many(14, 'Role', role),
  ...many(8, 'RoleBinding', roleBinding),
];
const head = '# Written by objects.mjs.\n';
const documents = objects.map((object) => stringify(object, { lineWidth: 0 }));
fs.writeFileSync(path.join(import.meta.dirname, 'objects.yaml'), head + documents.join('---\n'));

function many(count, kind, make) {
  return Array.from({ length: count }, (_, index) => {
    const name = `${kind.toLowerCase()}-${String(index).padStart(3, '0')}`;
    return clean(make(name, index));
  });
}

function object(apiVersion, kind, name, rest) {
  const place = kind === 'Namespace' ? {} : { namespace: namespaceOf() };
  return {
    apiVersion,
    kind,
    metadata: { name, ...place, labels: labels(), annotations: annotations() },
    ...rest,
  };
}

function namespaceOf() {
  return pick('shop-prod', 'shop-prod', 'shop-dev', 'payments', 'sandbox', 'default');
}

function labels() {
  return {
    'app.kubernetes.io/name': maybe(0.75, () => pick('web', 'api', 'worker', 'cache')),
    'app.kubernetes.io/version': maybe(0.5, () =>
      pick('1.4.2', 'v2.0', '0.9.9-beta', '5.0.1', '1.0.0-rc.1', 'main', '3', '01.2.3'),
    ),
    team: maybe(0.7, () => pick('shop', 'shop', 'payments', 'platform', 'search', 'Team_1', 'a-1')),
    tier: maybe(0.5, () => pick('web', 'batch', 'web')),
    'policy.example.com/exempt': maybe(0.08, () => pick('true', '')),
  };
}

function annotations() {
  return {
    'example.com/title': maybe(0.3, title),
    'example.com/zone': maybe(0.12, () => pick('eu-1', 'eu_1', 'EU', '-eu', 'a'.repeat(64))),
    'example.com/domain': maybe(0.12, () => pick('shop.example.com', 'shop..example', 'Shop.example')),
    'example.com/uuid': maybe(0.12, () =>
      pick('123e4567-e89b-12d3-a456-426614174000', '123E4567-E89B-12D3-A456-426614174000', '123e4567'),
    ),
    'example.com/until': maybe(0.12, () => pick('2027-02-28', '2027-02-29', '2027-2-3', '28.02.2027')),
    'example.com/reviewed': maybe(0.12, () =>
      pick('2026-11-01T10:00:00Z', '2026-11-01T10:00:00.5+02:00', '2026-11-01', '2026-11-01T10:00:00'),
    ),
    'example.com/docs': maybe(0.1, () =>
      pick('https://docs.example.com/a?b=c', 'docs', '/docs', 'http://a b'),
    ),
    'example.com/blob': maybe(0.1, () => pick('aGVsbG8=', 'aGVsbG8', 'a-_b', 'héllo', 'AA==')),
    'example.com/label-owner': maybe(0.1, () => pick('shop', 'the shop', 'x'.repeat(64), '')),
  };
}

function title() {
  return pick(
    'Shop',
    'Shop front',
    'shop front',
    ' Shop',
    'Shop  front',
    'Shop front!',
    'A very long title of a thing that nobody reads',
    'Four words are many',
    'Ä title',
    'Größe 12',
    'Snake_case v1.2',
    'Two v1.2.3',
    'Says "hi"',
    'Back\\slash',
  );
}

function image() {
  const registry = pick(
    'registry.example.com/',
    'registry.example.com/',
    'ghcr.io/acme/',
    'ghcr.io/other/',
    '',
  );
  const tag = pick(':1.4.2', ':1.27-alpine', ':latest', '', ':V2', `@sha256:${'ab'.repeat(32)}`, ':1.0.0');
  return `${registry}${pick('shop/web', 'api', 'worker', 'cache/redis')}${tag}`;
}

function container(name, workload) {
  return {
    name,
    image: workload.pinned ? `registry.example.com/shop/${name}:1.4.2` : image(),
    imagePullPolicy: maybe(0.25, () => pick('Always', 'IfNotPresent', 'Never')),
    ports: maybe(0.6, () => containerPorts()),
    resources: maybe(0.85, () => resources(workload)),
    securityContext: maybe(0.8, () => securityContext()),
    livenessProbe: maybe(0.6, probe),
    readinessProbe: maybe(0.6, probe),
    volumeMounts: workload.volumes?.length
      ? workload.volumes
          .filter(() => chance(0.7))
          .map((volume) => ({
            name: volume.name,
            mountPath: `/mnt/${volume.name}`,
            readOnly: maybe(0.6, () => chance(0.8)),
          }))
      : undefined,
  };
}

function containerPorts() {
  const numbers = pick([8080], [8080, 9090], [9090, 8080], [443, 8443], [53], [8080, 31000], [80]);
  return numbers.map((containerPort, index) => ({
    name: maybe(0.5, () => `p${index}`),
    containerPort,
    hostPort: undefined,
    protocol: maybe(0.3, () => pick('TCP', 'TCP', 'UDP')),
  }));
}

function resources() {
  const memory = pick(
    ['128Mi', '256Mi'],
    ['256Mi', '2Gi'],
    ['1024Mi', '3Gi'],
    ['100M', '200M'],
    [134217728, '512Mi'],
  );
  const [request, limit] = chance(0.75)
    ? pick(['128Mi', '256Mi'], ['0.5Gi', '1Gi'], ['1024Mi', '2048Mi'])
    : memory;
  const cpu = pick('100m', '250m', '0.5', 1, '2000m', ...(chance(0.3) ? ['10m', 3, '2001m', '49m'] : []));
  return {
    requests: maybe(0.93, () => ({ cpu: maybe(0.95, () => cpu), memory: request })),
    limits: maybe(0.93, () => ({ cpu: maybe(0.3, () => 4), memory: limit })),
  };
}

function securityContext() {
  const privileged = maybe(0.3, () => chance(0.3));
  return {
    privileged,
    allowPrivilegeEscalation: privileged === true ? undefined : maybe(0.6, () => chance(0.15)),
    runAsUser: maybe(0.4, () => pick(0, 1000, 65532)),
    capabilities: maybe(0.8, () => ({
      add: maybe(0.3, () =>
        pick(
          ['NET_BIND_SERVICE'],
          ['NET_ADMIN'],
          ['CHOWN', 'NET_BIND_SERVICE'],
          ['SYS_TIME'],
          ['CHOWN', 'SYS_ADMIN'],
        ),
      ),
      drop: maybe(0.9, () =>
        pick(
          ['ALL'],
          ['ALL'],
          ['ALL'],
          ['NET_RAW', 'SETUID', 'SETGID'],
          ['NET_RAW'],
          ['ALL', 'ALL'],
          ['ALL', 'KILL'],
        ),
      ),
    })),
  };
}

function probe() {
  return {
    httpGet: { path: '/healthz', port: 8080 },
    periodSeconds: maybe(0.5, () => pick(5, 10, 20)),
    timeoutSeconds: maybe(0.4, () => pick(1, 2, 5)),
    failureThreshold: maybe(0.4, () => pick(1, 2, 3, 5)),
  };
}

function volumes() {
  return many(pick(0, 0, 1, 2), 'v', (name) => ({
    name,
    ...pick(
      { emptyDir: {} },
      { emptyDir: { sizeLimit: '1Gi' } },
      { configMap: { name: 'settings', optional: true } },
      { hostPath: { path: '/var/log/pods' } },
      { hostPath: { path: '/var/log', type: 'Directory' } },
      { hostPath: { path: '/etc' } },
      { hostPath: { path: '/var/logs' } },
    ),
  }));
}

function podSpec(restartPolicies) {
  const workload = { pinned: chance(0.45), volumes: volumes() };
  const hostNetwork = maybe(0.2, () => chance(0.4));
  const containers = chance(0.25)
    ? [container('main', workload), container('side', workload)]
    : [container('main', workload)];
  if (hostNetwork === true)
    containers.flatMap((c) => c.ports ?? []).forEach((p) => (p.hostPort = p.containerPort));
  else if (containers[0].ports && chance(0.12)) containers[0].ports[0].hostPort = pick(8081, 9443);
  if (hostNetwork === true) uniquePorts(containers);
  return {
    containers,
    initContainers: maybe(0.25, () => [
      {
        ...container('prepare', workload),
        ports: undefined,
        livenessProbe: undefined,
        readinessProbe: undefined,
      },
    ]),
    restartPolicy: pick(...restartPolicies),
    dnsPolicy: maybe(0.1, () => pick('Default', 'ClusterFirst')),
    terminationGracePeriodSeconds: maybe(0.2, () => pick(10, 60, 120)),
    hostNetwork,
    hostPID: maybe(0.12, () => chance(0.4)),
    hostIPC: maybe(0.08, () => chance(0.4)),
    securityContext: maybe(0.5, () => ({ runAsNonRoot: maybe(0.7, () => chance(0.8)), fsGroup: 1000 })),
    volumes: workload.volumes.length ? workload.volumes : undefined,
    priorityClassName: maybe(0.4, () => pick('business-critical', 'business-critical', 'batch-low')),
    automountServiceAccountToken: maybe(0.3, () => false),
  };
}

function uniquePorts(containers) {
  const seen = new Set();
  for (const c of containers) {
    c.ports = c.ports?.filter((p) => !seen.has(p.containerPort) && seen.add(p.containerPort));
  }
}

function pod(name) {
  return object('v1', 'Pod', name, { spec: podSpec([undefined, 'Always', undefined, 'OnFailure', 'Never']) });
}

function template(name, restartPolicies = [undefined, undefined, 'Always']) {
  return { metadata: { labels: { app: name } }, spec: podSpec(restartPolicies) };
}

function selector(name) {
  return { matchLabels: { app: name } };
}

function deployment(name) {
  return object('apps/v1', 'Deployment', name, {
    spec: {
      replicas: maybe(0.8, () => pick(0, 1, 2, 2, 3, 3, 4, 5, 9)),
      revisionHistoryLimit: maybe(0.2, () => pick(2, 3)),
      selector: selector(name),
      strategy: maybe(0.4, () =>
        pick(
          { type: 'Recreate' },
          { type: 'RollingUpdate' },
          { rollingUpdate: { maxUnavailable: 0 } },
          { rollingUpdate: { maxUnavailable: '50%' } },
          { rollingUpdate: { maxUnavailable: 2, maxSurge: '10%' } },
        ),
      ),
      template: template(name),
    },
  });
}

function statefulSet(name) {
  return object('apps/v1', 'StatefulSet', name, {
    spec: {
      serviceName: name,
      replicas: maybe(0.7, () => pick(1, 2, 3, 5)),
      selector: selector(name),
      template: template(name),
    },
  });
}

function daemonSet(name) {
  return object('apps/v1', 'DaemonSet', name, {
    spec: { selector: selector(name), template: template(name) },
  });
}

function jobSpec(name) {
  return {
    backoffLimit: maybe(0.4, () => pick(0, 3, 6, 10)),
    activeDeadlineSeconds: maybe(0.75, () => pick(600, 3600, 7200, 7201, 18000)),
    template: {
      metadata: { labels: { job: name } },
      spec: podSpec(['Never', 'Never', 'Never', 'OnFailure']),
    },
  };
}

function withEnd(made) {
  const end = maybe(0.3, () =>
    pick(
      '2027-03-01T01:30:00Z',
      '2027-03-01T12:00:00Z',
      '2026-03-01T01:30:00Z',
      '2027-07-01T23:30:00+02:00',
      '2027-07-01T22:30:00Z',
      'tomorrow',
    ),
  );
  made.metadata.annotations['example.com/not-after'] = end;
  return made;
}

function job(name) {
  return withEnd(object('batch/v1', 'Job', name, { spec: jobSpec(name) }));
}

function cronJob(name) {
  return withEnd(
    object('batch/v1', 'CronJob', name, {
      spec: {
        schedule: pick('0 3 * * *', '*/5 * * * *', '* * * * *', '*/1 * * * *', '@daily', '15 2 * * 1'),
        concurrencyPolicy: maybe(0.75, () => pick('Forbid', 'Forbid', 'Replace', 'Allow')),
        jobTemplate: { spec: jobSpec(name) },
      },
    }),
  );
}

function service(name) {
  const type = pick(
    undefined,
    'ClusterIP',
    undefined,
    'NodePort',
    'LoadBalancer',
    'LoadBalancer',
    'ExternalName',
  );
  const external = type === 'ExternalName';
  const ports = pick(
    [{ port: 80 }],
    [{ port: 80, targetPort: 'http' }],
    [{ port: 443, targetPort: 443 }],
    [{ port: 53, protocol: 'UDP' }],
    [
      { name: 'http', port: 80, targetPort: 8080 },
      { name: 'https', port: 443, targetPort: 8443 },
    ],
    [
      { name: 'http', port: 8080 },
      { name: 'm', port: 80, targetPort: 81 },
    ],
    [
      { name: 'http', port: 80, targetPort: 8080 },
      { name: 'metrics', port: 9090 },
      { name: 'x', port: 31000 },
    ],
    [
      { name: 'dns', port: 5353, protocol: 'UDP' },
      { name: 'dns-tcp', port: 5353 },
    ],
    [
      { name: 'a-1', port: 29000 },
      { name: 'a-2', port: 29500 },
      { name: 'a-3', port: 29900 },
    ],
  );
  const made = object('v1', 'Service', name, {
    spec: {
      type,
      clusterIP: type === undefined ? maybe(0.2, () => 'None') : undefined,
      externalName: external ? 'db.example.com' : undefined,
      selector: external ? undefined : { app: 'web' },
      ports: external && chance(0.5) ? undefined : ports.map((port) => ({ ...port })),
      externalIPs: maybe(0.35, () =>
        pick(
          ['203.0.113.7'],
          ['203.0.113.7', '198.51.100.1'],
          ['2001:db8::1'],
          ['2001:db9::1'],
          ['203.0.114.0'],
          ['10.1.2.3'],
        ),
      ),
      loadBalancerSourceRanges:
        type === 'LoadBalancer'
          ? maybe(0.7, () =>
              pick(
                ['203.0.113.0/24'],
                ['0.0.0.0/0'],
                ['10.1.0.0/16'],
                ['10.1.0.0/16', '203.0.113.0/24'],
                ['2001:db8::/32'],
                ['64.0.0.0/7'],
              ),
            )
          : undefined,
      sessionAffinity: external ? undefined : maybe(0.15, () => 'ClientIP'),
    },
  });
  made.metadata.annotations['example.com/exposed'] = maybe(0.3, () => 'yes');
  return made;
}

function ingress(name) {
  const hosts = many(pick(1, 1, 2, 0), 'h', () =>
    pick(
      undefined,
      'shop.example.com',
      'shop.example.com',
      'www.shop.example.com',
      'shop.example.org',
      'shop.example.net',
      'example.com.evil.io',
      'a-b-c-d.example.com',
      'v1.eu-2.example.com',
      '*.example.com',
    ),
  );
  const made = object('networking.k8s.io/v1', 'Ingress', name, {
    spec: {
      ingressClassName: 'public',
      defaultBackend: hosts.length === 0 ? backend() : undefined,
      rules: hosts.length
        ? hosts.map((host) => ({
            host,
            http: maybe(0.9, () => ({
              paths: [
                pick(
                  { path: '/', pathType: 'Prefix' },
                  { path: '/api', pathType: 'Exact' },
                  { path: '/', pathType: 'Prefix' },
                  { pathType: 'ImplementationSpecific' },
                ),
              ].map((rule) => ({ ...rule, backend: backend() })),
            })),
          }))
        : undefined,
      tls: maybe(0.8, () => [
        { hosts: chance(0.85) ? hosts.filter((host) => host) : ['shop.example.com'], secretName: 'tls' },
      ]),
    },
  });
  made.metadata.annotations['example.com/callback'] = maybe(0.5, () =>
    pick(
      'https://shop.example.com/callback',
      'https://shop.example.com:8443/callback?x=1',
      'https://shop.example.com:9443/',
      'http://shop.example.com/',
      'https://example.com.evil.io/',
      'https://shop.example.com/?token=1',
      'https://shop.example.com/a%2Fb',
      'shop.example.com',
      '/callback',
      'https://[2001:db8::1]:443/',
    ),
  );
  return made;
}

function backend() {
  return { service: { name: 'web', port: { number: 80 } } };
}

function configMap(name) {
  return object('v1', 'ConfigMap', name, {
    data: maybe(0.92, () => ({
      owner: maybe(0.75, () =>
        pick('shop@example.com', 'shop@example.com', 'payments@example.com', 'shop@example.org'),
      ),
      ttl: maybe(0.5, () => pick('1h', '24h', '90m', '25h', 'a day', '1d')),
      ranks: maybe(0.5, () => pick('1,2,3', '3,1,2', '1,two', '10,9', '9,10', '')),
      flags: maybe(0.6, () => pick('a', 'a,b', 'a,b,c', 'a,b,c,d', '')),
    })),
  });
}

function namespace(name) {
  const made = object('v1', 'Namespace', name, {});
  made.metadata.name = `${pick('shop', 'payments', 'search')}-${name}`;
  made.metadata.labels['example.com/imported'] = maybe(0.15, () => 'true');
  made.metadata.labels['pod-security.kubernetes.io/enforce'] = maybe(0.75, () =>
    pick('baseline', 'restricted', 'restricted', 'privileged'),
  );
  return made;
}

function podDisruptionBudget(name) {
  return object('policy/v1', 'PodDisruptionBudget', name, {
    spec: {
      selector: maybe(0.9, () => (chance(0.85) ? selector('web') : {})),
      ...pick(
        { minAvailable: 1 },
        { minAvailable: '50%' },
        { minAvailable: '100%' },
        { minAvailable: 5 },
        { maxUnavailable: 1 },
        { maxUnavailable: 0 },
        { maxUnavailable: '0%' },
      ),
    },
  });
}

function autoscaler(name) {
  return object('autoscaling/v2', 'HorizontalPodAutoscaler', name, {
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: maybe(0.8, () => pick(1, 2, 3)),
      maxReplicas: pick(4, 10, 12, 17, 7),
      metrics: maybe(0.5, () => [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
        },
      ]),
    },
  });
}

function serviceAccount(name) {
  return object('v1', 'ServiceAccount', name, { automountServiceAccountToken: maybe(0.5, () => false) });
}

function role(name) {
  const rules = many(pick(0, 1, 1, 2, 2), 'r', () => ({
    apiGroups: pick([''], ['apps'], ['*']),
    resources: pick(['pods'], ['secrets'], ['deployments', 'secrets'], ['*'], ['configmaps']),
    resourceNames: maybe(0.25, () => ['settings']),
    verbs: pick(['get'], ['get', 'list'], ['get', 'list', 'watch'], ['*']),
  }));
  return object('rbac.authorization.k8s.io/v1', 'Role', name, { rules: maybe(0.9, () => rules) });
}

function roleBinding(name) {
  const group = 'rbac.authorization.k8s.io';
  return object('rbac.authorization.k8s.io/v1', 'RoleBinding', name, {
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'view' },
    subjects: maybe(0.9, () => [
      { kind: 'ServiceAccount', name: 'web', namespace: 'shop-prod' },
      ...pick(
        [],
        [{ apiGroup: group, kind: 'User', name: 'jane' }],
        [{ apiGroup: group, kind: 'Group', name: 'shop' }],
      ),
    ]),
  });
}

/** Without what is undefined and without labels or annotations of no entry. */
function clean(value) {
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  const made = Object.fromEntries(entries.map(([key, part]) => [key, clean(part)]));
  for (const key of [
    'labels',
    'annotations',
    'volumeMounts',
    'securityContext',
    'resources',
    'capabilities',
  ]) {
    if (made[key] && Object.keys(made[key]).length === 0) delete made[key];
  }
  return made;
}

function maybe(probability, make) {
  return chance(probability) ? make() : undefined;
}

function chance(probability) {
  return random() < probability;
}

function pick(...choices) {
  return choices[Math.floor(random() * choices.length)];
}

function mulberry32(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
