import { parse } from 'yaml';
import type { Result } from '../../functions/guardrails/krm/result';
import { run } from '../../functions/guardrails/run';
import { check } from '../support/check-package';
import { resourceList } from '../support/package-files';
import { findKustomizeForTests } from '../support/tools';

const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
const COMPONENT = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n';
const deployment = (name: string, image: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  selector: {matchLabels: {app: ${name}}}\n  template:\n    metadata: {labels: {app: ${name}}}\n    spec:\n      containers:\n      - name: ${name}\n        image: ${image}\n`;
const BASE = {
  'base/kustomization.yaml': `${KUSTOMIZATION}resources: [backend.yaml, db.yaml]\n`,
  'base/backend.yaml': deployment('backend', 'todo-backend:1.0'),
  'base/db.yaml': deployment('db', 'registry.example.com:5000/team/postgres:16@sha256:0a0a'),
};

/** `severity overlays line entry: message` of the findings of the rule. */
async function found(files: Record<string, string>, spec = '{}'): Promise<string[]> {
  const config = `functionConfig: { apiVersion: todo.example.com/v1alpha1, kind: Guardrails, spec: ${spec} }\n`;
  const { stdout } = await run(Buffer.from(`${resourceList(files).trimEnd()}\n${config}`), () =>
    Promise.resolve(findKustomizeForTests()),
  );
  const { results = [] } = parse(stdout) as { results?: Result[] };
  const build = results.filter(({ tags, severity }) => tags?.rule === 'build' && severity === 'error');
  expect(build).toEqual([]);
  return results
    .filter(({ tags }) => tags?.rule === 'dead-kustomize')
    .map(({ severity, message }) => `${severity} ${message}`);
}

/** The findings with prod on the base of two Deployments. */
const inProd = (prod: string, files: Record<string, string> = {}, spec = '{}') =>
  found(
    {
      ...BASE,
      'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\n${prod}`,
      ...files,
    },
    spec,
  );

describe('an images entry', () => {
  test('that nearly matches is an error', async () => {
    expect(await inProd('images:\n- name: todo-backends\n  newTag: "2"\n')).toEqual([
      'error overlays/prod: the images entry todo-backends matches no image, so it has no effect (overlays/prod/kustomization.yaml:5, images[0]); did you mean todo-backend? correct the name, or remove the entry',
    ]);
  });

  test.each([
    ['its registry is missing', 'postgres', 'registry.example.com:5000/team/postgres'],
    ['its registry is another', 'docker.io/library/todo-backend', 'todo-backend'],
    ['its tag is another', 'todo-backend:2.0', 'todo-backend'],
  ])('%s', async (_, name, near) => {
    expect(await inProd(`images:\n- {name: "${name}", newTag: "2"}\n`)).toEqual([
      `error overlays/prod: the images entry ${name} matches no image, so it has no effect (overlays/prod/kustomization.yaml:5, images[0]); did you mean ${near}? correct the name, or remove the entry`,
    ]);
  });

  test('that matches nothing is a warning', async () => {
    expect(await inProd('images:\n- {name: redis, newTag: "2"}\n')).toEqual([
      'warning overlays/prod: the images entry redis matches no image, so it has no effect (overlays/prod/kustomization.yaml:5, images[0]); write the name of the image as the resources have it, or remove the entry',
    ]);
  });

  test.each([
    ['a name', 'todo-backend'],
    ['a name with its tag', 'todo-backend:1.0'],
    ['a registry with a port, of an image with a digest', 'registry.example.com:5000/team/postgres'],
    ['any character', 'todo.backend'],
    ['a regular expression', 'todo-(front|back)end'],
  ])('matches by %s', async (_, name) => {
    expect(await inProd(`images:\n- {name: "${name}", newTag: "2"}\n`)).toEqual([]);
  });

  test('applies to the name that an inner kustomization gives the image, and not to the former one', async () => {
    const files = {
      'base/kustomization.yaml': `${BASE['base/kustomization.yaml']}images:\n- {name: todo-backend, newName: ghcr.io/acme/api}\n`,
    };
    expect(await inProd('images:\n- {name: ghcr.io/acme/api, newTag: "2"}\n', files)).toEqual([]);
    expect(await inProd('images:\n- {name: todo-backend, newTag: "2"}\n', files)).toEqual([
      expect.stringContaining('did you mean ghcr.io/acme/api?'),
    ]);
  });

  test.each([
    [
      'a strategic merge patch',
      'patches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: db}\n    spec: {template: {spec: {initContainers: [{name: wait, image: redis}]}}}\n',
    ],
    [
      'a JSON 6902 patch',
      'patches:\n- target: {kind: Deployment, name: db}\n  patch: |-\n    - {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "redis:7"}\n',
    ],
    ['a Component', 'components: [../../cache]\n'],
  ])('applies to the image of %s', async (_, prod) => {
    const files = {
      'cache/kustomization.yaml': `${COMPONENT}resources: [redis.yaml]\n`,
      'cache/redis.yaml': deployment('redis', 'redis:7'),
    };
    expect(await inProd(`${prod}images:\n- {name: redis, newTag: "2"}\n`, files)).toEqual([]);
  });

  test('of a Component that matches in one overlay is not dead; one that matches in none is an info', async () => {
    const overlay = (base: string) =>
      `${KUSTOMIZATION}resources: [../../${base}]\ncomponents: [../../pins]\n`;
    const files = {
      'other/kustomization.yaml': `${KUSTOMIZATION}resources: [web.yaml]\n`,
      'other/web.yaml': deployment('web', 'nginx:1'),
      'overlays/dev/kustomization.yaml': overlay('other'),
      'overlays/prod/kustomization.yaml': overlay('base'),
      'pins/kustomization.yaml': `${COMPONENT}images:\n- {name: nginx, newTag: "2"}\n- {name: memcached, newTag: "2"}\n`,
    };
    expect(await inProd('', files)).toEqual([
      'info overlays/dev, overlays/prod: the images entry memcached matches no image, so it has no effect (pins/kustomization.yaml:5, images[1]); write the name of the image as the resources have it, or remove the entry',
    ]);
  });

  test('is not judged where a replacement sets an image', async () => {
    const files = {
      'base/kustomization.yaml': `${BASE['base/kustomization.yaml']}replacements:\n- source: {kind: Deployment, name: db}\n  targets:\n  - select: {kind: Deployment, name: backend}\n    fieldPaths: ["spec.template.spec.containers.0.image"]\n`,
    };
    expect(await inProd('images:\n- {name: db, newTag: "2"}\n', files)).toEqual([]);
  });

  test.each([
    ['an image field', 'images:\n- {kind: Shop, path: spec/image}\n', []],
    [
      'a reference to a name',
      'nameReference:\n- kind: ConfigMap\n  fieldSpecs:\n  - {kind: Shop, path: spec/settings}\n',
      [
        'warning overlays/prod: the images entry redis matches no image, so it has no effect (overlays/prod/kustomization.yaml:5, images[0]); write the name of the image as the resources have it, or remove the entry',
      ],
    ],
  ])('is judged by what a transformer configuration of a base adds: %s', async (_, names, expected) => {
    const files = {
      'base/backend.yaml': BASE['base/backend.yaml'],
      'base/kustomization.yaml': `${KUSTOMIZATION}resources: [backend.yaml, shop.yaml]\nconfigurations: [names.yaml]\n`,
      'base/shop.yaml':
        'apiVersion: example.com/v1\nkind: Shop\nmetadata:\n  name: shop\nspec: {image: "redis:7"}\n',
      'base/names.yaml': names,
    };
    const prod = 'images:\n- {name: redis, newTag: "2"}\n';
    const found = await check({
      ...files,
      'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\n${prod}`,
    });
    expect(found.filter((one) => one.includes('has no effect'))).toEqual(expected);
  });

  test('a second entry for a name that is renamed first has no effect', async () => {
    expect(
      await inProd(
        'images:\n- {name: todo-backend, newName: ghcr.io/acme/api}\n- {name: todo-backend, newTag: "2"}\n',
      ),
    ).toEqual([
      'warning overlays/prod: the images entry todo-backend has no effect, because images[0] changes that image first (overlays/prod/kustomization.yaml:6, images[1]); write one entry for the image',
    ]);
  });

  test('an entry whose tag a later one for the name sets has no effect', async () => {
    expect(
      await inProd('images:\n- {name: todo-backend, newTag: "2"}\n- {name: todo-backend, newTag: "3"}\n'),
    ).toEqual([
      'warning overlays/prod: the images entry todo-backend has no effect, because images[1] is for the same name and is applied later (overlays/prod/kustomization.yaml:5, images[0]); keep one entry for the image',
    ]);
  });

  test('two entries for a name that set different fields both have an effect', async () => {
    expect(
      await inProd(
        'images:\n- {name: todo-backend, newTag: "2"}\n- {name: todo-backend, newName: ghcr.io/acme/api}\n',
      ),
    ).toEqual([]);
  });

  test.each([
    ['warning', /^warning /],
    ['"off"', /^info /],
  ])('at the level %s', async (level, expected) => {
    expect(
      await inProd('images:\n- name: todo-backends\n', {}, `{rules: {dead-kustomize: ${level}}}`),
    ).toEqual([expect.stringMatching(expected)]);
  });
});

describe('a target', () => {
  const patch = (target: string) =>
    `patches:\n- target: ${target}\n  patch: |-\n    - {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}\n`;
  const replacement = (select: string) =>
    `replacements:\n- source: {kind: Deployment, name: db}\n  targets:\n  - select: ${select}\n    fieldPaths: [metadata.annotations.db]\n    options: {create: true}\n`;

  test('of a patch that matches nothing is a warning', async () => {
    expect(await inProd(patch('{kind: Deployment, name: backends}'))).toEqual([
      'warning overlays/prod: the target Deployment/backends matches no resource, so the entry has no effect (overlays/prod/kustomization.yaml:5, patches[0]); did you mean Deployment/backend? correct the target, or remove the entry',
    ]);
  });

  test('of a replacement that matches nothing is a warning', async () => {
    expect(await inProd(replacement('{kind: Service, name: web}'))).toEqual([
      'warning overlays/prod: the target Service/web matches no resource, so the entry has no effect (overlays/prod/kustomization.yaml:7, replacements[0].targets[0]); correct the target, or remove the entry',
    ]);
  });

  test.each([
    ['matches', patch('{kind: Deployment, name: backend}')],
    ['is a part of a name with any character', patch('{kind: Dep.*, name: back.nd}')],
    ['is for many', patch('{kind: StatefulSet, name: ".*"}')],
    ['has no name', patch('{kind: StatefulSet}')],
    ['is an alternative', patch('{name: frontend|backend}')],
    [
      'is a generated ConfigMap',
      `configMapGenerator:\n- {name: env, literals: [a=b]}\n${patch('{kind: ConfigMap, name: env}')}`,
    ],
    [
      'is the name with the prefix',
      `namePrefix: prod-\n${replacement('{kind: Deployment, name: prod-backend}')}`,
    ],
    ['of a replacement matches', replacement('{kind: Deployment, name: backend}')],
  ])('that %s has no finding', async (_, prod) => {
    expect((await inProd(prod)).filter((one) => one.includes('target'))).toEqual([]);
  });
});

describe('a generator', () => {
  const mounting = (name: string) =>
    `${deployment('web', 'nginx:1')}        envFrom: [{configMapRef: {name: ${name}}}]\n`;
  const generator = (fields = '') => `configMapGenerator:\n- name: settings\n  literals: [a=b]\n${fields}`;

  test('that nothing refers to is an info', async () => {
    expect(await inProd(generator())).toEqual([
      'info overlays/prod: the generated ConfigMap/settings is not used: no other resource of the build names it (overlays/prod/kustomization.yaml:5, configMapGenerator[0]); remove the generator, or refer to its name where it is used',
    ]);
  });

  test.each([
    ['has no hash', generator('  options: {disableNameSuffixHash: true}\n')],
    ['has a label', generator('  options: {labels: {grafana_dashboard: "1"}}\n')],
    ['a workload names', `${generator()}namePrefix: prod-\n`, 'settings'],
    [
      'a replacement reads',
      `${generator()}replacements:\n- source: {kind: ConfigMap, name: settings, fieldPath: data.a}\n  targets:\n  - select: {kind: Deployment, name: web}\n    fieldPaths: [metadata.annotations.a]\n    options: {create: true}\n`,
    ],
  ])('that %s has no finding', async (_, prod, name = 'other') => {
    const files = {
      'base/kustomization.yaml': `${KUSTOMIZATION}resources: [web.yaml]\n`,
      'base/web.yaml': mounting(name),
    };
    expect(
      await found({
        ...files,
        'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\n${prod}`,
      }),
    ).toEqual([]);
  });
});
