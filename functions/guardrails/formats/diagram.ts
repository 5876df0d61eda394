import type { ConnectionMap, PortRange } from '../network/connection-map';
import type { DiagramNode } from '../network/diagram-nodes';

/** All external clients of an Ingress or a Gateway. */
const OUTSIDE: DiagramNode = { name: 'outside world', namespace: undefined, ends: [] };

/** A line of a diagram. */
export interface Line {
  readonly from: DiagramNode;
  readonly to: DiagramNode;
  readonly label: string;
  /** Whether no policy of the build decides about it. */
  readonly isOutside: boolean;
}

export function linesOf({ entrances, connections }: ConnectionMap): Line[] {
  return [
    ...entrances.map(({ through, hosts, ports }) => ({
      from: OUTSIDE,
      to: through,
      label: `${hosts.join(', ')}: ${portText(ports)}`,
      isOutside: true,
    })),
    ...connections.map(({ from, to, ports }) => ({ from, to, label: portText(ports), isOutside: false })),
  ];
}

/** `TCP 443, 5432; UDP 53`. */
export function portText(ports: readonly PortRange[]): string {
  const byProtocol = new Map<string, string[]>();
  for (const { protocol, first, last } of ports) {
    const range =
      first === last ? String(first) : first === 1 && last === 65535 ? 'every port' : `${first}-${last}`;
    byProtocol.set(protocol, [...(byProtocol.get(protocol) ?? []), range]);
  }
  const all = [...byProtocol].map(([protocol, ranges]) => `${protocol} ${ranges.join(', ')}`);
  return all.length === 3 && all.every((text) => text.endsWith(' every port'))
    ? 'everything'
    : all.join('; ');
}

/** An id for each node at an end of a line, in the order of the lines: `n1`, `n2`. */
export function idsOf(lines: readonly Line[]): Map<DiagramNode, string> {
  const nodes = new Set(lines.flatMap(({ from, to }) => [from, to]));
  return new Map([...nodes].map((node, i) => [node, `n${i + 1}`]));
}

export function byNamespace(nodes: Iterable<DiagramNode>): Map<string | undefined, DiagramNode[]> {
  const groups = new Map<string | undefined, DiagramNode[]>();
  for (const node of nodes) groups.set(node.namespace, [...(groups.get(node.namespace) ?? []), node]);
  return groups;
}

/** The title of a namespace's frame. */
export function titleOf(namespace: string): string {
  return namespace === '' ? 'the namespace' : namespace;
}

/** A name on one line: before an API server has seen it, it may have any characters. */
export function oneLine(text: string): string {
  return text.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]/g, ' ');
}
