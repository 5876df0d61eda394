import { stringify } from 'yaml';
import { type Package, packageOf } from '../../functions/guardrails/kustomize/package';
import type { WantedPolicy, WantedRule, WantedRules } from '../../functions/guardrails/network/generate';
import type { RequiredPolicies } from '../../functions/guardrails/policies/inclusions';
import { renamingsOf } from '../../functions/guardrails/policies/names';
import { placePolicies } from '../../functions/guardrails/policies/placement';
import { fix, fixed, itemsOf, namesIn, policiesIn, specsIn } from '../support/fix-package';
import type { PackageFiles } from '../support/package-files';

type Env = Readonly<Record<string, string>>;

function deployment(name: string, env: Env = {}): string {
  const labels = { app: name };
  const container = {
    name: 'main',
    image: `registry.example.com/${name}:v1`,
    env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
    securityContext: { runAsUser: 1000 },
  };
  return stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    // Where the build has no client of its Service, there is none.
    metadata: { name, annotations: { 'todo.example.com/accepts-from': 'none' } },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  });
}

function service(name: string): string {
  const spec = { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] };
  return stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });
}

const namespace = (name: string) => stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
const on = (resources: readonly string[], more: object = {}) => stringify({ resources, ...more });
const monitor = (name: string) =>
  stringify({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: { name },
    spec: { selector: { matchLabels: { app: name } }, podMetricsEndpoints: [{ port: 'web' }] },
  });

/** A folder with a Deployment and its Service. */
const app = (folder: string, name: string, env: Env = {}, more: object = {}): PackageFiles => ({
  [`${folder}/kustomization.yaml`]: on(['deployment.yaml', 'service.yaml'], more),
  [`${folder}/deployment.yaml`]: deployment(name, env),
  [`${folder}/service.yaml`]: service(name),
});

/** A folder with a Deployment that no Service names. */
const tool = (folder: string, name = 'tool'): PackageFiles => ({
  [`${folder}/kustomization.yaml`]: on(['deployment.yaml']),
  [`${folder}/deployment.yaml`]: deployment(name),
});

/** An overlay with its Namespace. */
const inNamespace = (folder: string, name: string, resources: readonly string[], more: object = {}) => ({
  [`${folder}/kustomization.yaml`]: on([...resources, 'namespace.yaml'], { namespace: name, ...more }),
  [`${folder}/namespace.yaml`]: namespace(name),
});

/** A patch that adds a variable to a Deployment. */
const variable = (name: string, key: string, value: string) => ({
  target: { kind: 'Deployment', name },
  patch: JSON.stringify([
    { op: 'add', path: '/spec/template/spec/containers/0/env/-', value: { name: key, value } },
  ]),
});

const DELETE_TOOL = {
  patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: tool}, $patch: delete}',
};

const IN_SELECTORS = [{ pairs: { team: 'b' }, includeSelectors: true }];

interface Layout {
  readonly files: PackageFiles;
  /** Folder to the names of the policies in its file. */
  readonly places: Readonly<Record<string, readonly string[]>>;
  /** Overlay to the policies in its build: `namespace/name`. */
  readonly builds: Readonly<Record<string, readonly string[]>>;
}

const P1: PackageFiles = { ...tool('apps/cart', 'cart'), ...tool('apps/shop', 'shop') };
const BOTH_APPS = ['../../apps/cart', '../../apps/shop'];
const P2: PackageFiles = {
  ...tool('cart/base', 'cart'),
  'cart/overlays/prod/kustomization.yaml': on(['../../base'], { namespace: 'cart' }),
  ...tool('shop/base', 'shop'),
  'shop/overlays/prod/kustomization.yaml': on(['../../base'], { namespace: 'shop-prod' }),
};
const B10: PackageFiles = {
  ...tool('base', 'shop'),
  'overlays/prod/kustomization.yaml': on(['../../base'], { namespace: 'shop-prod' }),
};
const CALLS_BACKEND = { BACKEND_URL: 'http://backend/v1' };
const PODINFO: PackageFiles = {
  ...app('deploy/bases/backend', 'backend'),
  ...app('deploy/bases/frontend', 'frontend', CALLS_BACKEND),
  ...tool('deploy/bases/tool'),
};
const OF_PODINFO = ['../../bases/backend', '../../bases/frontend', '../../bases/tool'];
const SHARED_BY_PODINFO = {
  'deploy/bases/backend': ['backend'],
  'deploy/bases/frontend': ['frontend'],
  'deploy/bases/tool': ['tool'],
};
/** Three bases, of which each overlay takes two. */
const SUBSETS: PackageFiles = {
  ...app('bases/api', 'api'),
  ...app('bases/web', 'web', { LOG_LEVEL: 'info' }),
  ...tool('bases/tool'),
  'overlays/qa/kustomization.yaml': on(['../../bases/api', '../../bases/tool'], { namespace: 'qa' }),
  'overlays/prod/kustomization.yaml': on(['../../bases/tool', '../../bases/web'], { namespace: 'prod' }),
};
const API_AND_WEB = ['../../bases/api', '../../bases/web'];

const LAYOUTS: Readonly<Record<string, Layout>> = {
  'two applications in each overlay': {
    files: {
      ...P1,
      'overlays/dev/kustomization.yaml': on(BOTH_APPS, { namespace: 'shop-dev' }),
      'overlays/prod/kustomization.yaml': on(BOTH_APPS, { namespace: 'shop-prod' }),
    },
    places: { 'apps/cart': ['cart'], 'apps/shop': ['shop'] },
    builds: {
      'overlays/dev': ['shop-dev/cart', 'shop-dev/shop'],
      'overlays/prod': ['shop-prod/cart', 'shop-prod/shop'],
    },
  },
  'two applications, of which one overlay has one: the other is beside the overlay that has it': {
    files: {
      ...P1,
      'overlays/dev/kustomization.yaml': on(BOTH_APPS, { namespace: 'shop-dev' }),
      'overlays/prod/kustomization.yaml': on(['../../apps/cart'], { namespace: 'shop-prod' }),
    },
    places: { 'apps/cart': ['cart'], 'overlays/dev': ['shop'] },
    builds: { 'overlays/dev': ['shop-dev/cart', 'shop-dev/shop'], 'overlays/prod': ['shop-prod/cart'] },
  },
  'two applications, each with another resource in one overlay': {
    files: {
      ...P1,
      ...inNamespace('overlays/dev', 'shop-dev', BOTH_APPS),
      'overlays/prod/kustomization.yaml': on([...BOTH_APPS, 'job.yaml'], { namespace: 'shop-prod' }),
      'overlays/prod/job.yaml': deployment('worker'),
    },
    places: {
      'apps/cart': ['cart'],
      'apps/shop': ['shop'],
      'overlays/dev': ['default-deny'],
      'overlays/prod': ['worker'],
    },
    builds: {
      'overlays/dev': ['shop-dev/cart', 'shop-dev/default-deny', 'shop-dev/shop'],
      'overlays/prod': ['shop-prod/cart', 'shop-prod/shop', 'shop-prod/worker'],
    },
  },
  'an overlay for each application': {
    files: P2,
    places: { 'cart/base': ['cart'], 'shop/base': ['shop'] },
    builds: { 'cart/overlays/prod': ['cart/cart'], 'shop/overlays/prod': ['shop-prod/shop'] },
  },
  'an overlay for each application, two for one': {
    files: { ...P2, 'cart/overlays/dev/kustomization.yaml': on(['../../base'], { namespace: 'cart-dev' }) },
    places: { 'cart/base': ['cart'], 'shop/base': ['shop'] },
    builds: {
      'cart/overlays/dev': ['cart-dev/cart'],
      'cart/overlays/prod': ['cart/cart'],
      'shop/overlays/prod': ['shop-prod/shop'],
    },
  },
  'an overlay for each application, with its Namespace': {
    files: {
      ...P2,
      ...inNamespace('cart/overlays/prod', 'cart', ['../../base']),
      ...inNamespace('shop/overlays/prod', 'shop', ['../../base']),
    },
    places: {
      'cart/base': ['cart'],
      'cart/overlays/prod': ['default-deny'],
      'shop/base': ['shop'],
      'shop/overlays/prod': ['default-deny'],
    },
    builds: {
      'cart/overlays/prod': ['cart/cart', 'cart/default-deny'],
      'shop/overlays/prod': ['shop/default-deny', 'shop/shop'],
    },
  },
  'a fragment without pods beside an overlay': {
    files: { ...B10, 'monitor/kustomization.yaml': on(['m.yaml']), 'monitor/m.yaml': monitor('shop') },
    places: { base: ['shop'] },
    builds: { monitor: [], 'overlays/prod': ['shop-prod/shop'] },
  },
  'a fragment without pods beside two overlays with two bases': {
    files: {
      ...P1,
      'overlays/dev/kustomization.yaml': on(BOTH_APPS, { namespace: 'shop-dev' }),
      'overlays/prod/kustomization.yaml': on(BOTH_APPS, { namespace: 'shop-prod' }),
      'monitor/kustomization.yaml': on(['m.yaml']),
      'monitor/m.yaml': monitor('shop'),
    },
    places: { 'apps/cart': ['cart'], 'apps/shop': ['shop'] },
    builds: {
      monitor: [],
      'overlays/dev': ['shop-dev/cart', 'shop-dev/shop'],
      'overlays/prod': ['shop-prod/cart', 'shop-prod/shop'],
    },
  },
  'a fragment that is a Namespace': {
    files: {
      ...B10,
      'overlays/namespaces/kustomization.yaml': on(['namespace.yaml']),
      'overlays/namespaces/namespace.yaml': namespace('shop-prod'),
    },
    places: { base: ['shop'] },
    builds: { 'overlays/namespaces': [], 'overlays/prod': ['shop-prod/shop'] },
  },
  'podinfo: a base for each service, several in each overlay': {
    files: {
      ...PODINFO,
      ...inNamespace('deploy/overlays/dev', 'dev', OF_PODINFO),
      ...inNamespace('deploy/overlays/production', 'production', OF_PODINFO),
    },
    places: {
      ...SHARED_BY_PODINFO,
      'deploy/overlays/dev': ['default-deny'],
      'deploy/overlays/production': ['default-deny'],
    },
    builds: {
      'deploy/overlays/dev': ['dev/backend', 'dev/default-deny', 'dev/frontend', 'dev/tool'],
      'deploy/overlays/production': [
        'production/backend',
        'production/default-deny',
        'production/frontend',
        'production/tool',
      ],
    },
  },
  'bases of which overlays include different ones': {
    files: { ...SUBSETS, 'overlays/dev/kustomization.yaml': on(API_AND_WEB, { namespace: 'dev' }) },
    places: { 'bases/api': ['api'], 'bases/tool': ['tool'], 'bases/web': ['web'] },
    builds: {
      'overlays/dev': ['dev/api', 'dev/web'],
      'overlays/prod': ['prod/tool', 'prod/web'],
      'overlays/qa': ['qa/api', 'qa/tool'],
    },
  },
  'bases of which overlays include different ones, one that calls another in one overlay': {
    files: {
      ...SUBSETS,
      'overlays/dev/kustomization.yaml': on(API_AND_WEB, {
        namespace: 'dev',
        patches: [variable('web', 'API_URL', 'http://api')],
      }),
    },
    places: {
      'bases/api': ['api'],
      'bases/tool': ['tool'],
      'bases/web': ['web'],
      'overlays/dev': ['api-dev', 'web-dev'],
    },
    builds: {
      'overlays/dev': ['dev/api', 'dev/api-dev', 'dev/web', 'dev/web-dev'],
      'overlays/prod': ['prod/tool', 'prod/web'],
      'overlays/qa': ['qa/api', 'qa/tool'],
    },
  },
  'a prefix and a namespace in each overlay': {
    files: {
      ...PODINFO,
      ...tool('deploy/bases/backend', 'backend'),
      ...tool('deploy/bases/frontend', 'frontend'),
      'deploy/overlays/dev/kustomization.yaml': on(OF_PODINFO, { namespace: 'dev', namePrefix: 'dev-' }),
      'deploy/overlays/prod/kustomization.yaml': on(OF_PODINFO, { namespace: 'prod', nameSuffix: '-v2' }),
    },
    places: SHARED_BY_PODINFO,
    builds: {
      'deploy/overlays/dev': ['dev/dev-backend', 'dev/dev-frontend', 'dev/dev-tool'],
      'deploy/overlays/prod': ['prod/backend-v2', 'prod/frontend-v2', 'prod/tool-v2'],
    },
  },
  'an overlay on an overlay': {
    files: {
      ...PODINFO,
      ...inNamespace('deploy/overlays/dev', 'dev', OF_PODINFO),
      ...inNamespace('deploy/overlays/prod', 'prod', OF_PODINFO),
      'deploy/overlays/prod-eu/kustomization.yaml': on(['../prod'], { namespace: 'eu' }),
    },
    places: {
      ...SHARED_BY_PODINFO,
      'deploy/overlays/dev': ['default-deny'],
      'deploy/overlays/prod': ['default-deny'],
    },
    builds: {
      'deploy/overlays/dev': ['dev/backend', 'dev/default-deny', 'dev/frontend', 'dev/tool'],
      'deploy/overlays/prod': ['prod/backend', 'prod/default-deny', 'prod/frontend', 'prod/tool'],
      'deploy/overlays/prod-eu': ['eu/backend', 'eu/default-deny', 'eu/frontend', 'eu/tool'],
    },
  },
  'an overlay on an overlay that adds labels to selectors': {
    files: {
      ...PODINFO,
      'deploy/overlays/dev/kustomization.yaml': on(OF_PODINFO, { namespace: 'dev' }),
      'deploy/overlays/prod/kustomization.yaml': on([...OF_PODINFO, 'worker.yaml'], { namespace: 'prod' }),
      'deploy/overlays/prod/worker.yaml': deployment('worker', CALLS_BACKEND),
      'deploy/overlays/prod-eu/kustomization.yaml': on(['../prod'], {
        namespace: 'eu',
        commonLabels: { region: 'eu' },
      }),
    },
    places: {
      'deploy/overlays/dev': ['backend', 'frontend', 'tool'],
      'deploy/overlays/prod': ['backend', 'frontend', 'tool', 'worker'],
    },
    builds: {
      'deploy/overlays/dev': ['dev/backend', 'dev/frontend', 'dev/tool'],
      'deploy/overlays/prod': ['prod/backend', 'prod/frontend', 'prod/tool', 'prod/worker'],
      'deploy/overlays/prod-eu': ['eu/backend', 'eu/frontend', 'eu/tool', 'eu/worker'],
    },
  },
  'an overlay on two overlays on one': {
    files: {
      ...PODINFO,
      'deploy/overlays/dev/kustomization.yaml': on(OF_PODINFO, { namespace: 'dev' }),
      ...inNamespace('deploy/overlays/prod', 'prod', OF_PODINFO),
      'deploy/overlays/prod-eu/kustomization.yaml': on(['../prod'], { namespace: 'eu' }),
      'deploy/overlays/prod-us/kustomization.yaml': on(['../prod'], { namespace: 'us' }),
      'deploy/overlays/all/kustomization.yaml': on(['../prod-eu', '../prod-us']),
    },
    places: { ...SHARED_BY_PODINFO, 'deploy/overlays/prod': ['default-deny'] },
    builds: {
      'deploy/overlays/all': [
        ...['eu/backend', 'eu/default-deny', 'eu/frontend', 'eu/tool'],
        ...['us/backend', 'us/default-deny', 'us/frontend', 'us/tool'],
      ],
      'deploy/overlays/dev': ['dev/backend', 'dev/frontend', 'dev/tool'],
      'deploy/overlays/prod': ['prod/backend', 'prod/default-deny', 'prod/frontend', 'prod/tool'],
      'deploy/overlays/prod-eu': ['eu/backend', 'eu/default-deny', 'eu/frontend', 'eu/tool'],
      'deploy/overlays/prod-us': ['us/backend', 'us/default-deny', 'us/frontend', 'us/tool'],
    },
  },
  'two overlays with prefixes in one namespace, and one on both: no build has two default denies': {
    files: {
      ...tool('apps/cart', 'cart'),
      ...tool('apps/shop', 'shop'),
      'overlays/eu/kustomization.yaml': on(BOTH_APPS, { namespace: 'shop', namePrefix: 'eu-' }),
      'overlays/us/kustomization.yaml': on(BOTH_APPS, { namespace: 'shop', namePrefix: 'us-' }),
      'overlays/all/kustomization.yaml': on(['../eu', '../us']),
      'guardrails.yaml': stringify({
        apiVersion: 'todo.example.com/v1alpha1',
        kind: 'Guardrails',
        metadata: { name: 'guardrails' },
        spec: { network: { defaultDeny: 'namespace' } },
      }),
    },
    places: { 'apps/cart': ['cart'], 'apps/shop': ['shop'], 'overlays/eu': ['default-deny'] },
    builds: {
      'overlays/all': [
        ...['shop/eu-cart', 'shop/eu-default-deny', 'shop/eu-shop'],
        ...['shop/us-cart', 'shop/us-shop'],
      ],
      'overlays/eu': ['shop/eu-cart', 'shop/eu-default-deny', 'shop/eu-shop'],
      'overlays/us': ['shop/us-cart', 'shop/us-shop'],
    },
  },
  'a workload that one overlay deletes': {
    files: {
      ...PODINFO,
      'deploy/overlays/dev/kustomization.yaml': on(OF_PODINFO, { namespace: 'dev', patches: [DELETE_TOOL] }),
      'deploy/overlays/prod/kustomization.yaml': on(OF_PODINFO, { namespace: 'prod' }),
    },
    places: {
      'deploy/bases/backend': ['backend'],
      'deploy/bases/frontend': ['frontend'],
      'deploy/overlays/prod': ['tool'],
    },
    builds: {
      'deploy/overlays/dev': ['dev/backend', 'dev/frontend'],
      'deploy/overlays/prod': ['prod/backend', 'prod/frontend', 'prod/tool'],
    },
  },
  'a workload that one overlay renames': {
    files: {
      ...P1,
      'overlays/dev/kustomization.yaml': on(BOTH_APPS, {
        namespace: 'dev',
        patches: [
          {
            target: { kind: 'Deployment', name: 'cart' },
            patch: '[{"op": "replace", "path": "/metadata/name", "value": "basket"}]',
            options: { allowNameChange: true },
          },
        ],
      }),
      'overlays/prod/kustomization.yaml': on(BOTH_APPS, { namespace: 'prod' }),
    },
    places: { 'apps/shop': ['shop'], 'overlays/dev': ['basket'], 'overlays/prod': ['cart'] },
    builds: { 'overlays/dev': ['dev/basket', 'dev/shop'], 'overlays/prod': ['prod/cart', 'prod/shop'] },
  },
  'a Component that brings a workload': {
    files: {
      ...P1,
      'components/cache/kustomization.yaml': on(['cache.yaml'], {
        apiVersion: 'kustomize.config.k8s.io/v1alpha1',
        kind: 'Component',
      }),
      'components/cache/cache.yaml': deployment('cache'),
      ...Object.fromEntries(
        ['dev', 'prod'].map((name) => [
          `overlays/${name}/kustomization.yaml`,
          on(BOTH_APPS, { namespace: name, components: ['../../components/cache'] }),
        ]),
      ),
    },
    places: {
      'apps/cart': ['cart'],
      'apps/shop': ['shop'],
      'overlays/dev': ['cache'],
      'overlays/prod': ['cache'],
    },
    builds: {
      'overlays/dev': ['dev/cache', 'dev/cart', 'dev/shop'],
      'overlays/prod': ['prod/cache', 'prod/cart', 'prod/shop'],
    },
  },
  'a base that a Component with a prefix includes': {
    files: {
      ...P1,
      ...tool('bases/cache', 'cache'),
      'components/cache/kustomization.yaml': on(['../../bases/cache'], {
        apiVersion: 'kustomize.config.k8s.io/v1alpha1',
        kind: 'Component',
        nameSuffix: '-v2',
      }),
      ...Object.fromEntries(
        ['dev', 'prod'].map((name) => [
          `overlays/${name}/kustomization.yaml`,
          on(BOTH_APPS, { namespace: name, components: ['../../components/cache'] }),
        ]),
      ),
    },
    places: { 'apps/cart': ['cart'], 'apps/shop': ['shop'], 'bases/cache': ['cache'] },
    builds: {
      'overlays/dev': ['dev/cache-v2', 'dev/cart-v2', 'dev/shop-v2'],
      'overlays/prod': ['prod/cache-v2', 'prod/cart-v2', 'prod/shop-v2'],
    },
  },
  'the same name in two bases, an overlay for each': {
    files: {
      ...tool('a/base', 'web'),
      ...tool('b/base', 'web'),
      'a/overlays/prod/kustomization.yaml': on(['../../base'], { namespace: 'a' }),
      'b/overlays/prod/kustomization.yaml': on(['../../base'], { namespace: 'b' }),
    },
    places: { 'a/base': ['web'], 'b/base': ['web'] },
    builds: { 'a/overlays/prod': ['a/web'], 'b/overlays/prod': ['b/web'] },
  },
  'the same name in two bases with prefixes, both in each overlay': {
    files: {
      ...tool('a/base', 'web'),
      'a/base/kustomization.yaml': on(['deployment.yaml'], { namePrefix: 'a-' }),
      ...tool('b/base', 'web'),
      'b/base/kustomization.yaml': on(['deployment.yaml'], { namePrefix: 'b-', labels: IN_SELECTORS }),
      'overlays/dev/kustomization.yaml': on(['../../a/base', '../../b/base'], { namespace: 'dev' }),
      'overlays/prod/kustomization.yaml': on(['../../a/base', '../../b/base'], { namespace: 'prod' }),
    },
    places: { 'a/base': ['web'], 'b/base': ['web'] },
    builds: { 'overlays/dev': ['dev/a-web', 'dev/b-web'], 'overlays/prod': ['prod/a-web', 'prod/b-web'] },
  },
  'one base in two namespaces of each overlay': {
    files: {
      ...tool('base', 'web'),
      'common/a/kustomization.yaml': on(['../../base'], { namespace: 'a' }),
      'common/b/kustomization.yaml': on(['../../base'], { namespace: 'b' }),
      'overlays/dev/kustomization.yaml': on(['../../common/a', '../../common/b'], { namePrefix: 'dev-' }),
      'overlays/prod/kustomization.yaml': on(['../../common/a', '../../common/b']),
    },
    places: { base: ['web'] },
    builds: { 'overlays/dev': ['a/dev-web', 'b/dev-web'], 'overlays/prod': ['a/web', 'b/web'] },
  },
};

/** The policies of each file, by the folder. */
function placesIn(files: PackageFiles): Record<string, string[]> {
  const written = Object.entries(files).filter(([file]) => file.endsWith('network-policies.yaml'));
  return Object.fromEntries(
    written.map(([file, text]) => [file.replace(/\/?network-policies\.yaml$/, ''), namesIn(text)]),
  );
}

/** The policies of each build: `namespace/name`. */
function builtIn(builds: Readonly<Record<string, string>>): Record<string, string[]> {
  const names = (text: string) =>
    policiesIn(text).map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`);
  return Object.fromEntries(Object.entries(builds).map(([overlay, text]) => [overlay, names(text).sort()]));
}

describe.each(Object.entries(LAYOUTS))('%s', (_, { files: before, places, builds: built }) => {
  test('each policy has its place, each build has it once, and the checks pass', async () => {
    const { files, builds } = await fixed(before);
    expect(placesIn(files)).toEqual(places);
    expect(builtIn(builds)).toEqual(built);
    const checked = await fix(files, { asIs: true });
    expect(checked.errors).toEqual([]);
    expect(checked.files).toEqual(files);
  });
});

const podsOf = (labels: Env) => ({ podSelector: { matchLabels: labels } });
const ON_8080 = [{ protocol: 'TCP', port: 8080 }];

test('bases that add labels to selectors: rules for pods of other bases are beside the overlays', async () => {
  const overlay = (name: string) => ({
    [`deploy/overlays/${name}/kustomization.yaml`]: on(OF_PODINFO, { namespace: name }),
  });
  const { files, builds } = await fixed({
    ...PODINFO,
    ...app('deploy/bases/backend', 'backend', {}, { commonLabels: { tier: 'backend' } }),
    ...app('deploy/bases/frontend', 'frontend', CALLS_BACKEND, { commonLabels: { tier: 'frontend' } }),
    ...overlay('dev'),
    ...overlay('prod'),
  });
  expect(placesIn(files)).toEqual({
    ...SHARED_BY_PODINFO,
    'deploy/overlays/dev': ['backend-dev', 'frontend-dev'],
    'deploy/overlays/prod': ['backend-prod', 'frontend-prod'],
  });
  const backend = podsOf({ app: 'backend', tier: 'backend' });
  const frontend = podsOf({ app: 'frontend', tier: 'frontend' });
  expect(specsIn(files['deploy/overlays/dev/network-policies.yaml'])).toEqual({
    'backend-dev': { ...backend, policyTypes: ['Ingress'], ingress: [{ from: [frontend], ports: ON_8080 }] },
    'frontend-dev': { ...frontend, policyTypes: ['Egress'], egress: [{ to: [backend], ports: ON_8080 }] },
  });
  expect(builtIn(builds)['deploy/overlays/prod']).toEqual([
    'prod/backend',
    'prod/backend-prod',
    'prod/frontend',
    'prod/frontend-prod',
    'prod/tool',
  ]);
});

test('a base that an overlay without policies includes holds none', async () => {
  const { files, builds } = await fixed({
    ...SUBSETS,
    'overlays/dev/kustomization.yaml': on(API_AND_WEB, { namespace: 'dev' }),
    'guardrails.yaml': stringify({
      apiVersion: 'todo.example.com/v1alpha1',
      kind: 'Guardrails',
      metadata: { name: 'guardrails' },
      spec: { environments: { 'overlays/qa': { rules: { 'network-policy': 'off' } } } },
    }),
  });
  // The overlays with policies share the base of web.
  expect(placesIn(files)).toEqual({
    'bases/web': ['web'],
    'overlays/dev': ['api'],
    'overlays/prod': ['tool'],
  });
  expect(builtIn(builds)).toEqual({
    'overlays/dev': ['dev/api', 'dev/web'],
    'overlays/prod': ['prod/tool', 'prod/web'],
    'overlays/qa': [],
  });
});

test('policies move where the overlays no longer share one kustomization, and back', async () => {
  const overlays = (resources: readonly string[]) =>
    Object.fromEntries(
      ['dev', 'prod'].map((name) => [
        `overlays/${name}/kustomization.yaml`,
        on(resources, { namespace: name }),
      ]),
    );
  const one: PackageFiles = {
    ...tool('stack/cart', 'cart'),
    ...tool('stack/shop', 'shop'),
    'stack/kustomization.yaml': on(['cart', 'shop']),
    ...overlays(['../../stack']),
  };
  const first = await fixed(one);
  expect(placesIn(first.files)).toEqual({ stack: ['cart', 'shop'] });
  const several = { ...tool('extra', 'extra'), ...overlays(['../../stack', '../../extra']) };
  const second = await fixed({ ...first.files, ...several });
  expect(placesIn(second.files)).toEqual({
    extra: ['extra'],
    'stack/cart': ['cart'],
    'stack/shop': ['shop'],
  });
  expect(second.files['stack/kustomization.yaml']).toBe(one['stack/kustomization.yaml']);
  expect(second.reported.filter((message) => message.includes('kubectl'))).toEqual([]);
  const withoutExtra = Object.entries(second.files).filter(([file]) => !file.startsWith('extra/'));
  const third = await fixed({ ...Object.fromEntries(withoutExtra), ...overlays(['../../stack']) });
  expect(third.files).toEqual(first.files);
});

describe('what each overlay requires, as data', () => {
  const packageOfFiles = (files: PackageFiles): Package => {
    const pkg = packageOf(itemsOf(files));
    if (pkg === undefined) throw new Error('no kustomization');
    return pkg;
  };
  const rule = (name: string): WantedRule => ({ rule: { to: [podsOf({ app: name })] }, reasons: [name] });
  const wanted = (name: string, in_: string, rules: WantedRules): WantedPolicy => ({
    name,
    namespace: in_,
    podSelector: { matchLabels: { app: name } },
    rules,
    workload: { kind: 'Deployment', name },
  });
  /** Folder to the policies there: name to the directions, with the reasons of their rules. */
  const placed = (pkg: Package, required: readonly RequiredPolicies[]) =>
    Object.fromEntries(
      [...placePolicies(pkg, required, [], new Set())].map(([place, policies]) => [
        place,
        Object.fromEntries(
          policies.map(({ name, rules }) => [
            name,
            Object.fromEntries(
              Object.entries(rules).map(([direction, list]) => [
                direction,
                list.flatMap(({ reasons }) => reasons),
              ]),
            ),
          ]),
        ),
      ]),
    );
  const TWO: PackageFiles = {
    ...P1,
    'overlays/dev/kustomization.yaml': on(BOTH_APPS, { namespace: 'dev' }),
    'overlays/prod/kustomization.yaml': on(BOTH_APPS, { namespace: 'prod' }),
  };

  test('a direction that one overlay isolates is beside that overlay', () => {
    const required = [
      { overlay: 'overlays/dev', policies: [wanted('cart', 'dev', { ingress: [rule('a')] })] },
      {
        overlay: 'overlays/prod',
        policies: [wanted('cart', 'prod', { ingress: [rule('a'), rule('b')], egress: [rule('c')] })],
      },
    ];
    expect(placed(packageOfFiles(TWO), required)).toEqual({
      'apps/cart': { cart: { ingress: ['a'] } },
      'overlays/dev': {},
      'overlays/prod': { 'cart-prod': { ingress: ['b'], egress: ['c'] } },
    });
  });

  test('different directions, and a policy that one overlay requires: beside the overlays', () => {
    const required = [
      { overlay: 'overlays/dev', policies: [wanted('cart', 'dev', { ingress: [] })] },
      {
        overlay: 'overlays/prod',
        policies: [wanted('cart', 'prod', { egress: [] }), wanted('shop', 'prod', { egress: [] })],
      },
    ];
    expect(placed(packageOfFiles(TWO), required)).toEqual({
      'apps/cart': {},
      'apps/shop': {},
      'overlays/dev': { cart: { ingress: [] } },
      'overlays/prod': { cart: { egress: [] }, shop: { egress: [] } },
    });
  });

  test('kustomizations that include each other, and one that is included 2^30 times: a list that ends', () => {
    const cycle = Array.from({ length: 300 }, (_, i) => [
      `c${i}/kustomization.yaml`,
      on([`../c${(i + 1) % 300}`]),
    ]);
    const twice = Array.from({ length: 30 }, (_, i) => [
      [`t${i}/kustomization.yaml`, on([`../t${i}a`, `../t${i}b`])],
      ...['a', 'b'].map((side) => [`t${i}${side}/kustomization.yaml`, on([`../t${i + 1}`])]),
    ]).flat();
    const { graph } = packageOfFiles({
      ...(Object.fromEntries([...cycle, ...twice]) as PackageFiles),
      ...tool('t30'),
    });
    expect(renamingsOf(graph, 'c0').size).toBe(300);
    expect(renamingsOf(graph, 't0').get('t30')?.length).toBe(100);
  });

  test('1,000 workloads in as many bases, and 60 overlays: in a few seconds', () => {
    const names = Array.from({ length: 1000 }, (_, i) => `w${i}`);
    const overlays = Array.from({ length: 60 }, (_, i) => `overlays/o${i}`);
    const all = names.map((name) => `../../bases/${name}`);
    const pkg = packageOfFiles({
      ...Object.fromEntries(names.flatMap((name) => Object.entries(tool(`bases/${name}`, name)))),
      ...Object.fromEntries(
        overlays.map((one) => [`${one}/kustomization.yaml`, on(all, { namespace: one })]),
      ),
    });
    const required = overlays.map((overlay) => ({
      overlay,
      policies: names.map((name) => wanted(name, overlay, { ingress: [rule('a')], egress: [] })),
    }));
    const start = performance.now();
    const places = placePolicies(pkg, required, [], new Set());
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(places.size).toBe(1060);
    expect(places.get('bases/w7')?.map(({ name }) => name)).toEqual(['w7']);
    expect(places.get('overlays/o7')).toEqual([]);
  });
});
