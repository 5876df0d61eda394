import { readFileSync } from 'node:fs';
import path from 'node:path';
import { check } from '../support/check-package';
import type { PackageFiles } from '../support/package-files';
import { findingsOf } from '../support/build-findings';

const README = readFileSync(path.join(__dirname, '../../functions/guardrails/README.md'), 'utf8');
const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
const GUARDRAILS = (spec: string) =>
  `apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata:\n  name: guardrails\n  annotations:\n    config.kubernetes.io/local-config: "true"\nspec: ${spec}\n`;
const DEPLOYMENT = `apiVersion: apps/v1
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
        image: web:v1
`;
/** A policy about Deployments, or about other resources, with its binding. */
const policy = (
  expression: string,
  { resources = 'deployments', group = 'apps', more = '', actions = '[Deny]' } = {},
) =>
  `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: house
spec:
  matchConstraints:
    ${more}
    resourceRules:
    - {apiGroups: ["${group}"], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [${resources}]}
  validations:
  - expression: ${JSON.stringify(expression)}
    message: the house rule
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: house
spec: {policyName: house, validationActions: ${actions}}
`;
const PACKAGE = {
  'base/kustomization.yaml': `${KUSTOMIZATION}resources: [web.yaml]\n`,
  'base/web.yaml': DEPLOYMENT,
  'overlays/dev/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\n`,
  'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}namespace: shop\nresources: [../../base]\n`,
};

async function found(files: PackageFiles): Promise<string[]> {
  return (await check(files)).filter((one) => /ValidatingAdmissionPolicy|spec\.policies/.test(one));
}

test('a policy in an overlay holds for the build of the overlay, with the file and line of the resource', async () => {
  const files = {
    ...PACKAGE,
    'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base, policy.yaml]\n`,
    'overlays/prod/policy.yaml': policy('object.spec.replicas > 1'),
  };
  expect(await found(files)).toEqual([
    'error overlays/prod: Deployment/web violates ValidatingAdmissionPolicy/house: the house rule (base/web.yaml:5); change the resource, or validations[0] of the policy',
  ]);
  const innocent = DEPLOYMENT.replace('spec:\n', 'spec:\n  replicas: 2\n');
  expect(await found({ ...files, 'base/web.yaml': innocent })).toEqual([]);
});

test('a label that is missing is blamed on the resource, beside labels that an overlay adds', async () => {
  const files = {
    ...PACKAGE,
    'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base, policy.yaml]\nlabels: [{pairs: {env: prod}}]\n`,
    'overlays/prod/policy.yaml': policy("'team' in object.metadata.labels"),
  };
  expect(await found(files)).toEqual([
    'error overlays/prod: Deployment/web violates ValidatingAdmissionPolicy/house: the house rule (base/web.yaml:3); change the resource, or validations[0] of the policy',
  ]);
});

test('a policy under spec.policies holds for every build, and a file of it may be in a build, too', async () => {
  const files = {
    ...PACKAGE,
    'base/guardrails.yaml': GUARDRAILS('{policies: [policies]}'),
    'policies/house.yaml': policy('object.spec.replicas > 1', { actions: '[Warn]' }),
  };
  const expected = [
    'warning overlays/dev, overlays/prod: Deployment/web violates ValidatingAdmissionPolicy/house: the house rule (base/web.yaml:5); change the resource, or validations[0] of the policy',
  ];
  expect(await found(files)).toEqual(expected);
  expect(
    await found({ ...files, 'policies/kustomization.yaml': `${KUSTOMIZATION}resources: [house.yaml]\n` }),
  ).toEqual(expected);
});

test('the example of the README', async () => {
  const [, section = ''] = README.split("## A team's own rules\n");
  const [guardrails = '', house = ''] = [...section.matchAll(/```yaml\n(.*?)```/gs)].map(
    ([, text = '']) => text,
  );
  const files = { ...PACKAGE, 'base/guardrails.yaml': guardrails, 'policies/require-team.yaml': house };
  expect(await found(files)).toEqual([
    'error overlays/dev, overlays/prod: Deployment/web violates ValidatingAdmissionPolicy/require-team: a Deployment has the label team (base/web.yaml:3); change the resource, or validations[0] of the policy',
  ]);
  const labelled = DEPLOYMENT.replace('  name: web\n', '  name: web\n  labels: {team: shop}\n');
  expect(await found({ ...files, 'base/web.yaml': labelled })).toEqual([]);
});

describe('a build', () => {
  const finding = (documents: string, spec = {}) => findingsOf('admission-policy', documents, spec);

  test('has the pods that templates make', async () => {
    const documents = `${policy("object.spec.containers.all(c, c.imagePullPolicy == 'Always')", { resources: 'pods', group: '' })}---\n${DEPLOYMENT}`;
    expect(await finding(documents)).toEqual([
      'error Deployment/web spec.template.spec.containers: makes pods that violate ValidatingAdmissionPolicy/house: the house rule; change the resource, or validations[0] of the policy',
    ]);
    expect(
      await finding(documents.replace('image: web:v1', 'image: web:v1\n        imagePullPolicy: Always')),
    ).toEqual([]);
  });

  test('without the labels of a namespace is judged with a warning', async () => {
    const documents = `${policy('object.spec.replicas > 1', { more: 'namespaceSelector: {matchLabels: {tier: prod}}' })}---\n${DEPLOYMENT.replace('  name: web\n', '  name: web\n  namespace: shop\n')}`;
    expect(await finding(documents)).toEqual([
      'warning Deployment/web spec.replicas: violates ValidatingAdmissionPolicy/house, if its namespace has the labels that the policy selects: the house rule; change the resource, or validations[0] of the policy',
    ]);
    const namespace = (tier: string) =>
      `---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {tier: ${tier}}}\n`;
    expect(await finding(documents + namespace('test'))).toEqual([]);
    expect((await finding(documents + namespace('prod')))[0]).toMatch(/^error /);
  });

  test('in which an expression needs a cluster says so once', async () => {
    const documents = `${policy("request.userInfo.username == 'ci'")}---\n${DEPLOYMENT}---\n${DEPLOYMENT.replaceAll('web', 'api')}`;
    expect(await finding(documents)).toEqual([
      'warning ValidatingAdmissionPolicy/house metadata.name: cannot be evaluated here for Deployment/web and 1 more: request.userInfo is known to a cluster alone; add what is missing to the build or under spec.policies, or test the policy in a cluster',
    ]);
  });

  test('with a policy and no binding says that it judges nothing', async () => {
    const [alone = ''] = policy('false').split('---\n');
    expect(await finding(`${alone}---\n${DEPLOYMENT}`)).toEqual([
      'info ValidatingAdmissionPolicy/house metadata.name: judges nothing, because no ValidatingAdmissionPolicyBinding here names it; add its binding to the build or under spec.policies',
    ]);
  });

  test.each([
    ['another operation', policy('false').replace('[CREATE, UPDATE]', '[DELETE]')],
    ['another group', policy('false', { group: 'batch' })],
    [
      'an exclusion',
      policy('false', {
        more: 'excludeResourceRules: [{apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"], resourceNames: [web]}]',
      }),
    ],
    ['an object selector', policy('false', { more: 'objectSelector: {matchLabels: {tier: prod}}' })],
    [
      'a condition',
      policy('false').replace(
        '  validations:',
        '  matchConditions: [{name: some, expression: "object.spec.replicas > 3"}]\n  validations:',
      ),
    ],
    [
      'errors that are ignored',
      policy('object.spec.nothing').replace('spec:\n', 'spec:\n  failurePolicy: Ignore\n'),
    ],
  ])('is not judged by a policy with %s', async (_, text) => {
    expect(await finding(`${text}---\n${DEPLOYMENT}`)).toEqual([]);
  });
});

test('a computed message about a Secret is not printed', async () => {
  const text = policy('false', { resources: 'secrets', group: '' }).replace(
    'message: the house rule',
    'message: the house rule\n    messageExpression: "object.stringData.token.reverse()"',
  );
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {token: hunter2hunter2}\n';
  expect(await findingsOf('admission-policy', `${text}---\n${secret}`)).toEqual([
    'error Secret/web metadata.name: violates ValidatingAdmissionPolicy/house: the house rule; change the resource, or validations[0] of the policy',
  ]);
});

test('a file that spec.policies names and the package does not have is a configuration error', async () => {
  const files = { ...PACKAGE, 'base/guardrails.yaml': GUARDRAILS('{policies: [rules]}') };
  await expect(check(files)).rejects.toThrow();
});

test('spec.policies has no effect on documents without files, and a warning says so', async () => {
  expect(await findingsOf('admission-policy', DEPLOYMENT, { policies: ['policies'] })).toEqual([
    'warning / : spec.policies names policies, which is not in the input, so its policies are not evaluated; pass its documents in the input, or check the package',
  ]);
});

test('an expression that is not CEL is an error at its file, if it is under spec.policies', async () => {
  const files = {
    ...PACKAGE,
    'base/guardrails.yaml': GUARDRAILS('{policies: [policies/house.yaml]}'),
    'policies/house.yaml': policy('object.spec.replicas >'),
  };
  expect((await found(files)).filter((one) => one.startsWith('error'))).toEqual([
    'error ValidatingAdmissionPolicy/house has an expression that is not CEL: the expression ends too early (policies/house.yaml:11); correct the expression; the API server refuses the policy',
  ]);
});
