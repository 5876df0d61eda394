import type { Connection, ConnectionEnd, Workload } from './connection';
import { type ExternalPeers, podsAt } from './external-peers';
import { INTERNET } from './internet';
import { type IpAddress, type IpRange, contains, readIpRange } from './ip-range';
import { append } from './multimap';
import { isInBlock } from './policy-set';
import { hasLabels } from './selector';
import { type Endpoint, type Traffic, isPod } from './traffic';

/** Answers whether the connections of a topology require some traffic. */
export class RequiredTraffic {
  private readonly from = new Map<Workload, Connection[]>();
  private readonly to = new Map<Workload, Connection[]>();
  private readonly byPort = new Map<string, Connection[]>();
  private readonly dns: readonly IpRange[];
  readonly ports = new Set<number>();

  constructor(
    connections: readonly Connection[],
    private readonly peers: ExternalPeers,
  ) {
    this.dns = rangesOf(peers.dns.addresses);
    for (const connection of connections) {
      if (connection.from.is === 'workload') append(this.from, connection.from.workload, connection);
      if (connection.to.is === 'workload') append(this.to, connection.to.workload, connection);
      for (const { protocol, port } of connection.ports) {
        append(this.byPort, `${protocol} ${port}`, connection);
        this.ports.add(port);
      }
    }
  }

  /** The first port from one on that no connection requires. */
  otherPortFrom(port: number): number {
    let other = port;
    while (this.ports.has(other)) other++;
    return other;
  }

  includes({ from, to, port, protocol }: Traffic): boolean {
    const onPort = this.byPort.get(`${protocol} ${port}`);
    const ofSource = from.workload === undefined ? onPort : this.from.get(from.workload);
    const candidates = (to.workload === undefined ? ofSource : this.to.get(to.workload)) ?? [];
    return candidates.some(
      (connection) =>
        connection.ports.some((one) => one.port === port && one.protocol === protocol) &&
        this.isEnd(connection.from, from) &&
        this.isEnd(connection.to, to),
    );
  }

  isDns(ip: IpAddress): boolean {
    return this.dns.some((range) => contains(range, ip));
  }

  private isEnd(end: ConnectionEnd, endpoint: Endpoint): boolean {
    if (!isPod(endpoint) && end.is === 'internet') return isInternet(endpoint.ip);
    if (!isPod(endpoint) && end.is === 'addresses')
      return end.ranges.some((range) => contains(range, endpoint.ip));
    if (!isPod(endpoint)) return end.is === 'dns' && this.isDns(endpoint.ip);
    if (end.is === 'workload' && endpoint.workload !== undefined) return endpoint.workload === end.workload;
    const pods = podsAt(end, this.peers);
    return pods?.namespace === endpoint.namespace && hasLabels(endpoint.labels, pods.podLabels);
  }
}

const INTERNET_BLOCKS = INTERNET.flatMap(({ cidr, except }) =>
  rangesOf([cidr]).map((range) => ({ range, except: rangesOf(except) })),
);

export function isInternet(ip: IpAddress): boolean {
  return INTERNET_BLOCKS.some((block) => isInBlock(block, ip));
}

/** The ranges by which the configuration and the definition of the internet distinguish external addresses. */
export function externalRanges({ dns }: ExternalPeers): IpRange[] {
  return rangesOf([...INTERNET.flatMap(({ cidr, except }) => [cidr, ...except]), ...dns.addresses]);
}

export function rangesOf(cidrs: readonly string[]): IpRange[] {
  return cidrs.flatMap((cidr) => readIpRange(cidr) ?? []);
}
