import { parse } from 'yaml';
import { run } from '../functions/guardrails/run';
import { findKustomizeForTests } from './support/tools';

const DEPLOYMENT = (image: string) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: ${image}
`;

const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';

/** A ResourceList as kpt sends it. */
function resourceList(files: Record<string, string>, functionConfig = ''): string {
  const items = Object.entries(files).map(([file, text]) => {
    const annotation = `internal.config.kubernetes.io/path: '${file}'`;
    const annotated = text.includes('metadata:\n')
      ? text.replace('metadata:\n', `metadata:\n  annotations:\n    ${annotation}\n`)
      : `${text}metadata:\n  annotations:\n    ${annotation}\n`;
    return `- ${annotated.trimEnd().replaceAll('\n', '\n  ')}\n`;
  });
  return `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${items.join('')}${functionConfig}`;
}

function runText(text: string) {
  return run(Buffer.from(text), () => Promise.resolve(findKustomizeForTests()));
}

/** A base with one Deployment, and prod on it. */
function packageWith(image: string, prod: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    'base/deployment.yaml': DEPLOYMENT(image),
    'base/kustomization.yaml': `${KUSTOMIZATION}resources: [deployment.yaml]\n`,
    'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\n${prod}`,
    ...more,
  };
}

describe('prod refuses an image that is not pinned', () => {
  it.each<[string, Record<string, string>, string]>([
    [
      'no images entry',
      packageWith('web:latest', ''),
      'web:latest, which has the tag latest (base/deployment.yaml:12)',
    ],
    ['no tag', packageWith('web', ''), 'web, which has no tag (base/deployment.yaml:12)'],
    [
      'a registry with a port and no tag',
      packageWith('r.example:5000/web', ''),
      'r.example:5000/web, which has no tag (base/deployment.yaml:12)',
    ],
    [
      'newTag latest',
      packageWith('web:v1', 'images: [{name: web, newTag: latest}]\n'),
      'web:latest, which has the tag latest (overlays/prod/kustomization.yaml:4, images[0])',
    ],
    [
      'an entry for another name',
      packageWith('web:latest', 'images: [{name: other, newTag: v1}]\n'),
      'web:latest, which has the tag latest (base/deployment.yaml:12)',
    ],
    [
      'a strategic-merge patch file',
      packageWith('web:v1', 'patches: [{path: set-image.patch.yaml}]\n', {
        'overlays/prod/set-image.patch.yaml': DEPLOYMENT('web:latest'),
      }),
      'web:latest, which has the tag latest (overlays/prod/set-image.patch.yaml:12)',
    ],
    [
      'an inline JSON 6902 patch',
      packageWith(
        'web:v1',
        'patches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: replace\n' +
          '      path: /spec/template/spec/containers/0/image\n      value: web:latest\n',
      ),
      'web:latest, which has the tag latest (overlays/prod/kustomization.yaml:5, patches[0])',
    ],
    [
      'a component',
      packageWith('web:v1', 'components: [../../components/float]\n', {
        'components/float/kustomization.yaml':
          'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages: [{name: web, newTag: latest}]\n',
      }),
      'web:latest, which has the tag latest (components/float/kustomization.yaml:3, images[0])',
    ],
  ])('%s', async (_, files, image) => {
    const input = resourceList(files);
    const { exitCode, stdout, stderr } = await runText(input);
    expect(exitCode).toBe(1);
    expect(stdout.startsWith(input)).toBe(true);
    expect(stderr.split('\n').filter((line) => line.startsWith('[error]'))).toEqual([
      `[error] overlays/prod: Deployment/web container "web" runs ${image}; pin it under images in overlays/prod/kustomization.yaml`,
    ]);
  });

  it('passes a digest', async () => {
    const files = packageWith(`web@sha256:${'a'.repeat(64)}`, '');
    expect(await runText(resourceList(files))).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('checks prod also when prod-eu builds on it and only prod-eu is fixed', async () => {
    const files = packageWith('web:latest', '', {
      'overlays/prod-eu/kustomization.yaml': `${KUSTOMIZATION}resources: [../prod]\nimages: [{name: web, newTag: v1}]\n`,
    });
    const { exitCode, stderr } = await runText(resourceList(files));
    expect(exitCode).toBe(1);
    expect(stderr.split('\n').filter(Boolean)).toHaveLength(1);
    expect(stderr).toContain('overlays/prod: ');
  });
});

describe('pods without labels, which no NetworkPolicy of their own can select', () => {
  const unlabelled = DEPLOYMENT('web:v1')
    .replace('{matchLabels: {app: web}}', '{}')
    .replace(/^ {4}metadata: .*\n/m, '');
  const REFUSED =
    '[error] overlays/prod: Deployment/web has pods that no NetworkPolicy isolates for ingress and egress (base/deployment.yaml:5); add a label of its own to the pod template, so that a NetworkPolicy can select the pods\n';
  const inShop = (more: Record<string, string>) =>
    packageWith('', 'namespace: shop\n', { 'base/deployment.yaml': unlabelled, ...more });

  it('are refused in a namespace that the build does not have', async () => {
    const input = resourceList(inShop({}));
    const { exitCode, stdout, stderr } = await runText(input);
    expect(exitCode).toBe(1);
    expect(stdout.startsWith(input)).toBe(true);
    expect(stderr).toBe(REFUSED);
  });

  it('are refused in one that the build has: a default deny would close their DNS', async () => {
    const files = inShop({
      'base/namespace.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n',
      'base/kustomization.yaml': `${KUSTOMIZATION}resources: [deployment.yaml, namespace.yaml]\n`,
    });
    const { exitCode, stderr } = await runText(resourceList(files));
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: REFUSED });
  });
});

describe('prod refuses :latest in every place', () => {
  const onBase = (prod: string, more: Record<string, string>) => packageWith('web:v1', prod, more);
  const podSpec = (spec: string) => `template:\n    spec: ${spec}\n`;

  it.each<[string, Record<string, string>, string]>([
    [
      'an initContainer by a patch',
      packageWith(
        'web:v1',
        'patches:\n- target: {kind: Deployment}\n  patch: |-\n    - op: add\n' +
          '      path: /spec/template/spec/initContainers\n      value: [{name: init, image: "init:latest"}]\n',
      ),
      'Deployment/web initContainer "init" runs init:latest, which has the tag latest (overlays/prod/kustomization.yaml:5, patches[0]); pin it under images in overlays/prod/kustomization.yaml',
    ],
    [
      'a CronJob',
      onBase('', {
        'base/other.yaml':
          'apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: job\nspec:\n  schedule: "@daily"\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers: [{name: job, image: job}]\n',
      }),
      'CronJob/job container "job" runs job, which has no tag (base/other.yaml:11); pin it under images in overlays/prod/kustomization.yaml',
    ],
    [
      'a named List',
      onBase('', {
        'base/other.yaml':
          'apiVersion: v1\nkind: List\nmetadata:\n  name: both\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: pod\n  spec:\n    containers: [{name: c, image: "c:latest"}]\n',
      }),
      'Pod/pod container "c" runs c:latest, which has the tag latest (base/other.yaml:11); pin it under images in overlays/prod/kustomization.yaml',
    ],
    [
      'an image volume',
      onBase('', {
        'base/other.yaml':
          'apiVersion: v1\nkind: Pod\nmetadata:\n  name: pod\nspec:\n  containers: [{name: c, image: "c:v1"}]\n  volumes: [{name: model, image: {reference: "m:latest"}}]\n',
      }),
      'Pod/pod image volume "model" mounts m:latest, which has the tag latest (base/other.yaml:7); pin it under images in overlays/prod/kustomization.yaml',
    ],
    [
      'an ephemeral container, which images do not reach',
      onBase('', {
        'base/other.yaml':
          'apiVersion: v1\nkind: Pod\nmetadata:\n  name: pod\nspec:\n  containers: [{name: c, image: "c:v1"}]\n  ephemeralContainers: [{name: e, image: "e:latest"}]\n',
      }),
      'Pod/pod ephemeralContainer "e" runs e:latest, which has the tag latest (base/other.yaml:7); use a tag other than latest, or a digest',
    ],
    [
      'a replacements entry',
      onBase(
        'replacements:\n- source: {kind: ConfigMap, name: v, fieldPath: data.image}\n  targets:\n  - select: {kind: Deployment}\n    fieldPaths: [spec.template.spec.containers.0.image]\n',
        {
          'base/other.yaml':
            'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: v\ndata:\n  image: web:latest\n',
        },
      ),
      'Deployment/web container "web" runs web:latest, which has the tag latest (overlays/prod/kustomization.yaml:5, replacements[0]); pin the image there',
    ],
    [
      'an Argo Rollout',
      onBase('', {
        'base/other.yaml':
          'apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata:\n  name: r\nspec:\n  ' +
          podSpec('{containers: [{name: c, image: "c:LATEST"}]}'),
      }),
      'Rollout/r container "c" runs c:LATEST, which has the tag latest (base/other.yaml:7); pin it under images in overlays/prod/kustomization.yaml',
    ],
  ])('%s', async (_, files, message) => {
    const resources =
      (files['base/other.yaml'] ?? '') !== '' ? '[deployment.yaml, other.yaml]' : '[deployment.yaml]';
    const input = resourceList(
      Object.fromEntries(
        Object.entries({
          ...files,
          'base/kustomization.yaml': `${KUSTOMIZATION}resources: ${resources}\n`,
        }).filter(([, text]) => text !== ''),
      ),
    );
    const { exitCode, stderr } = await runText(input);
    expect(exitCode).toBe(1);
    // A patch is not hardened at its source, so that other findings follow.
    expect(stderr.split('\n')[0]).toBe(`[error] overlays/prod: ${message}`);
    expect(stderr.match(/ (?:runs|mounts) \S+, which /g)).toHaveLength(1);
  });

  it('in an overlay that the configuration does not name; dev passes on the same base', async () => {
    const files = packageWith('web:latest', '', {
      'overlays/dev/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\n`,
      'overlays/stage/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\n`,
    });
    const config =
      'functionConfig:\n  apiVersion: todo.example.com/v1alpha1\n  kind: Guardrails\n' +
      '  spec: {environments: {overlays/dev: {rules: {pinned-image: off}}}}\n';
    const { exitCode, stderr } = await runText(resourceList(files, config));
    expect(exitCode).toBe(1);
    expect(stderr.split('\n')).toEqual([
      ...['overlays/prod', 'overlays/stage'].map(
        (overlay) =>
          `[error] ${overlay}: Deployment/web container "web" runs web:latest, which has the tag latest (base/deployment.yaml:12); pin it under images in ${overlay}/kustomization.yaml`,
      ),
      '',
    ]);
  });
});

describe('bad input ends in a clear error and an empty stdout', () => {
  it.each<[string, string, string]>([
    ['empty stdin', '', 'empty'],
    ['invalid YAML', 'a: [', 'standard input:1: invalid YAML'],
    [
      'a mapping that is not a resource',
      'a: 1\n',
      'standard input:1: the field apiVersion of a Kubernetes resource is missing',
    ],
    [
      'items missing',
      'apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n',
      'does not have a list of items',
    ],
    [
      'a path that leaves the package',
      resourceList({ '../x.yaml': DEPLOYMENT('a:v1') }),
      'is outside the package',
    ],
    ['an absolute path', resourceList({ '/x.yaml': DEPLOYMENT('a:v1') }), 'is outside the package'],
  ])('%s', async (_, input, message) => {
    const { exitCode, stdout, stderr } = await runText(input);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it.each<[string, string, string]>([
    [
      'a remote base',
      resourceList(packageWith('a:v1', 'bases: [github.com/a/b]\n')),
      'bases names github.com/a/b, which is remote',
    ],
    [
      'a disguised remote base',
      resourceList(packageWith('a:v1', 'BASES: [github.com/a/b]\n')),
      'rename it to bases',
    ],
    [
      'a Helm chart',
      resourceList(packageWith('a:v1', 'helmCharts: [{name: x}]\n')),
      'helmCharts requires Helm',
    ],
    ['a file outside', resourceList(packageWith('a:v1', 'crds: [../../../x.yaml]\n')), 'outside the package'],
  ])('%s is an error of the overlay, and every item comes back', async (_, input, message) => {
    const { exitCode, stdout, stderr } = await runText(input);
    expect(exitCode).toBe(1);
    expect(stdout.startsWith(input)).toBe(true);
    expect(stderr).toContain('[error] overlays/prod: ');
    expect(stderr).toContain(message);
  });

  it.each([
    ['an unknown key', 'spec: {enviroments: {}}', 'enviroments'],
    ['a wrong type', 'spec: {environments: 1}', 'environments'],
    [
      'an unknown overlay',
      'spec: {environments: {overlays/x: {}}}',
      'environments names the overlay "overlays/x", which does not exist; use one of base, overlays/prod',
    ],
  ])('bad configuration: %s is exit 3, and every item comes back', async (_, spec, message) => {
    const config = `functionConfig:\n  apiVersion: todo.example.com/v1alpha1\n  kind: Guardrails\n  ${spec}\n`;
    const input = resourceList(packageWith('web:v1', ''), config);
    const { exitCode, stdout, stderr } = await runText(input);
    expect(exitCode).toBe(3);
    expect(stdout.startsWith(input)).toBe(true);
    expect(stderr).toContain(message);
  });

  it('plain YAML with an error leaves stdout empty', async () => {
    expect(await runText(DEPLOYMENT('web:latest'))).toMatchObject({ exitCode: 1, stdout: '' });
  });

  it('never prints the value of a Secret', async () => {
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  k: canary-7d1\n';
    const { exitCode, stderr } = await runText(secret);
    expect(exitCode).toBe(1);
    expect(stderr).not.toContain('canary');
  });
});

it('plain YAML without findings passes through byte for byte', async () => {
  const input =
    '# a comment\napiVersion: v1\nkind: ConfigMap\nmetadata:\n    name: a\ndata: {mode: "0644"}\n---\n';
  expect(await runText(input)).toEqual({ exitCode: 0, stdout: input, stderr: '' });
});

test.each([
  ['the items come last', ''],
  ['a functionConfig comes after them', 'functionConfig: null\n'],
  ['the list is indented', ''],
])('a fix at the end of the last item stays in it, %s', async (name, after) => {
  const pod =
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n    - name: a\n      image: a:v1\n';
  const entry = `- ${pod.trimEnd().replaceAll('\n', '\n  ')}\n`;
  const wide = name === 'the list is indented' ? entry.replace(/^/gm, '  ').trimEnd() + '\n' : entry;
  const input = `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${wide}${after}`;
  const { exitCode, stdout } = await runText(input);
  const { items, results } = parse(stdout) as { items: unknown[]; results: unknown[] };
  expect(exitCode).toBe(0);
  expect(items).toMatchObject([
    { spec: { securityContext: { runAsNonRoot: true }, automountServiceAccountToken: false } },
  ]);
  expect(results.length).toBeGreaterThan(5);
});
