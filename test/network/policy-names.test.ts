import { readBuild } from '../support/network-build';

const pod = (name: string) => `apiVersion: v1
kind: Pod
metadata: {name: ${JSON.stringify(name)}, namespace: shop, labels: {app: web}}
spec: {containers: [{name: app, image: "app:v1"}]}
`;

test.each([
  ['a name', ['web'], ['web']],
  ['two of one name, with their kinds', ['web', 'web'], ['web-pod', 'web-pod-2']],
  ['a name of 253 characters that ends in a dot', [`${'a'.repeat(252)}.`], ['a'.repeat(252)]],
  // The API server refuses such a workload. kustomize refuses a policy without a name, and then builds nothing.
  ['a name of dots and hyphens', ['-..'], ['workload']],
  ['two of them', ['-', '.'], ['workload', 'workload-2']],
])('the names of policies: %s', (_, names, expected) => {
  const { policies } = readBuild(names.map((name) => pod(name)));
  expect(Object.keys(policies)).toEqual(expected);
});
