import { type Message, message, words } from '../../message';
import { objectAt } from '../../yaml/yaml';
import type { ConnectionEnd, Port, Workload } from '../connection';
import { EXTERNAL_PEERS } from '../external-peers';
import { IpAddress, contains, hostRange, readIpRange } from '../ip-range';
import type { Source, TopologyBuilder } from '../topology-builder';

/** Nameservers of a pod listen on it: resolv.conf cannot give another one (man 5 resolv.conf). */
const NAMESERVER_PORTS = [53];
/** Within the pod, where no policy applies. */
const LOOPBACK = ['127.0.0.0/8', '::1/128'].flatMap((cidr) => readIpRange(cidr) ?? []);

/** Every pod resolves names: by the DNS servers of the cluster, or by the nameservers of its pods. */
export const readDns: Source<Workload> = (workload, topology) => {
  if (workload.usesHostNetwork) return;
  const { pod } = workload;
  const { dnsPolicy } = pod.value;
  if (dnsPolicy === 'None') {
    connectToNameservers(workload, topology);
    return;
  }
  if (dnsPolicy === 'Default') addNodeResolver(workload, topology);
  const reason = words('every pod must resolve names');
  const ports = bothProtocols(topology.peers.dns.ports);
  addNameService(workload, { is: 'dns' }, ports, reason, topology);
};

/**
 * With dnsPolicy Default, pods use the DNS servers of their node, which the configuration or an annotation names.
 * https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy
 */
function addNodeResolver(workload: Workload, topology: TopologyBuilder): void {
  const { opened } = topology.declarationsOf(workload);
  const isConfigured = topology.peers.dns.addresses !== EXTERNAL_PEERS.dns.addresses;
  if (isConfigured || opened.opensAddresses(NAMESERVER_PORTS)) return;
  const key = words(topology.annotations.connectsTo);
  topology.addNeed({
    workload,
    direction: 'egress',
    evidence: words('dnsPolicy Default means the DNS servers of its nodes, whose addresses are not known'),
    field: [...workload.pod.path, 'dnsPolicy'],
    answer: message`add them to spec.network.dns.addresses of the configuration, or to ${key}, such as 10.0.0.2:53/UDP`,
  });
}

/** https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-dns-config */
function connectToNameservers(workload: Workload, topology: TopologyBuilder): void {
  const { value, path } = workload.pod;
  const { nameservers } = objectAt(value, 'dnsConfig');
  const listed = Array.isArray(nameservers) ? nameservers : [];
  const known = listed.flatMap((one) =>
    typeof one === 'string' ? (hostRange(new IpAddress(one)) ?? []) : [],
  );
  if (known.length === 0 || known.length < listed.length)
    topology.report(
      { at: workload, field: [...path, 'dnsConfig', 'nameservers'] },
      words('has dnsPolicy None without valid nameservers, which the API server refuses'),
      'list the addresses of DNS servers under dnsConfig.nameservers',
    );
  const ranges = known.filter(
    ({ version, first }) => !LOOPBACK.some((one) => contains(one, { version, value: first })),
  );
  if (ranges.length === 0) return;
  const reason = words('its dnsConfig names the nameservers');
  const to = { is: 'addresses', ranges, name: words('its nameserver') } as const;
  addNameService(workload, to, bothProtocols(NAMESERVER_PORTS), reason, topology);
}

/** Pods that no policy can select alone need it too: a policy for all pods of their namespace may allow it. */
function addNameService(
  workload: Workload,
  to: ConnectionEnd,
  ports: readonly Port[],
  reason: Message,
  { connections }: TopologyBuilder,
): void {
  connections.push({ from: { is: 'workload', workload }, to, ports, reason, cause: words('DNS') });
}

function bothProtocols(ports: readonly number[]): Port[] {
  return ports.flatMap((port) => (['UDP', 'TCP'] as const).map((protocol) => ({ protocol, port })));
}
