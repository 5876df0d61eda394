import type { ConnectionMap } from '../network/connection-map';
import type { Redact } from '../findings/print';
import { diagramOf } from './diagram';

/** A flow chart in Mermaid, with a frame for each namespace of the build. */
export function printMermaid(map: ConnectionMap, redact: Redact): string {
  const { lines, frames } = diagramOf(map, redact);
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

/** A text in quotes, with a code for each character that Mermaid, or the Markdown and HTML in its labels, may obey. */
function quote(text: string): string {
  return `"${text.replace(/[^\p{L}\p{N} .,:;/()_*=+-]/gu, (c) => `#${c.codePointAt(0) ?? 0};`)}"`;
}
