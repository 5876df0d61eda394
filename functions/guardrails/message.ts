/** A piece of a message that comes from the input: a name, a path, a value. */
export class Quoted {
  /** @param limit characters that are printed of it at most */
  constructor(
    readonly text: string,
    readonly limit = 200,
  ) {}
}

/**
 * A message in parts: words of the function as strings, pieces of the input as `Quoted`. `findings/print.ts` makes text
 * of it, with the pieces redacted, shortened and escaped; nothing else does.
 */
export class Message {
  constructor(readonly parts: readonly (string | Quoted)[]) {}

  /** The text as it is, for comparisons; never for output. */
  get raw(): string {
    return this.parts.map((part) => (typeof part === 'string' ? part : part.text)).join('');
  }
}

/** What a template may hold. A string is text of the input. */
export type Piece = string | number | Message;

/** Template tag that makes a message: message`${file} is not valid UTF-8`. */
export function message(words: TemplateStringsArray, ...pieces: readonly Piece[]): Message {
  const parts = words.flatMap((text, i) => [text, ...(i < pieces.length ? partsOf(pieces[i] ?? '') : [])]);
  return new Message(parts.filter((part) => part !== ''));
}

function partsOf(piece: Piece): readonly (string | Quoted)[] {
  if (piece instanceof Message) return piece.parts;
  return [typeof piece === 'number' ? String(piece) : new Quoted(piece)];
}

/** Words of the function that no template holds, such as a list of what is allowed. */
export function words(text: string): Message {
  return new Message([text]);
}

export function joinMessages(pieces: readonly Piece[], separator: string): Message {
  return new Message(pieces.flatMap((one, i) => [...(i === 0 ? [] : [separator]), ...partsOf(one)]));
}

/** The output of another program, line by line, up to 2,000 characters a line: the cause comes last in a long one. */
export function outputOf(text: string): Message {
  const lines = text.trim().split(/\r?\n/);
  return joinMessages(
    lines.map((line) => new Message([new Quoted(line, 2000)])),
    '\n  ',
  );
}
