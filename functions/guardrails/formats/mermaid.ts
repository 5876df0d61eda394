import type { ConnectionMap } from '../network/connection-map';
import type { DiagramNode } from '../network/diagram-nodes';
import { byNamespace, idsOf, linesOf, oneLine, titleOf } from './diagram';

/** A flow chart in Mermaid, with a frame for each namespace of the build. */
export function printMermaid(map: ConnectionMap): string {
  const lines = linesOf(map);
  const ids = idsOf(lines);
  const quote = (text: string) => `"${oneLine(text).replace(/[#&"<>`]/g, (c) => `#${c.charCodeAt(0)};`)}"`;
  const node = (one: DiagramNode, indent: string) => `${indent}${ids.get(one) ?? ''}[${quote(one.name)}]\n`;
  const groups = [...byNamespace(ids.keys())].map(([namespace, nodes], i) => {
    if (namespace === undefined) return nodes.map((one) => node(one, '  ')).join('');
    const inside = nodes.map((one) => node(one, '    ')).join('');
    return `  subgraph g${i}[${quote(titleOf(namespace))}]\n${inside}  end\n`;
  });
  const arrows = lines.map(
    ({ from, to, label, isOutside }) =>
      `  ${ids.get(from) ?? ''} ${isOutside ? '-.->' : '-->'}|${quote(label)}| ${ids.get(to) ?? ''}\n`,
  );
  return `flowchart LR\n${groups.join('')}${arrows.join('')}`;
}
