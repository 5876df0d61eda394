import { parse, stringify } from 'yaml';
import { fix } from '../support/fix-package';
import type { PackageFiles } from '../support/package-files';
import { describeWithTool } from '../support/tools';

type Resource = Record<string, unknown>;

const labels = { app: 'web' };
const kustomization = (more: Resource) =>
  stringify({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', ...more });
const guardrails = (spec: Resource) =>
  stringify({
    apiVersion: 'todo.example.com/v1alpha1',
    kind: 'Guardrails',
    metadata: { name: 'guardrails', annotations: { 'config.kubernetes.io/local-config': 'true' } },
    spec: { rules: { 'network-policy': 'off' }, ...spec },
  });
const deployment = stringify({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        containers: [{ name: 'web', image: 'web:1.0', ports: [{ name: 'http', containerPort: 8080 }] }],
      },
    },
  },
});
const service = stringify({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { selector: labels, ports: [{ port: 80, targetPort: 'http' }] },
});
const PACKAGE: PackageFiles = {
  'base/guardrails.yaml': guardrails({ probes: { add: true } }),
  'base/kustomization.yaml': kustomization({ resources: ['deployment.yaml', 'service.yaml'] }),
  'base/deployment.yaml': deployment,
  'base/service.yaml': service,
  'overlays/dev/kustomization.yaml': kustomization({ namespace: 'dev', resources: ['../../base'] }),
  'overlays/prod/kustomization.yaml': kustomization({ namespace: 'prod', resources: ['../../base'] }),
};
const patch = (probe: Resource) => ({
  patch: stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { template: { spec: { containers: [{ name: 'web', readinessProbe: probe }] } } },
  }),
});

/** The readiness probe in the Deployment's file, and what is reported of probes. */
async function fixProbes(
  files: PackageFiles,
): Promise<{ probe: unknown; findings: string[]; files: PackageFiles }> {
  const { files: written, errors, reported } = await fix(files);
  const { spec } = parse(written['base/deployment.yaml'] ?? '') as {
    spec: { template: { spec: { containers: Resource[] } } };
  };
  const findings = [...errors, ...reported].filter((text) =>
    /readinessProbe (?:on|with)|no readinessProbe/.test(text),
  );
  return { probe: spec.template.spec.containers[0]?.readinessProbe, findings, files: written };
}

describeWithTool('kustomize', 'spec.probes.add in a package', () => {
  it('adds the probe in the file of the Deployment, once', async () => {
    const first = await fixProbes(PACKAGE);
    expect(first).toMatchObject({ probe: { tcpSocket: { port: 'http' } }, findings: [] });
    expect((await fixProbes(first.files)).files).toEqual(first.files);
  });

  it('adds it where one overlay of several asks for it', async () => {
    const files = {
      ...PACKAGE,
      'base/guardrails.yaml': guardrails({ environments: { 'overlays/prod': { probes: { add: true } } } }),
    };
    expect(await fixProbes(files)).toMatchObject({ probe: { tcpSocket: { port: 'http' } }, findings: [] });
  });

  it('adds none beside one that a patch sets, which would make two handlers', async () => {
    const prod = kustomization({
      namespace: 'prod',
      resources: ['../../base'],
      patches: [patch({ httpGet: { path: '/ready', port: 'http' } })],
    });
    const { probe, findings } = await fixProbes({ ...PACKAGE, 'overlays/prod/kustomization.yaml': prod });
    expect(probe).toBeUndefined();
    expect(findings).toEqual([
      'overlays/dev: Deployment/web container "web" has no readinessProbe, and Service/web sends traffic to its port http before it is ready (base/deployment.yaml:15); add a readinessProbe',
    ]);
  });

  it('adds none for a Service that no overlay builds together with the Deployment', async () => {
    const files = {
      ...PACKAGE,
      'base/kustomization.yaml': kustomization({ resources: ['deployment.yaml'] }),
      'base/service.yaml': '',
      'other/kustomization.yaml': kustomization({ resources: ['service.yaml'] }),
      'other/service.yaml': service,
    };
    const { probe } = await fixProbes(files);
    expect(probe).toBeUndefined();
  });

  it('a patch that merges a second handler is an error at the patch', async () => {
    const withProbe = deployment.replace(
      '          image: web:1.0\n',
      '          image: web:1.0\n          readinessProbe:\n            tcpSocket:\n              port: http\n',
    );
    expect(withProbe).not.toBe(deployment);
    const prod = kustomization({
      namespace: 'prod',
      resources: ['../../base'],
      patches: [patch({ httpGet: { path: '/ready', port: 'http' } })],
    });
    const { findings } = await fixProbes({
      ...PACKAGE,
      'base/deployment.yaml': withProbe,
      'overlays/prod/kustomization.yaml': prod,
    });
    expect(findings).toEqual([
      'overlays/prod: Deployment/web container "web" has a readinessProbe with several handlers: httpGet, tcpSocket (overlays/prod/kustomization.yaml:7, patches[0]); keep one; a patch sets the others to null',
    ]);
  });
});
