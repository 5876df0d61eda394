import type { PortReference } from '../connection';

/** Default ports of URL schemes (IANA, Service Name and Transport Protocol Port Number Registry, or the project's own). */
const SCHEME_PORTS = new Map([
  ['http', 80],
  ['ws', 80],
  ['https', 443],
  ['wss', 443],
  ['grpc', 80],
  ['grpcs', 443],
  ['redis', 6379],
  ['rediss', 6379],
  ['postgres', 5432],
  ['postgresql', 5432],
  ['mysql', 3306],
  ['mariadb', 3306],
  ['sqlserver', 1433],
  ['mongodb', 27017],
  ['amqp', 5672],
  ['amqps', 5671],
  ['nats', 4222],
  ['kafka', 9092],
  ['mqtt', 1883],
  ['mqtts', 8883],
  ['ldap', 389],
  ['ldaps', 636],
  ['smtp', 25],
  ['smtps', 465],
  ['ftp', 21],
  ['sftp', 22],
  ['ssh', 22],
  ['clickhouse', 9000],
]);
/** Schemes whose authority is a bucket, a file, a key or a trust domain. */
const NOT_HOSTS = new Set(
  (
    'file unix unixgram sqlite sqlite3 s3 s3a s3n gs gcs az azblob abfs abfss wasb wasbs mem memory classpath jar data embed ' +
    'env vault secret arn urn spiffe awskms gcpkms azurekms awssm gcpsm k8s-secret tag oci docker'
  ).split(' '),
);
/** Targets of gRPC, whose host may be in the path: `dns:///api:50051` (grpc/doc/naming.md). */
const TARGET = /(?<![a-z0-9+.-])(?:dns|passthrough|xds):\/\/[^\s,/]*\//gi;

/** How a text names a host: as a URL, with a port, or alone. */
export interface HostMention {
  readonly host: string;
  readonly port: PortReference;
  readonly form: 'url' | 'host:port' | 'host';
  /** Whether the text has nothing but hosts. */
  readonly isWhole: boolean;
}

/** A scheme and the authority: `user:password@a:1,b:2`. */
const URL_START =
  /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}):\/\/((?:\[[0-9a-f:.]+\]|[^\s,/?#"'`;<>()[\]{}]|,(?![a-z][a-z0-9+.-]{0,30}:\/\/))+)/gi;
const HOST_PORT = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i;

/** The hosts that a text may name: by URLs, `host:port`, `host=... port=...` of libpq, or hosts alone. */
export function hostMentions(text: string): HostMention[] {
  if (isProse(text)) return [];
  const urls = urlsIn(text);
  const rest = text.includes('://') ? text.replace(URL_START, ' ') : text;
  const [, libpqHost] = /(?:^|\s)host=([a-z0-9.-]+)/i.exec(rest) ?? [];
  if (libpqHost !== undefined) {
    const [, port] = /(?:^|\s)port=(\d{1,5})/i.exec(rest) ?? [];
    const usual = SCHEME_PORTS.get('postgres');
    return [
      ...urls,
      { host: libpqHost, port: port === undefined ? usual : Number(port), form: 'url', isWhole: true },
    ];
  }
  const hosts = text.split(',').map((one) => one.trim().replace(TARGET, ''));
  if (hosts.every((one) => HOST_PORT.test(one))) return hosts.flatMap((one) => hostIn(one, true));
  const parts = rest.split(/[\s,;=@"'`<>()[\]{}]+/).map((part) => part.replace(/[/?].*/, ''));
  return [...urls, ...parts.filter((part) => part.includes(':')).flatMap((one) => hostIn(one, false))];
}

/** Whether a text has several words, and neither a port, a list nor a setting of libpq. */
function isProse(text: string): boolean {
  return !/[:,=]/.test(text) && /\s/.test(text.trim());
}

/** The hosts of the URLs in a text. */
export function urlsIn(text: string): HostMention[] {
  if (!text.includes('://')) return [];
  return [...text.matchAll(URL_START)].flatMap(([, scheme = '', authority = '']) => {
    const name = scheme.toLowerCase().replace(/\+.*/, '');
    if (NOT_HOSTS.has(name)) return [];
    const hosts = authority.slice(authority.lastIndexOf('@') + 1).split(',');
    return hosts.flatMap((one) => {
      const [, host, port] = HOST_PORT.exec(one) ?? [];
      const usual = SCHEME_PORTS.get(name);
      return host === undefined
        ? []
        : [{ host, port: port === undefined ? usual : Number(port), form: 'url' as const, isWhole: true }];
    });
  });
}

function hostIn(text: string, isWhole: boolean): HostMention[] {
  const [, host, port] = HOST_PORT.exec(text) ?? [];
  if (host === undefined) return [];
  return port === undefined
    ? [{ host, port: undefined, form: 'host', isWhole }]
    : [{ host, port: Number(port), form: 'host:port', isWhole }];
}
