/**
 * In place of content that a ResourceList does not carry: not a valid image reference, tag, name or number, so that no check
 * takes it for a real value.
 */
export const UNKNOWN_CONTENT = '<?>';
/** What precedes the name, in hexadecimal digits, of a file of variables whose keys are not known. */
const UNKNOWN_KEY = 'GUARDRAILS_PLACEHOLDER_';

/** A key that stands for all variables of a file; one of its own for each file, because a generator may read several. */
export function unknownKeyOf(file: string): string {
  return UNKNOWN_KEY + Buffer.from(file).toString('hex');
}

/** Whether a key, or a text, of generated data is not known. */
export function isUnknownContent(key: string, text: unknown): boolean {
  return text === UNKNOWN_CONTENT || key.startsWith(UNKNOWN_KEY);
}
