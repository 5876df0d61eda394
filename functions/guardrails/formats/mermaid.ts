import type { ConnectionMap } from '../network/connection-map';
import { diagramOf, oneLine } from './diagram';

/** A flow chart in Mermaid, with a frame for each namespace of the build. */
export function printMermaid(map: ConnectionMap): string {
  const { lines, frames } = diagramOf(map);
  const quote = (text: string) => `"${oneLine(text).replace(/[#&"<>`]/g, (c) => `#${c.charCodeAt(0)};`)}"`;
  const groups = frames.map(({ title, boxes }, i) => {
    const indent = title === undefined ? '  ' : '    ';
    const inside = boxes.map(({ id, name }) => `${indent}${id}[${quote(name)}]\n`).join('');
    return title === undefined ? inside : `  subgraph g${i}[${quote(title)}]\n${inside}  end\n`;
  });
  const arrows = lines.map(
    ({ from, to, label, isOutside }) =>
      `  ${from.id} ${isOutside ? '-.->' : '-->'}|${quote(label)}| ${to.id}\n`,
  );
  return `flowchart LR\n${groups.join('')}${arrows.join('')}`;
}
