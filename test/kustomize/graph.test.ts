import { type Item, readItem } from '../../functions/guardrails/krm/item';
import { checkConfiguredOverlays } from '../../functions/guardrails/kustomize/overlays';
import { packageOf, secretSources } from '../../functions/guardrails/kustomize/package';

function packageWith(kustomization: string, files: Record<string, string> = {}) {
  const all = { 'base/kustomization.yaml': kustomization, 'base/web.yaml': 'kind: A\n', ...files };
  const items = Object.entries(all).map(([path, text]): Item | undefined =>
    readItem(text, path, { start: 0, end: text.length, column: 0 }, { path, index: 0 }),
  );
  const pkg = packageOf(items.filter((item) => item !== undefined));
  if (pkg === undefined) throw new Error('no package');
  return pkg;
}

function baseOf(kustomization: string, files: Record<string, string> = {}) {
  const base = packageWith(kustomization, files).graph.get('base');
  if (base === undefined) throw new Error('no base');
  return base;
}

test.each<[string, string]>([
  [
    'resources: [https://example.com/a.yaml]',
    'resources names https://example.com/a.yaml, which is remote, and a build must not use the network; vendor it with `kustomize localize`, or check what CI built with --built',
  ],
  [
    'bases: [../..]',
    'bases names ../.., which is outside the package; move it into the package, or run on the folder that contains both',
  ],
  [
    'resources: [a.yaml]',
    'resources names a.yaml, which is not in the package (base/a.yaml); add the file, or the folder with its kustomization.yaml, and check that .krmignore does not exclude it',
  ],
  [
    'components: [web.yaml]',
    'components names web.yaml, which is not in the package (base/web.yaml); add the file, or the folder with its kustomization.yaml, and check that .krmignore does not exclude it',
  ],
  [
    'patches: [{path: a.yaml}]',
    'patches names a.yaml, which is not in the package (base/a.yaml); add it; kpt does not pass a file that is not a Kubernetes resource: write a JSON 6902 patch inline there',
  ],
  [
    'configMapGenerator: [{files: [a.yaml]}]',
    'configMapGenerator names a.yaml, which is not in the package (base/a.yaml); add it; kpt passes YAML files only if they are Kubernetes resources: rename the file to another extension there',
  ],
  [
    'configMapGenerator: [{files: [web.yaml/a]}]',
    'configMapGenerator names web.yaml/a, which is a folder of the package, or has a file as its folder (base/web.yaml/a); name a file',
  ],
  ['transformers: [t]', 'transformers names t, which is a folder; name the files in it'],
  [
    'openapi: {path: a.json}',
    'openapi names a.json, which is not in the package (base/a.json); add it, and check that .krmignore does not exclude it',
  ],
  [
    'helmCharts: [{name: a}]',
    'helmCharts requires Helm, which a build does not run; render the chart and commit the manifests, or check what CI built with --built',
  ],
  [
    'generators: ["{apiVersion: x/v1, kind: Gen, metadata: {name: g}}"]',
    'the plugin Gen is not built into kustomize, and a build runs no other plugins; run it once and commit its output',
  ],
  ['RESOURCES: [web.yaml]', 'kustomize reads the field RESOURCES as resources; rename it to resources'],
])('%s is refused', (kustomization, problem) => {
  const { problems } = baseOf(`${kustomization}\n`, { 'base/t/kustomization.yaml': 'kind: Kustomization\n' });
  expect(problems.map(({ raw }) => raw)).toEqual([`base/kustomization.yaml: ${problem}`]);
});

test('a problem in the file of a plugin names that file', () => {
  const plugin = 'apiVersion: builtin\nkind: PatchTransformer\npath: /a.yaml\n';
  const { problems } = baseOf('transformers: [p.yaml]\n', { 'base/p.yaml': plugin });
  expect(problems.map(({ raw }) => raw)).toEqual([
    'base/p.yaml: PatchTransformer names /a.yaml, which is outside the package; move it into the package, or run on the folder that contains both',
  ]);
});

test('every kind of reference is listed', () => {
  const generator = 'apiVersion: builtin\nkind: SecretGenerator\nenvs: [plugin.env]\n';
  const base = baseOf(
    `resources: [web.yaml, apps, network-policies.yaml]
components: [apps]
patches: [{path: p.yaml}]
crds: [crd.yaml]
generators: [g.yaml]
configMapGenerator: [{files: [key=a.conf]}]
secretGenerator: [{files: [web.yaml], env: b.env}]
`,
    {
      'base/apps/kustomization.yaml': 'kind: Kustomization\n',
      'base/p.yaml': 'kind: A\n',
      'base/crd.yaml': 'kind: A\n',
      'base/g.yaml': generator,
    },
  );
  expect(base).toMatchObject({
    folders: ['base/apps', 'base/apps'],
    resources: ['base/web.yaml', 'base/network-policies.yaml'],
    patches: ['base/p.yaml'],
    others: ['base/crd.yaml', 'base/web.yaml', 'base/g.yaml'],
    secretInputs: ['base/web.yaml', 'base/b.env', 'base/plugin.env'],
    lacksPolicies: true,
    problems: [],
  });
  expect([...base.placeholders]).toEqual([
    ['base/a.conf', '<?>'],
    ['base/b.env', 'GUARDRAILS_PLACEHOLDER_626173652f622e656e76=<?>\n'],
    ['base/plugin.env', 'GUARDRAILS_PLACEHOLDER_626173652f706c7567696e2e656e76=<?>\n'],
  ]);
});

test('the content of the files that secretGenerators read', () => {
  const pkg = packageWith(
    'secretGenerator: [{files: [web.yaml], env: b.env}]\nconfigMapGenerator: [{files: [a.conf]}]\n',
  );
  const others = new Map([
    ['base/b.env', Buffer.from('A=b')],
    ['base/a.conf', Buffer.from('x')],
  ]);
  expect(secretSources({ ...pkg, others }).inputs.map(String)).toEqual(['kind: A\n', 'A=b']);
});

test('an unknown overlay in the configuration is refused', () => {
  const { graph } = packageWith('resources: [web.yaml]\n', { 'c/kustomization.yaml': 'kind: Component\n' });
  expect(() => {
    checkConfiguredOverlays(graph, ['base']);
  }).not.toThrow();
  expect(() => {
    checkConfiguredOverlays(graph, ['base', 'c']);
  }).toThrow('configuration: environments names the overlay "c", which does not exist; use one of base');
});
