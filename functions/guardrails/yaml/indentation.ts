import { type Event, YAMLException } from 'js-yaml';
import type { YamlNode } from './nodes';
import { type Insertion, type Region, regionsOf } from './regions';

const OFFSETS = [
  'start',
  'valueStart',
  'valueEnd',
  'anchorStart',
  'anchorEnd',
  'tagStart',
  'tagEnd',
] as const;

/** Parses a text, and builds nodes of its events after they are moved. */
type Read = (source: string, move: (event: Event) => Event) => (YamlNode | null)[];

/**
 * Reads a text with flow collections and quoted scalars whose lines are indented less than their block, or with tabs.
 * YAML 1.2 refuses these, and so does js-yaml; Go's readers ignore indentation there (go.yaml.in/yaml, scannerc.go).
 * If js-yaml refuses the text for that, it parses a copy in which these lines are indented.
 *
 * @param read must build nodes of the original text
 * @throws YAMLException invalid YAML, with the offset in the original text
 */
export function readWithAnyIndentation(text: string, read: Read): (YamlNode | null)[] {
  try {
    return read(text, (event) => event);
  } catch (error) {
    if (!(error instanceof YAMLException) || error.reason !== 'deficient indentation') throw error;
    const position = error.mark?.position ?? 0;
    const regions = regionsOf(text) ?? [];
    const refused = regions.find(({ start, end }) => start < position && position < end);
    if (refused === undefined) throw error;
    const copy = new IndentedCopy(text, regions);
    const documents = copy.read(read, error, refused);
    if (!areNodes(regions, documents)) throw error;
    return documents;
  }
}

/** Whether each region is a node: then its changes are to whitespace without a meaning, whatever the scanner saw. */
function areNodes(regions: readonly Region[], documents: readonly (YamlNode | null)[]): boolean {
  const ends = new Map<number, number>();
  const collect = (node: YamlNode | null): void => {
    if (node === null || node.kind === 'alias') return;
    if (node.kind === 'scalar' ? !node.plain : node.flow) ends.set(node.start, node.end);
    if (node.kind === 'sequence') node.items.forEach(collect);
    if (node.kind === 'mapping') node.entries.flatMap(({ key, value }) => [key, value]).forEach(collect);
  };
  documents.forEach(collect);
  return regions.every(({ start, end }) => ends.get(start) === end);
}

/** A text with the changes of its regions. */
class IndentedCopy {
  private readonly source: string;
  private readonly insertions: readonly Insertion[];
  /** For each insertion, the offset in the copy at which it starts. */
  private readonly starts: number[] = [];

  constructor(
    private readonly text: string,
    regions: readonly Region[],
  ) {
    this.insertions = regions.flatMap(({ insertions }) => insertions);
    let spaced = '';
    let end = 0;
    for (const tab of regions.flatMap(({ tabs }) => tabs)) {
      spaced += `${text.slice(end, tab)} `;
      end = tab + 1;
    }
    spaced += text.slice(end);
    const parts: string[] = [];
    let [from, inserted] = [0, 0];
    for (const { at, width } of this.insertions) {
      parts.push(spaced.slice(from, at), ' '.repeat(width));
      this.starts.push(at + inserted);
      from = at;
      inserted += width;
    }
    this.source = [...parts, spaced.slice(from)].join('');
  }

  /** @throws YAMLException the first error, unless the region of that is valid now and the text after it is not */
  read(read: Read, first: YAMLException, refused: Region): (YamlNode | null)[] {
    try {
      return read(this.source, (event) => this.moved(event));
    } catch (error) {
      if (!(error instanceof YAMLException) || error.mark === undefined) throw error;
      const position = this.original(error.mark.position);
      const lineEnd = this.text.indexOf('\n', refused.end);
      if (lineEnd === -1 || position <= lineEnd) throw first;
      throw new YAMLException(error.reason, { ...error.mark, position });
    }
  }

  /** An event with the offsets of the original text. */
  private moved(event: Event): Event {
    const moved: Event & Partial<Record<(typeof OFFSETS)[number], number>> = { ...event };
    for (const name of OFFSETS) {
      const offset = moved[name];
      if (offset !== undefined && offset !== -1) moved[name] = this.original(offset);
    }
    return moved;
  }

  private original(offset: number): number {
    let [low, high] = [0, this.starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.starts[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    const last = this.insertions[low - 1];
    const start = this.starts[low - 1];
    if (last === undefined || start === undefined) return offset;
    return last.at + Math.max(0, offset - start - last.width);
  }
}
