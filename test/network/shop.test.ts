// A shop of 12 services, on one base and with a base for each service: every connection is typed by hand.
import { stringify } from 'yaml';
import { annotationNames } from '../../functions/guardrails/kubernetes/annotation-names';
import { readConnectionMap } from '../../functions/guardrails/network/connection-map';
import { EXTERNAL_PEERS } from '../../functions/guardrails/network/external-peers';
import { fixed } from '../support/fix-package';
import { resourcesIn } from '../support/network-build';
import type { PackageFiles } from '../support/package-files';

interface Service {
  /** Of the Service, then of the pods. */
  readonly ports?: readonly [number, number];
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly kind?: 'Deployment' | 'StatefulSet';
}

const SERVICES: Readonly<Record<string, Service>> = {
  storefront: {
    ports: [80, 8080],
    env: {
      CATALOG_ADDR: 'catalog:3550',
      BASKET_ADDR: 'basket:7070',
      PRICES_URL: 'http://prices:7000/v1',
      IDEAS_SERVICE_ADDR: 'ideas:8080',
      ORDERS_ENDPOINT: 'dns:///orders:5050',
      PARCELS_SERVER: 'parcels',
      BANNERS: 'grpc://banners:9555',
      NEXT_PUBLIC_ORIGIN: 'https://shop.example.com',
    },
  },
  visitors: { args: ['--target=http://storefront', '--users', '10'] },
  catalog: { ports: [3550, 3550] },
  basket: { ports: [7070, 7070], env: { STORE: 'redis://basket-store:6379/0' } },
  'basket-store': { ports: [6379, 6379], kind: 'StatefulSet' },
  prices: {
    ports: [7000, 7000],
    env: { RATES_URL: 'https://rates.example.org/latest' },
    annotations: { 'todo.example.com/connects-to': 'rates.example.org:443' },
  },
  ideas: { ports: [8080, 8080], args: ['--catalog', 'catalog:3550'] },
  orders: {
    ports: [5050, 5051],
    env: {
      PEERS_URLS: 'http://catalog:3550,http://basket:7070,http://prices:7000',
      SETTINGS: '{"parcels": "http://parcels:50051", "cards": "http://cards:50052"}',
      LETTERS_HOST: 'letters.shop.svc.cluster.local',
    },
  },
  parcels: { ports: [50051, 50051] },
  cards: { ports: [50052, 50052], annotations: { 'todo.example.com/internet-egress': '443' } },
  letters: {
    ports: [5000, 8081],
    env: { SMTP: 'smtp://mail.example.net:587' },
    annotations: { 'todo.example.com/connects-to': 'mail.example.net:587' },
  },
  banners: {
    ports: [9555, 9555],
    annotations: { 'todo.example.com/accepts-from': 'monitoring/app=prometheus:9556' },
  },
};

/** From, to and port; every pod resolves names besides. */
const EDGES = [
  'ingress controller -> storefront: TCP 8080',
  'pods with app=prometheus in monitoring -> banners: TCP 9556',
  'storefront -> catalog: TCP 3550',
  'storefront -> basket: TCP 7070',
  'storefront -> prices: TCP 7000',
  'storefront -> ideas: TCP 8080',
  'storefront -> orders: TCP 5051',
  'storefront -> parcels: TCP 50051',
  'storefront -> banners: TCP 9555',
  'visitors -> storefront: TCP 8080',
  'basket -> basket-store: TCP 6379',
  'prices -> internet: TCP 443',
  'ideas -> catalog: TCP 3550',
  'orders -> catalog: TCP 3550',
  'orders -> basket: TCP 7070',
  'orders -> prices: TCP 7000',
  'orders -> parcels: TCP 50051',
  'orders -> cards: TCP 50052',
  'orders -> letters: TCP 8081',
  'cards -> internet: TCP 443',
  'letters -> internet: TCP 587',
];

function manifestsOf(
  name: string,
  { ports, env = {}, args, annotations, kind = 'Deployment' }: Service,
): string[] {
  const labels = { app: name };
  const container = {
    name: 'main',
    image: `registry.example.com/shop/${name}:v1`,
    env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
    ...(args && { args }),
    securityContext: { runAsUser: 1000 },
  };
  const workload = {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, ...(annotations && { annotations }) },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
  const service = ports && {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: labels, ports: [{ port: ports[0], targetPort: ports[1] }] },
  };
  return [workload, service].flatMap((one) => (one === undefined ? [] : stringify(one)));
}

const INGRESS = stringify({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'shop' },
  spec: {
    ingressClassName: 'nginx',
    tls: [{ hosts: ['shop.example.com'], secretName: 'tls' }],
    rules: [
      {
        host: 'shop.example.com',
        http: {
          paths: [
            {
              path: '/',
              pathType: 'Prefix',
              backend: { service: { name: 'storefront', port: { number: 80 } } },
            },
          ],
        },
      },
    ],
  },
});
const NAMESPACE = stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
const overlay = (resources: readonly string[]) =>
  stringify({ namespace: 'shop', resources: [...resources, 'namespace.yaml'] });

const ONE_BASE: PackageFiles = {
  'base/all.yaml': [
    ...Object.entries(SERVICES).flatMap(([name, one]) => manifestsOf(name, one)),
    INGRESS,
  ].join('---\n'),
  'base/kustomization.yaml': stringify({ resources: ['all.yaml'] }),
  'overlays/prod/kustomization.yaml': overlay(['../../base']),
  'overlays/prod/namespace.yaml': NAMESPACE,
};

/** As in podinfo: a base for each service, and overlays that list them. */
const A_BASE_EACH: PackageFiles = {
  ...Object.fromEntries(
    Object.entries(SERVICES).flatMap(([name, one]) => [
      [`bases/${name}/all.yaml`, manifestsOf(name, one).join('---\n')],
      [`bases/${name}/kustomization.yaml`, stringify({ resources: ['all.yaml'] })],
    ]),
  ),
  'bases/entry/ingress.yaml': INGRESS,
  'bases/entry/kustomization.yaml': stringify({ resources: ['ingress.yaml'] }),
  ...Object.fromEntries(
    ['prod', 'staging'].flatMap((name) => [
      [
        `overlays/${name}/kustomization.yaml`,
        overlay([...Object.keys(SERVICES), 'entry'].map((one) => `../../bases/${one}`)),
      ],
      [`overlays/${name}/namespace.yaml`, NAMESPACE],
    ]),
  ),
};

describe.each([
  ['on one base', ONE_BASE, ['overlays/prod']],
  ['with a base for each service', A_BASE_EACH, ['overlays/prod', 'overlays/staging']],
])('a shop of 12 services, %s', (_, files, overlays) => {
  const result = fixed(files);

  test.each(overlays)('%s allows the typed connections, and no others', async (name) => {
    const { builds } = await result;
    const { connections } = readConnectionMap(
      resourcesIn([builds[name] ?? '']),
      EXTERNAL_PEERS,
      annotationNames(),
    );
    const lines = connections.flatMap(({ from, to, ports }) =>
      ports.map(({ protocol, first, last }) => {
        const range = first === last ? `${first}` : `${first}-${last}`;
        return `${from.name} -> ${to.name}: ${protocol} ${range}`;
      }),
    );
    const dns = Object.keys(SERVICES).flatMap((one) => [`${one} -> DNS: TCP 53`, `${one} -> DNS: UDP 53`]);
    expect(lines.sort()).toEqual([...EDGES, ...dns].sort());
  });

  test('the files are where the workloads are listed', async () => {
    const { files: after } = await result;
    const places = Object.keys(after).filter((file) => file.endsWith('network-policies.yaml'));
    expect(places.sort()).toEqual(
      overlays.length === 1
        ? ['base/network-policies.yaml']
        : [
            ...Object.keys(SERVICES).map((name) => `bases/${name}/network-policies.yaml`),
            ...overlays.map((name) => `${name}/network-policies.yaml`),
          ].sort(),
    );
  });
});
