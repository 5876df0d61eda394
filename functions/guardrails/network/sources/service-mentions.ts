import type { PortReference } from '../connection';
import { type ServiceReference, serviceReferences } from '../services';

/** Default ports of URL schemes. */
const SCHEME_PORTS = new Map([
  ['http', 80],
  ['ws', 80],
  ['https', 443],
  ['wss', 443],
  ['grpc', 80],
  ['redis', 6379],
  ['rediss', 6379],
  ['postgres', 5432],
  ['postgresql', 5432],
  ['mysql', 3306],
  ['mongodb', 27017],
  ['amqp', 5672],
  ['amqps', 5671],
  ['nats', 4222],
]);

/** Which words besides URLs are hosts in a text. */
export type HostWords = 'none' | 'with port' | 'any';

/** A scheme and the authority: `user:password@a:1,b:2`. */
const URL_START =
  /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}):\/\/((?:[^\s,/?#"'`;<>()[\]{}]|,(?![a-z][a-z0-9+.-]{0,30}:\/\/))+)/gi;
const HOST_PORT = /^([a-z0-9.-]+)(?::(\d+))?$/i;

/** The Services that a text may name: by URLs, `host:port`, `host=... port=...` of libpq, or a host alone. */
export function serviceMentions(text: string, words: HostWords, home: string): ServiceReference[] {
  const at = (hostPort: string, usual: PortReference) => {
    const [, host, port] = HOST_PORT.exec(hostPort) ?? [];
    return host === undefined ? [] : serviceReferences(host, port === undefined ? usual : Number(port), home);
  };
  const urls = [...text.matchAll(URL_START)].flatMap(([, scheme = '', authority = '']) => {
    const usual = SCHEME_PORTS.get(scheme.toLowerCase().replace(/\+.*/, ''));
    const hosts = authority.slice(authority.lastIndexOf('@') + 1).split(',');
    return hosts.flatMap((one) => at(one, usual));
  });
  if (words === 'none') return urls;
  const rest = text.replace(URL_START, ' ');
  const [, libpqHost] = /(?:^|\s)host=([a-z0-9.-]+)/i.exec(rest) ?? [];
  if (libpqHost !== undefined) {
    const [, port] = /(?:^|\s)port=(\d+)/i.exec(rest) ?? [];
    return [...urls, ...at(libpqHost, Number(port ?? SCHEME_PORTS.get('postgres')))];
  }
  const areHosts = words === 'any' && text.split(',').every((one) => HOST_PORT.test(one.trim()));
  const parts = rest.split(/[\s,;=@"'`<>()[\]{}]+/).map((part) => part.replace(/[/?].*/, ''));
  const hosts = parts.filter((part) => areHosts || part.includes(':'));
  return [...urls, ...hosts.flatMap((one) => at(one, undefined))];
}
