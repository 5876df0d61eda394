import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { useBundle } from '../support/bundle';
import { type Tree, writeTree, useFolder } from '../support/tree';

const bundle = useBundle();
const folder = useFolder('overlays-');
let dir: string;
beforeEach(() => {
  dir = folder();
});

function check(): { status: number | null; stdout: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bundle().cli, 'check', dir], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return { status, stdout };
}

const POD = (name: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\nspec:\n  containers:\n    - name: ${name}\n      image: registry.example.com/${name}:v1\n`;
const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\n';
const CRD =
  'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: shops.example.com\n';
const on = (...entries: string[]) => `resources: [${entries.join(', ')}]\n`;
const COMPONENT =
  'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {a: b}\n';

/** A folder with a Pod of its own. */
const app = (folder: string, name: string): Tree => ({
  [`${folder}/kustomization.yaml`]: on('pod.yaml'),
  [`${folder}/pod.yaml`]: POD(name),
});

interface Shape {
  readonly files: Tree;
  readonly judged: readonly string[];
  readonly bases: readonly string[];
}

const SHAPES: Readonly<Record<string, Shape>> = {
  'the Todo App: base, overlays/dev, overlays/prod': {
    files: {
      ...app('base/backend', 'backend'),
      ...app('base/frontend', 'frontend'),
      'base/kustomization.yaml': on('backend', 'frontend'),
      'overlays/dev/kustomization.yaml': on('../../base'),
      'overlays/prod/kustomization.yaml': on('../../base'),
    },
    judged: ['overlays/dev', 'overlays/prod'],
    bases: ['base', 'base/backend', 'base/frontend'],
  },
  'a lone base': { files: app('base', 'web'), judged: ['base'], bases: [] },
  'podinfo: deploy/bases, deploy/overlays, kustomize': {
    files: {
      ...app('deploy/bases/frontend', 'frontend'),
      ...app('deploy/bases/backend', 'backend'),
      'deploy/overlays/dev/kustomization.yaml': on('../../bases/frontend', '../../bases/backend'),
      ...app('kustomize', 'podinfo'),
    },
    judged: ['deploy/overlays/dev', 'kustomize'],
    bases: ['deploy/bases/backend', 'deploy/bases/frontend'],
  },
  'multibases: a root on dev, staging and production': {
    files: {
      ...app('base', 'web'),
      'dev/kustomization.yaml': `namePrefix: dev-\n${on('../base')}`,
      'staging/kustomization.yaml': `namePrefix: staging-\n${on('../base')}`,
      'production/kustomization.yaml': `namePrefix: production-\n${on('../base')}`,
      'kustomization.yaml': on('dev', 'staging', 'production'),
    },
    judged: ['.', 'dev', 'production', 'staging'],
    bases: ['base'],
  },
  'microservices-demo: kustomize/base, and Components that are optional': {
    files: {
      ...app('kustomize/base', 'web'),
      'kustomize/components/tls/kustomization.yaml': COMPONENT,
      'kustomize/components/spanner/kustomization.yaml': COMPONENT,
      'kustomize/kustomization.yaml': `${on('base')}components: [components/tls]\n`,
    },
    judged: ['kustomize'],
    bases: ['kustomize/base'],
  },
  'Flux: clusters, apps and infrastructure': {
    files: {
      ...app('apps/base/podinfo', 'podinfo'),
      'apps/production/kustomization.yaml': on('../base/podinfo'),
      'apps/staging/kustomization.yaml': on('../base/podinfo'),
      'infrastructure/controllers/kustomization.yaml': on('map.yaml'),
      'infrastructure/controllers/map.yaml': CONFIG_MAP,
      'clusters/production/kustomization.yaml': on(
        '../../apps/production',
        '../../infrastructure/controllers',
      ),
    },
    judged: ['apps/production', 'apps/staging', 'clusters/production'],
    bases: ['apps/base/podinfo', 'infrastructure/controllers'],
  },
  'Argo CD environments: prod-eu on prod': {
    files: {
      ...app('common/web', 'web'),
      'environments/dev/kustomization.yaml': on('../../common/web'),
      'environments/prod/kustomization.yaml': on('../../common/web'),
      'environments/prod-eu/kustomization.yaml': on('../prod'),
    },
    judged: ['environments/dev', 'environments/prod', 'environments/prod-eu'],
    bases: ['common/web'],
  },
  'kubebuilder: config/default on crd, rbac and manager': {
    files: {
      'config/crd/kustomization.yaml': on('crd.yaml'),
      'config/crd/crd.yaml': CRD,
      ...app('config/manager', 'manager'),
      'config/default/kustomization.yaml': on('../crd', '../manager'),
      'config/samples/kustomization.yaml': on('map.yaml'),
      'config/samples/map.yaml': CONFIG_MAP,
    },
    judged: ['config/default', 'config/samples'],
    bases: ['config/crd', 'config/manager'],
  },
  'a wrapper on clusters/eu/prod and clusters/us/prod': {
    files: {
      ...app('base', 'web'),
      'clusters/eu/prod/kustomization.yaml': `namespace: eu\n${on('../../../base')}`,
      'clusters/us/prod/kustomization.yaml': `namespace: us\n${on('../../../base')}`,
      'all/kustomization.yaml': on('../clusters/eu/prod', '../clusters/us/prod'),
    },
    judged: ['all', 'clusters/eu/prod', 'clusters/us/prod'],
    bases: ['base'],
  },
  'capitals: Overlays/Prod under a wrapper': {
    files: {
      ...app('Base', 'web'),
      'Overlays/Prod/kustomization.yaml': on('../../Base'),
      'wrapper/kustomization.yaml': on('../Overlays/Prod'),
    },
    judged: ['Overlays/Prod', 'wrapper'],
    bases: ['Base'],
  },
  'a Component in overlays/prod': {
    files: {
      'overlays/prod/kustomization.yaml': `${COMPONENT}${on('pod.yaml')}`,
      'overlays/prod/pod.yaml': POD('web'),
    },
    judged: ['overlays/prod'],
    bases: [],
  },
  'two applications without a common base': {
    files: {
      ...app('apps/a/base', 'a'),
      ...app('apps/b/base', 'b'),
      'apps/a/overlays/prod/kustomization.yaml': on('../../base'),
      'apps/b/overlays/prod/kustomization.yaml': on('../../base'),
    },
    judged: ['apps/a/overlays/prod', 'apps/b/overlays/prod'],
    bases: ['apps/a/base', 'apps/b/base'],
  },
  'names that tell nothing: what several include is a base, what includes others for one is not': {
    files: {
      ...app('web', 'web'),
      'eu/kustomization.yaml': on('../web'),
      'us/kustomization.yaml': on('../web'),
      'us-east/kustomization.yaml': on('../us'),
    },
    judged: ['eu', 'us', 'us-east'],
    bases: ['web'],
  },
  'kustomization.yml and Kustomization': {
    files: {
      'base/Kustomization': on('pod.yaml'),
      'base/pod.yaml': POD('web'),
      'envs/qa/kustomization.yml': on('../../base'),
    },
    judged: ['envs/qa'],
    bases: ['base'],
  },
  'a base within an overlay': {
    files: {
      ...app('overlays/base', 'web'),
      'overlays/prod/kustomization.yaml': on('../base'),
    },
    judged: ['overlays/prod'],
    bases: ['overlays/base'],
  },
};

describe.each(Object.entries(SHAPES))('%s', (_, { files, judged, bases }) => {
  test('which kustomizations are judged', () => {
    writeTree(dir, files);
    const { stdout } = check();
    const ofBases = bases.length === 0 ? '' : `; taken for a base: ${bases.join(', ')}`;
    expect(stdout).toContain(`\njudged: ${judged.join(', ')}${ofBases}; built by kustomize `);
  });

  test.each(judged)('a bad image in %s is an error', (overlay) => {
    const [file = ''] = Object.keys(files).filter((one) =>
      /^(kustomization\.ya?ml|Kustomization)$/.test(path.relative(overlay, one)),
    );
    const names = Object.values(files).flatMap((text) => /registry\.example\.com\/\w+/.exec(text) ?? []);
    const images = `images: [${names.map((name) => `{name: ${name}, newTag: latest}`).join(', ')}]\n`;
    const bad = overlay.includes('samples')
      ? { [`${overlay}/map.yaml`]: POD('bad').replace(':v1', ':latest') }
      : { [file]: `${files[file] ?? ''}${images}` };
    writeTree(dir, { ...files, ...bad });
    const { status, stdout } = check();
    expect(status).toBe(1);
    const lines = stdout.split('\n').filter((line) => line.startsWith(`  [error] ${overlay}: `));
    expect(lines.join('\n')).toContain('which has the tag latest');
  });
});

test('a Component below components that nothing includes: an info', () => {
  writeTree(dir, SHAPES['microservices-demo: kustomize/base, and Components that are optional']?.files ?? {});
  expect(check().stdout).toContain(
    '[info] a Component that no kustomization includes is not checked (kustomize/components/spanner/kustomization.yaml)\n',
  );
});

const GUARDRAILS = (spec: string) =>
  `apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata:\n  name: guardrails\nspec: ${spec}\n`;

const ON_OVERLAYS_BASE: Tree = {
  'overlays/base/kustomization.yaml': on('a'),
  'overlays/prod/kustomization.yaml': on('../../base', '../base'),
};

describe('a folder that no kustomization lists', () => {
  const TODO_APP: Tree = {
    ...app('base/backend', 'backend'),
    ...app('base/frontend', 'frontend'),
    'base/kustomization.yaml': on('backend', 'frontend'),
    'overlays/prod/kustomization.yaml': on('../../base'),
  };
  const FORGOTTEN = /\[error\] .* is not listed by any kustomization, .*/;

  test.each<[string, Tree, string, string]>([
    ['beside folders that the base lists', {}, 'base/worker', 'base/kustomization.yaml'],
    [
      'which includes a folder of its own',
      { 'base/worker/kustomization.yaml': on('queue', 'pod.yaml'), ...app('base/worker/queue', 'queue') },
      'base/worker',
      'base/kustomization.yaml',
    ],
    [
      'beside folders that a base further up lists',
      { ...app('base/apps/api', 'api'), 'base/kustomization.yaml': on('backend', 'frontend', 'apps/api') },
      'base/apps/worker',
      'base/kustomization.yaml',
    ],
    [
      'below a base with another name',
      {
        ...app('stack/api', 'api'),
        'stack/kustomization.yml': on('api'),
        'overlays/prod/kustomization.yaml': on('../../base', '../../stack'),
      },
      'stack/worker',
      'stack/kustomization.yml',
    ],
  ])('%s is an error, and no overlay', (_, files, folder, base) => {
    writeTree(dir, { ...TODO_APP, ...app(folder, 'worker'), ...files });
    const { status, stdout } = check();
    expect(status).toBe(1);
    expect(FORGOTTEN.exec(stdout)?.[0]).toBe(
      `[error] ${folder} is not listed by any kustomization, so no overlay builds it (${folder}/kustomization.yaml); list ${folder} under resources in ${base}, or under spec.overlays if it is deployed by itself`,
    );
    expect(stdout).toMatch(/\njudged: overlays\/prod(?:, stack)?; taken for a base: /);
    expect(stdout).not.toMatch(new RegExp(`(?:judged|base): (?:.*, )?${folder}[,;]`));
  });

  test('it is no error once the base lists it', () => {
    writeTree(dir, {
      ...TODO_APP,
      ...app('base/worker', 'worker'),
      'base/kustomization.yaml': on('backend', 'frontend', 'worker'),
    });
    expect(check().stdout).not.toMatch(FORGOTTEN);
  });

  test.each<[string, Tree, string]>([
    ['beside the folders of an overlay', app('worker', 'worker'), 'worker'],
    [
      'of a repository of independent folders',
      { ...app('apps/a', 'a'), ...app('apps/b', 'b'), 'apps/kustomization.yaml': on('a') },
      'apps/b',
    ],
    ['which no folder beside it is listed with', app('base/samples/one', 'one'), 'base/samples/one'],
    [
      'which builds on the base',
      { 'base/debug/kustomization.yaml': on('../backend'), 'base/debug/pod.yaml': POD('debug') },
      'base/debug',
    ],
    ['with the name of an environment', app('base/staging', 'staging'), 'base/staging'],
    [
      'under overlays',
      { ...app('overlays/base/a', 'a'), ...app('overlays/base/b', 'b'), ...ON_OVERLAYS_BASE },
      'overlays/base/b',
    ],
    [
      'that spec.overlays names',
      { ...app('base/worker', 'worker'), 'guardrails.yaml': GUARDRAILS('{overlays: [base/worker]}') },
      'base/worker',
    ],
    [
      'that spec.environments names',
      {
        ...app('base/worker', 'worker'),
        'guardrails.yaml': GUARDRAILS('{environments: {base/worker: {rules: {pinned-image: "off"}}}}'),
      },
      'base/worker',
    ],
  ])('%s is an overlay', (_, files, folder) => {
    writeTree(dir, { ...TODO_APP, ...files });
    const { stdout } = check();
    expect(stdout).not.toMatch(FORGOTTEN);
    expect(stdout).toMatch(new RegExp(`\njudged: (?:.*, )?${folder}[,;]`));
  });

  test('plain files that no kustomization names are left alone', () => {
    writeTree(dir, { ...TODO_APP, 'base/worker/pod.yaml': POD('worker') });
    expect(check().stdout).not.toMatch(FORGOTTEN);
  });
});

test('spec.overlays and spec.bases decide before the names', () => {
  writeTree(dir, {
    ...app('base/web', 'web'),
    'overlays/old/kustomization.yaml': on('../../base/web'),
    'guardrails.yaml': GUARDRAILS('{overlays: ["base/*"], bases: ["overlays/*"]}'),
  });
  expect(check().stdout).toContain('\njudged: base/web; taken for a base: overlays/old; built by ');
});

test('where nothing is judged, that is an error', () => {
  writeTree(dir, { ...app('web', 'web'), 'guardrails.yaml': GUARDRAILS('{bases: ["**"]}') });
  const { status, stdout } = check();
  expect(status).toBe(1);
  expect(stdout).toContain(
    '[error] no kustomization of the package counts as an overlay, so nothing was judged; name the overlays under spec.overlays\n',
  );
});

test('kustomizations that build on each other are judged, and kustomize reports the cycle', () => {
  writeTree(dir, { 'a/kustomization.yaml': on('../b'), 'b/kustomization.yaml': on('../a') });
  const { status, stdout } = check();
  expect(status).toBe(1);
  expect(stdout).toContain('a: not built, 1 error, 0 warnings, 0 infos\n');
  expect(stdout).toContain('cycle');
});
