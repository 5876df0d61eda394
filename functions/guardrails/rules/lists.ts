import { type Message, type Piece, joinMessages, message } from '../message';

/** How many of a list a message names. */
export const NAMED = 3;

/** `a`, `a and b`, `a, b and c`, `a, b, c and 2 more`. */
export function listOf(pieces: readonly Piece[]): Message {
  const more = pieces.length - NAMED;
  if (more > 0) return message`${joinMessages(pieces.slice(0, NAMED), ', ')} and ${more} more`;
  const [last = ''] = pieces.slice(-1);
  return pieces.length < 2
    ? message`${last}`
    : message`${joinMessages(pieces.slice(0, -1), ', ')} and ${last}`;
}
