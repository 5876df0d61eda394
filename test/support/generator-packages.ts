import type { PackageFiles } from './package-files';

/** Packages whose generators read files that kpt does not bring. */

interface Pod {
  readonly kind?: 'Deployment' | 'StatefulSet';
  /** Lines of the container. */
  readonly container?: string;
  /** Lines of the pod. */
  readonly pod?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: string;
}

export const KUSTOMIZATION = (text: string) =>
  `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n${text}`;

export const WORKLOAD = (
  name: string,
  { kind = 'Deployment', container = '', pod = '', annotations = {}, spec = '' }: Pod = {},
) => `apiVersion: apps/v1
kind: ${kind}
metadata:
  name: ${name}
${Object.keys(annotations).length === 0 ? '' : '  annotations:\n'}${Object.entries(annotations)
  .map(([key, value]) => `    todo.example.com/${key}: ${JSON.stringify(value)}\n`)
  .join('')}spec:
${spec}  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
${pod}      containers:
        - name: ${name}
          image: ghcr.io/acme/${name}:1.0.0
${container}`;

export const SERVICE = (name: string, ...ports: readonly number[]) => `apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector:
    app: ${name}
  ports:
${ports.map((port) => `    - name: p${port}\n      port: ${port}\n`).join('')}`;

export const ENV_FROM = (name: string, kind = 'configMapRef') =>
  `          envFrom:\n            - ${kind}:\n                name: ${name}\n`;

export const ENV = (key: string, value: string) =>
  `          env:\n            - name: ${key}\n              value: ${JSON.stringify(value)}\n`;

const VOLUME = (name: string) =>
  `      volumes:\n        - name: files\n          configMap:\n            name: ${name}\n`;

export const GENERATOR = (name: string, inputs: string, kind = 'configMapGenerator') =>
  `${kind}:\n  - name: ${name}\n${inputs.replace(/^(?=.)/gm, '    ')}`;

export const INGRESS = (service: string, port: number) => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${service}
spec:
  ingressClassName: nginx
  rules:
    - host: ${service}.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: ${service}
                port:
                  number: ${port}
`;

/** A base with an overlay prod. */
export const PACKAGE = (
  resources: readonly string[],
  generators: string,
  others: PackageFiles,
  prod = 'namespace: shop\n',
): PackageFiles => ({
  'base/app.yaml': resources.join('---\n'),
  'base/kustomization.yaml': KUSTOMIZATION(`resources:\n  - app.yaml\n${generators}`),
  'overlays/prod/kustomization.yaml': KUSTOMIZATION(`resources:\n  - ../../base\n${prod}`),
  ...others,
});

const GUARDRAILS = (text: string) => `apiVersion: todo.example.com/v1alpha1
kind: Guardrails
metadata:
  name: guardrails
  annotations:
    config.kubernetes.io/local-config: "true"
spec:
${text}`;

const REDIS = [WORKLOAD('redis'), SERVICE('redis', 6379)];
const API = WORKLOAD('api', { container: ENV_FROM('api-config') });
const API_ENV = { 'base/api.env': 'REDIS_ADDR=redis:6379\n' };
const ENVS = GENERATOR('api-config', 'envs:\n  - api.env\n');

const ALLOWS_SECRETS = { 'base/guardrails.yaml': GUARDRAILS('  rules:\n    plain-secret: off\n') };

export const PACKAGES = {
  'envs (case 96)': PACKAGE([API, ...REDIS], ENVS, API_ENV),
  'a host outside, answered': PACKAGE(
    [
      WORKLOAD('api', {
        container: ENV_FROM('api-config'),
        annotations: { 'connects-to': 'api.stripe.com:443' },
      }),
      ...REDIS,
    ],
    ENVS,
    { 'base/api.env': 'REDIS_ADDR=redis:6379\nSTRIPE_URL=https://api.stripe.com\n' },
  ),
  'a host outside, unresolved': PACKAGE([API, ...REDIS], ENVS, {
    'base/api.env': 'REDIS_ADDR=redis:6379\nSTRIPE_URL=https://api.stripe.com\n',
    'base/guardrails.yaml': GUARDRAILS('  network:\n    unresolved: warning\n'),
  }),
  'nginx.conf in a volume': PACKAGE(
    [
      WORKLOAD('proxy', {
        container:
          '          volumeMounts:\n            - name: files\n              mountPath: /etc/nginx/conf.d\n',
        pod: VOLUME('proxy-files'),
      }),
      WORKLOAD('web'),
      SERVICE('web', 8080),
      WORKLOAD('static'),
      SERVICE('static', 8081),
    ],
    GENERATOR('proxy-files', 'files:\n  - nginx.conf\n'),
    {
      'base/nginx.conf':
        'upstream app {\n  server web:8080;\n}\nserver {\n  location / {\n    proxy_pass http://app;\n  }\n  location /static {\n    proxy_pass http://static:8081;\n  }\n}\n',
    },
  ),
  'a file behind a key': PACKAGE(
    [
      WORKLOAD('api', {
        container:
          '          env:\n            - name: REDIS_URL\n              valueFrom:\n                configMapKeyRef:\n                  name: api-config\n                  key: url\n',
      }),
      ...REDIS,
    ],
    GENERATOR('api-config', 'files:\n  - url=redis.txt\n'),
    { 'base/redis.txt': 'redis://redis:6379' },
  ),
  'a variable behind a key': PACKAGE(
    [
      WORKLOAD('api', {
        container:
          '          env:\n            - name: REDIS_ADDR\n              valueFrom:\n                configMapKeyRef:\n                  name: api-config\n                  key: REDIS_ADDR\n',
      }),
      ...REDIS,
    ],
    ENVS,
    API_ENV,
  ),
  'literals and envs': PACKAGE(
    [API, ...REDIS, WORKLOAD('db'), SERVICE('db', 5432)],
    GENERATOR('api-config', 'literals:\n  - DB_URL=postgres://db:5432/shop\nenvs:\n  - api.env\n'),
    API_ENV,
  ),
  'merged in one of two overlays': {
    ...PACKAGE(
      [API, ...REDIS, WORKLOAD('db'), SERVICE('db', 5432)],
      GENERATOR('api-config', 'literals:\n  - DB_URL=postgres://db:5432/shop\n'),
      { 'overlays/prod/prod.env': 'REDIS_ADDR=redis:6379\n' },
      `namespace: shop\n${GENERATOR('api-config', 'behavior: merge\nenvs:\n  - prod.env\n')}`,
    ),
    'overlays/dev/kustomization.yaml': KUSTOMIZATION(
      `resources:\n  - ../../base\nnamespace: dev\n${GENERATOR('api-config', 'behavior: merge\nliterals:\n  - REDIS_ADDR=redis:6379\n  - CACHE_URL=http://db:5432\n')}`,
    ),
  },
  'a Secret': PACKAGE(
    [WORKLOAD('api', { container: ENV_FROM('api-secret', 'secretRef') }), WORKLOAD('worker')],
    GENERATOR('api-secret', 'envs:\n  - api.env\n', 'secretGenerator'),
    { 'base/api.env': 'PASSWORD=8472984792\nTOKEN=92837498237\n', ...ALLOWS_SECRETS },
  ),
  'a Secret with an address': PACKAGE(
    [WORKLOAD('api', { container: ENV_FROM('api-secret', 'secretRef') }), WORKLOAD('worker')],
    GENERATOR('api-secret', 'envs:\n  - api.env\n', 'secretGenerator'),
    { 'base/api.env': 'DB_URL=postgres://u:8472984792@db.example.com\n', ...ALLOWS_SECRETS },
  ),
  'a Secret with an address, declared': PACKAGE(
    [
      WORKLOAD('api', {
        container: ENV_FROM('api-secret', 'secretRef'),
        annotations: { 'connects-to': 'redis:6379' },
      }),
      ...REDIS,
    ],
    GENERATOR('api-secret', 'envs:\n  - api.env\n', 'secretGenerator'),
    { 'base/api.env': 'REDIS_URL=redis://u:8472984792@redis:6379\n', ...ALLOWS_SECRETS },
  ),
  'two workloads, one file': PACKAGE(
    [API, WORKLOAD('worker', { container: ENV_FROM('api-config') }), ...REDIS],
    ENVS,
    API_ENV,
  ),
  'known connections too': PACKAGE(
    [
      WORKLOAD('api', { container: ENV_FROM('api-config') + ENV('DB_URL', 'postgres://db:5432/shop') }),
      SERVICE('api', 8080),
      INGRESS('api', 8080),
      ...REDIS,
      WORKLOAD('db'),
      SERVICE('db', 5432),
    ],
    ENVS,
    API_ENV,
  ),
  'without a hash': PACKAGE(
    [WORKLOAD('api', { container: ENV_FROM('api-production') }), ...REDIS],
    `${GENERATOR('api-production', 'envs:\n  - api.env\n')}generatorOptions:\n  disableNameSuffixHash: true\n`,
    API_ENV,
  ),
  'a namespace of the build': PACKAGE(
    [API, ...REDIS, 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n'],
    ENVS,
    API_ENV,
  ),
  'two overlays, two files': {
    'base/app.yaml': [API, ...REDIS, WORKLOAD('cache'), SERVICE('cache', 11211)].join('---\n'),
    'base/kustomization.yaml': KUSTOMIZATION('resources:\n  - app.yaml\n'),
    'overlays/dev/kustomization.yaml': KUSTOMIZATION(
      `resources:\n  - ../../base\nnamespace: dev\n${GENERATOR('api-config', 'envs:\n  - dev.env\n')}`,
    ),
    'overlays/dev/dev.env': 'REDIS_ADDR=redis:6379\nCACHE_ADDR=cache:11211\n',
    'overlays/prod/kustomization.yaml': KUSTOMIZATION(
      `resources:\n  - ../../base\nnamespace: prod\n${GENERATOR('api-config', 'envs:\n  - prod.env\n')}`,
    ),
    'overlays/prod/prod.env': 'CACHE_ADDR=cache:11211\nA_REDIS_ADDR=redis:6379\nALSO_REDIS_ADDR=redis:6379\n',
  },
  'a StatefulSet': PACKAGE(
    [
      WORKLOAD('db', {
        kind: 'StatefulSet',
        container: ENV_FROM('db-config') + '          ports:\n            - containerPort: 5432\n',
        spec: '  serviceName: db\n',
      }),
      SERVICE('db', 5432).replace('spec:\n', 'spec:\n  clusterIP: None\n'),
      WORKLOAD('api', { container: ENV('DB_URL', 'postgres://db:5432/shop') }),
      ...REDIS,
    ],
    GENERATOR('db-config', 'envs:\n  - db.env\n'),
    { 'base/db.env': 'REDIS_ADDR=redis:6379\n' },
  ),
  'held back in one of two overlays': {
    'base/app.yaml': [API, ...REDIS, WORKLOAD('db'), SERVICE('db', 5432)].join('---\n'),
    'base/kustomization.yaml': KUSTOMIZATION('resources:\n  - app.yaml\n'),
    'base/guardrails.yaml': GUARDRAILS('  network:\n    unresolved: warning\n'),
    'overlays/dev/kustomization.yaml': KUSTOMIZATION(
      `resources:\n  - ../../base\nnamespace: dev\n${GENERATOR('api-config', 'envs:\n  - dev.env\n')}`,
    ),
    'overlays/dev/dev.env': 'REDIS_ADDR=redis:6379\nDB_ADDR=db:5432\nMOCK_URL=https://mock.example.org\n',
    'overlays/prod/kustomization.yaml': KUSTOMIZATION(
      `resources:\n  - ../../base\nnamespace: prod\n${GENERATOR('api-config', 'envs:\n  - prod.env\n')}`,
    ),
    'overlays/prod/prod.env': 'REDIS_ADDR=redis:6379\nDB_ADDR=db:5432\n',
  },
  'two namespaces': {
    'base/shop/app.yaml': API,
    'base/shop/kustomization.yaml': KUSTOMIZATION(`namespace: shop\nresources:\n  - app.yaml\n${ENVS}`),
    'base/shop/api.env': 'REDIS_ADDR=redis.data:6379\n',
    'base/data/app.yaml': REDIS.join('---\n'),
    'base/data/kustomization.yaml': KUSTOMIZATION('namespace: data\nresources:\n  - app.yaml\n'),
    'overlays/prod/kustomization.yaml': KUSTOMIZATION(
      'resources:\n  - ../../base/shop\n  - ../../base/data\n',
    ),
  },
  'the network of the node': PACKAGE(
    [
      WORKLOAD('api', { container: ENV_FROM('api-config'), pod: '      hostNetwork: true\n' }),
      WORKLOAD('redis', { annotations: { 'accepts-from': '10.0.0.0/8:6379' } }),
      SERVICE('redis', 6379),
    ],
    ENVS,
    { ...API_ENV, 'base/guardrails.yaml': GUARDRAILS('  rules:\n    pod-security: off\n') },
  ),
  'names and labels of the overlay': PACKAGE(
    [API, ...REDIS],
    ENVS,
    { 'base/api.env': 'REDIS_ADDR=eu-redis-x:6379\n' },
    'namespace: shop\nnamePrefix: eu-\nnameSuffix: -x\nlabels:\n  - pairs:\n      team: shop\n    includeSelectors: true\n',
  ),
} satisfies Readonly<Record<string, PackageFiles>>;
