import { run } from '../../functions/guardrails/run';
import { check } from '../support/check-package';
import { type PackageFiles, resourceList } from '../support/package-files';
import { findKustomizeForTests } from '../support/tools';

/** The errors of a package without workloads. */
async function found(files: PackageFiles): Promise<string[]> {
  return (await check(files)).filter((line) => line.startsWith('error'));
}

const RESOURCES = (...files: string[]) => `resources: [${files.join(', ')}]\n`;
const guardrails = (spec: string) =>
  `apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata:\n  name: guardrails\n  annotations: { config.kubernetes.io/local-config: 'true' }\nspec: ${spec}\n`;
const SERVICE = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports:\n    - port: 80\n';
const BUDGET =
  'apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: web\nspec:\n  maxUnavailable: 1\n';
const WIDGET = 'apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: one\nspec:\n  sizes: 3\n';
const DEFINITION = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.com
spec:
  group: example.com
  scope: Namespaced
  names: { kind: Widget, plural: widgets }
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                size: { type: integer }
`;
const UNKNOWN_SIZES =
  'error overlays/prod: Widget/one has the unknown field spec.sizes (base/widget.yaml:6); did you mean size?';

test('a finding is at the line of the file, or of the patch, that has it', async () => {
  const files = {
    'base/kustomization.yaml': RESOURCES('service.yaml'),
    'base/service.yaml': SERVICE.replace('  ports:', '  clusterIp: None\n  ports:'),
    'overlays/prod/kustomization.yaml': `${RESOURCES('../../base')}patches:\n  - path: add-port.patch.yaml\n`,
    'overlays/prod/add-port.patch.yaml':
      'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports:\n    - port: 81\n      nodeport: 30001\n',
  };
  expect(await found(files)).toEqual([
    'error overlays/prod: Service/web has the unknown field spec.clusterIp (base/service.yaml:6); did you mean clusterIP?',
    'error overlays/prod: Service/web has the unknown field spec.ports[0].nodeport (overlays/prod/add-port.patch.yaml:8); did you mean nodePort?',
  ]);
});

test('kubernetesVersion of an environment', async () => {
  const files = {
    'base/kustomization.yaml': RESOURCES('budget.yaml'),
    'base/budget.yaml': BUDGET,
    'base/guardrails.yaml': guardrails('{ environments: { overlays/old: { kubernetesVersion: v1.24 } } }'),
    'overlays/old/kustomization.yaml': RESOURCES('../../base'),
    'overlays/prod/kustomization.yaml': RESOURCES('../../base'),
  };
  expect(await found(files)).toEqual([
    'error overlays/prod: PodDisruptionBudget/web has the apiVersion policy/v1beta1, which Kubernetes does not serve for this kind since 1.25 (base/budget.yaml:1); write apiVersion: policy/v1, and change the fields that differ there',
  ]);
});

describe('the CustomResourceDefinition of a custom resource', () => {
  const files = {
    'base/kustomization.yaml': RESOURCES('widget.yaml'),
    'base/widget.yaml': WIDGET,
    'overlays/prod/kustomization.yaml': RESOURCES('../../base'),
  };

  test('in the build', async () => {
    const all = {
      ...files,
      'base/kustomization.yaml': RESOURCES('widget.yaml', 'definition.yaml'),
      'base/definition.yaml': DEFINITION,
    };
    expect(await found(all)).toEqual([UNKNOWN_SIZES]);
  });

  test('in a file of spec.schemas', async () => {
    const all = {
      ...files,
      'base/guardrails.yaml': guardrails('{ schemas: [crds/widgets.yaml] }'),
      'crds/widgets.yaml': DEFINITION,
    };
    expect(await found(all)).toEqual([UNKNOWN_SIZES]);
  });

  test('nowhere: the summary counts the kind', async () => {
    expect(await found(files)).toEqual([]);
    const { stdout } = await run(Buffer.from(resourceList(files)), () =>
      Promise.resolve(findKustomizeForTests()),
    );
    expect(stdout).toContain('; 1 kind without a schema: example.com/v1 Widget');
  });

  test.each([
    ['crds/nothing.yaml', {}],
    ['base/widget.yaml', {}],
    ['../outside.yaml', {}],
  ])('%s of spec.schemas has none: a configuration error', async (file) => {
    const all = { ...files, 'base/guardrails.yaml': guardrails(`{ schemas: [${file}] }`) };
    await expect(check(all)).rejects.toMatchObject({
      exitCode: 3,
      text: {
        raw: `configuration: schemas names ${file}, which is not a file with CustomResourceDefinitions in the package; write their path from the root of the package`,
      },
    });
  });
});

test('a key that a file has twice is refused by kustomize', async () => {
  const files = {
    'overlays/prod/kustomization.yaml': RESOURCES('config.yaml'),
    'overlays/prod/config.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  a: one\n  a: two\n',
  };
  expect((await check(files)).filter((line) => line.startsWith('error'))).toEqual([
    expect.stringContaining('mapping key "a" already defined at line 6'),
  ]);
});
