import { type Redact, printMessage } from '../findings/print';
import { type Piece, message } from '../message';

/** One exemption of a package. */
export interface ExemptionRow {
  readonly rule: string;
  /** `Deployment/web`. */
  readonly resource: string;
  /** undefined: the whole resource. */
  readonly container: string | undefined;
  /** undefined: any namespace. */
  readonly namespace?: string | undefined;
  /** The overlays whose builds have the resource. */
  readonly overlays: readonly string[];
  readonly reason: string;
  /** The last day, `YYYY-MM-DD`; undefined: it has none. */
  readonly end: string | undefined;
  /** Where it is written; undefined: not known. */
  readonly file: string | undefined;
  readonly line?: number | undefined;
}

const HEADER = ['RULE', 'RESOURCE', 'OVERLAYS', 'REASON', 'UNTIL', 'WRITTEN IN'];
const GAP = '   ';
const NOTHING = '-';

/** A table with aligned columns, each exemption on one line: the soonest end first, those without an end last. */
export function printExemptions(rows: readonly ExemptionRow[], redact: Redact): string {
  const lines = [HEADER, ...sorted(rows).map((row) => cellsOf(row).map((cell) => printCell(cell, redact)))];
  const widths = HEADER.map((_, column) =>
    lines.reduce((widest, line) => Math.max(widest, lengthOf(line[column])), 0),
  );
  const pad = (cell: string, column: number) => cell + ' '.repeat((widths[column] ?? 0) - lengthOf(cell));
  return lines.map((line) => `${line.map(pad).join(GAP).trimEnd()}\n`).join('');
}

function cellsOf({ rule, resource, container, namespace, overlays, reason, end, file, line }: ExemptionRow) {
  const part = container === undefined ? '' : message` container ${JSON.stringify(container)}`;
  const where = namespace === undefined ? '' : message` in ${namespace}`;
  const at = line === undefined ? '' : message`:${line}`;
  return [
    rule,
    message`${resource}${where}${part}`,
    overlays.length === 0 ? NOTHING : overlays.join(', '),
    reason,
    end ?? NOTHING,
    file === undefined ? NOTHING : message`${file}${at}`,
  ];
}

function printCell(cell: Piece, redact: Redact): string {
  return printMessage(message`${cell}`, redact);
}

function sorted(rows: readonly ExemptionRow[]): ExemptionRow[] {
  // A character after all digits.
  const keyOf = ({ end = '~', rule, resource, container = '', file = '', line = 0 }: ExemptionRow) =>
    [end, rule, resource, container, file, String(line).padStart(9, '0')].join('\n');
  return rows
    .map((row) => ({ row, key: keyOf(row) }))
    .sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))
    .map(({ row }) => row);
}

const CHARACTERS = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** In characters as they are shown, not in UTF-16 units. */
function lengthOf(text = ''): number {
  return /^[ -~]*$/.test(text) ? text.length : Array.from(CHARACTERS.segment(text)).length;
}
