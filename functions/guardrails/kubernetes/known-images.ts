import { type ImageReference, parseImageReference } from './image-reference';

/**
 * What public images need in order to start, read from the Dockerfile that each entry names at the revision that it
 * names, and from the entrypoint beside it. Tags of versions that this revision no longer builds get the same answer.
 * The sizes are suggestions. The mirrors are those that the publisher names, the copies of Docker's official images at
 * public.ecr.aws/docker, and Google's copy of Docker Hub at mirror.gcr.io. An image whose user gets its numbers during
 * the build, or that writes to folders in which it has files of its own, has no entry.
 */

/** A folder that the image writes to, and so needs a volume on a read-only root file system. */
export interface WrittenFolder {
  /** Absolute, as the image has it; `/var/run` is a link to `/run` in the images listed here. */
  readonly path: string;
  /** Quantity: a suggestion for the `sizeLimit` of an emptyDir, or for the size of a persistent volume. */
  readonly size: string;
  /** `scratch`: an emptyDir will do, the folder is empty in the image. `data`: an emptyDir loses it with the pod. */
  readonly holds: 'scratch' | 'data';
}

export interface ImageNeeds {
  /** `base`: the command of the workload decides on folders, ports and capabilities, and the empty lists say nothing. */
  readonly kind: 'application' | 'base';
  /**
   * The USER of the image: kubelet refuses `root` under `runAsNonRoot: true`, and a `name` too, because it cannot tell
   * that a name is not root. Both need `runAsUser`.
   */
  readonly defaultUser: 'root' | 'number' | 'name';
  /** The user that the process runs as, or that its entrypoint changes to. */
  readonly uid: number;
  /** The primary group of that user; 0 where the image sets it so, as images for OpenShift do. */
  readonly gid: number;
  /** Whether the image creates the user. Where not, any number will do, and `uid` and `gid` are those of nobody. */
  readonly hasOwnUser: boolean;
  readonly writes: readonly WrittenFolder[];
  /** What the entrypoint and the process use if root starts them, without `CAP_`; empty if the image does not start as root. */
  readonly capabilitiesAsRoot: readonly string[];
  /**
   * Capabilities of the executable file, without `CAP_`. As any user, it does not start if they are dropped: execve fails
   * with EPERM (capabilities(7), "Safety checking for capability-dumb binaries").
   */
  readonly fileCapabilities: readonly string[];
  /** Ports below 1024 that the image listens on with its own configuration. */
  readonly privilegedPorts: readonly number[];
  /**
   * Whether the image runs under Pod Security `restricted` without a change of its own configuration or command, given
   * `runAsUser: uid`, all capabilities dropped, and volumes that the user can write at `writes`.
   */
  readonly runsRestricted: boolean;
  /** Repository, as `<domain>/<path>`, of the image to use instead if `runsRestricted` is false; it has other ports. */
  readonly restrictedImage?: string;
  /** Repository and path of the Dockerfile that this was read from. */
  readonly source: { readonly repository: string; readonly path: string };
  /** Commit of the source: 40 hexadecimal digits. */
  readonly revision: string;
  /** Day of that commit: YYYY-MM-DD. */
  readonly date: string;
}

/** What differs for some tags of an image. */
interface Variant {
  readonly name: string;
  /** Whether a tag names the variant. */
  readonly matches: (tag: string) => boolean;
  /** What differs; `path` is that of the variant's Dockerfile. */
  readonly differs: Partial<ImageNeeds> & { readonly path: string };
}

export interface KnownImageEntry extends ImageNeeds {
  /** Repositories that publish the image, as `<domain>/<path>` of a parsed reference: `docker.io/library/nginx`. */
  readonly repositories: readonly string[];
  /** All that match a tag apply, later ones on top. */
  readonly variants?: readonly Variant[];
}

export interface KnownImage extends ImageNeeds {
  readonly repositories: readonly string[];
  /** Names of the variants that the tag names; empty for the default one. */
  readonly variants: readonly string[];
  /**
   * Whether the default variant is a guess: a digest without a tag names one of several variants with different needs.
   */
  readonly isAssumed: boolean;
}

/** The needs of a public image, as its tag says, or undefined for an unknown repository or an invalid reference. */
export function knownImageOf(reference: string): KnownImage | undefined {
  const parsed = parseImageReference(reference);
  if ('invalid' in parsed) return undefined;
  const entry = ENTRIES.get(`${parsed.domain}/${parsed.path}`);
  return entry && knownImage(entry, parsed);
}

function knownImage(entry: KnownImageEntry, { tag, digest }: ImageReference): KnownImage {
  const { variants = [], ...needs } = entry;
  const matching = tag === undefined ? [] : variants.filter(({ matches }) => matches(tag));
  const result: KnownImage = {
    ...needs,
    variants: matching.map(({ name }) => name),
    isAssumed: tag === undefined && digest !== undefined && variants.some(changesNeeds),
  };
  return matching.reduce((image, { differs: { path, ...differs } }) => {
    return { ...image, ...differs, source: { ...image.source, path } };
  }, result);
}

/** Whether more than the Dockerfile differs. */
function changesNeeds({ differs }: Variant): boolean {
  return Object.keys(differs).some((key) => key !== 'path');
}

/** Docker Hub, and Google's copy of it. */
function hub(path: string): string[] {
  return [`docker.io/${path}`, `mirror.gcr.io/${path}`];
}

/** An official image of Docker, and its copies. */
function official(name: string): string[] {
  return [...hub(`library/${name}`), `public.ecr.aws/docker/library/${name}`];
}

function scratch(path: string, size: string): WrittenFolder {
  return { path, size, holds: 'scratch' };
}

function data(path: string, size: string): WrittenFolder {
  return { path, size, holds: 'data' };
}

/** Tags such as `alpine`, `7-alpine3.20`, `stable-alpine-slim`: a word, with or without a version. */
function tagged(word: string): (tag: string) => boolean {
  return (tag) =>
    tag.split('-').some((part) => part.startsWith(word) && /^[\d.]*$/.test(part.slice(word.length)));
}

/** Tags such as `16`, `16.4-alpine` and `9.6` for 17 and above. */
function majorBelow(limit: number): (tag: string) => boolean {
  return (tag) => {
    const major = /^\d+/.exec(tag);
    return major !== null && Number(major[0]) < limit;
  };
}

/** UID and GID of nobody in Debian, Alpine and busybox; images without a user of their own run as any number. */
const NOBODY = { uid: 65_534, gid: 65_534, hasOwnUser: false };
/** UID and GID of www-data in Debian (base-passwd), which Dockerfiles use without the number. */
const DEBIAN_WWW_DATA = 33;
/** The same in Alpine (alpine-baselayout). */
const ALPINE_WWW_DATA = 82;

/** To give files to a user, read folders that only that user may, and change to it. */
const STEP_DOWN = ['CHOWN', 'DAC_OVERRIDE', 'SETGID', 'SETUID'];
/** The same, with chmod on files of that user. */
const STEP_DOWN_WITH_CHMOD = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID'];

/** The most frequent values, of an image that starts as root and changes to a user of its own. */
const APPLICATION = {
  kind: 'application',
  defaultUser: 'root',
  hasOwnUser: true,
  writes: [],
  capabilitiesAsRoot: [],
  fileCapabilities: [],
  privilegedPorts: [],
  runsRestricted: true,
} as const;

const BASE = { ...APPLICATION, kind: 'base' } as const;

const NGINX_UNPRIVILEGED = 'docker.io/nginxinc/nginx-unprivileged';
const WORDPRESS = data('/var/www/html', '1Gi');
const SOCKET = '1Mi'; // sockets, lock files and process IDs
const TMP = scratch('/tmp', '64Mi');
/** Temporary tables and sorts of a database. */
const DATABASE_TMP = scratch('/tmp', '256Mi');
const DATABASE = '8Gi';

export const KNOWN_IMAGES: readonly KnownImageEntry[] = [
  {
    ...APPLICATION,
    repositories: official('nginx'),
    uid: 101,
    gid: 101,
    writes: [scratch('/var/cache/nginx', '128Mi'), scratch('/run', SOCKET)],
    // The master gives its cache folders to the user of the workers.
    capabilitiesAsRoot: ['CHOWN', 'NET_BIND_SERVICE', 'SETGID', 'SETUID'],
    privilegedPorts: [80],
    runsRestricted: false,
    restrictedImage: NGINX_UNPRIVILEGED,
    source: { repository: 'https://github.com/nginx/docker-nginx', path: 'stable/debian/Dockerfile' },
    revision: '0d7f4380c735af5009aa364e27fafecd958fd4fa',
    date: '2026-04-14',
    variants: [
      { name: 'alpine', matches: tagged('alpine'), differs: { path: 'stable/alpine-slim/Dockerfile' } },
    ],
  },
  {
    ...APPLICATION,
    repositories: [
      ...hub('nginxinc/nginx-unprivileged'),
      'ghcr.io/nginx/nginx-unprivileged',
      'ghcr.io/nginxinc/nginx-unprivileged', // before 1.27.4
      'public.ecr.aws/nginx/nginx-unprivileged',
      'quay.io/nginx/nginx-unprivileged',
    ],
    defaultUser: 'number',
    uid: 101,
    gid: 101,
    writes: [TMP], // the process ID and all temporary files
    source: {
      repository: 'https://github.com/nginx/docker-nginx-unprivileged',
      path: 'stable/debian/Dockerfile',
    },
    revision: 'e26803b6ff7ca01455284231c59f20cb5e3ae82e',
    date: '2026-07-15',
    variants: [
      { name: 'alpine', matches: tagged('alpine'), differs: { path: 'stable/alpine-slim/Dockerfile' } },
    ],
  },
  {
    ...APPLICATION,
    repositories: official('httpd'),
    uid: DEBIAN_WWW_DATA,
    gid: DEBIAN_WWW_DATA,
    writes: [scratch('/usr/local/apache2/logs', SOCKET)], // the process ID; the logs go to stdout and stderr
    capabilitiesAsRoot: ['NET_BIND_SERVICE', 'SETGID', 'SETUID'],
    privilegedPorts: [80],
    runsRestricted: false,
    source: { repository: 'https://github.com/docker-library/httpd', path: '2.4/Dockerfile' },
    revision: '9b63b37c9be3b42d16b924ebb40af3cc40793119',
    date: '2026-06-10',
    variants: [
      {
        name: 'alpine',
        matches: tagged('alpine'),
        differs: { uid: ALPINE_WWW_DATA, gid: ALPINE_WWW_DATA, path: '2.4/alpine/Dockerfile' },
      },
    ],
  },
  {
    ...APPLICATION,
    repositories: official('redis'),
    uid: 999,
    gid: 999,
    writes: [data('/data', '1Gi')],
    capabilitiesAsRoot: STEP_DOWN,
    source: { repository: 'https://github.com/redis/docker-library-redis', path: '7.4/debian/Dockerfile' },
    revision: 'e5650da99bb377b2ed4f9f1ef993ff24729b1c16',
    date: '2024-10-04',
    variants: [
      {
        name: 'alpine',
        matches: tagged('alpine'),
        differs: { gid: 1000, path: '7.4/alpine/Dockerfile' },
      },
    ],
  },
  {
    ...APPLICATION,
    repositories: hub('valkey/valkey'),
    uid: 999,
    gid: 999,
    writes: [data('/data', '1Gi')],
    capabilitiesAsRoot: STEP_DOWN,
    source: { repository: 'https://github.com/valkey-io/valkey-container', path: '8.0/debian/Dockerfile' },
    revision: 'ae6141ea5d62c775b8bdb9be7396b951da435673',
    date: '2025-01-08',
    variants: [
      {
        name: 'alpine',
        matches: tagged('alpine'),
        differs: { gid: 1000, path: '8.0/alpine/Dockerfile' },
      },
    ],
  },
  {
    ...APPLICATION,
    repositories: official('postgres'),
    uid: 999,
    gid: 999,
    writes: [data('/var/lib/postgresql', DATABASE), scratch('/var/run/postgresql', SOCKET), TMP],
    capabilitiesAsRoot: STEP_DOWN_WITH_CHMOD,
    source: { repository: 'https://github.com/docker-library/postgres', path: '18/trixie/Dockerfile' },
    revision: '6edb0a8c4def40c371514b34aef9037ec82d9110',
    date: '2026-02-26',
    variants: [
      {
        name: 'before 18',
        matches: majorBelow(18),
        differs: {
          writes: [data('/var/lib/postgresql/data', DATABASE), scratch('/var/run/postgresql', SOCKET), TMP],
          path: '17/trixie/Dockerfile',
        },
      },
      {
        name: 'alpine',
        matches: (tag) => tagged('alpine')(tag) && !majorBelow(18)(tag),
        differs: { uid: 70, gid: 70, path: '18/alpine3.23/Dockerfile' },
      },
      {
        name: 'alpine',
        matches: (tag) => tagged('alpine')(tag) && majorBelow(18)(tag),
        differs: { uid: 70, gid: 70, path: '17/alpine3.23/Dockerfile' },
      },
    ],
  },
  {
    ...APPLICATION,
    repositories: official('mysql'),
    uid: 999,
    gid: 999,
    writes: [data('/var/lib/mysql', DATABASE), scratch('/var/run/mysqld', SOCKET), DATABASE_TMP],
    capabilitiesAsRoot: STEP_DOWN,
    source: { repository: 'https://github.com/docker-library/mysql', path: '8.4/Dockerfile.oracle' },
    revision: '7f30fdb0738041fc5125e8218e393e0a891243e9',
    date: '2026-06-16',
  },
  {
    ...APPLICATION,
    repositories: official('mariadb'),
    // The Ubuntu image gets the number from `groupadd -r`; the Dockerfile of the ubi image states that they are equal.
    uid: 999,
    gid: 999,
    writes: [data('/var/lib/mysql', DATABASE), scratch('/run/mysqld', SOCKET), DATABASE_TMP],
    capabilitiesAsRoot: STEP_DOWN,
    source: { repository: 'https://github.com/MariaDB/mariadb-docker', path: '11.8/Dockerfile' },
    revision: '1b6429ba3544e134715c15f8c56cc6f665f827c9',
    date: '2026-05-29',
    variants: [
      {
        name: 'ubi',
        matches: tagged('ubi'),
        differs: {
          defaultUser: 'name',
          writes: [data('/var/lib/mysql', DATABASE), scratch('/run/mariadb', SOCKET), DATABASE_TMP],
          capabilitiesAsRoot: [],
          path: '11.8-ubi/Dockerfile',
        },
      },
    ],
  },
  {
    ...APPLICATION,
    repositories: official('mongo'),
    uid: 999,
    gid: 999,
    writes: [data('/data/db', DATABASE), data('/data/configdb', '1Gi'), TMP], // configdb: of a config server
    capabilitiesAsRoot: STEP_DOWN,
    source: { repository: 'https://github.com/docker-library/mongo', path: '8.0/Dockerfile' },
    revision: '2c69a57b939afb99266e8f97258adb178e9559e0',
    date: '2026-06-11',
  },
  {
    ...APPLICATION,
    repositories: official('rabbitmq'),
    uid: 999,
    gid: 999,
    writes: [data('/var/lib/rabbitmq', '1Gi'), scratch('/var/log/rabbitmq', '64Mi')],
    capabilitiesAsRoot: STEP_DOWN,
    source: { repository: 'https://github.com/docker-library/rabbitmq', path: '4.2/ubuntu/Dockerfile' },
    revision: '9193c1de6d32046e0c1132841a7a4995b0dc32e0',
    date: '2026-06-15',
    variants: [
      {
        name: 'alpine',
        matches: tagged('alpine'),
        differs: { uid: 100, gid: 101, path: '4.2/alpine/Dockerfile' },
      },
    ],
  },
  {
    ...APPLICATION,
    repositories: official('memcached'),
    defaultUser: 'name',
    uid: 11_211,
    gid: 11_211,
    source: { repository: 'https://github.com/docker-library/memcached', path: '1/debian/Dockerfile' },
    revision: '53ac0ecb0bf88b471a0110f8996ce791baf1a667',
    date: '2026-07-09',
    variants: [{ name: 'alpine', matches: tagged('alpine'), differs: { path: '1/alpine/Dockerfile' } }],
  },
  {
    ...APPLICATION,
    repositories: [...hub('prom/prometheus'), 'quay.io/prometheus/prometheus'],
    defaultUser: 'name',
    uid: 65_534, // nobody, which owns /prometheus
    gid: 65_534,
    writes: [data('/prometheus', '8Gi')],
    source: { repository: 'https://github.com/prometheus/prometheus', path: 'Dockerfile' },
    revision: 'd15adb9ad7e5d9fbde3a9a8f30200593a5a14d86',
    date: '2026-08-21',
    variants: [
      {
        name: 'distroless',
        matches: tagged('distroless'),
        differs: { defaultUser: 'number', uid: 65_532, gid: 65_532, path: 'Dockerfile.distroless' },
      },
    ],
  },
  {
    ...APPLICATION,
    ...NOBODY,
    repositories: official('traefik'),
    writes: [TMP],
    capabilitiesAsRoot: ['NET_BIND_SERVICE'],
    privilegedPorts: [80],
    runsRestricted: false,
    source: {
      repository: 'https://github.com/traefik/traefik-library-image',
      path: 'v3.7/alpine/Dockerfile',
    },
    revision: '697393828fd83340553fe3edd13e961a9c3b971a',
    date: '2026-08-19',
  },
  {
    ...BASE,
    ...NOBODY,
    repositories: official('busybox'),
    source: { repository: 'https://github.com/docker-library/busybox', path: 'latest/glibc/Dockerfile' },
    revision: '9c2087811429374737832a4c936fc411c1b4a22b',
    date: '2026-08-03',
  },
  {
    ...BASE,
    ...NOBODY,
    repositories: official('alpine'),
    source: { repository: 'https://github.com/alpinelinux/docker-alpine', path: 'x86_64/Dockerfile' },
    revision: '7d63673353bd39d92ba42f6effcc199aeebd45ee', // branch v3.20
    date: '2024-09-06',
  },
  {
    ...BASE,
    repositories: official('node'),
    uid: 1000,
    gid: 1000,
    source: { repository: 'https://github.com/nodejs/docker-node', path: '24/trixie/Dockerfile' },
    revision: 'f27d936f7d7ccdeec25cd2de33584c1a841f561d',
    date: '2026-08-19',
    variants: [{ name: 'alpine', matches: tagged('alpine'), differs: { path: '24/alpine3.24/Dockerfile' } }],
  },
  {
    ...BASE,
    ...NOBODY,
    repositories: official('python'),
    source: { repository: 'https://github.com/docker-library/python', path: '3.14/trixie/Dockerfile' },
    revision: '4f07059567fa61c80397126e8063dbbde011b794',
    date: '2026-06-23',
    variants: [
      { name: 'alpine', matches: tagged('alpine'), differs: { path: '3.14/alpine3.24/Dockerfile' } },
    ],
  },
  {
    ...APPLICATION,
    repositories: official('haproxy'),
    defaultUser: 'name',
    uid: 99,
    gid: 99,
    source: { repository: 'https://github.com/docker-library/haproxy', path: '3.4/Dockerfile' },
    revision: 'ec437dd2a3656610b10a42c08763d8fa1c591efe',
    date: '2026-07-22',
    variants: [{ name: 'alpine', matches: tagged('alpine'), differs: { path: '3.4/alpine/Dockerfile' } }],
  },
  {
    ...APPLICATION,
    ...NOBODY,
    repositories: official('caddy'),
    writes: [scratch('/config', '16Mi'), data('/data', '1Gi')], // data: certificates and their keys
    capabilitiesAsRoot: ['NET_BIND_SERVICE'],
    fileCapabilities: ['NET_BIND_SERVICE'],
    privilegedPorts: [80, 443],
    runsRestricted: false,
    source: { repository: 'https://github.com/caddyserver/caddy-docker', path: '2.11/alpine/Dockerfile' },
    revision: '62d1326421cc6d6245f5178d3c277b0e69fb8fb6',
    date: '2026-03-05',
  },
  {
    ...APPLICATION,
    ...NOBODY,
    repositories: official('nats'),
    source: { repository: 'https://github.com/nats-io/nats-docker', path: '2.14.x/scratch/Dockerfile' },
    revision: 'aa0caa57b71c01566a100b47b2ed94de6ef6cf80',
    date: '2026-08-12',
    variants: [
      { name: 'alpine', matches: tagged('alpine'), differs: { path: '2.14.x/alpine3.22/Dockerfile' } },
    ],
  },
  {
    ...APPLICATION,
    repositories: official('eclipse-mosquitto'),
    uid: 1883,
    gid: 1883,
    writes: [data('/mosquitto/data', '1Gi'), scratch('/mosquitto/log', '64Mi')],
    capabilitiesAsRoot: ['CHOWN', 'SETGID', 'SETUID'],
    source: {
      repository: 'https://github.com/eclipse-mosquitto/mosquitto',
      path: 'docker/2.1-alpine/Dockerfile',
    },
    revision: '7b8aba105b77253309de24664bbae69d0cae3da0',
    date: '2026-06-30',
  },
  {
    ...APPLICATION,
    ...NOBODY,
    repositories: official('registry'),
    writes: [data('/var/lib/registry', '8Gi')],
    source: {
      repository: 'https://github.com/distribution/distribution-library-image',
      path: 'Dockerfile',
    },
    revision: 'a829ed8cbcd822f50c3c4dfb1c3a5b4fcf8108f1',
    date: '2025-07-10',
  },
  {
    ...APPLICATION,
    repositories: official('wordpress'),
    uid: DEBIAN_WWW_DATA,
    gid: DEBIAN_WWW_DATA,
    // Not /var/log/apache2: it holds the links to stdout and stderr.
    writes: [WORDPRESS, scratch('/var/run/apache2', SOCKET), scratch('/var/lock/apache2', SOCKET), TMP],
    capabilitiesAsRoot: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'NET_BIND_SERVICE', 'SETGID', 'SETUID'],
    privilegedPorts: [80],
    runsRestricted: false,
    source: {
      repository: 'https://github.com/docker-library/wordpress',
      path: 'latest/php8.3/apache/Dockerfile',
    },
    revision: 'bf223d1c2087b0b2c3b86eefa830fe4bbc2bce07',
    date: '2026-08-19',
    variants: [
      {
        name: 'fpm',
        matches: tagged('fpm'),
        differs: {
          writes: [WORDPRESS, TMP],
          capabilitiesAsRoot: STEP_DOWN_WITH_CHMOD,
          privilegedPorts: [],
          runsRestricted: true,
          path: 'latest/php8.3/fpm/Dockerfile',
        },
      },
      {
        name: 'alpine',
        matches: tagged('alpine'),
        differs: { uid: ALPINE_WWW_DATA, gid: ALPINE_WWW_DATA, path: 'latest/php8.3/fpm-alpine/Dockerfile' },
      },
      {
        name: 'cli',
        matches: tagged('cli'),
        differs: {
          defaultUser: 'name',
          uid: ALPINE_WWW_DATA,
          gid: ALPINE_WWW_DATA,
          writes: [WORDPRESS, TMP],
          capabilitiesAsRoot: [],
          privilegedPorts: [],
          runsRestricted: true,
          path: 'cli/php8.3/alpine/Dockerfile',
        },
      },
    ],
  },
  ...['opentelemetry-collector', 'opentelemetry-collector-contrib'].map((name): KnownImageEntry => ({
    ...APPLICATION,
    repositories: [...hub(`otel/${name}`), `ghcr.io/open-telemetry/opentelemetry-collector-releases/${name}`],
    defaultUser: 'number',
    uid: 10_001,
    gid: 10_001,
    source: {
      repository: 'https://github.com/open-telemetry/opentelemetry-collector-releases',
      path: `distributions/${name.replace('opentelemetry-collector', 'otelcol')}/Dockerfile`,
    },
    revision: 'ceccc19da2df99e24c1d826bd1600e0edbdbea3d',
    date: '2026-08-20',
  })),
  {
    ...APPLICATION,
    repositories: hub('jaegertracing/jaeger'),
    defaultUser: 'number',
    uid: 10_001,
    gid: 0,
    writes: [TMP],
    source: { repository: 'https://github.com/jaegertracing/jaeger', path: 'cmd/jaeger/Dockerfile' },
    revision: '8498073ff809b1a3923521920a9b1b017ea97ecf',
    date: '2026-08-20',
  },
  {
    ...APPLICATION,
    repositories: hub('jaegertracing/all-in-one'),
    defaultUser: 'number',
    uid: 10_001,
    gid: 0,
    writes: [TMP],
    source: { repository: 'https://github.com/jaegertracing/jaeger', path: 'cmd/all-in-one/Dockerfile' },
    revision: 'f1201e77e160681ed35773f1d0edf0c8da8d1a75', // the last one before the image was removed
    date: '2025-12-06',
  },
];

const ENTRIES = new Map(KNOWN_IMAGES.flatMap((entry) => entry.repositories.map((name) => [name, entry])));
