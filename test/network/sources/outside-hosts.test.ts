// Hosts that are no Services of the build hold the isolation for egress back, until an annotation answers them.
import { parse, stringify } from 'yaml';
import { readNeeds } from '../../support/network-build';

interface Given {
  readonly env?: readonly object[];
  readonly envFrom?: readonly object[];
  readonly args?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly namespace?: string;
}

function web({ env = [], envFrom = [], args = [], annotations = {}, namespace = 'shop' }: Given): string {
  const labels = { app: 'web' };
  return stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', ...(namespace && { namespace }), annotations },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'web', image: 'web:1', env, envFrom, args }] },
      },
    },
  });
}

const variable = (name: string, value: string) => ({ env: [{ name, value }] });
const DOMAIN = 'todo.example.com';
const need = (evidence: string, answer: string) => [`Deployment/web egress: ${evidence}; ${answer}`];
const connectsTo = (entry: string) => `add connects-to: ${entry}`;

test.each<[string, string, string, string]>([
  ['STRIPE_URL', 'https://api.stripe.com', 'api.stripe.com', 'api.stripe.com:443'],
  ['PAY', 'https://api.stripe.com/v1', 'api.stripe.com', 'api.stripe.com:443'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'otel.observability:4317', 'otel.observability', 'otel.observability:4317'],
  ['QUEUE', 'amqp://queue.messaging.svc', 'queue.messaging.svc', 'queue.messaging.svc:5672'],
  ['DB_HOST', 'db.example.net', 'db.example.net', 'db.example.net:PORT'],
  ['PG', 'host=db.example.net port=6432', 'db.example.net', 'db.example.net:6432'],
  ['SEARCH_HOSTS', '10.1.2.3', '10.1.2.3', '10.1.2.3:PORT'],
  ['SEARCH', '10.1.2.3:9200', '10.1.2.3', '10.1.2.3:9200'],
  ['SEARCH_URL', 'http://[fd00::5]:9200', '[fd00::5]', '[fd00::5]:9200'],
  ['REDIS_ADDR', 'redis:6379', 'redis, and the build has no Service/redis', 'redis.shop:6379'],
  ['DB_HOST', 'postgres', 'postgres, and the build has no Service/postgres', 'postgres.shop:PORT'],
  ['CACHE', 'memcached:11211', 'memcached, and the build has no Service/memcached', 'memcached.shop:11211'],
  ['TARGET', 'grpc+tls://quotes:9000', 'quotes, and the build has no Service/quotes', 'quotes.shop:9000'],
])('env %s: %s', (name, value, host, entry) => {
  expect(readNeeds([web(variable(name, value))])).toEqual(
    need(`env ${name} names ${host}`, connectsTo(entry)),
  );
});

test('a workload whose namespace kubectl apply chooses', () => {
  expect(readNeeds([web({ ...variable('DB_HOST', 'postgres'), namespace: '' })])).toEqual(
    need(
      'env DB_HOST names postgres, and the build has no Service/postgres',
      connectsTo('postgres.NAMESPACE:PORT'),
    ),
  );
});

test('a name in a private network: its addresses are asked for', () => {
  expect(readNeeds([web(variable('DB_URL', 'postgres://db.corp.internal/x'))])).toEqual(
    need(
      'env DB_URL names db.corp.internal',
      `add the addresses of db.corp.internal to ${DOMAIN}/connects-to, such as 10.0.0.0/8:5432`,
    ),
  );
});

test.each<[string, Given]>([
  ['=', { args: ['--redis-addr=cache.data:6379'] }],
  ['a word of its own', { args: ['--redis-addr', 'cache.data:6379'] }],
  ['another flag', { args: ['--x', 'cache.data:6379'] }],
])('a flag, and its value after %s', (_, given) => {
  expect(readNeeds([web(given)])).toEqual(need('args names cache.data', connectsTo('cache.data:6379')));
});

test.each([
  // Loopback, and what the process listens on.
  ['API_URL', 'http://localhost:8080'],
  ['API_URL', 'http://127.0.0.1:8080'],
  ['DB_HOST', '::1'],
  ['HOST', '0.0.0.0'],
  ['SERVER_ADDRESS', '0.0.0.0:8080'],
  ['SERVER_ADDRESS', ':8080'],
  ['LISTEN_ADDR', '10.0.0.5:8080'],
  ['BIND_HOST', 'web'],
  // For browsers.
  ['NEXT_PUBLIC_API_URL', 'https://api.elsewhere.com'],
  ['VITE_API', 'https://api.elsewhere.com'],
  ['REACT_APP_API', 'https://api.elsewhere.com'],
  ['ALLOWED_ORIGINS', 'https://app.elsewhere.com'],
  ['CORS_URLS', 'https://app.elsewhere.com'],
  // A bare word under another key.
  ['ROLE', 'postgres'],
  ['DOMAIN', 'elsewhere.com'],
  ['DD_SERVICE', 'checkout'],
  ['USE_URL', 'true'],
  ['PROXY_HOST', 'none'],
  // Neither hosts nor ports.
  ['IMAGE', 'redis:7'],
  ['SIDECAR_IMAGE', 'registry:5000'],
  ['VERSION', 'postgres:16'],
  ['AT', '12:30'],
  ['BUCKET', 's3://files/x'],
  ['DB', 'sqlite:///data/x.db'],
  ['SOCKET', 'unix:///run/x.sock'],
  ['SOCKET_ADDR', '/run/x.sock'],
  ['URL', 'http://$(HOST):80'],
  ['TEMPLATE_URL', 'http://${HOST}/'],
  ['TEXT', 'see README.md, or ask ops@elsewhere.com'],
  ['EMPTY_URL', ''],
])('no need: env %s: %s', (name, value) => {
  expect(readNeeds([web(variable(name, value))])).toEqual([]);
});

describe('the public origin of the package', () => {
  const ingress = (host: string | undefined) =>
    stringify({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { rules: [host === undefined ? {} : { host }] },
    });
  const origin = variable('PUBLIC_URL', 'https://shop.elsewhere.com');

  test.each(['shop.elsewhere.com', 'SHOP.elsewhere.com', '*.elsewhere.com'])('%s is served', (host) => {
    expect(readNeeds([web(origin), ingress(host)])).toEqual([]);
  });

  test.each([undefined, '*.shop.elsewhere.com', 'elsewhere.com'])('%s does not serve it', (host) => {
    expect(readNeeds([web(origin), ingress(host)])).toEqual(
      need('env PUBLIC_URL names shop.elsewhere.com', connectsTo('shop.elsewhere.com:443')),
    );
  });
});

describe('what answers it', () => {
  const stripe = variable('STRIPE_URL', 'https://api.stripe.com');
  const database = variable('DB_URL', 'postgres://db.data/x');

  test.each<[Given, Given['annotations']]>([
    [stripe, { [`${DOMAIN}/connects-to`]: 'api.stripe.com:443' }],
    [stripe, { [`${DOMAIN}/connects-to`]: 'none' }],
    [stripe, { [`${DOMAIN}/internet-egress`]: '443' }],
    [stripe, { [`${DOMAIN}/internet-egress`]: 'none' }],
    [stripe, { [`${DOMAIN}/connects-to`]: '10.0.0.9:443' }],
    [database, { [`${DOMAIN}/connects-to`]: 'db.data:5432' }],
    [database, { [`${DOMAIN}/connects-to`]: 'db.data.svc.cluster.local:5432' }],
    [variable('DB_HOST', 'db'), { [`${DOMAIN}/connects-to`]: 'db.data:5432' }],
    [variable('DB_HOST', '52.1.2.3'), { [`${DOMAIN}/internet-egress`]: '5432' }],
  ])('%j: %j', (given, annotations = {}) => {
    expect(readNeeds([web({ ...given, annotations })])).toEqual([]);
  });

  test.each<[Given, Given['annotations']]>([
    [stripe, { [`${DOMAIN}/connects-to`]: 'api.stripe.com:8443' }],
    [stripe, { [`${DOMAIN}/connects-to`]: 'stripe.com:443' }],
    [stripe, { [`${DOMAIN}/internet-egress`]: '5432' }],
    [stripe, { [`${DOMAIN}/accepts-from`]: 'none' }],
    [database, { [`${DOMAIN}/internet-egress`]: '5432' }],
    [database, { [`${DOMAIN}/connects-to`]: 'db.other:5432' }],
  ])('%j is not answered by %j', (given, annotations = {}) => {
    expect(readNeeds([web({ ...given, annotations })])).toHaveLength(1);
  });
});

describe('values that the build does not show', () => {
  const secret = (name: string, key = 'k') => ({
    env: [{ name, valueFrom: { secretKeyRef: { name: 'db', key } } }],
  });
  const answer = `state its hosts in ${DOMAIN}/connects-to, such as db.example.com:5432, or none`;
  const config = (data: object) =>
    stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'shop' }, data });
  const object = (text: string) =>
    stringify({ metadata: { name: 'db', namespace: 'shop' }, ...(parse(text) as object) });
  const all = { envFrom: [{ secretRef: { name: 'db' } }] };

  test.each<[string, Given, string[], string]>([
    ['a Secret', secret('DATABASE_URL'), [], 'env DATABASE_URL comes from Secret/db'],
    [
      'a ConfigMap that is not in the build',
      { env: [{ name: 'DB_HOST', valueFrom: { configMapKeyRef: { name: 'c', key: 'h' } } }] },
      [],
      'env DB_HOST comes from ConfigMap/c',
    ],
    [
      'a missing key',
      { env: [{ name: 'DB_HOST', valueFrom: { configMapKeyRef: { name: 'c', key: 'h' } } }] },
      [config({ other: 'x' })],
      'env DB_HOST comes from ConfigMap/c',
    ],
    ['all keys of a Secret', all, [], 'envFrom names Secret/db, whose keys the build does not list'],
    [
      'all keys of a ConfigMap',
      { envFrom: [{ configMapRef: { name: 'c' } }] },
      [],
      'envFrom names ConfigMap/c, whose keys the build does not list',
    ],
    [
      'keys of a Secret of the build',
      all,
      [object('{ apiVersion: v1, kind: Secret, stringData: { DB_URL: x, PASSWORD: y } }')],
      'env DB_URL comes from Secret/db',
    ],
    [
      'keys with a prefix',
      { envFrom: [{ secretRef: { name: 'db' }, prefix: 'DB_' }] },
      [object('{ apiVersion: v1, kind: Secret, data: { URL: eA== } }')],
      'env DB_URL comes from Secret/db',
    ],
    [
      'keys of an ExternalSecret',
      all,
      [
        object(
          '{ apiVersion: external-secrets.io/v1, kind: ExternalSecret, spec: { data: [{ secretKey: DB_URL }] } }',
        ),
      ],
      'env DB_URL comes from Secret/db',
    ],
    [
      'an ExternalSecret that takes all keys of a store',
      all,
      [
        object(
          '{ apiVersion: external-secrets.io/v1, kind: ExternalSecret, spec: { dataFrom: [{ extract: { key: k } }] } }',
        ),
      ],
      'envFrom names Secret/db, whose keys the build does not list',
    ],
    [
      'keys of a SealedSecret',
      all,
      [
        object(
          '{ apiVersion: bitnami.com/v1alpha1, kind: SealedSecret, spec: { encryptedData: { DB_URL: x } } }',
        ),
      ],
      'env DB_URL comes from Secret/db',
    ],
  ])('%s', (_, given, others, evidence) => {
    expect(readNeeds([web(given), ...others])).toEqual(need(evidence, answer));
  });

  test.each<[string, Given, string[]]>([
    ['a key that is no address', secret('API_TOKEN'), []],
    [
      'a Secret without addresses',
      all,
      [object('{ apiVersion: v1, kind: Secret, stringData: { PASSWORD: y } }')],
    ],
    ['a field of the pod', { env: [{ name: 'NODE_HOST', valueFrom: { fieldRef: { fieldPath: 'x' } } }] }, []],
    ['a ConfigMap of the build', { envFrom: [{ configMapRef: { name: 'c' } }] }, [config({ MODE: 'x' })]],
    ['connects-to: none', { ...secret('DB_URL'), annotations: { [`${DOMAIN}/connects-to`]: 'none' } }, []],
    ['connects-to', { ...secret('DB_URL'), annotations: { [`${DOMAIN}/connects-to`]: 'db.data:5432' } }, []],
    ['internet-egress', { ...secret('DB_URL'), annotations: { [`${DOMAIN}/internet-egress`]: '5432' } }, []],
  ])('no need: %s', (_, given, others) => {
    expect(readNeeds([web(given), ...others])).toEqual([]);
  });
});
