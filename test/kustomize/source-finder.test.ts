import { run } from '../../functions/guardrails/run';
import { findKustomizeForTests } from '../support/tools';

const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
const COMPONENT = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n';
/** @param fields more lines of its container */
const DEPLOYMENT = (name: string, fields = '') =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  template:\n    spec:\n      containers:\n        - name: ${name}\n          image: ${name}:v1\n${fields}    metadata: {labels: {app: ${name}}}\n  selector: {matchLabels: {app: ${name}}}\n`;

describe('an overlay that removes the hardening is refused, and the finding names its source', () => {
  /** A ResourceList as kpt sends it. */
  function resourceList(files: Record<string, string>): string {
    const items = Object.entries(files).map(([file, text]) => {
      const wire = `  annotations:\n    internal.config.kubernetes.io/path: '${file}'\n`;
      const annotated = /^metadata:\n/m.test(text)
        ? text.replace(/^metadata:\n/m, `metadata:\n${wire}`)
        : `${text}metadata:\n${wire}`;
      return `- ${annotated.trimEnd().replaceAll('\n', '\n  ')}\n`;
    });
    return `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${items.join('')}`;
  }

  /** The lines on standard error for prod, which builds on base. The items must not have changed. */
  async function findings(
    prod: string,
    files: Record<string, string>,
    web = DEPLOYMENT('web'),
  ): Promise<string[]> {
    const input = resourceList({
      'base/kustomization.yaml': `${KUSTOMIZATION}resources: [web.yaml]\n`,
      'base/web.yaml': web,
      'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}${/^resources:/m.test(prod) ? '' : 'resources: [../../base]\n'}${prod}`,
      ...files,
    });
    const { exitCode, stdout, stderr } = await run(Buffer.from(input), () =>
      Promise.resolve(findKustomizeForTests()),
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr });
    expect(stdout.startsWith(input)).toBe(true);
    return stderr.trimEnd().split('\n');
  }

  const smp = (spec: string) =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      ${spec}\n`;
  const container = (fields: string) => smp(`containers: [{name: web, ${fields}}]`);
  const READ_ONLY =
    '[error] overlays/prod: Deployment/web container "web" can write to its root file system: readOnlyRootFilesystem is missing';
  const json6902 = (operation: string) =>
    `patches:\n- target: {kind: Deployment}\n  patch: |-\n    - ${operation}\n`;
  const INLINE = '(overlays/prod/kustomization.yaml:5, patches[0])';
  const FIRST = '/spec/template/spec/containers/0';

  test.each<[string, string, string, number?]>([
    ['null', container('securityContext: {readOnlyRootFilesystem: null}'), READ_ONLY],
    ['$patch: delete of a securityContext', container('securityContext: {$patch: delete}'), READ_ONLY],
    [
      '$patch: delete of a mount',
      container('volumeMounts: [{mountPath: /tmp, $patch: delete}]'),
      '[error] overlays/prod: Deployment/web container "web" has no writable volume at /tmp',
    ],
    [
      '$patch: delete of a volume',
      smp('volumes: [{name: guardrails-tmp, $patch: delete}]'),
      '[error] overlays/prod: Deployment/web container "web" mounts volume "guardrails-tmp", which the pod does not define',
      7, // the patch has no containers
    ],
    [
      'null for the pod',
      smp('securityContext: null'),
      '[error] overlays/prod: Deployment/web pod may run as root: runAsNonRoot is missing',
    ],
    [
      'false where it was true',
      container('securityContext: {readOnlyRootFilesystem: false}'),
      '[error] overlays/prod: Deployment/web container "web" sets readOnlyRootFilesystem to a value other than true',
    ],
    [
      'a second source of the volume',
      smp('volumes: [{name: guardrails-tmp, configMap: {name: m}}]'),
      '[error] overlays/prod: Deployment/web volume "guardrails-tmp" has more than one source: configMap and emptyDir',
    ],
    [
      'a hostPath in place of the volume',
      smp('volumes: [{name: guardrails-tmp, emptyDir: null, hostPath: {path: /}}]'),
      '[error] overlays/prod: Deployment/web volume "guardrails-tmp" uses a prefix that is reserved for emptyDir volumes that set only sizeLimit',
    ],
    [
      'memory for the volume',
      smp('volumes: [{name: guardrails-tmp, emptyDir: {medium: Memory}}]'),
      '[error] overlays/prod: Deployment/web volume "guardrails-tmp" uses a prefix that is reserved for emptyDir volumes that set only sizeLimit',
    ],
    [
      'a limit below the request',
      container('resources: {limits: {memory: 1Mi}}'),
      '[error] overlays/prod: Deployment/web container "web" has a memory request of 128Mi that exceeds its limit of 1Mi',
    ],
  ])('a patch file: %s', async (_, patch, message, line = 8) => {
    const file = 'overlays/prod/remove.patch.yaml';
    const reported = await findings('patches: [{path: remove.patch.yaml}]\n', { [file]: patch });
    const lines = reported.filter((one) => one.startsWith(message));
    expect(lines).toEqual([expect.stringContaining(`(${file}:${line}); `)]);
    for (const one of reported) expect(one).toContain(`(${file}:`);
  });

  test.each<[string, string, string]>([
    ['removes', `{op: remove, path: ${FIRST}/securityContext/readOnlyRootFilesystem}`, READ_ONLY],
    [
      'adds a second mount',
      `{op: add, path: ${FIRST}/volumeMounts/-, value: {name: guardrails-tmp, mountPath: /tmp}}`,
      '[error] overlays/prod: Deployment/web container "web" has two mounts at /tmp',
    ],
    [
      'adds a second mount with a trailing slash',
      `{op: add, path: ${FIRST}/volumeMounts/-, value: {name: guardrails-tmp, mountPath: /tmp/}}`,
      '[error] overlays/prod: Deployment/web container "web" has two mounts at /tmp/',
    ],
    [
      'adds a second volume',
      '{op: add, path: /spec/template/spec/volumes/-, value: {name: guardrails-tmp, configMap: {name: m}}}',
      '[error] overlays/prod: Deployment/web has two volumes with the name "guardrails-tmp"',
    ],
  ])('JSON 6902, inline: %s', async (_, operation, message) => {
    const reported = await findings(json6902(operation), {});
    expect(reported.filter((line) => line.startsWith(message))).toHaveLength(1);
    for (const line of reported) expect(line).toContain(INLINE);
  });

  const TRANSFORMER = `apiVersion: builtin\nkind: PatchTransformer\nmetadata:\n  name: p\ntarget: {kind: Deployment}\npatch: |-\n  - op: remove\n    path: ${FIRST}/securityContext\n`;
  const MID = {
    'mid/kustomization.yaml': `${KUSTOMIZATION}resources: [../base]\npatches: [{path: a.yaml}]\n`,
    'mid/a.yaml': container('securityContext: null'),
  };
  const HARMLESS = container('env: [{name: A, value: b}]');

  test.each<[string, string, Record<string, string>, string]>([
    [
      'a builtin transformer, inline',
      `transformers:\n- |-\n  ${TRANSFORMER.trimEnd().replaceAll('\n', '\n  ')}\n`,
      {},
      '(overlays/prod/kustomization.yaml:5, transformers[0])',
    ],
    [
      'a builtin transformer in a file',
      'transformers: [t.yaml]\n',
      { 'overlays/prod/t.yaml': TRANSFORMER },
      '(overlays/prod/t.yaml:1)',
    ],
    [
      'a Component',
      'components: [../components/loose]\n',
      {
        'overlays/components/loose/kustomization.yaml': `${COMPONENT}patches: [{path: a.yaml}]\n`,
        'overlays/components/loose/a.yaml': container('securityContext: null'),
      },
      '(overlays/components/loose/a.yaml:8)',
    ],
    [
      'two levels down',
      'resources: [../../top]\n',
      { 'top/kustomization.yaml': `${KUSTOMIZATION}resources: [../mid]\n`, ...MID },
      '(mid/a.yaml:8)',
    ],
    [
      'the second of three patches',
      'patches: [{path: x.yaml}, {path: y.yaml}, {path: z.yaml}]\n',
      {
        'overlays/prod/x.yaml': HARMLESS,
        'overlays/prod/y.yaml': container('securityContext: null'),
        'overlays/prod/z.yaml': container('env: [{name: A, value: readOnlyRootFilesystem}]'),
      },
      '(overlays/prod/y.yaml:8)',
    ],
    [
      'the first of two that do the same',
      'resources: [../../mid]\npatches: [{path: again.yaml}]\n',
      { ...MID, 'overlays/prod/again.yaml': container('securityContext: null') },
      '(mid/a.yaml:8)',
    ],
    [
      'a new container before the one that is changed',
      'patches: [{path: x.yaml}, {path: y.yaml}]\n',
      {
        'overlays/prod/x.yaml': container('securityContext: null'),
        'overlays/prod/y.yaml': HARMLESS,
      },
      '(overlays/prod/x.yaml:8)',
    ],
  ])('%s', async (_, prod, files, where) => {
    const reported = await findings(prod, files);
    // A kustomization between base and overlay is judged, too.
    const withoutOverlays = reported.map((line) =>
      line.replace(/^\[error\] .*?: /, '[error] overlays/prod: '),
    );
    expect(withoutOverlays.filter((line) => line.startsWith(READ_ONLY))).toHaveLength(1);
    for (const line of reported) expect(line).toContain(where);
  });

  const SIDECAR = `{name: side, image: "side:v1", securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}, volumeMounts: [{name: guardrails-tmp, mountPath: /tmp}], resources: {requests: {cpu: 1m, memory: 1Mi}, limits: {cpu: 1m, memory: 128Mi}}}`;

  test.each<[string, string, string, number]>([
    ['a container that a patch inserts before', 'privileged: true', 'is privileged', 11],
    [
      'a quantity that is also in a patch',
      'privileged: false}\n          resources: {requests: {memory: 128Mi}, limits: {memory: 1Mi}',
      'has a memory request of 128Mi that exceeds its limit of 1Mi',
      12,
    ],
  ])('the source of a finding in the base is the base, also with %s', async (_, fields, what, line) => {
    const reported = await findings(
      json6902(`{op: add, path: ${FIRST}, value: ${SIDECAR}}`),
      {},
      DEPLOYMENT('web', `          securityContext: {${fields}}\n`),
    );
    expect(reported).toEqual([expect.stringContaining(`container "web" ${what} (base/web.yaml:${line}); `)]);
  });
});
