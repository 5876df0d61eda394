import type { Actor, ConnectionMap, PortRange } from '../network/connection-map';

/** Whoever comes in from outside: how is the controller's affair, and no policy's. */
const OUTSIDE: Actor = { name: 'outside world', namespace: undefined, ends: [] };

/** A line of the picture. */
interface Line {
  readonly from: Actor;
  readonly to: Actor;
  readonly label: string;
  /** Beyond the reach of policies. */
  readonly isOutside: boolean;
}

function linesOf({ entrances, connections }: ConnectionMap): Line[] {
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

/** The actors that a line leads to or from, in the order of the lines, with a name for each that has no other meaning. */
function idsOf(lines: readonly Line[]): Map<Actor, string> {
  const actors = new Set(lines.flatMap(({ from, to }) => [from, to]));
  return new Map([...actors].map((actor, i) => [actor, `n${i + 1}`]));
}

function byNamespace(actors: Iterable<Actor>): Map<string | undefined, Actor[]> {
  const groups = new Map<string | undefined, Actor[]>();
  for (const actor of actors) groups.set(actor.namespace, [...(groups.get(actor.namespace) ?? []), actor]);
  return groups;
}

function titleOf(namespace: string): string {
  return namespace === '' ? 'the namespace' : namespace;
}

/** A table of Markdown, its columns in line. */
export function printTable(map: ConnectionMap): string {
  const name = ({ name, namespace }: Actor) => (namespace === undefined ? name : `${name} (${namespace})`);
  const rows = [
    ['From', 'To', 'Ports'],
    ...linesOf(map).map(({ from, to, label }) => [name(from), name(to), label].map(escapeMarkdown)),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const print = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const [head = [], ...body] = rows;
  return [print(head), print(widths.map((width) => '-'.repeat(width))), ...body.map(print)].join('');
}

/** Names may hold anything before an API server has seen them. */
function oneLine(text: string): string {
  return text.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]/g, ' ');
}

/** A text that Markdown shows as it is, in a table too. */
export function escapeMarkdown(text: string): string {
  return oneLine(text).replace(/[|\\`*_<>[\]]/g, '\\$&');
}

/** A flow chart in Mermaid, each namespace of the build in a frame. */
export function printMermaid(map: ConnectionMap): string {
  const lines = linesOf(map);
  const ids = idsOf(lines);
  const quote = (text: string) => `"${oneLine(text).replace(/[#&"<>`]/g, (c) => `#${c.charCodeAt(0)};`)}"`;
  const node = (actor: Actor, indent: string) => `${indent}${ids.get(actor) ?? ''}[${quote(actor.name)}]\n`;
  const groups = [...byNamespace(ids.keys())].map(([namespace, actors], i) => {
    if (namespace === undefined) return actors.map((actor) => node(actor, '  ')).join('');
    const inside = actors.map((actor) => node(actor, '    ')).join('');
    return `  subgraph g${i}[${quote(titleOf(namespace))}]\n${inside}  end\n`;
  });
  const arrows = lines.map(
    ({ from, to, label, isOutside }) =>
      `  ${ids.get(from) ?? ''} ${isOutside ? '-.->' : '-->'}|${quote(label)}| ${ids.get(to) ?? ''}\n`,
  );
  return `flowchart LR\n${groups.join('')}${arrows.join('')}`;
}

/** Lines; with many more a good layout takes minutes, and a fair one seconds. */
const MOST_WELL_LAID = 100;
const FONT = 'fontname="Helvetica,Arial,sans-serif"';

/** The same for Graphviz, in its language DOT. */
export function printDot(map: ConnectionMap, title: string): string {
  const lines = linesOf(map);
  const ids = idsOf(lines);
  const quote = (text: string) => JSON.stringify(text);
  const node = (actor: Actor) => {
    const style =
      actor.namespace === undefined
        ? 'fillcolor="#f1f3f4" color="#80868b"'
        : 'fillcolor="#e8f0fe" color="#1a73e8"';
    return `${ids.get(actor) ?? ''} [label=${quote(actor.name)} ${style}];\n`;
  };
  const groups = [...byNamespace(ids.keys())].map(([namespace, actors], i) => {
    const inside = actors.map(node).join('');
    if (namespace === undefined) return inside;
    const label = `label=${quote(`  ${titleOf(namespace)}`)} labeljust=l`;
    return `subgraph cluster_${i} {\n${label} style="rounded,filled" color="#f3f7fe" margin=24;\n${inside}}\n`;
  });
  const arrows = lines.map(({ from, to, label, isOutside }) => {
    const style = isOutside ? 'style=dashed color="#80868b"' : 'color="#3c4043"';
    return `${ids.get(from) ?? ''} -> ${ids.get(to) ?? ''} [label=${quote(` ${label} `)} ${style}];\n`;
  });
  const layout = lines.length > MOST_WELL_LAID ? ' nslimit=0.5 nslimit1=0.5 mclimit=0.05 splines=line' : '';
  return `digraph {
graph [rankdir=LR bgcolor=white pad=0.3 nodesep=0.6 ranksep=1${layout} ${FONT} fontsize=12 label=${quote(title)} labelloc=t];
node [shape=box style="rounded,filled" ${FONT} fontsize=12 margin="0.2,0.1"];
edge [${FONT} fontsize=10 arrowsize=0.7];
${groups.join('')}${arrows.join('')}}
`;
}
