import type { ConnectionMap } from '../network/connection-map';
import type { DiagramNode } from '../network/diagram-nodes';
import { diagramOf, oneLine } from './diagram';

/** A table in Markdown, with aligned columns. */
export function printTable(map: ConnectionMap): string {
  const name = ({ name, namespace }: DiagramNode) =>
    namespace === undefined ? name : `${name} (${namespace})`;
  const rows = [
    ['From', 'To', 'Ports'],
    ...diagramOf(map).lines.map(({ from, to, label }) => [name(from), name(to), label].map(escapeMarkdown)),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const print = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const [head = [], ...body] = rows;
  return [print(head), print(widths.map((width) => '-'.repeat(width))), ...body.map(print)].join('');
}

/** A text that Markdown shows literally, also in a table. */
export function escapeMarkdown(text: string): string {
  return oneLine(text).replace(/[|\\`*_<>[\]]/g, '\\$&');
}
