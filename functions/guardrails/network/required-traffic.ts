import type { Connection, ConnectionEnd, Workload } from './connection';
import { ACME_SOLVER_LABELS, type ExternalPeers, type ExternalPods, INTERNET } from './external-peers';
import { type IpAddress, type IpRange, contains, readIpRange } from './ip-range';
import { append } from './multimap';
import { isInBlock } from './policy-set';
import { hasLabels } from './selector';
import { type Endpoint, type PodEndpoint, type Traffic, isPod, workloadOf } from './traffic';

/** Answers whether the connections of a topology require some traffic. */
export class RequiredTraffic {
  private readonly byPort = new Map<string, Connection[]>();
  /** By the workloads at their ends. */
  private readonly from = new Map<Workload, Connection[]>();
  private readonly to = new Map<Workload, Connection[]>();
  private readonly dns: readonly IpRange[];
  readonly ports = new Set<number>();
  /** The first port that no connection requires. */
  readonly otherPort: number;

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
    this.otherPort = this.otherPortFrom(1);
  }

  /** The first port from one on that no connection requires. */
  otherPortFrom(port: number): number {
    let other = port;
    while (this.ports.has(other)) other++;
    return other;
  }

  includes({ from, to, port, protocol }: Traffic): boolean {
    return this.candidates(from, to, `${protocol} ${port}`).some(
      (connection) =>
        connection.ports.some((one) => one.port === port && one.protocol === protocol) &&
        this.isEnd(connection.from, from) &&
        this.isEnd(connection.to, to),
    );
  }

  isDns(ip: IpAddress): boolean {
    return this.dns.some((range) => contains(range, ip));
  }

  private candidates(from: Endpoint, to: Endpoint, port: string): readonly Connection[] {
    const [source, destination] = [workloadOf(from), workloadOf(to)];
    if (destination !== undefined) return this.to.get(destination) ?? [];
    return (source === undefined ? this.byPort.get(port) : this.from.get(source)) ?? [];
  }

  private isEnd(end: ConnectionEnd, endpoint: Endpoint): boolean {
    if (!isPod(endpoint)) {
      if (end.is === 'internet') return isInternet(endpoint.ip);
      return end.is === 'dns' && this.isDns(endpoint.ip);
    }
    switch (end.is) {
      case 'workload': {
        const { namespace, selector } = end.workload;
        if (endpoint.workload !== undefined) return endpoint.workload === end.workload;
        return endpoint.namespace === namespace && hasLabels(endpoint.labels, selector);
      }
      case 'ingress-controller':
        return isExternalPeer(this.peers.ingressController, endpoint);
      case 'gateway':
        return isExternalPeer(this.peers.gateways, endpoint);
      case 'dns':
        return isExternalPeer(this.peers.dns, endpoint);
      case 'acme-solver':
        return endpoint.namespace === end.namespace && hasLabels(endpoint.labels, ACME_SOLVER_LABELS);
      case 'internet':
        return false;
    }
  }
}

function isExternalPeer({ namespace, podLabels }: ExternalPods, pod: PodEndpoint): boolean {
  return pod.namespace === namespace && hasLabels(pod.labels, podLabels);
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
