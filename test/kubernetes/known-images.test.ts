import { parseImageReference } from '../../functions/guardrails/kubernetes/image-reference';
import {
  KNOWN_IMAGES,
  knownImageOf,
  type ImageNeeds,
  type KnownImage,
} from '../../functions/guardrails/kubernetes/known-images';
import { parseQuantity } from '../../functions/guardrails/kubernetes/quantity';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

/** In one line each: the user; what is written, `=` for data; what root uses; what restricted says; the source. */
interface Expected {
  readonly user: string;
  readonly writes: string;
  readonly root: string;
  readonly restricted: string;
  readonly source: string;
}

function shown(image: KnownImage): Expected {
  const owner = image.hasOwnUser ? '' : ' (nobody)';
  const ports = image.privilegedPorts.map((port) => `, port ${port}`).join('');
  const file = image.fileCapabilities.map((name) => `, file capability ${name}`).join('');
  const instead = image.restrictedImage === undefined ? '' : `, use ${image.restrictedImage}`;
  return {
    user: `${image.kind}, USER ${image.defaultUser}, ${image.uid}:${image.gid}${owner}`,
    writes: image.writes
      .map(({ path, size, holds }) => `${path} ${holds === 'data' ? 'keeps ' : ''}${size}`)
      .join(', '),
    root: image.capabilitiesAsRoot.join(' '),
    restricted: `${image.runsRestricted ? 'yes' : 'no'}${ports}${file}${instead}`,
    source: `${image.source.repository} ${image.source.path} ${image.revision} ${image.date}`,
  };
}

const NGINX = 'https://github.com/nginx/docker-nginx';
const NGINX_AT = '0d7f4380c735af5009aa364e27fafecd958fd4fa 2026-04-14';
const UNPRIVILEGED = 'https://github.com/nginx/docker-nginx-unprivileged';
const UNPRIVILEGED_AT = 'e26803b6ff7ca01455284231c59f20cb5e3ae82e 2026-07-15';
const HTTPD = 'https://github.com/docker-library/httpd';
const HTTPD_AT = '9b63b37c9be3b42d16b924ebb40af3cc40793119 2026-06-10';
const REDIS = 'https://github.com/redis/docker-library-redis';
const REDIS_AT = 'e5650da99bb377b2ed4f9f1ef993ff24729b1c16 2024-10-04';
const VALKEY = 'https://github.com/valkey-io/valkey-container';
const VALKEY_AT = 'ae6141ea5d62c775b8bdb9be7396b951da435673 2025-01-08';
const POSTGRES = 'https://github.com/docker-library/postgres';
const POSTGRES_AT = '6edb0a8c4def40c371514b34aef9037ec82d9110 2026-02-26';
const MARIADB = 'https://github.com/MariaDB/mariadb-docker';
const MARIADB_AT = '1b6429ba3544e134715c15f8c56cc6f665f827c9 2026-05-29';
const RABBITMQ = 'https://github.com/docker-library/rabbitmq';
const RABBITMQ_AT = '9193c1de6d32046e0c1132841a7a4995b0dc32e0 2026-06-15';
const MEMCACHED = 'https://github.com/docker-library/memcached';
const MEMCACHED_AT = '53ac0ecb0bf88b471a0110f8996ce791baf1a667 2026-07-09';
const PROMETHEUS = 'https://github.com/prometheus/prometheus';
const PROMETHEUS_AT = 'd15adb9ad7e5d9fbde3a9a8f30200593a5a14d86 2026-08-21';
const NODE = 'https://github.com/nodejs/docker-node';
const NODE_AT = 'f27d936f7d7ccdeec25cd2de33584c1a841f561d 2026-08-19';
const PYTHON = 'https://github.com/docker-library/python';
const PYTHON_AT = '4f07059567fa61c80397126e8063dbbde011b794 2026-06-23';
const HAPROXY = 'https://github.com/docker-library/haproxy';
const HAPROXY_AT = 'ec437dd2a3656610b10a42c08763d8fa1c591efe 2026-07-22';
const NATS = 'https://github.com/nats-io/nats-docker';
const NATS_AT = 'aa0caa57b71c01566a100b47b2ed94de6ef6cf80 2026-08-12';
const WORDPRESS = 'https://github.com/docker-library/wordpress';
const WORDPRESS_AT = 'bf223d1c2087b0b2c3b86eefa830fe4bbc2bce07 2026-08-19';
const COLLECTOR = 'https://github.com/open-telemetry/opentelemetry-collector-releases';
const COLLECTOR_AT = 'ceccc19da2df99e24c1d826bd1600e0edbdbea3d 2026-08-20';

const POSTGRES_ROOT = 'CHOWN DAC_OVERRIDE FOWNER SETGID SETUID';
const STEP_DOWN = 'CHOWN DAC_OVERRIDE SETGID SETUID';

/** Typed from the Dockerfiles and entrypoints; a reference for each variant of each entry. */
const EXPECTED: readonly [reference: string, expected: Expected][] = [
  [
    'nginx',
    {
      user: 'application, USER root, 101:101',
      writes: '/var/cache/nginx 128Mi, /run 1Mi',
      root: 'CHOWN NET_BIND_SERVICE SETGID SETUID',
      restricted: 'no, port 80, use docker.io/nginxinc/nginx-unprivileged',
      source: `${NGINX} stable/debian/Dockerfile ${NGINX_AT}`,
    },
  ],
  [
    'nginx:stable-alpine-slim',
    {
      user: 'application, USER root, 101:101',
      writes: '/var/cache/nginx 128Mi, /run 1Mi',
      root: 'CHOWN NET_BIND_SERVICE SETGID SETUID',
      restricted: 'no, port 80, use docker.io/nginxinc/nginx-unprivileged',
      source: `${NGINX} stable/alpine-slim/Dockerfile ${NGINX_AT}`,
    },
  ],
  [
    'nginxinc/nginx-unprivileged:1.30',
    {
      user: 'application, USER number, 101:101',
      writes: '/tmp 64Mi',
      root: '',
      restricted: 'yes',
      source: `${UNPRIVILEGED} stable/debian/Dockerfile ${UNPRIVILEGED_AT}`,
    },
  ],
  [
    'nginxinc/nginx-unprivileged:1.30-alpine3.24',
    {
      user: 'application, USER number, 101:101',
      writes: '/tmp 64Mi',
      root: '',
      restricted: 'yes',
      source: `${UNPRIVILEGED} stable/alpine-slim/Dockerfile ${UNPRIVILEGED_AT}`,
    },
  ],
  [
    'httpd:2.4',
    {
      user: 'application, USER root, 33:33',
      writes: '/usr/local/apache2/logs 1Mi',
      root: 'NET_BIND_SERVICE SETGID SETUID',
      restricted: 'no, port 80',
      source: `${HTTPD} 2.4/Dockerfile ${HTTPD_AT}`,
    },
  ],
  [
    'httpd:2.4-alpine',
    {
      user: 'application, USER root, 82:82',
      writes: '/usr/local/apache2/logs 1Mi',
      root: 'NET_BIND_SERVICE SETGID SETUID',
      restricted: 'no, port 80',
      source: `${HTTPD} 2.4/alpine/Dockerfile ${HTTPD_AT}`,
    },
  ],
  [
    'redis:7.4',
    {
      user: 'application, USER root, 999:999',
      writes: '/data keeps 1Gi',
      root: STEP_DOWN,
      restricted: 'yes',
      source: `${REDIS} 7.4/debian/Dockerfile ${REDIS_AT}`,
    },
  ],
  [
    'redis:7.4-alpine',
    {
      user: 'application, USER root, 999:1000',
      writes: '/data keeps 1Gi',
      root: STEP_DOWN,
      restricted: 'yes',
      source: `${REDIS} 7.4/alpine/Dockerfile ${REDIS_AT}`,
    },
  ],
  [
    'valkey/valkey:8.0',
    {
      user: 'application, USER root, 999:999',
      writes: '/data keeps 1Gi',
      root: STEP_DOWN,
      restricted: 'yes',
      source: `${VALKEY} 8.0/debian/Dockerfile ${VALKEY_AT}`,
    },
  ],
  [
    'valkey/valkey:8.0-alpine',
    {
      user: 'application, USER root, 999:1000',
      writes: '/data keeps 1Gi',
      root: STEP_DOWN,
      restricted: 'yes',
      source: `${VALKEY} 8.0/alpine/Dockerfile ${VALKEY_AT}`,
    },
  ],
  [
    'postgres:18',
    {
      user: 'application, USER root, 999:999',
      writes: '/var/lib/postgresql keeps 8Gi, /var/run/postgresql 1Mi, /tmp 64Mi',
      root: POSTGRES_ROOT,
      restricted: 'yes',
      source: `${POSTGRES} 18/trixie/Dockerfile ${POSTGRES_AT}`,
    },
  ],
  [
    'postgres:17.9-trixie',
    {
      user: 'application, USER root, 999:999',
      writes: '/var/lib/postgresql/data keeps 8Gi, /var/run/postgresql 1Mi, /tmp 64Mi',
      root: POSTGRES_ROOT,
      restricted: 'yes',
      source: `${POSTGRES} 17/trixie/Dockerfile ${POSTGRES_AT}`,
    },
  ],
  [
    'postgres:18-alpine',
    {
      user: 'application, USER root, 70:70',
      writes: '/var/lib/postgresql keeps 8Gi, /var/run/postgresql 1Mi, /tmp 64Mi',
      root: POSTGRES_ROOT,
      restricted: 'yes',
      source: `${POSTGRES} 18/alpine3.23/Dockerfile ${POSTGRES_AT}`,
    },
  ],
  [
    'postgres:16-alpine3.20',
    {
      user: 'application, USER root, 70:70',
      writes: '/var/lib/postgresql/data keeps 8Gi, /var/run/postgresql 1Mi, /tmp 64Mi',
      root: POSTGRES_ROOT,
      restricted: 'yes',
      source: `${POSTGRES} 17/alpine3.23/Dockerfile ${POSTGRES_AT}`,
    },
  ],
  [
    'mysql:8.4',
    {
      user: 'application, USER root, 999:999',
      writes: '/var/lib/mysql keeps 8Gi, /var/run/mysqld 1Mi, /tmp 256Mi',
      root: STEP_DOWN,
      restricted: 'yes',
      source:
        'https://github.com/docker-library/mysql 8.4/Dockerfile.oracle ' +
        '7f30fdb0738041fc5125e8218e393e0a891243e9 2026-06-16',
    },
  ],
  [
    'mariadb:11.8',
    {
      user: 'application, USER root, 999:999',
      writes: '/var/lib/mysql keeps 8Gi, /run/mysqld 1Mi, /tmp 256Mi',
      root: STEP_DOWN,
      restricted: 'yes',
      source: `${MARIADB} 11.8/Dockerfile ${MARIADB_AT}`,
    },
  ],
  [
    'mariadb:11.8-ubi9',
    {
      user: 'application, USER name, 999:999',
      writes: '/var/lib/mysql keeps 8Gi, /run/mariadb 1Mi, /tmp 256Mi',
      root: '',
      restricted: 'yes',
      source: `${MARIADB} 11.8-ubi/Dockerfile ${MARIADB_AT}`,
    },
  ],
  [
    'mongo:8.0',
    {
      user: 'application, USER root, 999:999',
      writes: '/data/db keeps 8Gi, /data/configdb keeps 1Gi, /tmp 64Mi',
      root: STEP_DOWN,
      restricted: 'yes',
      source:
        'https://github.com/docker-library/mongo 8.0/Dockerfile ' +
        '2c69a57b939afb99266e8f97258adb178e9559e0 2026-06-11',
    },
  ],
  [
    'rabbitmq:4.2-management',
    {
      user: 'application, USER root, 999:999',
      writes: '/var/lib/rabbitmq keeps 1Gi, /var/log/rabbitmq 64Mi',
      root: STEP_DOWN,
      restricted: 'yes',
      source: `${RABBITMQ} 4.2/ubuntu/Dockerfile ${RABBITMQ_AT}`,
    },
  ],
  [
    'rabbitmq:4.2-management-alpine',
    {
      user: 'application, USER root, 100:101',
      writes: '/var/lib/rabbitmq keeps 1Gi, /var/log/rabbitmq 64Mi',
      root: STEP_DOWN,
      restricted: 'yes',
      source: `${RABBITMQ} 4.2/alpine/Dockerfile ${RABBITMQ_AT}`,
    },
  ],
  [
    'memcached:1.6',
    {
      user: 'application, USER name, 11211:11211',
      writes: '',
      root: '',
      restricted: 'yes',
      source: `${MEMCACHED} 1/debian/Dockerfile ${MEMCACHED_AT}`,
    },
  ],
  [
    'memcached:1.6-alpine',
    {
      user: 'application, USER name, 11211:11211',
      writes: '',
      root: '',
      restricted: 'yes',
      source: `${MEMCACHED} 1/alpine/Dockerfile ${MEMCACHED_AT}`,
    },
  ],
  [
    'prom/prometheus:v3.10.0',
    {
      user: 'application, USER name, 65534:65534',
      writes: '/prometheus keeps 8Gi',
      root: '',
      restricted: 'yes',
      source: `${PROMETHEUS} Dockerfile ${PROMETHEUS_AT}`,
    },
  ],
  [
    'prom/prometheus:v3.10.0-distroless',
    {
      user: 'application, USER number, 65532:65532',
      writes: '/prometheus keeps 8Gi',
      root: '',
      restricted: 'yes',
      source: `${PROMETHEUS} Dockerfile.distroless ${PROMETHEUS_AT}`,
    },
  ],
  [
    'traefik:v3.7',
    {
      user: 'application, USER root, 65534:65534 (nobody)',
      writes: '/tmp 64Mi',
      root: 'NET_BIND_SERVICE',
      restricted: 'no, port 80',
      source:
        'https://github.com/traefik/traefik-library-image v3.7/alpine/Dockerfile ' +
        '697393828fd83340553fe3edd13e961a9c3b971a 2026-08-19',
    },
  ],
  [
    'busybox:1.37',
    {
      user: 'base, USER root, 65534:65534 (nobody)',
      writes: '',
      root: '',
      restricted: 'yes',
      source:
        'https://github.com/docker-library/busybox latest/glibc/Dockerfile ' +
        '9c2087811429374737832a4c936fc411c1b4a22b 2026-08-03',
    },
  ],
  [
    'alpine:3.20',
    {
      user: 'base, USER root, 65534:65534 (nobody)',
      writes: '',
      root: '',
      restricted: 'yes',
      source:
        'https://github.com/alpinelinux/docker-alpine x86_64/Dockerfile ' +
        '7d63673353bd39d92ba42f6effcc199aeebd45ee 2024-09-06',
    },
  ],
  [
    'node:24-slim',
    {
      user: 'base, USER root, 1000:1000',
      writes: '',
      root: '',
      restricted: 'yes',
      source: `${NODE} 24/trixie/Dockerfile ${NODE_AT}`,
    },
  ],
  [
    'node:24-alpine',
    {
      user: 'base, USER root, 1000:1000',
      writes: '',
      root: '',
      restricted: 'yes',
      source: `${NODE} 24/alpine3.24/Dockerfile ${NODE_AT}`,
    },
  ],
  [
    'python:3.14-slim',
    {
      user: 'base, USER root, 65534:65534 (nobody)',
      writes: '',
      root: '',
      restricted: 'yes',
      source: `${PYTHON} 3.14/trixie/Dockerfile ${PYTHON_AT}`,
    },
  ],
  [
    'python:3.14-alpine',
    {
      user: 'base, USER root, 65534:65534 (nobody)',
      writes: '',
      root: '',
      restricted: 'yes',
      source: `${PYTHON} 3.14/alpine3.24/Dockerfile ${PYTHON_AT}`,
    },
  ],
  [
    'haproxy:3.4',
    {
      user: 'application, USER name, 99:99',
      writes: '',
      root: '',
      restricted: 'yes',
      source: `${HAPROXY} 3.4/Dockerfile ${HAPROXY_AT}`,
    },
  ],
  [
    'haproxy:3.4-alpine',
    {
      user: 'application, USER name, 99:99',
      writes: '',
      root: '',
      restricted: 'yes',
      source: `${HAPROXY} 3.4/alpine/Dockerfile ${HAPROXY_AT}`,
    },
  ],
  [
    'caddy:2.11',
    {
      user: 'application, USER root, 65534:65534 (nobody)',
      writes: '/config 16Mi, /data keeps 1Gi',
      root: 'NET_BIND_SERVICE',
      restricted: 'no, port 80, port 443, file capability NET_BIND_SERVICE',
      source:
        'https://github.com/caddyserver/caddy-docker 2.11/alpine/Dockerfile ' +
        '62d1326421cc6d6245f5178d3c277b0e69fb8fb6 2026-03-05',
    },
  ],
  [
    'nats:2.14',
    {
      user: 'application, USER root, 65534:65534 (nobody)',
      writes: '',
      root: '',
      restricted: 'yes',
      source: `${NATS} 2.14.x/scratch/Dockerfile ${NATS_AT}`,
    },
  ],
  [
    'nats:2.14-alpine3.22',
    {
      user: 'application, USER root, 65534:65534 (nobody)',
      writes: '',
      root: '',
      restricted: 'yes',
      source: `${NATS} 2.14.x/alpine3.22/Dockerfile ${NATS_AT}`,
    },
  ],
  [
    'eclipse-mosquitto:2.1',
    {
      user: 'application, USER root, 1883:1883',
      writes: '/mosquitto/data keeps 1Gi, /mosquitto/log 64Mi',
      root: 'CHOWN SETGID SETUID',
      restricted: 'yes',
      source:
        'https://github.com/eclipse-mosquitto/mosquitto docker/2.1-alpine/Dockerfile ' +
        '7b8aba105b77253309de24664bbae69d0cae3da0 2026-06-30',
    },
  ],
  [
    'registry:3',
    {
      user: 'application, USER root, 65534:65534 (nobody)',
      writes: '/var/lib/registry keeps 8Gi',
      root: '',
      restricted: 'yes',
      source:
        'https://github.com/distribution/distribution-library-image Dockerfile ' +
        'a829ed8cbcd822f50c3c4dfb1c3a5b4fcf8108f1 2025-07-10',
    },
  ],
  [
    'wordpress:6-php8.3',
    {
      user: 'application, USER root, 33:33',
      writes: '/var/www/html keeps 1Gi, /var/run/apache2 1Mi, /var/lock/apache2 1Mi, /tmp 64Mi',
      root: 'CHOWN DAC_OVERRIDE FOWNER NET_BIND_SERVICE SETGID SETUID',
      restricted: 'no, port 80',
      source: `${WORDPRESS} latest/php8.3/apache/Dockerfile ${WORDPRESS_AT}`,
    },
  ],
  [
    'wordpress:6-php8.3-fpm',
    {
      user: 'application, USER root, 33:33',
      writes: '/var/www/html keeps 1Gi, /tmp 64Mi',
      root: 'CHOWN DAC_OVERRIDE FOWNER SETGID SETUID',
      restricted: 'yes',
      source: `${WORDPRESS} latest/php8.3/fpm/Dockerfile ${WORDPRESS_AT}`,
    },
  ],
  [
    'wordpress:6-php8.3-fpm-alpine',
    {
      user: 'application, USER root, 82:82',
      writes: '/var/www/html keeps 1Gi, /tmp 64Mi',
      root: 'CHOWN DAC_OVERRIDE FOWNER SETGID SETUID',
      restricted: 'yes',
      source: `${WORDPRESS} latest/php8.3/fpm-alpine/Dockerfile ${WORDPRESS_AT}`,
    },
  ],
  [
    'wordpress:cli-2.12-php8.3',
    {
      user: 'application, USER name, 82:82',
      writes: '/var/www/html keeps 1Gi, /tmp 64Mi',
      root: '',
      restricted: 'yes',
      source: `${WORDPRESS} cli/php8.3/alpine/Dockerfile ${WORDPRESS_AT}`,
    },
  ],
  [
    'otel/opentelemetry-collector:0.150.0',
    {
      user: 'application, USER number, 10001:10001',
      writes: '',
      root: '',
      restricted: 'yes',
      source: `${COLLECTOR} distributions/otelcol/Dockerfile ${COLLECTOR_AT}`,
    },
  ],
  [
    'otel/opentelemetry-collector-contrib:0.150.0',
    {
      user: 'application, USER number, 10001:10001',
      writes: '',
      root: '',
      restricted: 'yes',
      source: `${COLLECTOR} distributions/otelcol-contrib/Dockerfile ${COLLECTOR_AT}`,
    },
  ],
  [
    'jaegertracing/jaeger:2.0.0',
    {
      user: 'application, USER number, 10001:0',
      writes: '/tmp 64Mi',
      root: '',
      restricted: 'yes',
      source:
        'https://github.com/jaegertracing/jaeger cmd/jaeger/Dockerfile ' +
        '8498073ff809b1a3923521920a9b1b017ea97ecf 2026-08-20',
    },
  ],
  [
    'jaegertracing/all-in-one:1.62.0',
    {
      user: 'application, USER number, 10001:0',
      writes: '/tmp 64Mi',
      root: '',
      restricted: 'yes',
      source:
        'https://github.com/jaegertracing/jaeger cmd/all-in-one/Dockerfile ' +
        'f1201e77e160681ed35773f1d0edf0c8da8d1a75 2025-12-06',
    },
  ],
];

function known(reference: string): KnownImage {
  const image = knownImageOf(reference);
  if (image === undefined) throw new Error(`no entry for ${reference}`);
  return image;
}

describe('knownImageOf', () => {
  test.each(EXPECTED)('%s', (reference, expected) => {
    expect(shown(known(reference))).toEqual(expected);
  });

  test('every variant of every entry has an expectation', () => {
    const named = (first: string | undefined, variants: readonly string[]) =>
      `${first} ${variants.join(' ')}`.trim();
    const expected = EXPECTED.map(([reference]) => known(reference)).map(({ repositories, variants }) =>
      named(repositories[0], variants),
    );
    // `alpine` of wordpress comes with `fpm` only.
    const all = KNOWN_IMAGES.flatMap(({ repositories: [first], variants = [] }) => [
      named(first, []),
      ...variants
        .map(({ name }) => named(first, [name]))
        .filter((name) => name !== 'docker.io/library/wordpress alpine'),
    ]);
    expect(new Set(expected)).toEqual(
      new Set([
        ...all,
        'docker.io/library/wordpress fpm alpine',
        'docker.io/library/postgres before 18 alpine',
      ]),
    );
  });

  test.each([
    ['redis', 'docker.io/library/redis'],
    ['library/redis:7', 'docker.io/library/redis'],
    ['docker.io/redis', 'docker.io/library/redis'],
    ['index.docker.io/library/redis:7', 'docker.io/library/redis'],
    ['public.ecr.aws/docker/library/redis:7-alpine', 'docker.io/library/redis'],
    ['mirror.gcr.io/library/redis', 'docker.io/library/redis'],
    ['quay.io/prometheus/prometheus:v3.0.0', 'docker.io/prom/prometheus'],
    ['mirror.gcr.io/prom/prometheus', 'docker.io/prom/prometheus'],
    ['ghcr.io/nginx/nginx-unprivileged:1.29', 'docker.io/nginxinc/nginx-unprivileged'],
    ['ghcr.io/nginxinc/nginx-unprivileged:1.27', 'docker.io/nginxinc/nginx-unprivileged'],
    ['public.ecr.aws/nginx/nginx-unprivileged', 'docker.io/nginxinc/nginx-unprivileged'],
    ['quay.io/nginx/nginx-unprivileged', 'docker.io/nginxinc/nginx-unprivileged'],
    [
      'ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib:0.150.0',
      'docker.io/otel/opentelemetry-collector-contrib',
    ],
    [`nginx@${DIGEST}`, 'docker.io/library/nginx'],
    [`docker.io/library/nginx:1.30@${DIGEST}`, 'docker.io/library/nginx'],
  ])('%s is an image of %s', (reference, repository) => {
    expect(known(reference).repositories[0]).toBe(repository);
  });

  test.each([
    'mynginx',
    'nginx-unprivileged',
    'nginxinc/nginx',
    'nginx/nginx',
    'example.com/nginx',
    'example.com/library/nginx',
    'localhost:5000/nginx',
    'quay.io/nginx',
    'quay.io/library/nginx',
    'public.ecr.aws/nginx/nginx',
    'public.ecr.aws/library/nginx',
    'mirror.gcr.io/nginx',
    'nginx/library/nginx',
    'docker.io/library/nginx/nginx',
    'bitnami/redis',
    'redis/redis-stack',
    'valkey',
    'prometheus',
    'quay.io/prom/prometheus',
    'prom/alertmanager',
    'grafana',
    'constructor',
    '',
    'Nginx',
    'nginx:',
    'nginx:${TAG}',
    'nginx latest',
  ])('%j is unknown', (reference) => {
    expect(knownImageOf(reference)).toBeUndefined();
  });

  test.each<[reference: string, variants: string[], gid: number]>([
    ['redis', [], 999],
    ['redis:latest', [], 999],
    ['redis:8', [], 999],
    ['redis:8.6.4-trixie', [], 999],
    ['redis:some-tag-of-the-future', [], 999],
    ['redis:notalpine', [], 999],
    ['redis:alpinesque', [], 999],
    ['redis:8-xalpine', [], 999],
    ['redis:alpine', ['alpine'], 1000],
    ['redis:alpine3.22', ['alpine'], 1000],
    ['redis:8-alpine', ['alpine'], 1000],
    ['redis:8.6.4-alpine3.23', ['alpine'], 1000],
    [`redis:8-alpine@${DIGEST}`, ['alpine'], 1000],
    ['postgres', [], 999],
    ['postgres:latest', [], 999],
    ['postgres:trixie', [], 999],
    ['postgres:18.1-trixie', [], 999],
    ['postgres:19beta1', [], 999],
    ['postgres:9.6', ['before 18'], 999],
    ['postgres:17', ['before 18'], 999],
    ['postgres:alpine', ['alpine'], 70],
    ['postgres:9.6-alpine', ['before 18', 'alpine'], 70],
    ['mariadb:lts-ubi', ['ubi'], 999],
    ['mariadb:ubi10', ['ubi'], 999],
    ['wordpress:client', [], 33],
    ['wordpress:fpm', ['fpm'], 33],
    ['wordpress:cli', ['cli'], 82],
  ])('%s is variant %j with group %d', (reference, variants, gid) => {
    const image = known(reference);
    expect([image.variants, image.gid]).toEqual([variants, gid]);
  });

  test.each<[reference: string, isAssumed: boolean]>([
    ['redis', false], // latest
    ['redis:8', false],
    [`redis:8@${DIGEST}`, false],
    [`redis@${DIGEST}`, true],
    [`mysql@${DIGEST}`, false], // one variant
    [`nginx@${DIGEST}`, false], // variants with the same needs
  ])('%s: variant is a guess: %j', (reference, isAssumed) => {
    expect(known(reference).isAssumed).toBe(isAssumed);
  });
});

/** Names of the fields that do not say where the facts come from. */
function missingProvenance({ source, revision, date }: Partial<ImageNeeds>): string[] {
  const isRepository = /^https:\/\/github\.com\/[\w.-]+\/[\w.-]+$/.test(source?.repository ?? '');
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(date ?? '') && !Number.isNaN(Date.parse(date ?? ''));
  return [
    ...(isRepository ? [] : ['source.repository']),
    ...(/^[\w./-]*Dockerfile[\w.]*$/.test(source?.path ?? '') ? [] : ['source.path']),
    ...(/^[0-9a-f]{40}$/.test(revision ?? '') ? [] : ['revision']),
    ...(isDay ? [] : ['date']),
  ];
}

/** The entry, and what it is for each of its variants. */
const ALL: readonly [name: string, needs: ImageNeeds][] = KNOWN_IMAGES.flatMap(
  ({ repositories, variants = [], ...needs }) => [
    [`${repositories[0]}`, needs] as [string, ImageNeeds],
    ...variants.map(({ name, differs: { path, ...differs } }): [string, ImageNeeds] => [
      `${repositories[0]} ${name}`,
      { ...needs, ...differs, source: { ...needs.source, path } },
    ]),
  ],
);

describe('the table', () => {
  test.each(ALL)('%s says where its facts come from', (_name, needs) => {
    expect(missingProvenance(needs)).toEqual([]);
  });

  test('an entry that does not say it is reported', () => {
    const { source, revision, date, ...rest } = known('nginx');
    expect(missingProvenance(rest)).toEqual(['source.repository', 'source.path', 'revision', 'date']);
    expect(missingProvenance({ ...rest, source, revision })).toEqual(['date']);
    expect(missingProvenance({ ...rest, source, date })).toEqual(['revision']);
    expect(missingProvenance({ ...rest, revision, date })).toEqual(['source.repository', 'source.path']);
    expect(missingProvenance({ source: { ...source, path: '' }, revision, date })).toEqual(['source.path']);
    expect(missingProvenance({ source, revision: 'main', date: '2026-13-01' })).toEqual(['revision', 'date']);
  });

  test('a repository has one entry, under the name that references are resolved to', () => {
    const names = KNOWN_IMAGES.flatMap(({ repositories }) => repositories);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    for (const name of names) {
      const parsed = parseImageReference(name);
      expect('invalid' in parsed ? parsed.invalid : `${parsed.domain}/${parsed.path}`).toBe(name);
    }
  });

  test.each(ALL)('%s has values that Kubernetes takes', (_name, needs) => {
    for (const { path, size } of needs.writes) {
      expect(path).toMatch(/^(?:\/[\w.-]+)+$/);
      expect(parseQuantity(size)?.digits).toBeGreaterThan(0n);
    }
    expect(needs.uid).toBeGreaterThan(0);
    expect(needs.gid).toBeGreaterThanOrEqual(0);
    for (const name of [...needs.capabilitiesAsRoot, ...needs.fileCapabilities])
      expect(name).toMatch(/^(?!CAP_)[A-Z_]+$/);
    for (const port of needs.privilegedPorts) expect(port).toBeLessThan(1024);
  });

  test.each(ALL)('%s does not contradict itself', (_name, needs) => {
    const needsPrivilege = needs.privilegedPorts.length > 0 || needs.fileCapabilities.length > 0;
    expect(needs.runsRestricted).toBe(!needsPrivilege);
    if (needs.defaultUser !== 'root') expect(needs.capabilitiesAsRoot).toEqual([]);
    if (needs.kind === 'base') expect([needs.writes, needs.privilegedPorts]).toEqual([[], []]);
    if (needs.restrictedImage !== undefined) {
      expect(needs.runsRestricted).toBe(false);
      expect(known(needs.restrictedImage).runsRestricted).toBe(true);
    }
  });
});
