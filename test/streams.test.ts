import { findKustomizeForTests } from './support/tools';
import { type Outcome, run } from '../functions/guardrails/run';

function judge(text: string): Promise<Outcome> {
  return run(Buffer.from(text), () => Promise.resolve(findKustomizeForTests()));
}

const KUSTOMIZATION = (
  annotations: string,
  resources = 'b.yaml',
) => `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
metadata: {name: k, annotations: {${annotations}}}
resources: [${resources}]
`;
const CONFIG_MAP = (annotations: string) => `apiVersion: v1
kind: ConfigMap
metadata: {name: b, annotations: {${annotations}}}
`;
const PRIVILEGED = `apiVersion: apps/v1
kind: Deployment
metadata: {name: hidden}
spec:
  selector: {matchLabels: {app: hidden}}
  template:
    metadata: {labels: {app: hidden}}
    spec:
      containers:
      - {name: c, image: "nginx:1.29", securityContext: {privileged: true}}
`;
const INNOCENT = PRIVILEGED.replace(', securityContext: {privileged: true}', '');
const FOUND = 'Deployment/hidden container "c" is privileged';
const PATH = 'config.kubernetes.io/path';

/** A Kustomization and a Deployment that it does not name, in a stream. */
const KUSTOMIZATIONS: Record<string, (deployment: string) => string> = {
  'whose documents name files': (deployment) =>
    [KUSTOMIZATION(`${PATH}: kustomization.yaml`), CONFIG_MAP(`${PATH}: b.yaml`), deployment].join('---\n'),
  'without a file, as the last document': (deployment) => [deployment, KUSTOMIZATION('')].join('---\n'),
  'and the Deployment names a file too': (deployment) =>
    [
      KUSTOMIZATION(`internal.${PATH}: base/kustomization.yaml`),
      CONFIG_MAP(`internal.${PATH}: base/b.yaml`),
      deployment.replace('name: hidden', `name: hidden, annotations: {internal.${PATH}: base/c.yaml}`),
    ].join('---\n'),
  'of Flux': (deployment) =>
    [
      KUSTOMIZATION('').replace('kustomize.config.k8s.io/v1beta1', 'kustomize.toolkit.fluxcd.io/v1'),
      deployment,
    ].join('---\n'),
  'in a ResourceList, where the Deployment comes from no file': (deployment) => {
    const items = [
      KUSTOMIZATION(`internal.${PATH}: kustomization.yaml`),
      CONFIG_MAP(`internal.${PATH}: b.yaml`),
      deployment,
    ];
    const entries = items.map((text) => `- ${text.trimEnd().replaceAll('\n', '\n  ')}\n`);
    return `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${entries.join('')}`;
  },
};

describe('a Kustomization in a stream does not keep the rest from judgement', () => {
  it.each(Object.entries(KUSTOMIZATIONS))('%s', async (_, stream) => {
    const refused = await judge(stream(PRIVILEGED));
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(refused.stderr).toContain(`[error] ${FOUND}`);
  });

  it('an innocent stream passes, and a line says what is not built', async () => {
    const { exitCode, stdout, stderr } = await judge([INNOCENT, KUSTOMIZATION('')].join('---\n'));
    expect(exitCode).toBe(0);
    expect(stdout).toContain('runAsNonRoot: true');
    expect(stdout).toContain('kind: Kustomization');
    expect(stderr).toContain(
      '[warning] Kustomization/k is not built, because plain documents are checked as they are;',
    );
  });
});

const listed = (text: string) => `- ${text.trimEnd().replaceAll('\n', '\n  ')}\n`;
const WITH_ITEMS: Record<string, (deployment: string) => string> = {
  'a ConfigMap': (deployment) => `${CONFIG_MAP('')}items:\n${listed(deployment)}`,
  'a ConfigMap in a List': (deployment) =>
    `apiVersion: v1\nkind: List\nitems:\n${listed(`${CONFIG_MAP('')}items:\n${listed(deployment)}`)}`,
  'a custom resource, in flow style': (deployment) =>
    `{apiVersion: example.com/v1, kind: Menu, metadata: {name: m}, "items": [${JSON.stringify({
      kind: 'x',
    })}, {apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: []}}]}\n---\n${CONFIG_MAP('')}items:\n${listed(deployment)}`,
  'a Deployment': (deployment) => `${INNOCENT.replace('hidden', 'shown')}items:\n${listed(deployment)}`,
  'a ConfigMapList whose items have a kind': (deployment) =>
    `apiVersion: v1\nkind: ConfigMapList\nitems:\n${listed(deployment)}`,
};

describe('kubectl applies the items of an object of any kind', () => {
  it.each(Object.entries(WITH_ITEMS))('%s', async (_, stream) => {
    const { exitCode, stderr } = await judge(stream(PRIVILEGED));
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`[error] ${FOUND}`);
  });

  it('items are hardened where they are', async () => {
    const { exitCode, stdout } = await judge(`${CONFIG_MAP('')}items:\n${listed(INNOCENT)}`);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('runAsNonRoot: true');
  });

  it('a list of items elsewhere is no List', async () => {
    const text = `${CONFIG_MAP('')}data:\n  items: |\n    - kind: Pod\n---\napiVersion: example.com/v1\nkind: Menu\nmetadata: {name: m}\nspec: {items: [{kind: Pod}]}\n`;
    expect(await judge(text)).toEqual({ exitCode: 0, stdout: text, stderr: '' });
  });
});
