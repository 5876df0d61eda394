import { annotationNames } from '../../../functions/guardrails/kubernetes/annotation-names';
import { EXTERNAL_PEERS, type ExternalPeers } from '../../../functions/guardrails/network/external-peers';
import { readTopology } from '../../../functions/guardrails/network/topology';
import { readBuild, readNeeds, resourcesIn } from '../../support/network-build';

const deployment = (annotations = '{}', namespace = '') => `apiVersion: apps/v1
kind: Deployment
metadata: {name: hook, namespace: "${namespace}", annotations: ${annotations}}
spec:
  selector: {matchLabels: {app: hook}}
  template:
    metadata: {labels: {app: hook}}
    spec:
      containers: [{name: hook, image: "hook:1", ports: [{name: tls, containerPort: 9443}, {containerPort: 8080}]}]
`;
const service = (ports: string, namespace = '') => `apiVersion: v1
kind: Service
metadata: {name: hook, namespace: "${namespace}"}
spec: {selector: {app: hook}, ports: [${ports}]}
`;
const SERVICE = service('{port: 443, targetPort: tls}');
/** Nothing leads to them. */
const NEIGHBOURS = [deployment(), SERVICE].map((one) => one.replaceAll('hook', 'neighbour'));

const webhook = (kind: string, clients: string) => `apiVersion: admissionregistration.k8s.io/v1
kind: ${kind}
metadata: {name: shop}
webhooks: [${clients}]
`;
const VALIDATING = webhook(
  'ValidatingWebhookConfiguration',
  '{name: a.example.com, clientConfig: {service: {name: hook, namespace: default, path: /v}}}',
);
const CONVERSION = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec:
  conversion:
    strategy: Webhook
    webhook: {conversionReviewVersions: [v1], clientConfig: {service: {name: hook, namespace: shop, port: 8443}}}
`;
const API_SERVICE = `apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.example.com}
spec: {group: example.com, version: v1, service: {name: hook, namespace: shop}}
`;

const need = (by: string) =>
  `Deployment/hook ingress: ${by} leads to it through Service/hook; set spec.network.apiServer in the configuration, or name the addresses of the API server in todo.example.com/accepts-from`;
const BY_VALIDATING = need('ValidatingWebhookConfiguration/shop');
const PEERS: ExternalPeers = {
  ...EXTERNAL_PEERS,
  apiServer: { addresses: ['10.0.0.1/32'], ports: [6443] },
};
const IN_SHOP = [
  deployment('{}', 'shop'),
  service('{port: 443, targetPort: tls}, {port: 8443, targetPort: 8080}', 'shop'),
];

/** What holds isolation back, but for Services without a client in the build. */
const needsIn = (documents: readonly string[], peers?: ExternalPeers) =>
  readNeeds(documents, peers).filter((line) => !line.includes(' has no client in this build; '));

describe('needs, or connections with spec.network.apiServer', () => {
  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    [
      'a ValidatingWebhookConfiguration, in a build whose namespace kubectl apply chooses (21)',
      [deployment(), SERVICE, VALIDATING],
      [BY_VALIDATING],
      ['10.0.0.1/32 -> Deployment/hook: TCP 9443'],
    ],
    [
      'a MutatingWebhookConfiguration, the second of two webhooks',
      [
        ...IN_SHOP,
        webhook(
          'MutatingWebhookConfiguration',
          '{name: a.example.com, clientConfig: {url: "https://a.example.com"}}, {name: b.example.com, clientConfig: {service: {name: hook, namespace: shop, port: 8443}}}',
        ),
      ],
      [need('MutatingWebhookConfiguration/shop')],
      ['10.0.0.1/32 -> Deployment/hook: TCP 8080'],
    ],
    [
      'the conversion of a CustomResourceDefinition',
      [...IN_SHOP, CONVERSION],
      [need('CustomResourceDefinition/shops.example.com')],
      ['10.0.0.1/32 -> Deployment/hook: TCP 8080'],
    ],
    [
      'an APIService',
      [...IN_SHOP, API_SERVICE],
      [need('APIService/v1.example.com')],
      ['10.0.0.1/32 -> Deployment/hook: TCP 9443'],
    ],
    ['a Service of another package', [...IN_SHOP, API_SERVICE.replace('name: hook', 'name: other')], [], []],
    [
      'a Service of another namespace',
      [...IN_SHOP, API_SERVICE.replace('namespace: shop', 'namespace: other')],
      [],
      [],
    ],
    [
      'an APIService of the API server itself',
      [...IN_SHOP, API_SERVICE.replace(/, service: .*/, '}')],
      [],
      [],
    ],
    [
      'a CustomResourceDefinition without conversion',
      [...IN_SHOP, CONVERSION.replace(/conversion:[^]*/, 'conversion: {strategy: None}\n')],
      [],
      [],
    ],
    [
      'another API with these fields',
      [...IN_SHOP, API_SERVICE.replace('apiregistration.k8s.io', 'example.com')],
      [],
      [],
    ],
  ])('%s', (_, build, needs, connections) => {
    for (const all of [
      [...build, ...NEIGHBOURS],
      [...NEIGHBOURS, ...build.toReversed()],
    ]) {
      expect(needsIn(all)).toEqual(needs);
      expect(needsIn(all, PEERS)).toEqual([]);
      const lines = readBuild(all, PEERS).connections.filter((line) => !line.includes('dns'));
      expect(lines).toEqual(connections);
    }
  });
});

describe('a Service that leads nowhere', () => {
  test.each([
    ['no port 443', service('{port: 80}'), 'error: refers to Service/hook, which has no port 443'],
    // The rule service-target reports these.
    ['a missing target', service('{port: 443, targetPort: gone}'), undefined],
    ['other pods', SERVICE.replace('app: hook', 'app: gone'), undefined],
  ])('%s', (_, broken, report) => {
    const build = [deployment(), broken, VALIDATING];
    const reports = report === undefined ? [] : [report];
    expect(needsIn(build)).toEqual([]);
    expect(readBuild(build).reports).toEqual(reports);
    expect(readBuild(build, PEERS).reports).toEqual(reports);
  });
});

describe('answers', () => {
  test.each<[string, string, readonly string[]]>([
    ['none', 'none', []],
    ['the addresses of the API server', '10.0.0.1:9443', []],
    ['clients of another port', '10.0.0.1:8080', [BY_VALIDATING]],
  ])('accepts-from: %s', (_, text, needs) => {
    const annotations = `{todo.example.com/accepts-from: "${text}"}`;
    expect(needsIn([deployment(annotations), SERVICE, VALIDATING])).toEqual(needs);
  });

  test('connects-to does not answer', () => {
    const annotations = '{todo.example.com/connects-to: none}';
    expect(needsIn([deployment(annotations), SERVICE, VALIDATING])).toEqual([BY_VALIDATING]);
  });
});

test('two webhooks of a configuration are one need', () => {
  const two = webhook(
    'ValidatingWebhookConfiguration',
    ['a', 'b']
      .map((one) => `{name: ${one}.example.com, clientConfig: {service: {name: hook, namespace: default}}}`)
      .join(', '),
  );
  expect(needsIn([deployment(), SERVICE, two])).toEqual([BY_VALIDATING]);
});

test.each<[string, readonly string[], boolean]>([
  ['a webhook leads to', [VALIDATING], false],
  ['nothing else leads to', [], true],
])('a NodePort that %s', (_, webhooks, isExposed) => {
  const nodePort = SERVICE.replace('spec: {', 'spec: {type: NodePort, ');
  const { exposures } = readTopology(resourcesIn([deployment(), nodePort, ...webhooks]), annotationNames());
  expect(exposures.length > 0).toBe(isExposed);
});
