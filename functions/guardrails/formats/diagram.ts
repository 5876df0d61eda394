import { type Redact, escapeText } from '../findings/print';
import type { ConnectionMap, PortRange } from '../network/connection-map';
import type { DiagramNode } from '../network/diagram-nodes';
import { append } from '../network/multimap';

/** All external clients of an Ingress or a Gateway. */
const OUTSIDE: DiagramNode = { name: 'outside world', namespace: undefined, ends: [] };

/** A node with an id in the order of the lines: `n1`, `n2`. */
interface Box extends Pick<DiagramNode, 'name' | 'namespace'> {
  readonly id: string;
}

/**
 * The lines of a diagram, and the boxes of each namespace of the build; those outside of them have no title. Its texts
 * are redacted and on one line: before an API server has seen a name, it may have any characters.
 */
export function diagramOf({ entrances, connections }: ConnectionMap, redact: Redact) {
  const textOf = (text: string) => escapeText(redact(text));
  const boxes = new Map<DiagramNode, Box>();
  const boxOf = (node: DiagramNode) => {
    const { name, namespace } = node;
    const box = boxes.get(node) ?? {
      id: `n${boxes.size + 1}`,
      name: textOf(name),
      namespace: namespace === undefined ? undefined : textOf(namespace),
    };
    boxes.set(node, box);
    return box;
  };
  // No policy of the build decides about these.
  const fromOutside = entrances.map(({ through, hosts, ports }) => {
    const label = `${textOf(hosts.join(', '))}: ${portText(ports)}`;
    return { from: boxOf(OUTSIDE), to: boxOf(through), label, isOutside: true };
  });
  const inside = connections.map(({ from, to, ports }) => {
    return { from: boxOf(from), to: boxOf(to), label: portText(ports), isOutside: false };
  });
  const byNamespace = new Map<string | undefined, Box[]>();
  for (const box of boxes.values()) append(byNamespace, box.namespace, box);
  const frames = [...byNamespace].map(([namespace, boxes]) => ({
    title: namespace === '' ? 'the namespace' : namespace,
    boxes,
  }));
  return { lines: [...fromOutside, ...inside], frames };
}

/** `TCP 443, 5432; UDP 53`. */
export function portText(ports: readonly PortRange[]): string {
  const byProtocol = new Map<string, string[]>();
  for (const { protocol, first, last } of ports) {
    const range = first === 1 && last === 65535 ? 'every port' : `${first}-${last}`;
    append(byProtocol, protocol, first === last ? String(first) : range);
  }
  const all = [...byProtocol].map(([protocol, ranges]) => `${protocol} ${ranges.join(', ')}`);
  const isEverything = all.length === 3 && all.every((text) => text.endsWith(' every port'));
  return isEverything ? 'everything' : all.join('; ');
}
