import type { ConnectionMap } from '../network/connection-map';
import { type Redact, escapeText } from '../findings/print';
import { diagramOf } from './diagram';

/** A table in Markdown, with aligned columns. */
export function printTable(map: ConnectionMap, redact: Redact): string {
  const name = ({ name, namespace }: { name: string; namespace: string | undefined }) =>
    namespace === undefined ? name : `${name} (${namespace})`;
  const rows = [
    ['From', 'To', 'Ports'],
    ...diagramOf(map, redact).lines.map(({ from, to, label }) =>
      [name(from), name(to), label].map(escapeCell),
    ),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const print = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const [head = [], ...body] = rows;
  return [print(head), print(widths.map((width) => '-'.repeat(width))), ...body.map(print)].join('');
}

/** A text in a cell. Readers of Markdown differ on a `|` after a backslash, so that has a code there. */
function escapeCell(text: string): string {
  return escapeMarkdown(text).replace(/\\?\|/g, (end) => (end === '|' ? '\\|' : '\\\\u{7c}'));
}

/** Characters of ordinary names; of these, Markdown obeys only `_` and `*`. */
const ORDINARY = /^[\p{L}\p{N} .,:;/()_*=+-]*$/u;
/** Of such characters: links and emoji. */
const OBEYED = /:\/\/|www\.|:[\w+-]+:/i;

/** A text that Markdown shows literally: as code, where it may be a link, a mention, an emoji, math or HTML. */
export function escapeMarkdown(text: string): string {
  const line = escapeText(text);
  if (ORDINARY.test(line) && !OBEYED.test(line)) return line.replace(/[_*]/g, '\\$&');
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  return `${fence} ${line} ${fence}`;
}
