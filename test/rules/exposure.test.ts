import { problemsOf } from '../support/build-findings';

type Resource = Record<string, unknown>;

/** The findings of a rule in a stream: `warning Ingress/web spec: <problem>`. */
async function findings(
  items: readonly Resource[],
  spec: Resource = {},
  rule = 'exposure',
): Promise<string[]> {
  const all = await problemsOf(rule, items, spec);
  return all.filter((one) => !one.startsWith('info '));
}

const ingress = (
  hosts: (string | undefined)[],
  {
    tls,
    annotations,
    className,
    name = 'web',
  }: Partial<Record<'tls' | 'annotations' | 'className', unknown>> & { name?: string } = {},
) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name, ...(annotations === undefined ? {} : { annotations }) },
  spec: {
    ...(className === undefined ? {} : { ingressClassName: className }),
    ...(tls === undefined ? {} : { tls }),
    rules: hosts.map((host) => (host === undefined ? { http: {} } : { host })),
  },
});
const serves = (hosts: string) => [`warning Ingress/web spec: serves ${hosts} without TLS`];

describe('an Ingress without TLS', () => {
  it.each<[string, Resource[], string]>([
    ['of a public host', [ingress(['shop.example.com'])], 'shop.example.com'],
    ['of several', [ingress(['a.shop.com', 'b.shop.com', 'a.shop.com'])], 'a.shop.com and b.shop.com'],
    ['of any host', [ingress([undefined])], 'any host'],
    ['of a default backend', [ingress([])], 'any host'],
    [
      'of a host that its certificate does not name',
      [ingress(['a.shop.com', 'b.shop.com'], { tls: [{ hosts: ['a.shop.com'], secretName: 'a' }] })],
      'b.shop.com',
    ],
    [
      'of a host two labels below a wildcard',
      [ingress(['a.b.shop.com'], { tls: [{ hosts: ['*.shop.com'], secretName: 'a' }] })],
      'a.b.shop.com',
    ],
    [
      'with an annotation that turns TLS off',
      [ingress(['shop.com'], { annotations: { 'traefik.ingress.kubernetes.io/router.tls': 'false' } })],
      'shop.com',
    ],
    [
      'with a load balancer that listens for HTTP alone',
      [
        ingress(['shop.com'], {
          annotations: { 'alb.ingress.kubernetes.io/listen-ports': '[{"HTTP": 80}]' },
        }),
      ],
      'shop.com',
    ],
  ])('%s', async (_, items, hosts) => {
    expect(await findings(items)).toEqual(serves(hosts));
  });

  const annotated = (key: string, value: string) => [
    ingress(['shop.com'], { annotations: { [key]: value } }),
  ];
  it.each<[string, Resource[]]>([
    ...[
      'todo.local',
      'web.localhost',
      'web.test',
      'web.internal',
      'web.home.arpa',
      '10.0.0.1.nip.io',
      'localhost',
    ].map((host) => [host, [ingress([host])]] as [string, Resource[]]),
    ['a variable', [ingress(['web.${DOMAIN}'])]],
    ['a certificate for all hosts', [ingress(['a.shop.com'], { tls: [{ secretName: 'a' }] })]],
    ['a certificate for any host', [ingress([undefined], { tls: [{ secretName: 'a' }] })]],
    ['a host in capitals', [ingress(['A.shop.com'], { tls: [{ hosts: ['a.shop.com'] }] })]],
    [
      'a host that another Ingress encrypts',
      [ingress(['shop.com']), ingress(['shop.com'], { name: 'other', tls: [{ hosts: ['shop.com'] }] })],
    ],
    [
      'a certificate of the load balancer',
      annotated('alb.ingress.kubernetes.io/certificate-arn', 'arn:aws:acm:x'),
    ],
    [
      'a listener for HTTPS',
      annotated('alb.ingress.kubernetes.io/listen-ports', '[{"HTTP": 80}, {"HTTPS": 443}]'),
    ],
    ['an internal load balancer', annotated('alb.ingress.kubernetes.io/scheme', 'internal')],
    ['a managed certificate', annotated('networking.gke.io/managed-certificates', 'web')],
    ['a router of Traefik', annotated('traefik.ingress.kubernetes.io/router.tls', 'true')],
    ['an entry point of Traefik', annotated('traefik.ingress.kubernetes.io/router.entrypoints', 'websecure')],
    ['TLS that passes through', annotated('nginx.ingress.kubernetes.io/ssl-passthrough', 'true')],
    ['TLS before the controller', annotated('nginx.ingress.kubernetes.io/force-ssl-redirect', 'true')],
    ['a proxy of Cloudflare', annotated('external-dns.alpha.kubernetes.io/cloudflare-proxied', 'true')],
    [
      'a certificate that is asked for, which is another finding',
      annotated('cert-manager.io/cluster-issuer', 'x'),
    ],
    ['a class of a private network', [ingress(['shop.com'], { className: 'nginx-internal' })]],
    ['a class with certificates of its own', [ingress(['shop.com'], { className: 'tailscale' })]],
    ['an Ingress of another API', [{ ...ingress(['shop.com']), apiVersion: 'config.openshift.io/v1' }]],
  ])('not: %s', async (_, items) => {
    expect(await findings(items)).toEqual([]);
  });
});

describe('a Route and a Gateway without TLS', () => {
  const route = (spec: Resource) => ({
    apiVersion: 'route.openshift.io/v1',
    kind: 'Route',
    metadata: { name: 'web' },
    spec,
  });
  const gateway = (listeners: Resource[], more: Resource = {}) => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'web' },
    spec: { gatewayClassName: 'nginx', listeners, ...more },
  });
  const httpRoute = (hostname: string) => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'web' },
    spec: { parentRefs: [{ name: 'web' }], hostnames: [hostname] },
  });
  const http = { protocol: 'HTTP', port: 80 };

  it.each<[string, Resource[], string]>([
    ['Route', [route({ host: 'shop.com' })], 'Route/web spec: serves shop.com without TLS'],
    ['Route without a host', [route({})], 'Route/web spec: serves a host of the cluster without TLS'],
    [
      'Gateway',
      [gateway([{ ...http, hostname: 'shop.com' }])],
      'Gateway/web spec.listeners: serves shop.com without TLS: it has no listener of protocol HTTPS',
    ],
    [
      'Gateway with a host of a route',
      [gateway([http]), httpRoute('shop.com')],
      'Gateway/web spec.listeners: serves shop.com without TLS: it has no listener of protocol HTTPS',
    ],
  ])('%s', async (_, items, expected) => {
    expect(await findings(items)).toEqual([`warning ${expected}`]);
  });

  it.each<[string, Resource[]]>([
    ['a Route with TLS', [route({ host: 'shop.com', tls: { termination: 'edge' } })]],
    ['a Route of a private host', [route({ host: 'shop.test' })]],
    ['a Gateway that redirects', [gateway([http, { protocol: 'HTTPS', port: 443 }]), httpRoute('shop.com')]],
    ['a Gateway without a host', [gateway([http])]],
    ['a Gateway of a private host', [gateway([http]), httpRoute('shop.local')]],
    ['a Gateway of a mesh', [gateway([http], { gatewayClassName: 'istio-waypoint' }), httpRoute('shop.com')]],
  ])('not: %s', async (_, items) => {
    expect(await findings(items)).toEqual([]);
  });
});

describe('a Service that is open to clients that nothing names', () => {
  const labels = { app: 'web' };
  const service = (spec: Resource, annotations: Resource = {}, name = 'web') => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, annotations },
    spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }], ...spec },
  });
  const deployment = (annotations: Resource = {}, pod: Resource = {}) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', annotations },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1.0' }], ...pod } },
    },
  });
  const LOAD_BALANCER = { type: 'LoadBalancer' };
  const OFF = { rules: { 'network-policy': 'off' } };
  const opens = (cause: string, pods: string, field = 'type') =>
    `warning Service/web spec.${field}: ${cause}, which opens ${pods} to clients that nothing names`;
  const UNKNOWN = 'pods that are not in this build';

  it.each<[string, Resource[], Resource, string]>([
    [
      'a load balancer, without network policies',
      [service(LOAD_BALANCER), deployment()],
      OFF,
      opens('is of type LoadBalancer', 'Deployment/web'),
    ],
    [
      'a NodePort, without network policies',
      [service({ type: 'NodePort' }), deployment()],
      OFF,
      opens('is of type NodePort', 'Deployment/web'),
    ],
    [
      'externalIPs',
      [service({ externalIPs: ['198.51.100.7'] }), deployment()],
      OFF,
      opens('has externalIPs', 'Deployment/web', 'externalIPs'),
    ],
    ['pods that others create', [service(LOAD_BALANCER)], {}, opens('is of type LoadBalancer', UNKNOWN)],
    [
      'pods in the network of the node',
      [service(LOAD_BALANCER), deployment({}, { hostNetwork: true })],
      {},
      opens('is of type LoadBalancer', 'Deployment/web'),
    ],
    [
      'ranges that are everything',
      [service({ ...LOAD_BALANCER, loadBalancerSourceRanges: ['0.0.0.0/0'] })],
      {},
      opens('is of type LoadBalancer', UNKNOWN),
    ],
    [
      'an annotation that says that it is not internal',
      [service(LOAD_BALANCER, { 'service.beta.kubernetes.io/aws-load-balancer-internal': 'false' })],
      {},
      opens('is of type LoadBalancer', UNKNOWN),
    ],
    [
      'accepts-from for another port',
      [service(LOAD_BALANCER), deployment({ 'todo.example.com/accepts-from': '10.0.0.0/8:9090' })],
      OFF,
      opens('is of type LoadBalancer', 'Deployment/web'),
    ],
  ])('%s', async (_, items, spec, expected) => {
    expect(await findings(items, spec)).toEqual([expected]);
  });

  it('is reported once: by network-policy, where that rule holds the isolation back', async () => {
    const items = [service(LOAD_BALANCER), deployment()];
    expect(await findings(items)).toEqual([]);
    expect(await findings(items, {}, 'network-policy')).toEqual([
      expect.stringContaining('is not isolated for ingress: Service/web is of type LoadBalancer'),
      expect.stringContaining('no NetworkPolicy isolates for egress'),
    ]);
  });

  it.each<[string, Resource[], Resource]>([
    ['ranges', [service({ ...LOAD_BALANCER, loadBalancerSourceRanges: ['198.51.100.0/24'] })], {}],
    [
      'an internal one of AWS',
      [service(LOAD_BALANCER, { 'service.beta.kubernetes.io/aws-load-balancer-scheme': 'internal' })],
      {},
    ],
    [
      'an internal one of Azure',
      [service(LOAD_BALANCER, { 'service.beta.kubernetes.io/azure-load-balancer-internal': 'true' })],
      {},
    ],
    [
      'an internal one of Google',
      [service(LOAD_BALANCER, { 'networking.gke.io/load-balancer-type': 'Internal' })],
      {},
    ],
    ['an address of the own network', [service(LOAD_BALANCER, { 'metallb.io/address-pool': 'lan' })], {}],
    ['an ingress controller', [service(LOAD_BALANCER, {}, 'ingress-nginx-controller')], {}],
    ['a ClusterIP', [service({}), deployment()], OFF],
    ['without a selector', [service({ ...LOAD_BALANCER, selector: {} })], {}],
    [
      'declared clients',
      [service(LOAD_BALANCER), deployment({ 'todo.example.com/accepts-from': '10.0.0.0/8:8080' })],
      OFF,
    ],
    [
      'declared to have none',
      [service(LOAD_BALANCER), deployment({ 'todo.example.com/accepts-from': 'none' })],
      OFF,
    ],
  ])('not: %s', async (_, items, spec) => {
    expect(await findings(items, spec)).toEqual([]);
  });
});
