import { isNear } from './spelling';

/**
 * Whether a name is most likely another one misspelt: one of its parts has one letter more, less or changed, two letters
 * swapped or, in a long one, two typos; or a hyphen is missing. Parts that differ in digits, and short ones, distinguish
 * names: `db-1` and `db-2`, `app-a` and `app-b`.
 */
export function isMisspelt(name: string, known: string): boolean {
  if (name === known || name === '' || known === '') return false;
  if (name.length > MOST_LETTERS || known.length > MOST_LETTERS) return false;
  if (name.replaceAll(/\d/g, '') === known.replaceAll(/\d/g, '')) return false;
  if (name.replaceAll(/[-_.]/g, '') === known.replaceAll(/[-_.]/g, '')) return true;
  const [parts, others] = [partsOf(name), partsOf(known)];
  if (parts.length !== others.length) return false;
  const different = parts.flatMap((part, i) =>
    part === others[i] ? [] : [[part, others[i] ?? ''] as const],
  );
  return different.length === 1 && different.every(([a, b]) => isPartMisspelt(a, b));
}

/** A name longer than this is not one of Kubernetes. */
const MOST_LETTERS = 253;
/** Shorter parts that differ are other words: `app` and `api`, `dev` and `uat`. */
const FEWEST_LETTERS = 4;
/** Parts of so many letters may have two typos. */
const LONG = 8;

function partsOf(name: string): string[] {
  return name.split(/[-_./]/);
}

function isPartMisspelt(a: string, b: string): boolean {
  if (/\d/.test(a + b) && a.replaceAll(/\D/g, '') !== b.replaceAll(/\D/g, '')) return false;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  // `apii` and `api`, but not `log` and `blog`.
  if (short.length === FEWEST_LETTERS - 1) return long.length === short.length + 1 && long.startsWith(short);
  if (short.length < FEWEST_LETTERS) return false;
  return isSwapped(a, b) || isNear(a, b, short.length >= LONG ? 2 : 1);
}

/** Whether two neighbouring letters are swapped. */
function isSwapped(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return b === a.slice(0, at) + a.charAt(at + 1) + a.charAt(at) + a.slice(at + 2);
}
