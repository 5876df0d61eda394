/** A host that a configuration of nginx connects to. An IPv6 address has its brackets. */
export interface NginxUpstream {
  readonly host: string;
  readonly port: number;
}

/** A part of the text: a word, without its quotes, or a mark that ends a directive. */
interface Token {
  readonly text: string;
  readonly isMark: boolean;
}

/** https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server */
const USUAL_PORT = '80';
/**
 * Directives whose value is an address, or the name of an `upstream` block. One with a scheme is a URL.
 * https://nginx.org/en/docs/dirindex.html
 */
const PASSES = new Set([
  'proxy_pass',
  'fastcgi_pass',
  'grpc_pass',
  'memcached_pass',
  'scgi_pass',
  'uwsgi_pass',
]);
/** A name or an IPv4 address, or an IPv6 address in brackets, and a port. */
const ADDRESS = /^([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i;
const SPACES = ' \t\r\n';

/** The hosts of the `server` directives in `upstream` blocks of nginx, and of `..._pass` directives without a scheme. */
export function nginxUpstreams(text: string): NginxUpstream[] {
  // Most mounted files are no configuration of nginx.
  if (!text.includes('upstream') && !text.includes('_pass')) return [];
  const found: NginxUpstream[] = [];
  /** The names of the open blocks, innermost last. */
  const blocks: string[] = [];
  /** The name and the first argument of a directive; the others say nothing. */
  let directive: string[] = [];
  for (const { text: word, isMark } of tokensOf(text)) {
    const [name = '', argument = ''] = directive;
    if (!isMark) {
      if (directive.length < 2) directive.push(word);
      continue;
    }
    if (word === '{') blocks.push(name);
    else if (word === '}') blocks.pop();
    else if (blocks.at(-1) === 'upstream' && name === 'server')
      found.push(...addressIn(argument, USUAL_PORT));
    // Without a port, it is the name of an `upstream` block.
    else if (PASSES.has(name)) found.push(...addressIn(argument));
    directive = [];
  }
  return found;
}

function addressIn(text: string, usualPort?: string): NginxUpstream[] {
  const [, host, digits = usualPort] = ADDRESS.exec(text) ?? [];
  const port = Number(digits ?? 0);
  return host !== undefined && port >= 1 && port <= 65_535 ? [{ host, port }] : [];
}

/** The words and marks of a configuration, without its comments (nginx, ngx_conf_read_token). */
function* tokensOf(text: string): Generator<Token> {
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (SPACES.includes(char)) at += 1;
    else if (char === '#') at = endOfLine(text, at);
    else if (char === ';' || char === '{' || char === '}') {
      yield { text: char, isMark: true };
      at += 1;
    } else {
      const isQuoted = char === '"' || char === "'";
      const end = isQuoted ? endOfQuotes(text, at) : endOfWord(text, at);
      yield { text: isQuoted ? text.slice(at + 1, end - 1) : text.slice(at, end), isMark: false };
      at = end;
    }
  }
}

function endOfLine(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end < 0 ? text.length : end;
}

/** After the closing quote; a backslash takes its meaning from the next character. */
function endOfQuotes(text: string, start: number): number {
  const quote = text.charAt(start);
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '\\') at += 1;
    else if (char === quote) return at + 1;
  }
  return text.length;
}

/** A word ends at a space, at `;`, or at `{`, but not at that of a variable, `${name}`. */
function endOfWord(text: string, start: number): number {
  for (let at = start; at < text.length; at += 1) {
    const char = text.charAt(at);
    const isBrace = char === '{' && text.charAt(at - 1) !== '$';
    if (char === '\\') at += 1;
    else if (isBrace || char === ';' || SPACES.includes(char)) return at;
  }
  return text.length;
}
