import { IpAddress, type IpRange, contains, hostRange, readIpRange } from './ip-range';
import { isInternet } from './required-traffic';

/** What a host name or an address means to a pod that connects to it. */
export type Host =
  /** A Service of the cluster, by a name that has its namespace. */
  | { readonly is: 'service'; readonly name: string; readonly namespace: string }
  /** A Service of the pod's own namespace. */
  | { readonly is: 'local'; readonly name: string }
  | { readonly is: 'internet' }
  /** An address, or a name, of a private network. */
  | { readonly is: 'private' };

/** Loopback, and the unspecified addresses that a server listens on. */
const OWN_ADDRESSES = ['127.0.0.0/8', '::1/128', '0.0.0.0/8', '::/128'].flatMap(
  (cidr) => readIpRange(cidr) ?? [],
);
/** RFC 1123, and the underscores of containers' links; one letter at least. */
const NAME = /^(?=.{1,253}$)(?=.*[a-z])[a-z0-9_][a-z0-9_-]{0,62}(?:\.[a-z0-9_][a-z0-9_-]{0,62})*$/;
/** Suffixes of private networks (RFC 6762 with its appendix G, RFC 8375, ICANN for `internal`, Consul). */
const PRIVATE = /\.(?:local|internal|home\.arpa|intranet|private|corp|home|lan|consul)$/;
/** Top-level domains that are no usual names of namespaces (IANA, Root Zone Database). */
const PUBLIC_DOMAINS = new Set(
  (
    'com net org edu gov mil int info biz xyz io ai co me sh us uk de fr eu nl ch at it es pl se no dk fi be cz pt ie ' +
    'jp cn kr in sg hk tw au nz ca br mx ar cl ru ua tr za il ae tv cc to ly gg so gl fm im is li lu hu ro gr sk si'
  ).split(' '),
);
/** Others, which are names of namespaces as well: public after two other labels. */
const OTHER_PUBLIC_DOMAINS = new Set(
  (
    'app dev cloud online site tech systems network solutions services digital software tools store shop pro page run ' +
    'zone live media email name example'
  ).split(' '),
);

/** undefined: the pod itself, or not a host. */
export function readHost(text: string): Host | undefined {
  const ip = new IpAddress(text.replace(/^\[(.*)\]$/, '$1'));
  if (hostRange(ip) !== undefined) {
    if (OWN_ADDRESSES.some((range) => contains(range, ip))) return undefined;
    return { is: isInternet(ip) ? 'internet' : 'private' };
  }
  const host = text.toLowerCase().replace(/\.$/, '');
  if (!NAME.test(host) || /(?:^|\.)localhost$/.test(host)) return undefined;
  const labels = host.split('.');
  const [name = '', namespace] = labels;
  if (namespace === undefined) return { is: 'local', name };
  return serviceIn(labels) ?? { is: PRIVATE.test(host) ? 'private' : 'internet' };
}

/**
 * `name.namespace`, `name.namespace.svc` and what may follow, or one of these after the name of a pod
 * (kubernetes.io/docs, DNS for Services and Pods); undefined where the last label is a domain of other networks.
 */
function serviceIn(labels: readonly string[]): Host | undefined {
  const svc = labels.indexOf('svc', 2);
  const [name = '', namespace = ''] = svc > 0 ? labels.slice(svc - 2, svc) : labels.slice(-2);
  const service = { is: 'service', name, namespace } as const;
  if (svc > 0) return service;
  const [last = '', isLong] = [labels.at(-1), labels.length > 2];
  const isOther = PUBLIC_DOMAINS.has(last) || (isLong && OTHER_PUBLIC_DOMAINS.has(last));
  return labels.length > 3 || isOther || PRIVATE.test(labels.join('.')) ? undefined : service;
}

/** The range of an address or of a CIDR text, in brackets or not; undefined for a name. */
export function readRange(text: string): IpRange | undefined {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  return readIpRange(bare) ?? hostRange(new IpAddress(bare));
}
