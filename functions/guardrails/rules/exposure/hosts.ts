import type { YamlValue } from '../../yaml/yaml';

/**
 * Suffixes that no public certificate authority can certify: RFC 6761 and 6762 with its appendix G, RFC 8375, ICANN for
 * `internal`, and the names of a cluster.
 */
const PRIVATE =
  /(?:^|\.)(?:local|localhost|test|internal|example|invalid|localdomain|home\.arpa|intranet|private|corp|home|lan|svc)$/;
/** Names that resolve to the address that they hold, or to loopback: for development. */
const DEVELOPMENT = /\.(?:nip\.io|sslip\.io|xip\.io|localtest\.me|lvh\.me|vcap\.me)$/;
/** A host of the public: letters, digits, hyphens and dots, perhaps after a `*`. */
const PUBLIC = /^(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;
const ADDRESS = /^[\d.]+$|:/;

/** Whether a host is a name that certificates are issued for: no variable, address or name of a private network. */
export function isPublicHost(host: YamlValue | undefined): host is string {
  if (typeof host !== 'string') return false;
  const name = host.toLowerCase().replace(/\.$/, '');
  if (!PUBLIC.test(name) || ADDRESS.test(name)) return false;
  return !PRIVATE.test(name) && !DEVELOPMENT.test(name);
}

/** Whether one of some hosts, which may start with `*.`, covers a host. */
export function covers(hosts: ReadonlySet<string>, host: string): boolean {
  const name = host.toLowerCase();
  return hosts.has(name) || hosts.has(name.replace(/^[^.]+/, '*'));
}
