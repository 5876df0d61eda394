import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { CONFIG_MAP, KUSTOMIZATION, useHostileRun } from '../support/hostile-run';
import type { Tree } from '../support/tree';

const run = useHostileRun();
beforeEach(() => {
  run().realKustomize();
});

const COMPONENT = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n';
const pod = (image: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels:\n    app: web\nspec:\n  containers:\n    - name: web\n      image: ${image}\n`;
const read = (file: string) => readFileSync(path.join(run().dir, file), 'utf8');

describe('a bad image in a Component', () => {
  const bad = (folder: string, kustomization = COMPONENT): Tree => ({
    '.krmignore': 'dist/\n',
    [`${folder}/kustomization.yaml`]: `${kustomization}resources: [pod.yaml]\n`,
    [`${folder}/pod.yaml`]: pod('web:latest'),
    'overlays/dev/kustomization.yaml': `${KUSTOMIZATION}resources: [map.yaml]\n`,
    'overlays/dev/map.yaml': CONFIG_MAP,
  });

  test.each(['overlays/prod', 'clusters/eu', 'prod', 'overlays/prod/eu', 'environments/prod'])(
    '%s: is judged, because kustomize builds a Component by itself',
    (folder) => {
      run().write(bad(folder));
      const { status, stdout } = run().render();
      expect(status).toBe(1);
      expect(stdout).toContain(
        `Pod/web container "web" runs web:latest, which has the tag latest (${folder}/pod.yaml:10)`,
      );
    },
  );

  test.each([
    [
      'JSON',
      '{"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", "resources": ["pod.yaml"]}',
    ],
    ['quotes', '"kind": "Component"\n"resources": ["pod.yaml"]\n'],
    ['a tag', 'kind: !!str Component\nresources: [pod.yaml]\n'],
  ])('written with %s', (_, kustomization) => {
    run().write({ ...bad('overlays/prod'), 'overlays/prod/kustomization.yaml': kustomization });
    expect(run().render().status).toBe(1);
  });

  test('a Component that an overlay includes is judged as part of it', () => {
    run().write({
      ...bad('parts/web'),
      'overlays/dev/kustomization.yaml': `${KUSTOMIZATION}resources: [map.yaml]\ncomponents: [../../parts/web]\n`,
    });
    const { status, stdout } = run().render();
    expect(status).toBe(1);
    expect(stdout).toMatch(/^overlays\/dev: /m);
    expect(stdout).not.toMatch(/^parts\/web: /m);
  });

  test('a Component below components that nothing includes is not judged, and the output says so', () => {
    run().write(bad('overlays/components/web'));
    const { status, stdout } = run().render();
    expect(status).toBe(0);
    expect(stdout).toContain(
      '[info] a Component that no kustomization includes is not checked (overlays/components/web/kustomization.yaml)\n',
    );
  });

  test('the build of a Kustomization that became a bad Component does not stay', () => {
    const good = { ...bad('overlays/prod', KUSTOMIZATION), 'overlays/prod/pod.yaml': CONFIG_MAP };
    run().write(good);
    expect(run().render().status).toBe(0);
    expect(existsSync(path.join(run().dir, 'dist/prod.yaml'))).toBe(true);
    run().write(bad('overlays/prod'));
    expect(run().render().status).toBe(1);
    expect(existsSync(path.join(run().dir, 'dist/prod.yaml'))).toBe(false);
  });
});

describe('a generated policy that an overlay changes', () => {
  const SERVICE =
    'apiVersion: v1\nkind: Service\nmetadata:\n  name: api\nspec:\n  selector:\n    app: api\n  ports:\n    - port: 80\n      targetPort: 8080\n';
  const workload = (name: string, env = '') =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  selector:\n    matchLabels:\n      app: ${name}\n  template:\n    metadata:\n      labels:\n        app: ${name}\n    spec:\n      containers:\n        - name: ${name}\n          image: ${name}:v1\n${env}`;
  const overlay = (patches: string) => `${KUSTOMIZATION}namespace: shop\nresources: [../../base]\n${patches}`;
  const files = (patches: string): Tree => ({
    '.krmignore': 'dist/\n',
    'base/kustomization.yaml': `${KUSTOMIZATION}resources:\n  - api.yaml\n  - service.yaml\n  - web.yaml\n`,
    'base/api.yaml': workload('api'),
    'base/service.yaml': SERVICE,
    'base/web.yaml': workload(
      'web',
      '          env:\n            - name: API_URL\n              value: http://api\n',
    ),
    'overlays/dev/kustomization.yaml': overlay(''),
    'overlays/prod/kustomization.yaml': overlay(patches),
  });
  /** The name of the policy that lets web call api. */
  const policyNames = () =>
    [...read('base/network-policies.yaml').matchAll(/^ {2}name: (\S+)$/gm)].map(([, name = '']) => name);

  const patchOf = (patch: string) =>
    `patches:\n- target: {kind: NetworkPolicy, name: NAME}\n  patch: |-\n${patch.replaceAll(/^(?=.)/gm, '    ')}`;
  const STRIP = '- op: remove\n  path: /metadata/labels\n';
  const OPEN = '- op: add\n  path: /spec/ingress\n  value: [{}]\n';

  test.each([
    [
      'its label is removed, and it is opened',
      STRIP + OPEN,
      'this build changes its label todo.example.com/generated-by',
    ],
    ['its label is removed', STRIP, 'this build changes its label todo.example.com/generated-by'],
    [
      'its label gets another value',
      '- op: replace\n  path: /metadata/labels/todo.example.com~1generated-by\n  value: me\n',
      'this build changes its label todo.example.com/generated-by',
    ],
    ['it is opened', OPEN, 'which the build does not require'],
    [
      'it is renamed and opened',
      `${STRIP}${OPEN}- op: replace\n  path: /metadata/name\n  value: mine\n`,
      'is generated, but this build does not contain it',
    ],
  ])('%s: error', (_, patch, message) => {
    run().write(files(''));
    expect(run().render().status).toBe(0);
    expect(policyNames().length).toBeGreaterThan(1);
    const name = policyNames().find((one) => one.includes('api')) ?? '';
    expect(name).not.toBe('');
    run().write({ 'overlays/prod/kustomization.yaml': overlay(patchOf(patch).replace('NAME', name)) });
    const { status, stdout } = run().render();
    expect(status).toBe(1);
    expect(stdout).toMatch(new RegExp(`^ {2}\\[error\\] overlays/prod: NetworkPolicy/.*${message}`, 'm'));
    expect(stdout).toMatch(/^overlays\/dev: \d+ resources, 0 errors/m);
  });

  test('it is deleted: error', () => {
    run().write(files(''));
    expect(run().render().status).toBe(0);
    const name = policyNames().find((one) => one.includes('api')) ?? '';
    const patch = `patches:\n- patch: |-\n    apiVersion: networking.k8s.io/v1\n    kind: NetworkPolicy\n    metadata: {name: ${name}}\n    $patch: delete\n`;
    run().write({ 'overlays/prod/kustomization.yaml': overlay(patch) });
    const { status, stdout } = run().render();
    expect(status).toBe(1);
    expect(stdout).toContain(
      `[error] overlays/prod: NetworkPolicy/${name} is generated, but this build does not contain it (base/network-policies.yaml); remove the patch that deletes or renames it`,
    );
  });

  test.each([
    [
      'another label and an annotation',
      patchOf(
        '- op: add\n  path: /metadata/annotations\n  value: {argocd.argoproj.io/sync-wave: "1"}\n- op: add\n  path: /metadata/labels/team\n  value: a\n',
      ).replace('target: {kind: NetworkPolicy, name: NAME}', 'target: {kind: NetworkPolicy}'),
    ],
    ['a prefix', 'namePrefix: eu-\n'],
    ['a suffix', 'nameSuffix: -eu\n'],
    ['labels of the overlay', 'labels: [{pairs: {team: a}}]\n'],
  ])('%s: no finding', (_, more) => {
    run().write(files(''));
    expect(run().render().status).toBe(0);
    run().write({ 'overlays/prod/kustomization.yaml': overlay(more) });
    const { stdout } = run().render('--check');
    expect(stdout).not.toContain('is generated, but');
  });
});

describe('the build of an overlay does not stay', () => {
  const isThere = (file: string) => existsSync(path.join(run().dir, file));

  test.each([
    [
      'that is no longer there',
      () => {
        rmSync(path.join(run().dir, 'overlays/prod'), { recursive: true });
      },
    ],
    [
      'that is a Component by now, which dev includes',
      () => {
        run().write({
          'overlays/prod/kustomization.yaml': `${COMPONENT}namePrefix: a-\n`,
          'overlays/dev/kustomization.yaml': `${KUSTOMIZATION}resources: [map.yaml]\ncomponents: [../prod]\n`,
        });
      },
    ],
  ])('%s', (_, change) => {
    run().write({
      '.krmignore': 'dist/\n',
      'overlays/dev/kustomization.yaml': `${KUSTOMIZATION}resources: [map.yaml]\n`,
      'overlays/dev/map.yaml': CONFIG_MAP,
      'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../dev]\n`,
    });
    expect(run().render().status).toBe(0);
    expect(['dist/dev.yaml', 'dist/prod.yaml'].map(isThere)).toEqual([true, true]);
    change();
    expect(run().render().status).toBe(0);
    expect(isThere('dist/prod.yaml')).toBe(false);
  });
});
