import { parse } from 'yaml';
import type { Result } from '../functions/guardrails/krm/result';
import { run } from '../functions/guardrails/run';
import { resourceList } from './support/package-files';
import { findKustomizeForTests } from './support/tools';

const POD = `apiVersion: v1
kind: Pod
metadata:
  name: web
  labels:
    app: web
spec:
  automountServiceAccountToken: false
  hostNetwork: true
  securityContext:
    runAsNonRoot: true
    seccompProfile:
      type: RuntimeDefault
  containers:
  - name: web
    image: web:v1
    securityContext:
      privileged: true
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop:
        - ALL
    resources:
      requests: {cpu: 1m, memory: 1Mi}
      limits: {cpu: 1m, memory: 1Mi}
    volumeMounts:
    - name: scratch
      mountPath: /tmp
  volumes:
  - name: scratch
    emptyDir: {}
`;

const kustomization = (...lines: string[]) =>
  `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n${lines.join('\n')}\n`;

/** The findings that the container is privileged. */
async function privileged(files: Record<string, string>): Promise<Result[]> {
  const { stdout } = await run(Buffer.from(resourceList(files)), () =>
    Promise.resolve(findKustomizeForTests()),
  );
  const { results = [] } = parse(stdout) as { results?: Result[] };
  return results.filter(({ message }) => message.includes('is privileged'));
}

const BASE = { 'base/pod.yaml': POD, 'base/kustomization.yaml': kustomization('resources: [pod.yaml]') };
const REMEDY =
  '(base/pod.yaml:18); remove the field privileged; to bind a port below 1024, add the capability NET_BIND_SERVICE';

describe('findings of several overlays', () => {
  test('that differ in nothing but the namespace are one, with all overlays and no namespace', async () => {
    const found = await privileged({
      ...BASE,
      'overlays/dev/kustomization.yaml': kustomization('namespace: dev', 'resources: [../../base]'),
      'overlays/prod/kustomization.yaml': kustomization('namespace: prod', 'resources: [../../base]'),
    });
    expect(found).toMatchObject([
      {
        message: `overlays/dev, overlays/prod: Pod/web container "web" is privileged ${REMEDY}`,
        resourceRef: { apiVersion: 'v1', kind: 'Pod', name: 'web' },
        tags: { overlay: 'overlays/dev, overlays/prod', line: '18', column: '7' },
      },
    ]);
    expect(found[0]?.resourceRef).not.toHaveProperty('namespace');
  });

  test('two of one overlay stay two, when it builds a base into two namespaces', async () => {
    const found = await privileged({
      ...BASE,
      'common/a/kustomization.yaml': kustomization('namespace: a', 'resources: [../../base]'),
      'common/b/kustomization.yaml': kustomization('namespace: b', 'resources: [../../base]'),
      'overlays/prod/kustomization.yaml': kustomization('resources: [../../common/a, ../../common/b]'),
    });
    expect(found.map(({ message }) => message)).toEqual([
      `overlays/prod: Pod/web container "web" is privileged ${REMEDY}`,
      `overlays/prod: Pod/web container "web" is privileged ${REMEDY}`,
    ]);
    expect(found.map(({ resourceRef }) => resourceRef?.namespace)).toEqual(['a', 'b']);
  });
});
