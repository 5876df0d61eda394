import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type {
  V1Container,
  V1Deployment,
  V1HTTPIngressPath,
  V1Ingress,
  V1PodSpec,
} from '@kubernetes/client-node';
import { parse } from 'yaml';
import { pinnedCopy } from '../functions/guardrails/kustomize/pinned';
import {
  buildKustomization,
  buildOverlay,
  furtherWorkloads,
  resource,
  resourcesOf,
  SPECIFIED_WORKLOADS,
  withoutFurtherWorkloads,
  type KubernetesResource,
  type LabelSelector,
  type OverlayName,
  type PolicyPeer,
} from './support/built-overlay';
import { describeWithTool } from './support/tools';

const SECRET_KEYS = ['DATABASE_URL', 'OPENAI_API_KEY', 'SECRET_KEY'];

/** `PODS <- PEER PORT` is ingress that a policy allows, `PODS -> PEER PORT` egress. */
const CONTROLLER =
  'kubernetes.io/metadata.name=ingress-nginx / app.kubernetes.io/component in (controller),app.kubernetes.io/name in (ingress-nginx)';
const KUBE_DNS = 'kubernetes.io/metadata.name=kube-system / k8s-app in (kube-dns)';
const NODE_LOCAL_DNS = '169.254.20.10/32';
const INTERNET_4 =
  '0.0.0.0/0 except 0.0.0.0/8,10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,169.254.0.0/16,172.16.0.0/12,192.0.0.0/24,192.0.2.0/24,192.88.99.0/24,192.168.0.0/16,198.18.0.0/15,198.51.100.0/24,203.0.113.0/24,224.0.0.0/4,240.0.0.0/4';
const INTERNET_6 =
  '::/0 except ::/128,::1/128,64:ff9b:1::/48,100::/64,100:0:0:1::/64,2001::/23,2001:db8::/32,2002::/16,3fff::/20,5f00::/16,fc00::/7,fe80::/10,ff00::/8';
const CONTROLLER_TO_FRONTEND = [`app=todo-frontend <- ${CONTROLLER} TCP 3000`];
const CONTROLLER_TO_BACKEND = [`app=todo-backend <- ${CONTROLLER} TCP 8000`];
const FRONTEND_TO_BACKEND = [
  'app=todo-backend <- app=todo-frontend TCP 8000',
  'app=todo-frontend -> app=todo-backend TCP 8000',
];
const BACKEND_TO_INTERNET = [
  `app=todo-backend -> ${INTERNET_4} TCP 443`,
  `app=todo-backend -> ${INTERNET_4} TCP 5432`,
  `app=todo-backend -> ${INTERNET_6} TCP 443`,
  `app=todo-backend -> ${INTERNET_6} TCP 5432`,
];
const DNS = SPECIFIED_WORKLOADS.flatMap((workload) => [
  `app=${workload} -> ${KUBE_DNS} UDP 53`,
  `app=${workload} -> ${KUBE_DNS} TCP 53`,
  `app=${workload} -> ${NODE_LOCAL_DNS} UDP 53`,
  `app=${workload} -> ${NODE_LOCAL_DNS} TCP 53`,
]);
const CONTROLLER_TO_ACME_SOLVER = [`acme.cert-manager.io/http01-solver in (true) <- ${CONTROLLER} TCP 8089`];

const builds = { dev: buildOverlay('dev'), prod: buildOverlay('prod') };

describe.each(['dev', 'prod'] as const)('overlays/%s, checked against the specification', (overlay) => {
  const built = withoutFurtherWorkloads(builds[overlay]);
  const lawfully = <T>(values: Record<OverlayName, T>): T => values[overlay];
  const deployment = (name: string) => resource(built, 'Deployment', name);
  const service = (name: string) => resource(built, 'Service', name);
  const configMap = () => resource(built, 'ConfigMap', 'backend-config-*');
  const ingress = () => resource(built, 'Ingress', 'todo-ingress');
  const backend = () => containerOf(deployment('todo-backend'));
  const frontend = () => containerOf(deployment('todo-frontend'));

  describe('1 API versions', () => {
    it.each([
      ['Deployments/StatefulSets: apps/v1', ['Deployment', 'StatefulSet'], 'apps/v1', 2],
      ['Services: v1', ['Service'], 'v1', 2],
      ['Ingress: networking.k8s.io/v1', ['Ingress'], 'networking.k8s.io/v1', 1],
      ['ConfigMaps/Secrets: v1', ['ConfigMap', 'Secret'], 'v1', lawfully({ dev: 2, prod: 1 })],
    ])('1 %s', (_line, kinds, apiVersion, count) => {
      const found = built.filter((each) => kinds.includes(each.kind)).map((each) => each.apiVersion);
      expect(found).toEqual(Array(count).fill(apiVersion));
    });
    it('1 does not specify the others: their stable versions', () => {
      const specified = ['Deployment', 'Service', 'Ingress', 'ConfigMap', 'Secret'];
      const others = built.filter(({ kind }) => !specified.includes(kind));
      expect([...new Set(others.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`))].sort()).toEqual([
        ...lawfully({ dev: [], prod: ['external-secrets.io/v1 ExternalSecret'] }),
        'networking.k8s.io/v1 NetworkPolicy',
        ...lawfully({ dev: [], prod: ['policy/v1 PodDisruptionBudget'] }),
        'v1 Namespace',
        'v1 ServiceAccount',
      ]);
    });
  });

  describe('2.1 Backend Deployment', () => {
    it('2.1 Kind: Deployment, in backend-deployment.yaml', () => {
      expect(deployment('todo-backend').apiVersion).toBe('apps/v1');
      expect(read('base/backend/backend-deployment.yaml')).toMatchObject({
        kind: 'Deployment',
        metadata: { name: 'todo-backend' },
      });
    });
    it('2.1 Replicas: configurable (default: 2); decision 11: 3 in prod', () => {
      expect(deployment('todo-backend').spec?.replicas).toBe(lawfully({ dev: 2, prod: 3 }));
    });
    it('2.1 Selector: matchLabels { app: todo-backend }', () => {
      expect(deployment('todo-backend').spec?.selector).toEqual({ matchLabels: { app: 'todo-backend' } });
    });
    it('2.1 Strategy: RollingUpdate, maxUnavailable 1, maxSurge 1', () => {
      expect(deployment('todo-backend').spec?.strategy).toEqual({
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable: 1, maxSurge: 1 },
      });
    });
    it('2.1 Labels: app: todo-backend, version: v1', () => {
      expect(deployment('todo-backend').spec?.template.metadata?.labels).toMatchObject({
        app: 'todo-backend',
        version: 'v1',
      });
    });
    it('2.1 Security context (pod): runAsUser 1000, runAsGroup 1000, fsGroup 1000', () => {
      expect(podOf(deployment('todo-backend')).securityContext).toMatchObject({
        runAsUser: 1000,
        runAsGroup: 1000,
        fsGroup: 1000,
      });
    });
    it('2.1 Image: todo-backend:latest; a specific tag in prod', () => {
      expect(backend().image).toMatch(
        lawfully({
          dev: /^todo-backend:latest$/,
          prod: /^registry\.example\.com\/todo\/todo-backend:v\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?$/,
        }),
      );
    });
    it('2.1 Ports: container port 8000', () => {
      expect(backend().ports).toEqual([{ name: 'http', containerPort: 8000 }]);
    });
    it('2.1 Resources, requests: cpu 100m, memory 128Mi', () => {
      expect(backend().resources?.requests).toEqual({ cpu: '100m', memory: '128Mi' });
    });
    it('2.1 Resources, limits: cpu 500m, memory 512Mi', () => {
      expect(backend().resources?.limits).toEqual({ cpu: '500m', memory: '512Mi' });
    });
    it('2.1 livenessProbe: HTTP GET /health (port 8000), initialDelaySeconds 10', () => {
      expect(backend().livenessProbe).toMatchObject({
        httpGet: { path: '/health', port: 8000 },
        initialDelaySeconds: 10,
      });
    });
    it('2.1 readinessProbe: HTTP GET /health (port 8000), initialDelaySeconds 5', () => {
      expect(backend().readinessProbe).toMatchObject({
        httpGet: { path: '/health', port: 8000 },
        initialDelaySeconds: 5,
      });
    });
    it('2.1 EnvFrom: configMapRef backend-config (its generated name)', () => {
      expect(backend().envFrom).toContainEqual({ configMapRef: { name: configMap().metadata.name } });
    });
    it('2.1 EnvFrom: secretRef backend-secrets', () => {
      expect(backend().envFrom).toContainEqual({ secretRef: { name: 'backend-secrets' } });
      expect(backend().envFrom).toHaveLength(2);
    });
    it('2.1 Security context (container): allowPrivilegeEscalation false', () => {
      expect(backend().securityContext?.allowPrivilegeEscalation).toBe(false);
    });
    it('2.1 Security context (container): readOnlyRootFilesystem true', () => {
      expect(backend().securityContext?.readOnlyRootFilesystem).toBe(true);
    });
    it('2.1 Security context (container): an emptyDir where the app writes, /tmp', () => {
      expect(writable(deployment('todo-backend'))).toEqual({ '/tmp': { sizeLimit: '64Mi' } });
    });
    it('2.1 Security context (container): capabilities drop ["ALL"]', () => {
      expect(backend().securityContext?.capabilities).toEqual({ drop: ['ALL'] });
    });
  });

  describe('2.2 Frontend Deployment', () => {
    it('2.2 Kind: Deployment, in frontend-deployment.yaml', () => {
      expect(deployment('todo-frontend').apiVersion).toBe('apps/v1');
      expect(read('base/frontend/frontend-deployment.yaml')).toMatchObject({
        kind: 'Deployment',
        metadata: { name: 'todo-frontend' },
      });
    });
    it('2.2 Replicas: configurable (default: 2); decision 11: 3 in prod', () => {
      expect(deployment('todo-frontend').spec?.replicas).toBe(lawfully({ dev: 2, prod: 3 }));
    });
    it('2.2 Selector: matchLabels { app: todo-frontend }', () => {
      expect(deployment('todo-frontend').spec?.selector).toEqual({ matchLabels: { app: 'todo-frontend' } });
    });
    it('2.2 Labels: app: todo-frontend', () => {
      expect(deployment('todo-frontend').spec?.template.metadata?.labels?.app).toBe('todo-frontend');
    });
    it('2.2 Image: todo-frontend:latest; decision 13: a specific tag in prod', () => {
      expect(frontend().image).toMatch(
        lawfully({
          dev: /^todo-frontend:latest$/,
          prod: /^registry\.example\.com\/todo\/todo-frontend:v\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?$/,
        }),
      );
    });
    it('2.2 Ports: container port 3000', () => {
      expect(frontend().ports).toEqual([{ name: 'http', containerPort: 3000 }]);
    });
    it('2.2 Resources, requests: cpu 100m, memory 128Mi', () => {
      expect(frontend().resources?.requests).toEqual({ cpu: '100m', memory: '128Mi' });
    });
    it('2.2 Resources, limits: cpu 500m, memory 512Mi', () => {
      expect(frontend().resources?.limits).toEqual({ cpu: '500m', memory: '512Mi' });
    });
    it('2.2 livenessProbe: HTTP GET /api/health, port 3000', () => {
      expect(frontend().livenessProbe?.httpGet).toEqual({ path: '/api/health', port: 3000 });
    });
    it('2.2 readinessProbe: HTTP GET /api/health, port 3000', () => {
      expect(frontend().readinessProbe?.httpGet).toEqual({ path: '/api/health', port: 3000 });
    });
    it('2.2 Env: NEXT_PUBLIC_API_URL, URL to access the backend via Ingress', () => {
      expect(environment(frontend()).NEXT_PUBLIC_API_URL).toBe(
        lawfully({ dev: 'http://todo.local', prod: 'https://todo.example.com' }),
      );
    });
  });

  describe('2.3 Services', () => {
    it.each(SPECIFIED_WORKLOADS)('2.3 %s: Type ClusterIP', (name) => {
      expect(service(name).spec?.type).toBe('ClusterIP');
    });
    it.each([
      ['todo-backend', 8000],
      ['todo-frontend', 3000],
    ])('2.3 %s: Port 80 (targetPort %i)', (name, targetPort) => {
      expect(service(name).spec?.ports).toEqual([{ name: 'http', port: 80, targetPort }]);
    });
    it.each(SPECIFIED_WORKLOADS)('2.3 %s: Selector app: %1$s', (name) => {
      expect(service(name).spec?.selector).toEqual({ app: name });
    });
  });

  describe('3 Configuration and secrets', () => {
    it('3.1 ENVIRONMENT: "production"; decision 5: development in dev', () => {
      expect(configMap().data?.ENVIRONMENT).toBe(lawfully({ dev: 'development', prod: 'production' }));
    });
    it('3.1 LOG_LEVEL: "info"; decision 5: debug in dev', () => {
      expect(configMap().data?.LOG_LEVEL).toBe(lawfully({ dev: 'debug', prod: 'info' }));
    });
    it('3.1 ALLOWED_ORIGINS: both in the base; decision 5: each overlay has its own alone', () => {
      expect(configMap().data?.ALLOWED_ORIGINS).toBe(
        lawfully({ dev: 'http://todo.local', prod: 'https://todo.example.com' }),
      );
    });
    it('3.1 backend-config contains nothing else', () => {
      expect(Object.keys(configMap().data ?? {}).sort()).toEqual([
        'ALLOWED_ORIGINS',
        'ENVIRONMENT',
        'LOG_LEVEL',
      ]);
    });
    it('3.2 backend-secrets: DATABASE_URL, OPENAI_API_KEY, SECRET_KEY (type Opaque)', () => {
      if (overlay === 'dev') {
        const secret = resource(built, 'Secret', 'backend-secrets');
        expect(secret.type).toBe('Opaque');
        expect(Object.keys(secret.stringData ?? {}).sort()).toEqual(SECRET_KEYS);
      } else {
        // An ExternalSecret without a template creates an Opaque Secret.
        const { target, data } = resource(built, 'ExternalSecret', 'backend-secrets').spec;
        expect(target).not.toHaveProperty('template');
        expect(data.map(({ secretKey }) => secretKey).sort()).toEqual(SECRET_KEYS);
      }
    });
    it('3.2 Note: in production a secret management solution instead of raw Secrets', () => {
      const kinds = ['Secret', 'ExternalSecret'];
      expect(built.filter(({ kind }) => kinds.includes(kind)).map(({ kind }) => kind)).toEqual(
        lawfully({ dev: ['Secret'], prod: ['ExternalSecret'] }),
      );
    });
  });

  describe('4.1 Ingress', () => {
    it('4.1 todo-ingress.yaml', () => {
      expect(read('base/ingress/todo-ingress.yaml')).toMatchObject({
        kind: 'Ingress',
        metadata: { name: 'todo-ingress' },
      });
    });
    it('4.1 Controller: Nginx Ingress Controller', () => {
      expect(ingress().spec?.ingressClassName).toBe('nginx');
    });
    it('4.1 rewrite-target: / "if needed for path routing"; decision 1: it is not', () => {
      expect(
        Object.keys(ingress().metadata.annotations ?? {}).filter((key) => /rewrite|regex/.test(key)),
      ).toEqual([]);
    });
    it('4.1 cert-manager.io/cluster-issuer: letsencrypt-prod (for TLS); decision 4: prod alone', () => {
      expect(ingress().metadata.annotations?.['cert-manager.io/cluster-issuer']).toBe(
        lawfully({ dev: undefined, prod: 'letsencrypt-prod' }),
      );
    });
    it('4.1 Host: todo.local (or domain)', () => {
      expect(ingress().spec?.rules?.map(({ host }) => host)).toEqual([
        lawfully({ dev: 'todo.local', prod: 'todo.example.com' }),
      ]);
    });
    it('4.1 Path /api: Backend Service (port 80)', () => {
      expect(routes(ingress())['/api']).toBe('Prefix todo-backend:80');
    });
    it('4.1 Path /docs: Backend Service (port 80), optional, restrict in prod; decision 2: dev alone', () => {
      expect(routes(ingress())['/docs']).toBe(lawfully({ dev: 'Prefix todo-backend:80', prod: undefined }));
    });
    it('4.1 Path /: Frontend Service (port 80)', () => {
      expect(routes(ingress())['/']).toBe('Prefix todo-frontend:80');
    });
  });

  describe('4.2 Network policies', () => {
    it('4.2 Default deny: all ingress traffic to all pods; decision 14: egress too', () => {
      expect(resource(built, 'NetworkPolicy', 'default-deny').spec).toEqual({
        podSelector: {},
        policyTypes: ['Ingress', 'Egress'],
      });
    });
    it.each([
      ['Ingress Controller -> Frontend (port 3000)', CONTROLLER_TO_FRONTEND],
      ['Ingress Controller -> Backend (port 8000)', CONTROLLER_TO_BACKEND],
      ['Frontend -> Backend (port 8000), at both ends', FRONTEND_TO_BACKEND],
      ['Backend -> Egress (Internet for OpenAI/Neon DB)', BACKEND_TO_INTERNET],
    ])('4.2 Allow %s', (_line, expected) => {
      expect(connections(built)).toEqual(expect.arrayContaining(expected));
    });
  });

  describe('5 OpenAI integration', () => {
    it('5 Streaming: nginx.ingress.kubernetes.io/proxy-buffering: "off", a string', () => {
      expect(ingress().metadata.annotations?.['nginx.ingress.kubernetes.io/proxy-buffering']).toBe('off');
    });
    it('5 Key injection: OPENAI_API_KEY strictly via backend-secrets', () => {
      const naming = built.filter((each) => JSON.stringify(each).includes('OPENAI_API_KEY'));
      expect(naming.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual(
        lawfully({ dev: ['Secret/backend-secrets'], prod: ['ExternalSecret/backend-secrets'] }),
      );
      expect(
        containers(built).filter(({ envFrom }) =>
          envFrom?.some(({ secretRef }) => secretRef?.name === 'backend-secrets'),
        ),
      ).toEqual([backend()]);
    });
  });

  describe('where the specification is silent or contradicts itself', () => {
    it('decision 1: no rewrite, pathType Prefix for /api and /', () => {
      const { '/api': api, '/': root } = routes(ingress());
      expect([api, root]).toEqual(['Prefix todo-backend:80', 'Prefix todo-frontend:80']);
    });
    it('decision 2: dev has /docs and Exact /openapi.json, prod has neither', () => {
      expect(Object.keys(routes(ingress())).sort()).toEqual(
        lawfully({ dev: ['/', '/api', '/docs', '/openapi.json'], prod: ['/', '/api'] }),
      );
      expect(routes(ingress())['/openapi.json']).toBe(
        lawfully({ dev: 'Exact todo-backend:80', prod: undefined }),
      );
    });
    it('decision 3: a stream may be silent for an hour, over HTTP 1.1', () => {
      const annotations = Object.entries(ingress().metadata.annotations ?? {});
      expect(Object.fromEntries(annotations.filter(([key]) => key.startsWith('nginx.')))).toEqual({
        'nginx.ingress.kubernetes.io/proxy-buffering': 'off',
        'nginx.ingress.kubernetes.io/proxy-http-version': '1.1',
        'nginx.ingress.kubernetes.io/proxy-read-timeout': '3600',
        'nginx.ingress.kubernetes.io/proxy-send-timeout': '3600',
      });
    });
    it('decision 4: TLS in prod, with its own Secret', () => {
      expect(ingress().spec?.tls).toEqual(
        lawfully({ dev: undefined, prod: [{ hosts: ['todo.example.com'], secretName: 'todo-tls' }] }),
      );
    });
    it('decision 5: a change of backend-config restarts the pods: its name has a hash', () => {
      expect(configMap().metadata.name).toMatch(/^backend-config-[a-z0-9]{10}$/);
    });
    it('decision 6: dev has sample values, prod an ExternalSecret without a diff in Argo CD', () => {
      if (overlay === 'dev') {
        const values = Object.values(resource(built, 'Secret', 'backend-secrets').stringData ?? {});
        expect(values).toEqual(SECRET_KEYS.map(() => expect.stringMatching(/development.*not-a-/) as string));
      } else {
        const externalSecret = resource(built, 'ExternalSecret', 'backend-secrets');
        expect(externalSecret.apiVersion).toBe('external-secrets.io/v1');
        expect(externalSecret.spec).toEqual({
          refreshInterval: '1h0m0s',
          secretStoreRef: { kind: 'ClusterSecretStore', name: 'todo-secrets' },
          target: { name: 'backend-secrets', creationPolicy: 'Owner', deletionPolicy: 'Retain' },
          data: SECRET_KEYS.map((key) => ({
            secretKey: key,
            remoteRef: {
              key: 'todo-prod/backend',
              property: key,
              conversionStrategy: 'Default',
              decodingStrategy: 'None',
              metadataPolicy: 'None',
            },
          })),
        });
      }
    });
    it('decision 7: version: v1 is a pod label and in no selector, nor is a recommended label', () => {
      const selectors = [
        ...SPECIFIED_WORKLOADS.map((name) => deployment(name).spec?.selector.matchLabels),
        ...SPECIFIED_WORKLOADS.map((name) => service(name).spec?.selector),
      ];
      expect(selectors.flatMap((selector) => Object.keys(selector ?? {}))).toEqual([
        'app',
        'app',
        'app',
        'app',
      ]);
    });
    it('decision 8: both pods run with a numeric non-root UID and the default seccomp profile', () => {
      expect(podOf(deployment('todo-backend')).securityContext).toEqual({
        runAsUser: 1000,
        runAsGroup: 1000,
        fsGroup: 1000,
        fsGroupChangePolicy: 'OnRootMismatch',
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(podOf(deployment('todo-frontend')).securityContext).toEqual({
        runAsUser: 1001,
        runAsGroup: 1001,
        fsGroup: 1001,
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
    });
    it('decision 8: both containers have the same hardening', () => {
      const hardened = {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
      };
      expect(containers(built).map(({ securityContext }) => securityContext)).toEqual([hardened, hardened]);
    });
    it('decision 8: the frontend writes to /tmp and /app/.next/cache, and listens on every address', () => {
      expect(writable(deployment('todo-frontend'))).toEqual({
        '/tmp': { sizeLimit: '64Mi' },
        '/app/.next/cache': { sizeLimit: '256Mi' },
      });
      expect(deployment('todo-frontend').metadata.annotations).toMatchObject({
        'todo.example.com/writable-paths': '/app/.next/cache=256Mi',
      });
      expect(environment(frontend())).toMatchObject({ HOSTNAME: '0.0.0.0', PORT: '3000' });
    });
    it('decision 9: the server of the frontend calls the backend inside the cluster', () => {
      expect(environment(frontend()).API_INTERNAL_URL).toBe('http://todo-backend');
    });
    it('decision 10: a slow start causes no restart, and a probe may take 3 seconds', () => {
      for (const { startupProbe, livenessProbe, readinessProbe } of containers(built)) {
        expect(startupProbe?.httpGet).toEqual(livenessProbe?.httpGet);
        expect((startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0)).toBe(120);
        const timeouts = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.timeoutSeconds);
        expect(timeouts).toEqual([3, 3, 3]);
      }
    });
    it('decision 11: pods leave the Service before they stop, and open streams may end', () => {
      expect(containers(built).map(({ lifecycle }) => lifecycle)).toEqual([
        { preStop: { sleep: { seconds: 10 } } },
        { preStop: { sleep: { seconds: 10 } } },
      ]);
      expect(podOf(deployment('todo-backend')).terminationGracePeriodSeconds).toBe(120);
      expect(podOf(deployment('todo-frontend')).terminationGracePeriodSeconds).toBe(45);
    });
    it('decision 11: the frontend has the update strategy that the specification gives the backend', () => {
      expect(deployment('todo-frontend').spec?.strategy).toEqual(deployment('todo-backend').spec?.strategy);
    });
    it('decision 11: in prod at most one pod is down during a drain', () => {
      const budgets = resourcesOf(built, 'PodDisruptionBudget');
      expect(budgets.map(({ spec }) => spec)).toEqual(
        lawfully({
          dev: [],
          prod: SPECIFIED_WORKLOADS.map((app) => ({
            maxUnavailable: 1,
            unhealthyPodEvictionPolicy: 'AlwaysAllow',
            selector: { matchLabels: { app } },
          })),
        }),
      );
    });
    it.each(SPECIFIED_WORKLOADS)('decision 11: %s spreads over nodes and zones', (app) => {
      expect(podOf(deployment(app)).topologySpreadConstraints).toEqual(
        ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
          maxSkew: 1,
          topologyKey,
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: { app } },
          matchLabelKeys: ['pod-template-hash'],
        })),
      );
    });
    it('decision 12: its own namespace, under Pod Security restricted', () => {
      const namespace = `todo-${overlay}`;
      expect(resource(built, 'Namespace', namespace).metadata.labels).toMatchObject({
        'pod-security.kubernetes.io/enforce': 'restricted',
        'pod-security.kubernetes.io/audit': 'restricted',
        'pod-security.kubernetes.io/warn': 'restricted',
      });
      const elsewhere = built.filter((each) => each.metadata.namespace !== namespace);
      expect(elsewhere.map(({ kind }) => kind)).toEqual(['Namespace']);
    });
    it.each(SPECIFIED_WORKLOADS)('decision 12: %s has a ServiceAccount of its own and no token', (name) => {
      const account = resource(built, 'ServiceAccount', name);
      expect(account.automountServiceAccountToken).toBe(false);
      expect(podOf(deployment(name))).toMatchObject({
        serviceAccountName: name,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
      });
    });
    it('decision 13: imagePullPolicy is not set, so that it depends on the tag', () => {
      expect(containers(built).filter((container) => 'imagePullPolicy' in container)).toEqual([]);
    });
    it('decision 14: these connections and no others', () => {
      expect(connections(built)).toEqual(
        [
          ...CONTROLLER_TO_FRONTEND,
          ...CONTROLLER_TO_BACKEND,
          ...FRONTEND_TO_BACKEND,
          ...BACKEND_TO_INTERNET,
          ...DNS,
          ...lawfully({ dev: [], prod: CONTROLLER_TO_ACME_SOLVER }),
        ].sort(),
      );
    });
    it('decision 14: a policy for each workload, with its name, and one for the ACME solvers in prod', () => {
      const policies = resourcesOf(built, 'NetworkPolicy').map(({ metadata }) => metadata.name);
      expect(policies.sort()).toEqual([
        ...lawfully({ dev: [], prod: ['acme-solver'] }),
        'default-deny',
        'todo-backend',
        'todo-frontend',
      ]);
      for (const name of SPECIFIED_WORKLOADS) {
        const { podSelector, policyTypes } = resource(built, 'NetworkPolicy', name).spec;
        expect({ podSelector, policyTypes }).toEqual({
          podSelector: { matchLabels: { app: name } },
          policyTypes: ['Ingress', 'Egress'],
        });
      }
    });
    it('decision 14: the annotation for the internet policy', () => {
      expect(deployment('todo-backend').metadata.annotations).toMatchObject({
        'todo.example.com/internet-egress': '443, 5432',
      });
    });
    it('decision 15: Argo CD waves', () => {
      const waves = built.map(({ kind, metadata }) => [
        kind,
        metadata.annotations?.['argocd.argoproj.io/sync-wave'] ?? '0',
      ]);
      expect(Object.fromEntries(waves)).toEqual({
        Namespace: '-2',
        NetworkPolicy: '-2',
        ConfigMap: '-1',
        ServiceAccount: '0',
        Service: '0',
        Deployment: '0',
        Ingress: '1',
        ...lawfully<Record<string, string>>({
          dev: { Secret: '-1' },
          prod: { ExternalSecret: '-1', PodDisruptionBudget: '1' },
        }),
      });
      expect(new Set(waves.map(String)).size).toBe(new Set(waves.map(([kind]) => kind)).size);
    });
    it('decision 15: no permanent diff: every quantity as the API server prints it', () => {
      const pods = SPECIFIED_WORKLOADS.map((name) => podOf(deployment(name)));
      const quantities = [
        ...containers(built).flatMap(({ resources }) => [resources?.requests, resources?.limits]),
        ...pods.flatMap(({ volumes }) => volumes?.map(({ emptyDir }) => ({ size: emptyDir?.sizeLimit }))),
      ].flatMap((each) => Object.values(each ?? {}));
      expect(quantities).toHaveLength(11);
      expect(quantities.filter((each) => !/^[1-9]\d{0,2}(m|Mi)$/.test(String(each)))).toEqual([]);
    });
    it.each([
      ['todo-backend', 'backend'],
      ['todo-frontend', 'frontend'],
    ])(
      'recommended labels on %s and its pods, and a container named after the component',
      (name, component) => {
        const labels = {
          'app.kubernetes.io/name': name,
          'app.kubernetes.io/component': component,
          'app.kubernetes.io/part-of': 'todo-app',
        };
        expect(deployment(name).metadata.labels).toEqual(labels);
        expect(deployment(name).spec?.template.metadata?.labels).toMatchObject(labels);
        expect(containerOf(deployment(name)).name).toBe(component);
      },
    );
    it('every resource has the label of its component, except policies and the Namespace', () => {
      const components = built.map(({ kind, metadata: { labels = {} } }) => [
        kind,
        labels['app.kubernetes.io/name'] ?? '',
        labels['app.kubernetes.io/component'] ?? '',
      ]);
      expect([...new Set(components.map((each) => each.join(' ').trim()))].sort()).toEqual(
        [
          'ConfigMap todo-backend backend',
          'Deployment todo-backend backend',
          'Deployment todo-frontend frontend',
          'Ingress todo-ingress ingress',
          'Namespace',
          'NetworkPolicy',
          'Service todo-backend backend',
          'Service todo-frontend frontend',
          'ServiceAccount todo-backend backend',
          'ServiceAccount todo-frontend frontend',
          ...lawfully({
            dev: ['Secret todo-backend backend'],
            prod: [
              'ExternalSecret todo-backend backend',
              'PodDisruptionBudget todo-backend backend',
              'PodDisruptionBudget todo-frontend frontend',
            ],
          }),
        ].sort(),
      );
    });
    it('every resource is part of todo-app, and has no label that Argo CD or Helm sets', () => {
      const labels = built.map(({ metadata }) => metadata.labels ?? {});
      const claimed = ['app.kubernetes.io/instance', 'app.kubernetes.io/managed-by'];
      expect(labels.filter((each) => each['app.kubernetes.io/part-of'] !== 'todo-app')).toEqual([]);
      expect(labels.flatMap(Object.keys).filter((key) => claimed.includes(key))).toEqual([]);
    });
  });
});

test.each(['dev', 'prod'] as const)('further workloads of overlays/%s are hardened, too', (overlay) => {
  for (const workload of furtherWorkloads(builds[overlay])) {
    const {
      automountServiceAccountToken,
      containers,
      initContainers = [],
      securityContext,
    } = podOf(workload);
    expect(workload.metadata).toMatchObject({
      namespace: `todo-${overlay}`,
      labels: { 'app.kubernetes.io/part-of': 'todo-app' },
    });
    expect(automountServiceAccountToken).toBe(false);
    expect(securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const container of [...initContainers, ...containers]) {
      expect(container.securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
      });
      expect(container.resources?.limits).toMatchObject({
        cpu: expect.any(String) as string,
        memory: expect.any(String) as string,
      });
    }
  }
});

describe('the base', () => {
  const base = withoutFurtherWorkloads(buildKustomization('base'));

  it('3.1 backend-config has the three values of the specification verbatim', () => {
    expect(resource(base, 'ConfigMap', 'backend-config-*').data).toEqual({
      ENVIRONMENT: 'production',
      LOG_LEVEL: 'info',
      ALLOWED_ORIGINS: 'http://todo.local,https://todo.example.com',
    });
  });
  it('decision 6: no Secret, and none outside overlays/dev', () => {
    expect(resourcesOf(base, 'Secret')).toEqual([]);
    expect(resourcesOf(builds.prod, 'Secret')).toEqual([]);
  });
  it('decision 13: todo-backend:latest and todo-frontend:latest as specified', () => {
    expect(containers(base).map(({ image }) => image)).toEqual([
      'todo-backend:latest',
      'todo-frontend:latest',
    ]);
  });
});

describe.each(['dev', 'prod'])('every kustomize builds overlays/%s', (overlay) => {
  const build = (command: string, args: readonly string[]) => {
    const folder = path.join(__dirname, '../overlays', overlay);
    const { status, stdout, stderr } = spawnSync(command, [...args, folder], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  };
  const fetched = pinnedCopy();

  describeWithTool('kustomize', 'kustomize', (kustomize) => {
    describeWithTool('kubectl', 'and kubectl', (kubectl) => {
      it('with the same output, and nothing on stderr', () => {
        const wanted = build(kustomize, ['build']);
        expect(wanted.split('---\n').length).toBeGreaterThan(10);
        expect(build(kubectl, ['kustomize'])).toBe(wanted);
        if (fetched !== undefined) expect(build(fetched.command, fetched.args)).toBe(wanted);
      });
    });
  });
});

describe('the package', () => {
  it('the Kptfile runs one function, with base/guardrails.yaml, and has no status', () => {
    expect(read('Kptfile')).toEqual({
      apiVersion: 'kpt.dev/v1',
      kind: 'Kptfile',
      metadata: { name: 'todo-app', annotations: { 'config.kubernetes.io/local-config': 'true' } },
      info: { description: expect.any(String) as string },
      pipeline: {
        mutators: [{ image: 'localhost/todo-guardrails:v0.1.0', configPath: 'base/guardrails.yaml' }],
      },
    });
  });
  it('every rule holds for prod; pinned-image and plain-secret are off for dev', () => {
    expect(read('base/guardrails.yaml')).toEqual({
      apiVersion: 'todo.example.com/v1alpha1',
      kind: 'Guardrails',
      metadata: { name: 'guardrails', annotations: { 'config.kubernetes.io/local-config': 'true' } },
      spec: { environments: { 'overlays/dev': { rules: { 'pinned-image': 'off', 'plain-secret': 'off' } } } },
    });
  });
});

function read(file: string): unknown {
  return parse(readFileSync(path.join(__dirname, '..', file), 'utf8'));
}

function podOf(deployment: V1Deployment): V1PodSpec {
  const pod = deployment.spec?.template.spec;
  if (pod === undefined) throw new Error(`${deployment.metadata?.name ?? ''} has no pod spec`);
  return pod;
}

function containerOf(deployment: V1Deployment): V1Container {
  const [container, ...more] = podOf(deployment).containers;
  if (container === undefined || more.length > 0) throw new Error('not exactly one container');
  return container;
}

/** The containers of both Deployments, the backend's first. */
function containers(resources: readonly KubernetesResource[]): V1Container[] {
  return resourcesOf(resources, 'Deployment').map(containerOf);
}

function environment(container: V1Container): Record<string, string | undefined> {
  return Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value]));
}

/** Mount path -> emptyDir of the volume that is mounted there. */
function writable(deployment: V1Deployment): Record<string, unknown> {
  const { volumes } = podOf(deployment);
  return Object.fromEntries(
    (containerOf(deployment).volumeMounts ?? []).map(({ mountPath, name }) => [
      mountPath,
      volumes?.find((volume) => volume.name === name)?.emptyDir,
    ]),
  );
}

/** Path -> `pathType service:port`. */
function routes(ingress: V1Ingress): Record<string, string> {
  const paths = ingress.spec?.rules?.flatMap(({ http }): V1HTTPIngressPath[] => http?.paths ?? []) ?? [];
  return Object.fromEntries(
    paths.map(({ path: route, pathType, backend: { service } }) => [
      route ?? '',
      `${pathType} ${service?.name ?? ''}:${service?.port?.number ?? ''}`,
    ]),
  );
}

/** The traffic that all policies together allow, sorted, independent of their names and number. */
function connections(resources: readonly KubernetesResource[]): string[] {
  return resourcesOf(resources, 'NetworkPolicy')
    .flatMap(({ metadata, spec: { podSelector, policyTypes, ingress = [], egress = [] } }) => {
      const types = [...(ingress.length > 0 ? ['Ingress'] : []), ...(egress.length > 0 ? ['Egress'] : [])];
      if (types.length > 0) expect([metadata.name, policyTypes]).toEqual([metadata.name, types]);
      return [
        ...ingress.map(({ from, ports }) => ({ arrow: '<-', peers: from, ports })),
        ...egress.map(({ to, ports }) => ({ arrow: '->', peers: to, ports })),
      ].flatMap(({ arrow, peers, ports }) =>
        peers.flatMap((peer) =>
          ports.map(
            ({ protocol, port }) => `${pods(podSelector)} ${arrow} ${peerText(peer)} ${protocol} ${port}`,
          ),
        ),
      );
    })
    .sort();
}

function peerText({ namespaceSelector, podSelector, ipBlock, ...rest }: PolicyPeer): string {
  expect(rest).toEqual({});
  if (ipBlock !== undefined) {
    return ipBlock.except === undefined ? ipBlock.cidr : `${ipBlock.cidr} except ${ipBlock.except.join(',')}`;
  }
  return [namespaceSelector, podSelector]
    .flatMap((each) => (each === undefined ? [] : [pods(each)]))
    .join(' / ');
}

/** As kubectl writes selectors: `app=web` for matchLabels, `app in (web)` for matchExpressions. */
function pods({ matchLabels = {}, matchExpressions = [], ...rest }: LabelSelector): string {
  expect(rest).toEqual({});
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) => `${key} ${operator.toLowerCase()} (${values.join(',')})`,
  );
  const requirements = [...labels, ...expressions];
  return requirements.length === 0 ? 'everything' : requirements.sort().join(',');
}
