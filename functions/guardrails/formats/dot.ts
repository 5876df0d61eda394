import type { ConnectionMap } from '../network/connection-map';
import { type Redact, escapeText } from '../findings/print';
import { diagramOf } from './diagram';

/** Lines; with more, the best layout of Graphviz takes minutes, and a simpler one seconds. */
const MOST_LINES = 100;
const FONT = 'fontname="Helvetica,Arial,sans-serif"';

/** A graph in DOT, the language of Graphviz, with a frame for each namespace of the build. */
export function printDot(map: ConnectionMap, heading: string, redact: Redact): string {
  const { lines, frames } = diagramOf(map, redact);
  const groups = frames.map(({ title, boxes }, i) => {
    const [fill, border] = title === undefined ? ['#f1f3f4', '#80868b'] : ['#e8f0fe', '#1a73e8'];
    const style = `fillcolor="${fill}" color="${border}"`;
    const inside = boxes.map(({ id, name }) => `${id} [label=${quote(name)} ${style}];\n`).join('');
    if (title === undefined) return inside;
    const label = `label=${quote(`  ${title}`)} labeljust=l`;
    return `subgraph cluster_${i} {\n${label} style="rounded,filled" color="#f3f7fe" margin=24;\n${inside}}\n`;
  });
  const arrows = lines.map(({ from, to, label, isOutside }) => {
    const style = isOutside ? 'style=dashed color="#80868b"' : 'color="#3c4043"';
    return `${from.id} -> ${to.id} [label=${quote(` ${label} `)} ${style}];\n`;
  });
  const layout = lines.length > MOST_LINES ? ' nslimit=0.5 nslimit1=0.5 mclimit=0.05 splines=line' : '';
  return `digraph {
graph [rankdir=LR bgcolor=white pad=0.3 nodesep=0.6 ranksep=1${layout} ${FONT} fontsize=12 label=${quote(escapeText(redact(heading)))} labelloc=t];
node [shape=box style="rounded,filled" ${FONT} fontsize=12 margin="0.2,0.1"];
edge [${FONT} fontsize=10 arrowsize=0.7];
${groups.join('')}${arrows.join('')}}
`;
}

/** A text in quotes; Graphviz reads character references in it. */
function quote(text: string): string {
  return JSON.stringify(text.replaceAll('&', '&amp;'));
}
