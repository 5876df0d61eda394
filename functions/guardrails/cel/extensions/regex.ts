import type { RE2JS } from 're2js';
import { CelError } from '../errors';
import type { Library } from '../library';

const compiled = new Map<string, RE2JS>();

/**
 * A regular expression of RE2, which takes linear time.
 *
 * @throws CelError an invalid one
 */
function compile(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  // Loaded here, because few runs have policies.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const library = require('re2js') as typeof import('re2js');
  try {
    const expression = library.RE2JS.compile(pattern);
    compiled.set(pattern, expression);
    return expression;
  } catch (error) {
    if (error instanceof library.RE2JSException)
      throw new CelError(`error parsing regexp: ${error.message.replace(/^error parsing regexp: /, '')}`);
    throw error;
  }
}

const matches = (text: unknown = null, pattern: unknown = null) =>
  typeof text === 'string' && typeof pattern === 'string' ? compile(pattern).matcher(text).find() : undefined;

/** `matches` of CEL, and the library regex of Kubernetes. */
export const regexFunctions: Library = {
  global: { matches },
  methods: {
    matches,
    find: (text = null, pattern = null) => {
      if (typeof text !== 'string' || typeof pattern !== 'string') return undefined;
      const matcher = compile(pattern).matcher(text);
      return matcher.find() ? (matcher.group() ?? '') : '';
    },
    findAll: (text = null, pattern = null, limit = -1n) => {
      if (typeof text !== 'string' || typeof pattern !== 'string' || typeof limit !== 'bigint')
        return undefined;
      const found: string[] = [];
      const matcher = compile(pattern).matcher(text);
      while ((limit < 0n || BigInt(found.length) < limit) && matcher.find())
        found.push(matcher.group() ?? '');
      return found;
    },
  },
};
