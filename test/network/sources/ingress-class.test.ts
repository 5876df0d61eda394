import { annotationNames } from '../../../functions/guardrails/kubernetes/annotation-names';
import { EXTERNAL_PEERS, type ExternalPeers } from '../../../functions/guardrails/network/external-peers';
import { readTopology } from '../../../functions/guardrails/network/topology';
import { readBuild, resourcesIn } from '../../support/network-build';

const WEB = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", ports: [{name: http, containerPort: 8080}]}]}
`;
const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`;
/** A workload and a Service that no Ingress names. */
const NEIGHBOUR = [
  WEB.replaceAll('web', 'other').replace(
    '{name: other}',
    '{name: other, annotations: {todo.example.com/accepts-from: none}}',
  ),
  SERVICE.replaceAll('web', 'other'),
];
const BACKEND = '{service: {name: web, port: {number: 80}}}';
const ingress = (spec: string, annotations = '{}') => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, annotations: ${annotations}}
spec: {${spec === '' ? '' : `${spec}, `}rules: [{host: a.example.com, http: {paths: [{path: /, backend: ${BACKEND}}]}}]}
`;
const ingressClass = (name: string, controller: string, annotations = '{}') =>
  `apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: ${name}, annotations: ${annotations}}
spec: {controller: ${controller}}
`;
const declaring = (annotation: string, value: string) =>
  WEB.replace('{name: web}', `{name: web, annotations: {todo.example.com/${annotation}: "${value}"}}`);

const PEERS: ExternalPeers = {
  ...EXTERNAL_PEERS,
  ingressControllers: new Map([
    ['traefik', { namespace: 'traefik', podLabels: { app: 'traefik' } }],
    ['alb', { cidrs: ['10.1.0.0/16', 'fd00::/64'] }],
  ]),
};

/** The connections of Ingresses, what holds isolation back, and what is reported. */
function read(documents: readonly string[], peers: ExternalPeers = EXTERNAL_PEERS) {
  const topology = readTopology(resourcesIn(documents), annotationNames(), peers);
  const { connections, reports } = readBuild(documents, peers);
  return {
    connections: connections.filter((line) => !line.includes('-> dns')),
    needs: topology.needs.map(({ workload, direction, evidence, answer }) => {
      const text = 'annotation' in answer ? `${answer.annotation} ${answer.entry.raw}` : answer.raw;
      return `${workload.kind}/${workload.name} ${direction}: ${evidence.raw}; ${text}`;
    }),
    reports,
  };
}

const BUILD = [WEB, SERVICE, ...NEIGHBOUR];
const USUAL = 'ingress-controller -> Deployment/web: TCP 8080';
const need = (name: string) =>
  `Deployment/web ingress: Ingress/web has the class ${name}, whose controller is not known; add ${name} to spec.network.ingressControllers of the configuration`;

describe('the configured controller', () => {
  test.each([
    ['no class', ingress('')],
    ['an empty class', ingress('ingressClassName: ""')],
    ['its class', ingress('ingressClassName: nginx')],
    ['its class in the annotation', ingress('', '{kubernetes.io/ingress.class: nginx}')],
    [
      'its class in the field, another in the annotation',
      ingress('ingressClassName: nginx', '{kubernetes.io/ingress.class: alb}'),
    ],
  ])('%s', (_, one) => {
    expect(read([...BUILD, one])).toEqual({ connections: [USUAL], needs: [], reports: [] });
  });

  test('serves the classes that the configuration names, and no others', () => {
    const peers = {
      ...EXTERNAL_PEERS,
      ingressController: { ...EXTERNAL_PEERS.ingressController, classes: ['internal', 'public'] },
    };
    const build = (name: string) => [...BUILD, ingress(`ingressClassName: ${name}`)];
    expect(read(build('public'), peers)).toEqual({ connections: [USUAL], needs: [], reports: [] });
    expect(read(build('nginx'), peers)).toEqual({ connections: [], needs: [need('nginx')], reports: [] });
  });

  test.each([
    ['ingress-nginx', 'k8s.io/ingress-nginx', 'apiVersion: networking.k8s.io', [USUAL], []],
    ['another controller', 'ingress.k8s.aws/alb', 'apiVersion: networking.k8s.io', [], [need('edge')]],
    ['another API group', 'k8s.io/ingress-nginx', 'apiVersion: example.com', [], [need('edge')]],
  ])('an IngressClass of the build with %s', (_, controller, group, connections, needs) => {
    const edge = ingressClass('edge', controller).replace('apiVersion: networking.k8s.io', group);
    const other = ingressClass('unused', 'k8s.io/ingress-nginx');
    for (const classes of [
      [edge, other],
      [other, edge],
    ])
      for (const build of [
        [...classes, ...BUILD, ingress('ingressClassName: edge')],
        [ingress('ingressClassName: edge'), ...BUILD, ...classes],
      ])
        expect(read(build)).toEqual({ connections, needs, reports: [] });
  });

  test('an IngressClass with ingress-nginx, where another controller is configured', () => {
    const traefik = { namespace: 'traefik', podLabels: { app: 'traefik' }, classes: ['traefik'] };
    const build = [...BUILD, ingress('ingressClassName: edge'), ingressClass('edge', 'k8s.io/ingress-nginx')];
    const peers = { ...EXTERNAL_PEERS, ingressController: traefik };
    expect(read(build, peers)).toEqual({ connections: [], needs: [need('edge')], reports: [] });
  });

  test.each([
    ['the default class of the build', '"true"', [], [need('edge')]],
    ['a class of the build that is not the default', '"false"', [USUAL], []],
  ])('an Ingress without a class, with %s', (_, isDefault, connections, needs) => {
    const annotations = `{ingressclass.kubernetes.io/is-default-class: ${isDefault}}`;
    const build = [...BUILD, ingress(''), ingressClass('edge', 'ingress.k8s.aws/alb', annotations)];
    expect(read(build)).toEqual({ connections, needs, reports: [] });
  });
});

describe('a class with a controller of its own', () => {
  test('pods', () => {
    const build = [...BUILD, ingress('ingressClassName: traefik')];
    expect(read(build, PEERS)).toEqual({
      connections: ['traefik app=traefik -> Deployment/web: TCP 8080'],
      needs: [],
      reports: [],
    });
    expect(readBuild(build, PEERS).policies.web).toMatchObject({
      ingress: [
        {
          from: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'traefik' } },
              podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['traefik'] }] },
            },
          ],
          ports: [{ protocol: 'TCP', port: 8080 }],
        },
      ],
    });
  });

  test('addresses, by the annotation', () => {
    const build = [...BUILD, ingress('', '{kubernetes.io/ingress.class: alb}')];
    expect(read(build, PEERS)).toEqual({
      connections: ['10.1.0.0/16, fd00::/64 -> Deployment/web: TCP 8080'],
      needs: [],
      reports: [],
    });
  });

  test('two Ingresses with two controllers', () => {
    const build = [...BUILD, ingress('ingressClassName: traefik'), ingress('').replace('web', 'web-2')];
    expect(read(build, PEERS).connections).toEqual([
      'traefik app=traefik -> Deployment/web: TCP 8080',
      USUAL,
    ]);
  });
});

describe('a class whose controller is not known', () => {
  test.each([
    ['rules', ingress('ingressClassName: alb')],
    ['the annotation', ingress('', '{kubernetes.io/ingress.class: alb}')],
    [
      'the default backend',
      `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec: {ingressClassName: alb, defaultBackend: ${BACKEND}}\n`,
    ],
    ['a class that others have a controller for', ingress('ingressClassName: Nginx')],
  ])('holds the isolation of the pods back: %s', (_, one) => {
    const name = one.includes('Nginx') ? 'Nginx' : 'alb';
    expect(read([...BUILD, one])).toEqual({ connections: [], needs: [need(name)], reports: [] });
  });

  test.each([
    ['clients of the port', 'accepts-from', '10.0.0.0/8:8080', []],
    ['pods as clients, and the name of the port', 'accepts-from', 'kube-system/*:http', []],
    ['none', 'accepts-from', 'none', []],
    ['clients of another port', 'accepts-from', '10.0.0.0/8:9090', [need('alb')]],
    ['what the pods connect to', 'connects-to', 'none', [need('alb')]],
  ])('an annotation answers it: %s', (_, annotation, value, needs) => {
    const build = [declaring(annotation, value), SERVICE, ...NEIGHBOUR, ingress('ingressClassName: alb')];
    expect(read(build)).toMatchObject({ needs, reports: [] });
  });

  test.each([
    [
      'Service',
      ingress('ingressClassName: alb').replace('name: web, port', 'name: gone, port'),
      'Service/gone, which is not in the build',
    ],
    [
      'port',
      ingress('ingressClassName: alb').replace('number: 80', 'number: 81'),
      'Service/web, which has no port 81',
    ],
  ])('a missing %s is reported', (_, one, text) => {
    expect(read([declaring('accepts-from', 'none'), SERVICE, ...NEIGHBOUR, one])).toEqual({
      connections: [],
      needs: [],
      reports: [`error: refers to ${text}`],
    });
  });

  test('a Service of type LoadBalancer behind it is no exposure of its own', () => {
    const balanced = SERVICE.replace('selector:', 'type: LoadBalancer, selector:');
    const exposed = (one: string) =>
      readTopology(resourcesIn([WEB, balanced, one]), annotationNames(), EXTERNAL_PEERS).exposures.length;
    expect(exposed(ingress('ingressClassName: alb'))).toBe(0);
    expect(exposed(ingress('ingressClassName: alb').replace('name: web, port', 'name: x, port'))).toBe(1);
  });
});

describe('the solver of cert-manager', () => {
  const tls = (name: string) =>
    ingress(
      `ingressClassName: ${name}, tls: [{hosts: [a.example.com], secretName: tls}]`,
      '{cert-manager.io/cluster-issuer: le}',
    );

  test.each([
    ['nginx', 'ingress-controller'],
    ['traefik', 'traefik app=traefik'],
    ['alb', '10.1.0.0/16, fd00::/64'],
  ])('is reached by the controller of the class %s', (name, controller) => {
    expect(read([...BUILD, tls(name)], PEERS)).toEqual({
      connections: [`${controller} -> Deployment/web: TCP 8080`, `${controller} -> acme-solver: TCP 8089`],
      needs: [],
      reports: [],
    });
  });

  test('is not reached by a controller that is not known', () => {
    expect(read([...BUILD, tls('kong')], PEERS)).toEqual({
      connections: [],
      needs: [need('kong')],
      reports: [
        'warning: has the class kong, whose controller is not known, so no policy lets it reach the solver of cert-manager',
      ],
    });
  });
});
