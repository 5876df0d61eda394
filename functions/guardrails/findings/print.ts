import { GuardrailsError } from '../errors';
import { isKustomizationFile } from '../krm/item';
import { type Message, message, words } from '../message';
import { formatPath } from '../yaml/field-path';
import type { Finding, Source, Suppression } from './finding';

/** Replaces the values of Secrets in a text. */
export type Redact = (text: string) => string;

/**
 * Control characters, line breaks, and what hides or reorders the text around it (Unicode "Cc", "Zl", "Zp", "Cf"); and
 * what is no character, which XML may not hold.
 */
const INVISIBLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}\p{Cs}\p{Noncharacter_Code_Point}]/gu;

/** The text of a message as it leaves the process: pieces of the input are redacted, shortened and escaped. */
export function printMessage({ parts }: Message, redact: Redact): string {
  const text = parts
    .map((part) => (typeof part === 'string' ? part : escapeText(shorten(redact(part.text), part.limit))))
    .join('');
  // GitHub Actions obeys `::error` at the start of a line, and `##[error]` anywhere.
  return text.replace(/^([^\S\n\r\u2028\u2029]*)::(?=[a-z])/gim, '$1\\u{3a}:').replaceAll('##[', '#\\u{23}[');
}

/** A text of the input on one line, with nothing in it that a terminal obeys. */
export function escapeText(text: string): string {
  return text.replace(INVISIBLE, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Keeps the start and the end: the end of an image reference or of an error is the most useful part. */
function shorten(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit / 2)}...${text.slice(-limit / 2)}`;
}

/** `overlays/prod: Deployment/web container "web" is privileged (base/web.yaml:12); remove the field privileged`. */
export function messageOf({ overlays, resource, problem, remedy, suppression, source }: Finding): Message {
  const builds = overlays.length === 0 ? '' : message`${overlays.join(', ')}: `;
  const name = resource?.name ? message`/${resource.name}` : '';
  const subject = resource === undefined ? '' : message`${resource.kind}${name} `;
  const where = source === undefined ? '' : message` (${sourceText(source)})`;
  const end = endOf(suppression) ?? remedy;
  return message`${builds}${subject}${problem}${where}${end === undefined ? '' : message`; ${end}`}`;
}

function endOf(suppression: Suppression | undefined): Message | undefined {
  if (suppression?.by === 'exemption') return message`exempt: ${suppression.reason}`;
  return suppression && words('the configuration turns this rule off here');
}

/** `base/web.yaml:12`, or `overlays/prod/kustomization.yaml:7, patches[0]`. */
function sourceText({ file, line, entry }: Source): Message {
  const at = line === undefined ? '' : message`:${line}`;
  const part = entry === undefined || !isKustomizationFile(file) ? '' : message`, ${formatPath(entry)}`;
  return message`${file}${at}${part}`;
}

export const TOO_MANY_OPEN = 'the limit of open files is too low; raise it with `ulimit -n 1024`';
/** Errors of the system that no place of the package causes: code, and the system call where the code alone is not enough. */
const SYSTEM_ERRORS: ReadonlyMap<string, string> = new Map([
  ['EMFILE', TOO_MANY_OPEN],
  ['ENFILE', 'the limit of open files of the system is reached; end other programs, or raise the limit'],
  ['ENOENT uv_cwd', 'the current directory does not exist; change to one that does'],
  ['ENOSPC write', 'the output cannot be written: the device is full (ENOSPC)'],
]);

/** What is printed of an error. The message of an unexpected one may quote a Secret, so it is left out. */
export function describeError(error: unknown): { text: Message; exitCode: 2 | 3 } {
  if (error instanceof GuardrailsError) return { text: error.text, exitCode: error.exitCode };
  const { name, message: text, code = '', syscall, stack = '' } = error as NodeJS.ErrnoException;
  const known =
    syscall === undefined ? undefined : (SYSTEM_ERRORS.get(`${code} ${syscall}`) ?? SYSTEM_ERRORS.get(code));
  // Node.js 24 gives errors of rmSync no code.
  const hasTooManyOpen = code === '' && text.includes('Too many open files');
  if (known !== undefined || hasTooManyOpen) return { text: words(known ?? TOO_MANY_OPEN), exitCode: 2 };
  const system = code === '' ? '' : ` ${code}${syscall === undefined ? '' : ` in ${syscall}`}`;
  const head = `${name}: ${text}\n`;
  const frame = stack.startsWith(head) ? /^\s+at (\S+)/.exec(stack.slice(head.length))?.[1] : undefined;
  const at = frame === undefined ? '' : ` at ${frame}`;
  return { text: message`internal error: ${name}${system}${at}`, exitCode: 2 };
}
