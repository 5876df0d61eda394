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

/** What Mermaid obeys even as codes, which it reads first: a line break, a formula, an icon. */
const OBEYED_AS_CODES = /\\(?=n)|\$(?=\$)|(?<=fa[bklrs]?):(?=fa-)/g;
/** What Mermaid, or the Markdown and HTML in its labels, may obey; a colon before other text, as in a style. */
const OBEYED = /[^\p{L}\p{N} .,:;/()_*=+-]|:(?! )/gu;

/** A text in quotes, with a code for each character that may be obeyed. */
function quote(text: string): string {
  const inert = text.replace(OBEYED_AS_CODES, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
  return `"${inert.replace(OBEYED, (c) => `#${c.codePointAt(0) ?? 0};`)}"`;
}
