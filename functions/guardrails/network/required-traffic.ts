import { type PodEndpoint, type Traffic, isInBlock, isPod } from './evaluate';
import { type IpRange, contains, readIpRange } from './ip-range';
import { ACME_SOLVER_LABELS, type ExternalPods, INTERNET, type ExternalPeers } from './external-peers';
import { type End, append } from './pods';
import { hasLabels } from './selector';
import type { Connection, Party, Workload } from './topology';

/** What a topology needs, as a question. */
export class RequiredTraffic {
  private readonly byPort = new Map<string, Connection[]>();
  /** By the workloads at their ends. */
  private readonly from = new Map<Workload, Connection[]>();
  private readonly to = new Map<Workload, Connection[]>();
  private readonly dns: readonly IpRange[];
  readonly ports = new Set<number>();
  /** A port that nobody needs. */
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
    let other = 1;
    while (this.ports.has(other)) other++;
    this.otherPort = other;
  }

  includes({ from, to, port, protocol }: Traffic): boolean {
    return this.candidates(from, to, `${protocol} ${port}`).some(
      (connection) =>
        connection.ports.some((one) => one.port === port && one.protocol === protocol) &&
        this.isParty(connection.from, from) &&
        this.isParty(connection.to, to),
    );
  }

  private candidates(from: End, to: End, port: string): readonly Connection[] {
    const list =
      to.workload !== undefined
        ? this.to.get(to.workload)
        : from.workload !== undefined
          ? this.from.get(from.workload)
          : this.byPort.get(port);
    return list ?? [];
  }

  isDns(ip: string): boolean {
    return this.dns.some((range) => contains(range, ip));
  }

  private isParty(party: Party, end: End): boolean {
    if (!isPod(end)) {
      if (party.is === 'internet') return isInternet(end.ip);
      return party.is === 'dns' && this.isDns(end.ip);
    }
    switch (party.is) {
      case 'workload':
        if (end.workload !== undefined) return end.workload === party.workload;
        return end.namespace === party.workload.namespace && hasLabels(end.labels, party.workload.selector);
      case 'ingress-controller':
        return isForeign(this.peers.ingressController, end);
      case 'gateway':
        return isForeign(this.peers.gateways, end);
      case 'dns':
        return isForeign(this.peers.dns, end);
      case 'acme-solver':
        return end.namespace === party.namespace && hasLabels(end.labels, ACME_SOLVER_LABELS);
      case 'internet':
        return false;
    }
  }
}

function isForeign({ namespace, podLabels }: ExternalPods, end: PodEndpoint): boolean {
  return end.namespace === namespace && hasLabels(end.labels, podLabels);
}

const INTERNET_BLOCKS = INTERNET.flatMap(({ cidr, except }) =>
  rangesOf([cidr]).map((range) => ({ range, except: rangesOf(except) })),
);

export function isInternet(ip: string): boolean {
  return INTERNET_BLOCKS.some((block) => isInBlock(block, ip));
}

/** What the configuration and the internet's bounds tell addresses apart by. */
export function outsideRanges({ dns }: ExternalPeers): IpRange[] {
  return rangesOf([...INTERNET.flatMap(({ cidr, except }) => [cidr, ...except]), ...dns.addresses]);
}

export function rangesOf(cidrs: readonly string[]): IpRange[] {
  return cidrs.flatMap((cidr) => readIpRange(cidr) ?? []);
}
