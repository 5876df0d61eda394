import { findingsInPackage, findingsOf } from '../support/build-findings';

const find = (...documents: string[]) => findingsOf('service-target', documents.join('---\n'));

const workload = (labels: string, pod = '{containers: []}', kind = 'Deployment', apiVersion = 'apps/v1') =>
  `apiVersion: ${apiVersion}
kind: ${kind}
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: ${labels}}
  template: {metadata: {labels: ${labels}}, spec: ${pod}}
`;
const service = (selector: string, port = '{port: 80}', more = '') =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {selector: ${selector}, ports: [${port}]${more}}\n`;
const other = (apiVersion: string, kind: string, spec: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: own, namespace: shop}\nspec: ${spec}\n`;
const INGRESS =
  'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop}\nspec: {defaultBackend: {service: {name: web, port: {number: 80}}}}\n';
const ports = (fields: string) => `{containers: [{name: web, image: 'web:1', ports: [${fields}]}]}`;

describe('a targetPort by name', () => {
  const HTTP = '{port: 80, targetPort: http}';
  const NONE =
    'error Service/web spec.ports[0].targetPort: has the targetPort http, which no container of Deployment/web has; Ingress/web leads to it';

  it.each<[string, string, string]>([
    ['no port', ports(''), `${NONE}; name a container port so, or use the number of the port`],
    ['another name', ports('{name: grpc, containerPort: 1}'), `${NONE}; use grpc, or the number of the port`],
    ['a misspelt name', ports('{name: htpt, containerPort: 1}'), `${NONE}; did you mean htpt?`],
    [
      'another protocol',
      ports('{name: http, containerPort: 1, protocol: UDP}'),
      'error Service/web spec.ports[0].targetPort: has the targetPort http, which is a port for UDP in Deployment/web; Ingress/web leads to it',
    ],
    [
      'an init container (case 17a)',
      "{initContainers: [{name: init, image: 'a:1', ports: [{name: http, containerPort: 1}]}], containers: []}",
      'error Service/web spec.ports[0].targetPort: has the targetPort http, which only initContainer "init" of Deployment/web has, and it ends before the pod is ready; Ingress/web leads to it',
    ],
  ])('%s', async (_, pod, finding) => {
    expect(await find(workload('{app: web}', pod), service('{app: web}', HTTP), INGRESS)).toEqual([
      expect.stringContaining(finding),
    ]);
  });

  it.each<[string, string, string]>([
    ['the name', ports('{name: http, containerPort: 1}'), HTTP],
    [
      'a sidecar',
      "{initContainers: [{name: init, image: 'a:1', restartPolicy: Always, ports: [{name: http, containerPort: 1}]}], containers: []}",
      HTTP,
    ],
    ['an undeclared number', ports(''), '{port: 80, targetPort: 8080}'],
    ['a port of a mesh', ports(''), '{port: 80, targetPort: http-envoy-prom}'],
  ])('%s is a port', async (_, pod, port) => {
    expect(await find(workload('{app: web}', pod), service('{app: web}', port), INGRESS)).toEqual([]);
  });

  it('one of two workloads has it', async () => {
    const [own, others] = [ports('{name: http, containerPort: 1}'), ports('')].map((pod, i) =>
      workload('{app: web}', pod).replace('name: web', `name: web-${i}`),
    );
    expect(await find(own ?? '', others ?? '', service('{app: web}', HTTP))).toEqual([]);
  });
});

describe('a selector that nearly matches is an error with the label', () => {
  it.each<[string, string, string, string]>([
    [
      'a value (case 97)',
      '{app: apii}',
      '{app: api}',
      'app: selects no pods: the selector has app: apii, the pods of Deployment/web have app: api; did you mean app: api?',
    ],
    [
      'two letters swapped',
      '{app: bakcend}',
      '{app: backend}',
      'app: selects no pods: the selector has app: bakcend, the pods of Deployment/web have app: backend; did you mean app: backend?',
    ],
    [
      'a key',
      '{tire: front}',
      '{tier: front}',
      'tire: selects no pods: the selector has the label tire, the pods of Deployment/web have tier: front; did you mean tier: front?',
    ],
    [
      'all labels but one',
      '{app: web, tier: front}',
      '{app: web}',
      'tier: selects no pods: the pods of Deployment/web have all labels of the selector but tier: front; remove tier from the selector, or add the label to the pod template',
    ],
    [
      'another value of one',
      '{app: web, tier: front}',
      '{app: web, tier: back}',
      'tier: selects no pods: the selector has tier: front, the pods of Deployment/web have tier: back; did you mean tier: back?',
    ],
  ])('%s', async (_, selector, labels, finding) => {
    expect(await find(workload(labels), service(selector))).toEqual([
      `error Service/web spec.selector.${finding}`,
    ]);
    expect(await find(workload(labels), service(labels))).toEqual([]);
  });

  it('a named port is checked against the pods that it means', async () => {
    expect(
      await find(
        workload('{app: api}', ports('{name: http, containerPort: 1}')),
        service('{app: apii}', '{port: 80, targetPort: htp}'),
      ),
    ).toEqual([
      expect.stringContaining('error Service/web spec.selector.app: selects no pods'),
      'error Service/web spec.ports[0].targetPort: has the targetPort htp, which no container of Deployment/web has; did you mean http?',
    ]);
  });

  it('pods that do not have the labels that their own workload selects', async () => {
    const broken = workload('{app: web}').replace('labels: {app: web}', 'labels: {app: site}');
    expect(await find(broken, service('{app: web}'))).toEqual([
      'error Service/web spec.selector.app: selects no pods: Deployment/web selects app: web, and its pod template does not have that label; make the labels of the pod template match its selector',
    ]);
  });
});

describe('a selector that selects nothing is a warning', () => {
  const NOTHING =
    'selects no pods of this build; select labels of a pod template; ignore it if an operator creates the pods';
  it.each<[string, string, string]>([
    ['a Service', service('{app: site}'), `warning Service/web spec.selector: ${NOTHING}`],
    [
      'a label that is set later',
      service('{app: web, role: primary}'),
      `warning Service/web spec.selector: ${NOTHING}`,
    ],
    [
      'another workload of one application',
      service('{part-of: shop, app: cache}'),
      `warning Service/web spec.selector: ${NOTHING}`,
    ],
    [
      'a NetworkPolicy (case 70)',
      other('networking.k8s.io/v1', 'NetworkPolicy', '{podSelector: {matchLabels: {app: site}}}'),
      `warning NetworkPolicy/own spec.podSelector: ${NOTHING}`,
    ],
    [
      'a NetworkPolicy by an expression',
      other(
        'networking.k8s.io/v1',
        'NetworkPolicy',
        '{podSelector: {matchExpressions: [{key: app, operator: In, values: [site]}]}}',
      ),
      `warning NetworkPolicy/own spec.podSelector: ${NOTHING}`,
    ],
    [
      'a PodDisruptionBudget',
      other('policy/v1', 'PodDisruptionBudget', '{selector: {matchLabels: {app: site}}}'),
      `warning PodDisruptionBudget/own spec.selector: ${NOTHING}`,
    ],
    [
      'a PodMonitor',
      other('monitoring.coreos.com/v1', 'PodMonitor', '{selector: {matchLabels: {app: site}}}'),
      `warning PodMonitor/own spec.selector: ${NOTHING}`,
    ],
    [
      'a ServiceMonitor',
      service('{part-of: shop}') +
        '---\n' +
        other('monitoring.coreos.com/v1', 'ServiceMonitor', '{selector: {matchLabels: {app: site}}}'),
      'warning ServiceMonitor/own spec.selector: selects no Services of this build; select labels that a Service has; ignore it if an operator creates the Service',
    ],
  ])('%s', async (_, document, finding) => {
    expect(await find(workload('{app: web, part-of: shop}'), document)).toEqual([finding]);
  });

  it('who leads to the Service is named', async () => {
    const client = `apiVersion: v1\nkind: Pod\nmetadata: {name: client, namespace: shop, labels: {app: client}}\nspec: {containers: [{name: a, image: 'a:1', env: [{name: API_URL, value: 'http://web'}]}]}\n`;
    expect(await find(client, service('{app: site}'), INGRESS)).toEqual([
      'warning Service/web spec.selector: selects no pods of this build; Pod/client (env API_URL) and Ingress/web lead to it; select labels of a pod template; ignore it if an operator creates the pods',
    ]);
  });

  it.each<[string, string]>([
    [
      'no selector',
      'apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {ports: [{port: 80}]}\n',
    ],
    [
      'ExternalName',
      service('{app: site}', '{port: 80}', ', type: ExternalName, externalName: a.example.com'),
    ],
    ['another namespace without pods of the build', service('{app: site}').replace('shop', 'kube-system')],
    ['every pod', other('networking.k8s.io/v1', 'NetworkPolicy', '{podSelector: {}}')],
    ['a label of a controller', service('{app: web, pod-template-hash: abc}')],
    ['labels of an operator', service('{cnpg.io/cluster: db, cnpg.io/instanceRole: primary}')],
    [
      'pods of a custom resource',
      other('databases.example.com/v1', 'Database', '{}') +
        '---\n' +
        service('{app: database, instance: own}').replace('app: database, ', ''),
    ],
    ['a chart', other('helm.toolkit.fluxcd.io/v2', 'HelmRelease', '{}') + '---\n' + service('{app: site}')],
    ['a variable', service("{app: '${APP}'}")],
    [
      'a monitor of every namespace',
      other(
        'monitoring.coreos.com/v1',
        'ServiceMonitor',
        '{namespaceSelector: {any: true}, selector: {matchLabels: {app: site}}}',
      ),
    ],
  ])('%s: nothing is reported', async (_, document) => {
    expect(await find(workload('{app: web}'), document)).toEqual([]);
  });
});

describe('every kind with a pod template counts (case c1)', () => {
  it.each([
    ['Deployment', 'apps/v1'],
    ['StatefulSet', 'apps/v1'],
    ['DeploymentConfig', 'apps.openshift.io/v1'],
    ['CloneSet', 'apps.kruise.io/v1alpha1'],
    ['Rollout', 'argoproj.io/v1alpha1'],
    ['Game', 'games.example.com/v1'],
  ])('%s', async (kind, apiVersion) => {
    const pod = ports('{name: http, containerPort: 8080}');
    const documents = [
      workload('{app: web}', pod, kind, apiVersion),
      service('{app: web}', '{port: 80, targetPort: http}'),
    ];
    expect(await find(...documents)).toEqual([]);
  });
});

it('pods of another overlay of the package are known', async () => {
  const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
  const policy = other('networking.k8s.io/v1', 'NetworkPolicy', '{podSelector: {matchLabels: {app: cache}}}');
  const files = {
    'environments/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [policy.yaml, web.yaml]\n`,
    'environments/prod/policy.yaml': policy,
    'environments/prod/web.yaml': workload('{app: web}'),
  };
  expect(await findingsInPackage('service-target', files)).toEqual([
    expect.stringContaining(
      'warning environments/prod: NetworkPolicy/own selects no pods of this build (environments/prod/policy.yaml:4)',
    ),
  ]);
  const apart = {
    ...files,
    'apps/cache/overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [cache.yaml]\n`,
    'apps/cache/overlays/prod/cache.yaml': workload('{app: cache}').replace('name: web', 'name: cache'),
  };
  expect(await findingsInPackage('service-target', apart)).toEqual([]);
});
