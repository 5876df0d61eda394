/** Longest text that is parsed again, in characters with the inserted spaces. */
const MAX_LENGTH = 50_000_000;

/** A flow collection or a quoted scalar, with the changes after which js-yaml accepts it. */
export interface Region {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly insertions: readonly Insertion[];
  /** Offsets of tabs to replace with a space. */
  readonly tabs: readonly number[];
}

/** Spaces to insert at the start of a line. */
export interface Insertion {
  readonly at: number;
  readonly width: number;
}

/** The text is invalid to Go's reader, or its copy would be too long. */
class Unreadable extends Error {}

/** The regions of a text that need a change, in order; undefined for invalid YAML. */
export function regionsOf(text: string): Region[] | undefined {
  try {
    return new Scanner(text).regions();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

/**
 * Finds flow collections and quoted scalars, with the rules of Go's scanner. The indentation of blocks counts only for
 * the ends of plain and block scalars.
 */
class Scanner {
  private readonly found: Region[] = [];
  private at = 0;
  private lineStart = 0;
  /** The columns of the open block collections. */
  private readonly indents: number[] = [];
  /** The number of open flow collections. */
  private depth = 0;
  /** Whether a key of a block mapping may start here, and whether a tab must not precede the next token. */
  private isKeyAllowed = true;
  /** The column of the token that a colon after it makes a key, or -1. */
  private key = -1;
  private regionStart = 0;
  private regionColumn = 0;
  private insertions: Insertion[] = [];
  private tabs: number[] = [];
  /** The length of the text with its insertions. */
  private length: number;

  constructor(private readonly text: string) {
    this.length = text.length;
  }

  regions(): Region[] {
    while (this.seekToken()) {
      if (this.depth === 0) this.closeBlocks();
      const c = this.text.charAt(this.at);
      if (this.column === 0 && (c === '%' || this.isMarker(this.at))) this.markerOrDirective();
      else this.token(c);
    }
    if (this.depth > 0) throw new Unreadable();
    return this.found;
  }

  private get column(): number {
    return this.at - this.lineStart;
  }

  /** The column of the innermost block collection, or -1. */
  private get indent(): number {
    return this.indents.at(-1) ?? -1;
  }

  private isMarker(at: number): boolean {
    return /^(?:---|\.\.\.)(?:[ \t\r\n]|$)/.test(this.text.slice(at, at + 4));
  }

  private isBlank(at: number): boolean {
    const c = this.text[at];
    return c === undefined || ' \t\r\n'.includes(c);
  }

  /** Moves to the next token, after whitespace and comments. */
  private seekToken(): boolean {
    for (; this.at < this.text.length; this.at++) {
      const c = this.text.charAt(this.at);
      if (c === '\n') this.nextLine(this.at + 1);
      else if (c === '\t' && (this.depth > 0 || !this.isKeyAllowed)) this.tabs.push(this.at);
      else if (c === '#') this.at = this.lineEnd(this.at) - 1;
      else if (c !== ' ' && c !== '\r') return true;
    }
    return false;
  }

  private lineEnd(at: number): number {
    const end = this.text.indexOf('\n', at);
    return end === -1 ? this.text.length : end;
  }

  private nextLine(start: number): void {
    this.lineStart = start;
    if (this.depth > 0) {
      this.indentLine();
      return;
    }
    this.isKeyAllowed = true;
    this.key = -1;
    this.tabs = [];
  }

  /** Indents the current line, which is inside a region, up to the column at which the region starts. */
  private indentLine(): void {
    if (this.isMarker(this.lineStart)) throw new Unreadable();
    let first = this.lineStart;
    while (this.text[first] === ' ') first++;
    const width = this.regionColumn - (first - this.lineStart);
    if (width <= 0 || /^\r?(?:\n|$)/.test(this.text.slice(first, first + 2))) return;
    this.insertions.push({ at: this.lineStart, width });
    this.length += width;
    if (this.length > MAX_LENGTH) throw new Unreadable();
  }

  private startRegion(): void {
    this.startNode();
    this.regionStart = this.at;
    this.regionColumn = this.column;
  }

  private endRegion(): void {
    const { regionStart: start, at: end, insertions, tabs } = this;
    if (insertions.length > 0 || tabs.length > 0) this.found.push({ start, end, insertions, tabs });
    this.insertions = [];
    this.tabs = [];
  }

  /** Notes a node of block context, which may be a key. */
  private startNode(): void {
    if (this.isKeyAllowed) this.key = this.column;
    this.isKeyAllowed = false;
  }

  private closeBlocks(): void {
    while (this.indent > this.column) this.indents.pop();
  }

  private openBlock(column: number): void {
    if (this.indent < column) this.indents.push(column);
  }

  private markerOrDirective(): void {
    const isDirective = this.text[this.at] === '%';
    if (this.depth > 0) throw new Unreadable();
    this.indents.length = 0;
    this.isKeyAllowed = false;
    this.at = isDirective ? this.lineEnd(this.at) : this.at + 3;
  }

  private token(c: string): void {
    if (this.depth === 0 && '-?:'.includes(c) && this.isBlank(this.at + 1)) this.indicator(c);
    else if (this.depth > 0 && ',?:'.includes(c)) this.at++;
    else if ('[{'.includes(c)) this.openFlow();
    else if (']}'.includes(c)) this.closeFlow();
    else if (c === '"' || c === "'") this.quoted(c);
    else if ('&*!'.includes(c)) this.property();
    else if (this.depth === 0 && '|>'.includes(c)) this.blockScalar();
    else this.plain();
  }

  /** A dash, question mark or colon of a block collection. */
  private indicator(c: string): void {
    const isAfterKey = c === ':' && this.key !== -1;
    this.openBlock(isAfterKey ? this.key : this.column);
    this.isKeyAllowed = !isAfterKey;
    this.key = -1;
    this.at++;
  }

  private openFlow(): void {
    if (this.depth === 0) this.startRegion();
    this.depth++;
    this.at++;
  }

  private closeFlow(): void {
    if (this.depth === 0) throw new Unreadable();
    this.depth--;
    this.at++;
    if (this.depth === 0) this.endRegion();
  }

  private quoted(quote: string): void {
    if (this.depth === 0) this.startRegion();
    const special = quote === '"' ? /["\\\n]/g : /['\n]/g;
    this.at++;
    for (;;) {
      special.lastIndex = this.at;
      const match = special.exec(this.text);
      if (match === null) throw new Unreadable();
      const { index, 0: c } = match;
      const next = this.text[index + 1];
      this.at = index + 1;
      if (c === '\n') {
        this.lineStart = this.at;
        this.indentLine();
      } else if (c === '\\') {
        if (next !== '\r' && next !== '\n') this.at++;
      } else if (c === "'" && next === "'") this.at++;
      else break;
    }
    if (this.depth === 0) this.endRegion();
  }

  /** An anchor, a tag or an alias. */
  private property(): void {
    if (this.depth === 0) this.startNode();
    const end = this.depth === 0 ? /[ \t\r\n]|$/g : /[ \t\r\n,[\]{}]|$/g;
    end.lastIndex = this.at;
    this.at = end.exec(this.text)?.index ?? this.text.length;
  }

  private blockScalar(): void {
    const headerEnd = this.lineEnd(this.at);
    const digit = /^[|>][-+]?([1-9])/.exec(this.text.slice(this.at, this.at + 3))?.[1];
    const indent =
      digit === undefined ? Math.max(this.indent + 1, 1) : Math.max(this.indent, 0) + Number(digit);
    this.at = headerEnd;
    while (this.at < this.text.length) {
      let first = this.at + 1;
      while (this.text[first] === ' ') first++;
      const isContent =
        first - this.at - 1 >= indent || /^\r?(?:\n|$)/.test(this.text.slice(first, first + 2));
      if (!isContent) return;
      this.at = this.lineEnd(first);
    }
  }

  private plain(): void {
    if (this.depth === 0) this.startNode();
    const end = this.depth === 0 ? /[ \t\r\n]|:(?=[ \t\r\n]|$)|$/g : /[ \t\r\n,?[\]{}]|:(?=[ \t\r\n]|$)|$/g;
    this.at++;
    for (;;) {
      end.lastIndex = this.at;
      this.at = end.exec(this.text)?.index ?? this.text.length;
      const from = this.at;
      this.skipBlanks();
      const isEnd = this.at === from || this.isBlank(this.at) || this.text[this.at] === '#';
      if (isEnd || this.isAtMarker() || (this.depth === 0 && this.column <= this.indent)) return;
    }
  }

  private isAtMarker(): boolean {
    return this.column === 0 && this.isMarker(this.at);
  }

  /** Skips the whitespace after a part of a plain scalar. */
  private skipBlanks(): void {
    const firstLine = this.lineStart;
    for (; this.at < this.text.length && this.isBlank(this.at); this.at++) {
      const c = this.text[this.at];
      if (c === '\n') this.nextLine(this.at + 1);
      if (c !== '\t') continue;
      if (this.lineStart !== firstLine && this.column <= this.indent) throw new Unreadable();
      if (this.depth > 0) this.tabs.push(this.at);
    }
  }
}
