import {
  EXTERNAL_PEERS,
  type ExternalPeers,
  type Mesh,
} from '../../../functions/guardrails/network/external-peers';
import { checkBuild, readBuild, readNeeds, withPolicies } from '../../support/network-build';

const deployment = ({
  labels = '',
  annotations = '',
  own = '',
  env = '',
  container = '',
  pod = '',
  name = 'web',
}) =>
  `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop, annotations: {${own}}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}, ${labels}}, annotations: {${annotations}}}
    spec:
      ${pod}
      containers: [{name: ${name}, image: "web:1", ports: [{name: http, containerPort: 8080}], env: [${env}], ${container}}]
`;
const API_SERVICE = `apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 80, targetPort: http}]}
`;
const namespace = (metadata: string, name = 'shop') => `apiVersion: v1
kind: Namespace
metadata: {name: ${name}, ${metadata}}
`;
const withMesh = (mesh: Mesh): ExternalPeers => ({ ...EXTERNAL_PEERS, mesh });
const TO_API = '{name: API_URL, value: "http://api"}';

const needs = (evidence: string, mesh: string) =>
  ['ingress', 'egress'].map(
    (direction) =>
      `Deployment/web ${direction}: ${evidence} puts it in a service mesh; set spec.network.mesh: ${mesh} in the configuration`,
  );

describe('members', () => {
  const inject = 'sidecar.istio.io/inject: "true"';
  test.each<[string, string, readonly string[]]>([
    [
      'the label of the sidecar (27)',
      deployment({ labels: inject }),
      needs('label sidecar.istio.io/inject', 'istio'),
    ],
    [
      'the annotation of the sidecar',
      deployment({ annotations: inject }),
      needs('annotation sidecar.istio.io/inject', 'istio'),
    ],
    ['a revision', deployment({ labels: 'istio.io/rev: stable' }), needs('label istio.io/rev', 'istio')],
    [
      'Linkerd',
      deployment({ annotations: 'linkerd.io/inject: enabled' }),
      needs('annotation linkerd.io/inject', 'linkerd'),
    ],
    [
      'Linkerd, for an ingress controller',
      deployment({ annotations: 'linkerd.io/inject: ingress' }),
      needs('annotation linkerd.io/inject', 'linkerd'),
    ],
    [
      'ambient',
      deployment({ labels: 'istio.io/dataplane-mode: ambient' }),
      needs('label istio.io/dataplane-mode', 'istio-ambient'),
    ],
    [
      'a sidecar in an ambient mesh',
      deployment({ labels: `${inject}, istio.io/dataplane-mode: ambient` }),
      needs('label sidecar.istio.io/inject', 'istio'),
    ],
    ['no sidecar', deployment({ labels: 'sidecar.istio.io/inject: "false"' }), []],
    ['no sidecar of Linkerd', deployment({ annotations: 'linkerd.io/inject: disabled' }), []],
    ['not ambient', deployment({ labels: 'istio.io/dataplane-mode: none' }), []],
    ['a label of the Deployment, not of its pods', deployment({ own: inject }), []],
    ['other labels of Istio', deployment({ labels: 'service.istio.io/canonical-name: web' }), []],
    ['in the network of the node', deployment({ labels: inject, pod: 'hostNetwork: true' }), []],
  ])('%s', (_, web, expected) => {
    expect(readNeeds([web, deployment({ name: 'neighbour' })])).toEqual(expected);
  });

  test.each<[string, string, string, readonly string[]]>([
    [
      'istio-injection',
      'labels: {istio-injection: enabled}',
      '',
      needs('label istio-injection of Namespace/shop', 'istio'),
    ],
    ['istio-injection: disabled', 'labels: {istio-injection: disabled}', '', []],
    [
      'a revision',
      'labels: {istio.io/rev: stable}',
      '',
      needs('label istio.io/rev of Namespace/shop', 'istio'),
    ],
    [
      'a sidecar, and pods without',
      'labels: {istio-injection: enabled}',
      'sidecar.istio.io/inject: "false"',
      [],
    ],
    [
      'Linkerd',
      'annotations: {linkerd.io/inject: enabled}',
      '',
      needs('annotation linkerd.io/inject of Namespace/shop', 'linkerd'),
    ],
    [
      'Linkerd, and pods without',
      'annotations: {linkerd.io/inject: enabled}',
      'linkerd.io/inject: disabled',
      [],
    ],
    [
      'ambient',
      'labels: {istio.io/dataplane-mode: ambient}',
      '',
      needs('label istio.io/dataplane-mode of Namespace/shop', 'istio-ambient'),
    ],
    [
      'ambient, and pods without',
      'labels: {istio.io/dataplane-mode: ambient}',
      'istio.io/dataplane-mode: none',
      [],
    ],
    [
      'ambient, and pods with the opt-out of another mesh',
      'labels: {istio.io/dataplane-mode: ambient}',
      'linkerd.io/inject: disabled',
      needs('label istio.io/dataplane-mode of Namespace/shop', 'istio-ambient'),
    ],
    ['no mesh', 'labels: {team: shop}', '', []],
  ])('by their Namespace: %s', (_, metadata, labels, expected) => {
    expect(readNeeds([deployment({ labels }), namespace(metadata)])).toEqual(expected);
    expect(readNeeds([namespace(metadata, 'other'), deployment({ labels })])).toEqual([]);
  });
});

test.each<[string, Mesh, readonly string[]]>([
  ['the same', 'istio', []],
  ['ambient, which has sidecars too', 'istio-ambient', []],
  ['another one', 'linkerd', needs('label sidecar.istio.io/inject', 'istio')],
])('a sidecar of Istio, and a configured mesh: %s', (_, mesh, expected) => {
  const web = deployment({ labels: 'sidecar.istio.io/inject: "true"' });
  expect(readNeeds([web], withMesh(mesh))).toEqual(expected);
});

test('an ambient pod, and sidecars in the configuration', () => {
  const web = deployment({ labels: 'istio.io/dataplane-mode: ambient' });
  expect(readNeeds([web], withMesh('istio'))).toEqual(
    needs('label istio.io/dataplane-mode', 'istio-ambient'),
  );
});

/** Pods that opt out of each mesh. */
const OUTSIDE = {
  labels: 'sidecar.istio.io/inject: "false", istio.io/dataplane-mode: none',
  annotations: 'linkerd.io/inject: disabled',
};
/** A client, its server, and a neighbour outside the mesh that connects to the server too. */
const build = ({ labels = '', annotations = '' }) => [
  deployment({ labels, annotations, env: TO_API }),
  deployment({ labels, annotations, name: 'api', container: 'livenessProbe: {httpGet: {port: http}}' }),
  deployment({ ...OUTSIDE, env: TO_API, name: 'neighbour' }),
  API_SERVICE,
];
/** The connections of a build without DNS, which is that of all pods. */
const connectionsOf = (documents: readonly string[], mesh: Mesh) =>
  readBuild(documents, withMesh(mesh)).connections.filter((line) => !line.includes('-> dns'));

describe('spec.network.mesh', () => {
  test('istio: sidecars connect to istiod', () => {
    const documents = build({ labels: 'sidecar.istio.io/inject: "true"' });
    expect(connectionsOf(documents, 'istio')).toEqual([
      'Deployment/web -> Deployment/api: TCP 8080',
      'Deployment/neighbour -> Deployment/api: TCP 8080',
      'Deployment/web -> istio-system app=istiod: TCP 15012',
      'Deployment/api -> istio-system app=istiod: TCP 15012',
    ]);
    expect(checkBuild(withPolicies(documents, withMesh('istio')), withMesh('istio'))).toEqual([]);
  });

  test('istio-ambient: HBONE between members, and the probes of the kubelet', () => {
    const documents = build({ labels: 'istio.io/dataplane-mode: ambient' });
    expect(connectionsOf(documents, 'istio-ambient')).toEqual([
      'Deployment/web -> Deployment/api: TCP 8080, TCP 15008',
      'Deployment/neighbour -> Deployment/api: TCP 8080',
      '169.254.7.127/32, fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128 -> Deployment/api: TCP 8080',
    ]);
    const peers = withMesh('istio-ambient');
    expect(checkBuild(withPolicies(documents, peers), peers)).toEqual([]);
  });

  test('istio-ambient: an ambient client of a sidecar', () => {
    const documents = [
      deployment({ labels: 'istio.io/dataplane-mode: ambient', env: TO_API }),
      deployment({ labels: 'sidecar.istio.io/inject: "true"', name: 'api' }),
      API_SERVICE,
    ];
    expect(connectionsOf(documents, 'istio-ambient')).toEqual([
      'Deployment/web -> Deployment/api: TCP 8080, TCP 15008',
      'Deployment/api -> istio-system app=istiod: TCP 15012',
    ]);
  });

  test('linkerd: its control plane, and the port of the proxy between members', () => {
    const documents = build({ annotations: 'linkerd.io/inject: enabled' });
    expect(connectionsOf(documents, 'linkerd')).toEqual([
      'Deployment/web -> Deployment/api: TCP 8080, TCP 4143',
      'Deployment/neighbour -> Deployment/api: TCP 8080',
      'Deployment/web -> linkerd: TCP 8080, TCP 8086, TCP 8090',
      'Deployment/api -> linkerd: TCP 8080, TCP 8086, TCP 8090',
    ]);
    expect(checkBuild(withPolicies(documents, withMesh('linkerd')), withMesh('linkerd'))).toEqual([]);
  });

  test('a policy for port 8080 alone blocks the proxy of Linkerd', () => {
    const documents = build({ annotations: 'linkerd.io/inject: enabled' });
    const policies = withPolicies(build(OUTSIDE)).slice(documents.length);
    const findings = checkBuild([...documents, ...policies], withMesh('linkerd'));
    expect(findings).toContainEqual(
      expect.stringMatching(
        /^error NetworkPolicy\/api blocks required ingress traffic from Deployment\/web to Deployment\/api on TCP port 4143/,
      ),
    );
  });

  test('UDP is not proxied', () => {
    const udp = API_SERVICE.replace('targetPort: http', 'targetPort: 5000, protocol: UDP');
    const documents = build({ annotations: 'linkerd.io/inject: enabled' }).map((one) =>
      one === API_SERVICE ? udp : one,
    );
    expect(connectionsOf(documents, 'linkerd')).toContain('Deployment/web -> Deployment/api: UDP 5000');
  });

  test('an ingress controller, which may be in the mesh, connects to the proxy too', () => {
    const ingress = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, namespace: shop}
spec: {ingressClassName: nginx, defaultBackend: {service: {name: api, port: {number: 80}}}}
`;
    const documents = [...build({ annotations: 'linkerd.io/inject: enabled' }), ingress];
    expect(connectionsOf(documents, 'linkerd')).toContain(
      'ingress-controller -> Deployment/api: TCP 8080, TCP 4143',
    );
  });

  test('no member, no connection', () => {
    for (const mesh of ['istio', 'istio-ambient', 'linkerd'] as const)
      expect(connectionsOf(build(OUTSIDE), mesh)).toEqual([
        'Deployment/web -> Deployment/api: TCP 8080',
        'Deployment/neighbour -> Deployment/api: TCP 8080',
      ]);
  });

  test('all pods that do not opt out are members', () => {
    expect(connectionsOf([deployment({})], 'istio')).toEqual([
      'Deployment/web -> istio-system app=istiod: TCP 15012',
    ]);
  });
});

describe('probes of an ambient pod', () => {
  test.each<[string, string, string | undefined]>([
    ['a number', 'readinessProbe: {tcpSocket: {port: 7000}}', 'TCP 7000'],
    ['gRPC', 'startupProbe: {grpc: {port: 7000}}', 'TCP 7000'],
    [
      'two of a port',
      'livenessProbe: {httpGet: {port: http}}, readinessProbe: {httpGet: {port: 8080}}',
      'TCP 8080',
    ],
    [
      'two ports',
      'livenessProbe: {httpGet: {port: 9000}}, readinessProbe: {httpGet: {port: http}}',
      'TCP 9000, TCP 8080',
    ],
    ['a command', 'livenessProbe: {exec: {command: [ok]}}', undefined],
    ['a name that the container does not have', 'livenessProbe: {httpGet: {port: gone}}', undefined],
  ])('%s', (_, container, ports) => {
    const web = deployment({ labels: 'istio.io/dataplane-mode: ambient', container });
    const source = '169.254.7.127/32, fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128';
    expect(connectionsOf([web], 'istio-ambient')).toEqual(
      ports === undefined ? [] : [`${source} -> Deployment/web: ${ports}`],
    );
  });
});

describe('answers', () => {
  test.each<[string, string, readonly string[]]>([
    ['connects-to none', 'todo.example.com/connects-to: none', ['ingress']],
    ['accepts-from none', 'todo.example.com/accepts-from: none', ['egress']],
    ['clients', 'todo.example.com/accepts-from: "shop/app=api:8080"', ['ingress', 'egress']],
  ])('%s', (_, own, directions) => {
    const web = deployment({ own, labels: 'sidecar.istio.io/inject: "true"' });
    const all = needs('label sidecar.istio.io/inject', 'istio');
    expect(readNeeds([web])).toEqual(
      all.filter((one) => directions.some((direction) => one.includes(` ${direction}: `))),
    );
  });
});

test('1,000 members', () => {
  const one = build({ annotations: 'linkerd.io/inject: enabled' });
  const documents = Array.from({ length: 333 }, (_, i) =>
    one.map((text) => text.replaceAll(/\b(web|api|neighbour)\b(?!:1)/g, `$1-${i}`)),
  ).flat();
  const start = performance.now();
  expect(connectionsOf(documents, 'linkerd')).toHaveLength(333 * 4);
  expect(performance.now() - start).toBeLessThan(20_000);
});
