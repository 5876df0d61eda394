/**
 * Ranges that are not globally reachable, as the IANA IPv4 and IPv6 Special-Purpose Address Registries have them (IPv6 as
 * of 2024-10-22; IPv4 as of the same year): "Globally Reachable" is not True. A range in another one is not repeated, and
 * the parts of 192.0.0.0/24 and 2001::/23 that are reachable, for anycast and identifiers, stay excepted.
 * https://www.iana.org/assignments/iana-ipv4-special-registry
 * https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const SPECIAL_IPV4 = [
  '0.0.0.0/8', // this network; RFC 791
  '10.0.0.0/8', // private use; RFC 1918
  '100.64.0.0/10', // shared address space; RFC 6598
  '127.0.0.0/8', // loopback; RFC 1122
  '169.254.0.0/16', // link local, cloud metadata; RFC 3927
  '172.16.0.0/12', // private use; RFC 1918
  '192.0.0.0/24', // IETF protocol assignments; RFC 6890
  '192.0.2.0/24', // documentation; RFC 5737
  '192.88.99.0/24', // 6to4 relays, deprecated; RFC 7526
  '192.168.0.0/16', // private use; RFC 1918
  '198.18.0.0/15', // benchmarking; RFC 2544
  '198.51.100.0/24', // documentation; RFC 5737
  '203.0.113.0/24', // documentation; RFC 5737
  '224.0.0.0/4', // multicast, which has a registry of its own; RFC 5771
  '240.0.0.0/4', // reserved, and the broadcast address; RFC 1112
];
// ::ffff:0:0/96 is left out: no packet has such an address, and the API server refuses it in `except`.
const SPECIAL_IPV6 = [
  '::/128', // unspecified; RFC 4291
  '::1/128', // loopback; RFC 4291
  '64:ff9b:1::/48', // local translation of IPv4; RFC 8215
  '100::/64', // discard; RFC 6666
  '100:0:0:1::/64', // dummy; RFC 9780
  '2001::/23', // IETF protocol assignments, Teredo; RFC 2928
  '2001:db8::/32', // documentation; RFC 3849
  '2002::/16', // 6to4; RFC 3056
  '3fff::/20', // documentation; RFC 9637
  '5f00::/16', // segment routing; RFC 9602
  'fc00::/7', // unique local; RFC 4193
  'fe80::/10', // link local; RFC 4291
  'ff00::/8', // multicast, which has a registry of its own; RFC 4291
];

/** What is public, as blocks of a NetworkPolicy. */
export const INTERNET: readonly { readonly cidr: string; readonly except: readonly string[] }[] = [
  { cidr: '0.0.0.0/0', except: SPECIAL_IPV4 },
  { cidr: '::/0', except: SPECIAL_IPV6 },
];
