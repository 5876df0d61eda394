import { findingsInPackage, findingsOf } from '../support/build-findings';

const find = (documents: string, spec?: Record<string, unknown>) => findingsOf('references', documents, spec);

/** A Deployment with a pod spec in flow style. */
const web = (pod: string, metadata = 'namespace: shop') =>
  `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, ${metadata}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: ${pod}
`;
const container = (fields: string) => `{containers: [{name: web, image: 'web:1', ${fields}}]}`;
const volume = (fields: string) =>
  `{containers: [{name: web, image: 'web:1'}], volumes: [{name: v, ${fields}}]}`;
const object = (kind: string, name: string, fields = '', apiVersion = 'v1', namespace = 'shop') =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${namespace}}\n${fields}\n`;
const build = (...documents: string[]) => documents.join('---\n');
const POD = web('{containers: []}');
const config = (keys = '{host: db}', name = 'app-config') => object('ConfigMap', name, `data: ${keys}`);
const secret = (keys = '{password: eA==}', name = 'db') => object('Secret', name, `data: ${keys}`);
const RBAC = 'rbac.authorization.k8s.io/v1';
const binding = (role: string, subjects: string, kind = 'RoleBinding') =>
  object(kind, 'web', `roleRef: {apiGroup: rbac.authorization.k8s.io, ${role}}\nsubjects: ${subjects}`, RBAC);

describe('each reference: the object is missing, is there, and is external', () => {
  it.each<[string, string, string, string]>([
    [
      'configMapKeyRef',
      web(container('env: [{name: HOST, valueFrom: {configMapKeyRef: {name: app-config, key: host}}}]')),
      'error Deployment/web spec.template.spec.containers[0].env[0].valueFrom.configMapKeyRef.name: env HOST of container "web" refers to ConfigMap/app-config',
      config(),
    ],
    [
      'envFrom configMapRef',
      web(container('envFrom: [{configMapRef: {name: app-config}}]')),
      'error Deployment/web spec.template.spec.containers[0].envFrom[0].configMapRef.name: envFrom of container "web" refers to ConfigMap/app-config',
      config(),
    ],
    [
      'a ConfigMap volume',
      web(volume('configMap: {name: app-config}')),
      'error Deployment/web spec.template.spec.volumes[0].configMap.name: volume v refers to ConfigMap/app-config',
      config(),
    ],
    [
      'a projected ConfigMap',
      web(volume('projected: {sources: [{configMap: {name: app-config}}]}')),
      'error Deployment/web spec.template.spec.volumes[0].projected.sources[0].configMap.name: volume v refers to ConfigMap/app-config',
      config(),
    ],
    [
      'secretKeyRef of an init container',
      web(
        "{initContainers: [{name: init, image: 'a:1', env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: password}}}]}], containers: []}",
      ),
      'warning Deployment/web spec.template.spec.initContainers[0].env[0].valueFrom.secretKeyRef.name: env P of initContainer "init" refers to Secret/db',
      secret(),
    ],
    [
      'envFrom secretRef',
      web(container('envFrom: [{secretRef: {name: db}}]')),
      'warning Deployment/web spec.template.spec.containers[0].envFrom[0].secretRef.name: envFrom of container "web" refers to Secret/db',
      secret(),
    ],
    [
      'a Secret volume',
      web(volume('secret: {secretName: db}')),
      'warning Deployment/web spec.template.spec.volumes[0].secret.secretName: volume v refers to Secret/db',
      secret(),
    ],
    [
      'a projected Secret',
      web(volume('projected: {sources: [{secret: {name: db}}]}')),
      'warning Deployment/web spec.template.spec.volumes[0].projected.sources[0].secret.name: volume v refers to Secret/db',
      secret(),
    ],
    [
      'a Secret of a CSI driver',
      web(volume('csi: {driver: d, nodePublishSecretRef: {name: db}}')),
      'warning Deployment/web spec.template.spec.volumes[0].csi.nodePublishSecretRef.name: volume v refers to Secret/db',
      secret(),
    ],
    [
      'imagePullSecrets',
      web('{imagePullSecrets: [{name: regcred}], containers: []}'),
      'warning Deployment/web spec.template.spec.imagePullSecrets[0].name: imagePullSecrets refer to Secret/regcred',
      secret('{.dockerconfigjson: eA==}', 'regcred'),
    ],
    [
      'a ServiceAccount',
      web('{serviceAccountName: runner, containers: []}'),
      'error Deployment/web spec.template.spec.serviceAccountName: the pod refers to ServiceAccount/runner',
      object('ServiceAccount', 'runner'),
    ],
    [
      'a claim',
      web(volume('persistentVolumeClaim: {claimName: files}')),
      'warning Deployment/web spec.template.spec.volumes[0].persistentVolumeClaim.claimName: volume v refers to PersistentVolumeClaim/files',
      object('PersistentVolumeClaim', 'files'),
    ],
    [
      'imagePullSecrets of a ServiceAccount',
      build(POD, object('ServiceAccount', 'runner', 'imagePullSecrets: [{name: regcred}]')),
      'warning ServiceAccount/runner imagePullSecrets[0].name: imagePullSecrets refer to Secret/regcred',
      secret('{.dockerconfigjson: eA==}', 'regcred'),
    ],
    [
      'the target of a HorizontalPodAutoscaler',
      build(
        POD,
        object(
          'HorizontalPodAutoscaler',
          'web',
          'spec: {scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: cache}}',
          'autoscaling/v2',
        ),
      ),
      'error HorizontalPodAutoscaler/web spec.scaleTargetRef.name: scaleTargetRef refers to StatefulSet/cache',
      object('StatefulSet', 'cache', 'spec: {serviceName: kubernetes}', 'apps/v1'),
    ],
    [
      'the target of a ScaledObject, whose kind has a default',
      build(POD, object('ScaledObject', 'web', 'spec: {scaleTargetRef: {name: cache}}', 'keda.sh/v1alpha1')),
      'error ScaledObject/web spec.scaleTargetRef.name: scaleTargetRef refers to Deployment/cache',
      web('{containers: []}').replace('name: web', 'name: cache'),
    ],
    [
      'the target of a VerticalPodAutoscaler',
      build(
        POD,
        object(
          'VerticalPodAutoscaler',
          'web',
          'spec: {targetRef: {apiVersion: apps/v1, kind: DaemonSet, name: agent}}',
          'autoscaling.k8s.io/v1',
        ),
      ),
      'error VerticalPodAutoscaler/web spec.targetRef.name: targetRef refers to DaemonSet/agent',
      object('DaemonSet', 'agent', '', 'apps/v1'),
    ],
    [
      'the Role of a binding',
      build(POD, binding('kind: Role, name: reader', '[{kind: User, name: jane}]')),
      'warning RoleBinding/web roleRef.name: roleRef refers to Role/reader',
      object('Role', 'reader', '', RBAC),
    ],
    [
      'the ClusterRole of a binding',
      build(POD, binding('kind: ClusterRole, name: reader', '[{kind: User, name: jane}]')),
      'warning RoleBinding/web roleRef.name: roleRef refers to ClusterRole/reader',
      `apiVersion: ${RBAC}\nkind: ClusterRole\nmetadata: {name: reader}\n`,
    ],
    [
      'the subject of a binding',
      build(POD, binding('kind: ClusterRole, name: view', '[{kind: ServiceAccount, name: runner}]')),
      'warning RoleBinding/web subjects[0].name: subjects refer to ServiceAccount/runner',
      object('ServiceAccount', 'runner'),
    ],
    [
      'the certificate of an Ingress',
      build(
        POD,
        object(
          'Ingress',
          'web',
          'spec: {tls: [{hosts: [a.example.com], secretName: web-tls}]}',
          'networking.k8s.io/v1',
        ),
      ),
      'warning Ingress/web spec.tls[0].secretName: tls refers to Secret/web-tls',
      secret('{tls.crt: eA==, tls.key: eA==}', 'web-tls'),
    ],
  ])('%s', async (_, referrer, finding, object) => {
    const found = await find(referrer);
    expect(found).toEqual([expect.stringContaining(`${finding}, which is not in the build`)]);
    expect(await find(build(referrer, object))).toEqual([]);
    const [, name = ''] = / refers? to (\w+\/\S+)$/.exec(finding) ?? [];
    expect(await find(referrer, { external: [name.replace(/.$/, '*')] })).toEqual([]);
    expect(await find(referrer, { external: [`ConfigMap/other-*`] })).toEqual(found);
  });
});

describe('optional references and absent ones', () => {
  it.each([
    [
      'an optional key',
      container('env: [{name: A, valueFrom: {configMapKeyRef: {name: gone, key: a, optional: true}}}]'),
    ],
    ['optional variables', container('envFrom: [{secretRef: {name: gone, optional: true}}]')],
    ['an optional volume', volume('configMap: {name: gone, optional: true}')],
    ['an optional source', volume('projected: {sources: [{secret: {name: gone, optional: true}}]}')],
    ['the default account', '{serviceAccountName: default, containers: []}'],
    ['the certificates of the cluster', volume('configMap: {name: kube-root-ca.crt}')],
    ['a priority class', '{priorityClassName: high, containers: []}'],
    ['a variable', container('envFrom: [{configMapRef: {name: "${CONFIG}"}}]')],
    ['a name that no object can have', container('envFrom: [{configMapRef: {name: HELM_NAME}}]')],
  ])('%s', async (_, pod) => {
    expect(await find(web(pod))).toEqual([]);
  });
});

describe('keys', () => {
  const key = (name: string) =>
    web(container(`env: [{name: A, valueFrom: {configMapKeyRef: {name: app-config, key: ${name}}}}]`));
  const subPath = (path: string, source: string) =>
    web(
      `{containers: [{name: web, image: 'web:1', volumeMounts: [{name: v, mountPath: /a, subPath: ${path}}]}], volumes: [{name: v, ${source}}]}`,
    );
  const SUBJECT = 'Deployment/web spec.template.spec.';

  it.each<[string, string, string]>([
    [
      'env',
      key('port'),
      'containers[0].env[0].valueFrom.configMapKeyRef.name: env A of container "web" refers to ConfigMap/app-config, which has no key port; its keys are hosts; use one of its keys, or add the key',
    ],
    [
      'env, misspelt',
      key('host'),
      'containers[0].env[0].valueFrom.configMapKeyRef.name: env A of container "web" refers to ConfigMap/app-config, which has no key host; its keys are hosts; did you mean hosts?',
    ],
    [
      'items of a volume',
      web(volume('configMap: {name: app-config, items: [{key: port, path: p}]}')),
      'volumes[0].configMap.name: volume v refers to ConfigMap/app-config, which has no key port',
    ],
    [
      'a subPath',
      subPath('port', 'configMap: {name: app-config}'),
      'volumes[0].configMap.name: subPath of container "web" refers to ConfigMap/app-config, which has no key port',
    ],
  ])('%s', async (_, referrer, problem) => {
    expect(await find(build(referrer, config('{hosts: db}')))).toEqual([
      expect.stringContaining(`error ${SUBJECT}${problem}`),
    ]);
    expect(await find(build(referrer, config('{hosts: db, host: a, port: b}')))).toEqual([]);
    // Others fill it.
    expect(await find(build(referrer, object('ConfigMap', 'app-config')))).toEqual([]);
    expect(
      await find(
        build(
          referrer,
          config('{hosts: db}').replace(
            'namespace: shop',
            'namespace: shop, annotations: {reflector.v1.k8s.emberstack.com/reflects: a/b}',
          ),
        ),
      ),
    ).toEqual([]);
  });

  it('of a Secret, without its values', async () => {
    const referrer = web(container('env: [{name: A, valueFrom: {secretKeyRef: {name: db, key: user}}}]'));
    const [found = '', ...more] = await find(build(referrer, secret('{password: c2VjcmV0LXZhbHVl}')));
    expect(more).toEqual([]);
    expect(found).toContain('error Deployment/web');
    expect(found).toContain('which has no key user; its keys are password');
    expect(found).not.toContain('c2VjcmV0LXZhbHVl');
  });

  it('a folder of a volume is no key', async () => {
    expect(await find(build(subPath('a/b', 'configMap: {name: app-config}'), config()))).toEqual([]);
    expect(
      await find(
        build(subPath('p', 'configMap: {name: app-config, items: [{key: host, path: p}]}'), config()),
      ),
    ).toEqual([]);
  });
});

describe('objects that others make', () => {
  const wants = (key = 'password') =>
    web(container(`env: [{name: A, valueFrom: {secretKeyRef: {name: db, key: ${key}}}}]`));
  const ISSUER = 'cert-manager.io/cluster-issuer: le';

  it.each<readonly [string, string, string?]>([
    [
      'an ExternalSecret',
      object('ExternalSecret', 'db', 'spec: {data: [{secretKey: password}]}', 'external-secrets.io/v1'),
    ],
    [
      'an ExternalSecret with a target',
      object(
        'ExternalSecret',
        'x',
        'spec: {target: {name: db}, dataFrom: [{extract: {key: k}}]}',
        'external-secrets.io/v1beta1',
      ),
    ],
    [
      'a SealedSecret',
      object('SealedSecret', 'db', 'spec: {encryptedData: {password: x}}', 'bitnami.com/v1alpha1'),
    ],
    [
      'a SealedSecret with a template',
      object(
        'SealedSecret',
        'x',
        'spec: {template: {metadata: {name: db}, data: {password: x}}}',
        'bitnami.com/v1alpha1',
      ),
    ],
    ['a Certificate', object('Certificate', 'x', 'spec: {secretName: db}', 'cert-manager.io/v1'), 'tls.crt'],
    [
      'an Ingress with an issuer',
      object('Ingress', 'x', 'spec: {tls: [{secretName: db}]}', 'networking.k8s.io/v1').replace(
        'namespace',
        `annotations: {${ISSUER}}, namespace`,
      ),
    ],
    [
      'a VaultStaticSecret',
      object(
        'VaultStaticSecret',
        'x',
        'spec: {destination: {name: db, create: true}}',
        'secrets.hashicorp.com/v1beta1',
      ),
    ],
    ['a OnePasswordItem', object('OnePasswordItem', 'db', '', 'onepassword.com/v1')],
    [
      'an InfisicalSecret',
      object(
        'InfisicalSecret',
        'x',
        'spec: {managedSecretReference: {secretName: db}}',
        'secrets.infisical.com/v1alpha1',
      ),
    ],
    [
      'a SecretProviderClass',
      object(
        'SecretProviderClass',
        'x',
        'spec: {secretObjects: [{secretName: db, data: [{key: password}]}]}',
        'secrets-store.csi.x-k8s.io/v1',
      ),
    ],
    [
      'a SopsSecret',
      object(
        'SopsSecret',
        'x',
        'spec: {secretTemplates: [{name: db, stringData: {password: x}}]}',
        'isindir.github.com/v1alpha3',
      ),
    ],
    ['a KafkaUser', object('KafkaUser', 'db', '', 'kafka.strimzi.io/v1beta2')],
    [
      'a database of an operator',
      object('Cluster', 'd', 'spec: {bootstrap: {initdb: {secret: {name: db}}}}', 'postgresql.cnpg.io/v1'),
    ],
    [
      'a managed resource of Crossplane',
      object(
        'Instance',
        'x',
        'spec: {writeConnectionSecretToRef: {name: db, namespace: shop}}',
        'rds.aws.crossplane.io/v1',
      ),
    ],
    [
      'a Service with a certificate of OpenShift',
      object('Service', 'x', '', 'v1').replace(
        'namespace',
        'annotations: {service.beta.openshift.io/serving-cert-secret-name: db}, namespace',
      ),
      'tls.key',
    ],
    [
      'a program that is given the name',
      web(container('args: [--cert-secret-name=shop/db]')).replace('name: web', 'name: operator'),
    ],
  ])('%s', async (...[, maker = '', key]) => {
    expect(await find(wants(key))).toEqual([expect.stringContaining('warning Deployment/web')]);
    expect(await find(build(wants(key), maker))).toEqual([]);
  });

  it('without a key that they list', async () => {
    const maker = object(
      'ExternalSecret',
      'db',
      'spec: {data: [{secretKey: user}]}',
      'external-secrets.io/v1',
    );
    expect(await find(build(wants(), maker))).toEqual([
      expect.stringContaining('refers to Secret/db, which has no key password; its keys are user'),
    ]);
  });

  it('a PushSecret makes none', async () => {
    const push = object('PushSecret', 'db', '', 'external-secrets.io/v1alpha1');
    expect(await find(build(wants(), push))).toHaveLength(1);
  });

  it('claims of a StatefulSet', async () => {
    const set = object(
      'StatefulSet',
      'db',
      'spec: {serviceName: kubernetes, selector: {}, volumeClaimTemplates: [{metadata: {name: data}}], template: {spec: {containers: []}}}',
      'apps/v1',
    );
    const claim = (name: string) => web(volume(`persistentVolumeClaim: {claimName: ${name}}`));
    expect(await find(build(claim('data-db-0'), set))).toEqual([]);
    expect(await find(build(claim('data-db-x'), set))).toHaveLength(1);
  });

  it('charts make an error a warning', async () => {
    const referrer = web(container('envFrom: [{configMapRef: {name: settings}}]'));
    const release = object('HelmRelease', 'redis', '', 'helm.toolkit.fluxcd.io/v2');
    expect(await find(build(referrer, release))).toEqual([expect.stringContaining('warning Deployment/web')]);
  });
});

describe('bindings', () => {
  it.each([
    ['a built-in role', binding('kind: ClusterRole, name: cluster-admin', '[]')],
    ['a role of the system', binding('kind: ClusterRole, name: "system:auth-delegator"', '[]')],
    [
      'an account of another namespace',
      binding(
        'kind: ClusterRole, name: view',
        '[{kind: ServiceAccount, name: prometheus, namespace: monitoring}]',
      ),
    ],
    [
      'users and groups',
      binding('kind: ClusterRole, name: view', '[{kind: User, name: a}, {kind: Group, name: b}]'),
    ],
    [
      'accounts of which some are optional',
      binding(
        'kind: ClusterRole, name: view',
        '[{kind: ServiceAccount, name: default}, {kind: ServiceAccount, name: image-controller}]',
      ),
    ],
  ])('%s is known', async (_, document) => {
    expect(await find(build(POD, document))).toEqual([]);
  });

  it('an account that the build has in another namespace', async () => {
    const account = object('ServiceAccount', 'runner', '', 'v1', 'jobs');
    const bound = binding('kind: ClusterRole, name: view', '[{kind: ServiceAccount, name: runner}]');
    expect(await find(build(POD, bound, account))).toEqual([
      'warning RoleBinding/web subjects[0].name: subjects refer to ServiceAccount/runner, which the build has in namespace jobs alone; refer to the one in that namespace, or add it to shop',
    ]);
  });
});

describe('namespaces', () => {
  const referrer = (metadata: string) =>
    web(container('envFrom: [{configMapRef: {name: app-config}}]'), metadata);
  it.each<[string, string, string, number]>([
    ['the same', 'namespace: shop', 'shop', 0],
    ['another', 'namespace: jobs', 'shop', 1],
    ['none at the reference', 'labels: {}', 'shop', 0],
    ['none at the object', 'namespace: shop', '""', 0],
  ])('%s', async (_, metadata, namespace, findings) => {
    const documents = build(
      referrer(metadata),
      object('ConfigMap', 'app-config', 'data: {a: b}', 'v1', namespace),
    );
    expect(await find(documents)).toHaveLength(findings);
  });
});

describe('near misses are errors with the right name', () => {
  it.each<[string, string, string, string]>([
    [
      'a ConfigMap',
      web(container('envFrom: [{configMapRef: {name: app-confg}}]')),
      config(),
      'refers to ConfigMap/app-confg, which is not in the build; did you mean app-config?',
    ],
    [
      'a Secret',
      web(container('envFrom: [{secretRef: {name: db-credentails}}]')),
      secret('{a: eA==}', 'db-credentials'),
      'refers to Secret/db-credentails, which is not in the build; did you mean db-credentials?',
    ],
    [
      'a generated Secret',
      web(container('envFrom: [{secretRef: {name: api-keys}}]')),
      secret('{a: eA==}', 'api-keys-7h8k9m2c4d'),
      'refers to Secret/api-keys, which the build has only with a hash at the end of its name',
    ],
    [
      'an account',
      web('{serviceAccountName: runer, containers: []}'),
      object('ServiceAccount', 'runner'),
      'refers to ServiceAccount/runer, which is not in the build; did you mean runner?',
    ],
  ])('%s', async (_, referrer, object, text) => {
    const found = await find(build(referrer, object));
    expect(found).toEqual([expect.stringMatching(/^error Deployment\/web /)]);
    expect(found[0]).toContain(text);
  });

  it.each([
    ['a number', 'db-1', 'db-2'],
    ['a short part', 'app-a-secret', 'app-b-secret'],
    ['another word', 'web-secret', 'api-secret'],
    ['another environment', 'settings-dev', 'settings-uat'],
  ])('%s distinguishes names', async (_, name, other) => {
    const referrer = web(container(`envFrom: [{secretRef: {name: ${name}}}]`));
    expect(await find(build(referrer, secret('{a: eA==}', other)))).toEqual([
      expect.stringMatching(/^warning Deployment\/web .*; list Secret\/\S+ under spec.external/),
    ]);
  });

  it('a scale target of another kind', async () => {
    const scaler = object(
      'HorizontalPodAutoscaler',
      'web',
      'spec: {scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: web}}',
      'autoscaling/v2',
    );
    expect(await find(build(POD, scaler))).toEqual([
      'error HorizontalPodAutoscaler/web spec.scaleTargetRef.name: scaleTargetRef refers to StatefulSet/web, which is not in the build; set kind: Deployment, which the build has',
    ]);
  });
});

it('a missing Secret is one warning that names who refers to it', async () => {
  const referrer = (name: string) =>
    web(
      container(
        'env: [{name: A, valueFrom: {secretKeyRef: {name: db, key: a}}}, {name: B, valueFrom: {secretKeyRef: {name: db, key: b}}}]',
      ),
    ).replace('name: web', `name: ${name}`);
  expect(await find(build(referrer('api'), referrer('jobs'), referrer('web')))).toEqual([
    'warning Deployment/api spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef.name: env A of container "web" and env B of container "web" refer to Secret/db, which is not in the build; Deployment/jobs and Deployment/web refer to it, too; list Secret/db under spec.external if it exists outside of the package',
  ]);
});

describe('hosts', () => {
  const client = (value: string, key = 'API_URL') =>
    web(container(`env: [{name: ${key}, value: '${value}'}]`));
  const service = (name: string, app = 'api') =>
    object('Service', name, `spec: {selector: {app: ${app}}, ports: [{port: 80}]}`);
  const API = client('').replaceAll('web', 'todo-backend');

  it.each<[string, string, string[]]>([
    [
      'misspelt',
      client('http://todo-bakcend'),
      [
        'error Deployment/web spec.template.spec.containers[0].env[0]: env API_URL names the host todo-bakcend, which is not in the build; did you mean todo-backend?',
      ],
    ],
    [
      'misspelt, with its namespace',
      client('http://todo-bakcend.shop.svc'),
      [
        'error Deployment/web spec.template.spec.containers[0].env[0]: env API_URL names the host todo-bakcend.shop.svc, which is not in the build; did you mean todo-backend?',
      ],
    ],
    ['another name', client('http://payments'), []],
    ['a public host', client('http://todo-bakcend.com'), []],
    ['a word', client('todo-bakcend', 'APP_NAME'), []],
    ['the right name', client('http://todo-backend'), []],
  ])('%s', async (_, referrer, expected) => {
    expect(await find(build(referrer, service('todo-backend')))).toEqual(expected);
  });

  it('the name of a workload whose Service has another one', async () => {
    const documents = build(client('http://todo-backend'), API, service('todo-api', 'todo-backend'));
    expect(await find(documents)).toEqual([
      'error Deployment/web spec.template.spec.containers[0].env[0]: env API_URL names the host todo-backend, the name of Deployment/todo-backend, and the Service that leads to it is Service/todo-api; write todo-api, or rename the Service',
    ]);
    expect(await find(documents, { external: ['Service/todo-backend'] })).toEqual([]);
  });
});

describe('packages', () => {
  const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
  const API = `apiVersion: v1\nkind: Service\nmetadata: {name: api}\nspec: {selector: {app: api}, ports: [{port: 80}]}\n`;
  const WEB = web(
    container("env: [{name: API_URL, value: 'http://api'}], envFrom: [{configMapRef: {name: settings}}]"),
    'labels: {}',
  );
  const base = (files: Record<string, string>) => ({
    'base/kustomization.yaml': `${KUSTOMIZATION}resources: [web.yaml, api.yaml]\n`,
    'base/web.yaml': WEB,
    'base/api.yaml': API,
    ...files,
  });
  const GENERATOR = 'configMapGenerator: [{name: settings, literals: [A=b]}]\n';
  const host = 'error overlays/prod: Deployment/';
  const inOverlay = (text: string) => ({
    'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\n${GENERATOR}${text}`,
  });

  it.each<[string, Record<string, string>, string[]]>([
    ['nothing is renamed', inOverlay(''), []],
    [
      'namePrefix (case 12)',
      inOverlay('namePrefix: prod-\n'),
      [
        `${host}prod-web env API_URL names the host api, the name of a Service which the build has as Service/prod-api (base/web.yaml:8); write prod-api for this overlay, such as by a patch or a replacement`,
      ],
    ],
    [
      'nameSuffix',
      inOverlay('nameSuffix: -prod\n'),
      [
        `${host}web-prod env API_URL names the host api, the name of a Service which the build has as Service/api-prod (base/web.yaml:8); write api-prod for this overlay, such as by a patch or a replacement`,
      ],
    ],
    [
      'a patch that renames the Service',
      inOverlay(
        'patches:\n- target: {kind: Service, name: api}\n  patch: |-\n    - {op: replace, path: /metadata/name, value: backend}\n',
      ),
      [
        `${host}web env API_URL names the host api, the name of a Service which the build has as Service/backend (overlays/prod/kustomization.yaml:6, patches[0]); write backend for this overlay, such as by a patch or a replacement`,
      ],
    ],
    [
      'a prefix, and the value that goes with it',
      inOverlay(
        'namePrefix: prod-\npatches:\n- target: {kind: Deployment, name: web}\n  patch: |-\n    - {op: replace, path: /spec/template/spec/containers/0/env/0/value, value: http://prod-api}\n',
      ),
      [],
    ],
    [
      'a Component with a prefix',
      {
        'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\ncomponents: [../../named]\n${GENERATOR}`,
        'named/kustomization.yaml':
          'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: x-\n',
      },
      [
        `${host}x-web env API_URL names the host api, the name of a Service which the build has as Service/x-api (base/web.yaml:8); write x-api for this overlay, such as by a patch or a replacement`,
      ],
    ],
  ])('%s', async (_, files, expected) => {
    expect(await findingsInPackage('references', base(files))).toEqual(expected);
  });

  it('a generator in another namespace (case 13)', async () => {
    const files = base(inOverlay(''));
    const namespaced = {
      ...files,
      'base/kustomization.yaml': `${files['base/kustomization.yaml']}namespace: shop\n`,
    };
    expect(await findingsInPackage('references', namespaced)).toEqual([
      `${host}web envFrom of container "web" refers to ConfigMap/settings, which the build has only with a hash at the end of its name (base/web.yaml:8); generate it in the namespace shop: kustomize corrects only references within a namespace`,
    ]);
    const both = { ...namespaced, ...inOverlay('namespace: shop\n') };
    expect(await findingsInPackage('references', both)).toEqual([]);
  });

  it('a file that no kustomization lists', async () => {
    const files = {
      ...base({ 'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\n` }),
      'base/settings.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n',
    };
    expect(await findingsInPackage('references', files)).toEqual([
      `warning overlays/prod: Deployment/web envFrom of container "web" refers to ConfigMap/settings, which is in base/settings.yaml, and no kustomization lists this file (base/web.yaml:8); list the file under resources, or ConfigMap/settings under spec.external if it is applied by other means`,
    ]);
  });

  it('an overlay of another application is an info, a variant of the same one is not', async () => {
    const files = base({ 'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base]\n` });
    const settings = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n';
    const apart = {
      ...files,
      'settings/overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [settings.yaml]\n`,
      'settings/overlays/prod/settings.yaml': settings,
    };
    expect(await findingsInPackage('references', apart)).toEqual([
      'info overlays/prod: Deployment/web envFrom of container "web" refers to ConfigMap/settings, which another overlay builds: settings/overlays/prod (base/web.yaml:8); apply both, and list ConfigMap/settings under spec.external',
    ]);
    const variant = {
      ...files,
      'overlays/dev/kustomization.yaml': `${KUSTOMIZATION}resources: [../../base, settings.yaml]\n`,
      'overlays/dev/settings.yaml': settings,
    };
    expect(await findingsInPackage('references', variant)).toEqual([
      expect.stringContaining(
        'error overlays/prod: Deployment/web envFrom of container "web" refers to ConfigMap/settings, which is not in the build',
      ),
    ]);
  });

  it('spec.external of an environment holds there alone', async () => {
    const overlay = `${KUSTOMIZATION}resources: [../../base]\n`;
    const files = base({
      'overlays/prod/kustomization.yaml': overlay,
      'overlays/dev/kustomization.yaml': overlay,
    });
    const environments = { 'overlays/dev': { external: ['ConfigMap/settings'] } };
    expect(await findingsInPackage('references', files, { environments })).toEqual([
      expect.stringContaining('error overlays/prod: Deployment/web envFrom'),
    ]);
  });
});
