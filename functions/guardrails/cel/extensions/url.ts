import { CelError } from '../errors';
import type { Library, Overload } from '../library';
import { Opaque } from '../value';

/** A URL in the parts that Go's net/url gives it. */
class Url extends Opaque {
  readonly type = 'kubernetes.URL';
  constructor(
    readonly key: string,
    readonly parts: UrlParts,
  ) {
    super();
  }
}

interface UrlParts {
  readonly scheme: string;
  /** With the port. */
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly path: string;
  readonly query: string;
}

const FORM = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?(.*))?$/s;
const HOST = /^(?:[^@]*@)?(\[[^\]]*\]|[^:]*)(?::(\d*))?$/;

/** A text as url.ParseRequestURI reads it: an absolute URI or an absolute path. */
function parse(text: string): Url | undefined {
  const [all, scheme = '', authority, path = '', query = ''] = FORM.exec(text) ?? [];
  if (all === undefined || text === '' || /[\s\x00-\x1f\x7f]/.test(text) || /%(?![0-9a-fA-F]{2})/.test(path))
    return undefined;
  if (scheme === '' && !text.startsWith('/')) return undefined;
  const [host, name = '', port = ''] = HOST.exec(authority ?? '') ?? [];
  if (host === undefined || /[<>"\\^`{|}]/.test(name)) return undefined;
  const hostname = name.replace(/^\[|\]$/g, '');
  return new Url(text, {
    scheme: scheme.toLowerCase(),
    host: `${name}${host.endsWith(':') || port !== '' ? `:${port}` : ''}`,
    hostname,
    port,
    path,
    query,
  });
}

function part(of: (parts: UrlParts) => string): Overload {
  return (url = null) => (url instanceof Url ? of(url.parts) : undefined);
}

function queryOf({ query }: UrlParts): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [key, value] of new URLSearchParams(query)) values.set(key, [...(values.get(key) ?? []), value]);
  return values;
}

/** The library URL of Kubernetes. */
export const urlFunctions: Library = {
  global: {
    url: (text = null) => {
      if (typeof text !== 'string') return undefined;
      const url = parse(text);
      if (url === undefined)
        throw new CelError(
          `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
        );
      return url;
    },
    isURL: (text = null) => (typeof text === 'string' ? parse(text) !== undefined : undefined),
  },
  methods: {
    getScheme: part(({ scheme }) => scheme),
    getHost: part(({ host }) => host),
    getHostname: part(({ hostname }) => hostname),
    getPort: part(({ port }) => port),
    getEscapedPath: part(({ path }) => path),
    getQuery: (url = null) => (url instanceof Url ? queryOf(url.parts) : undefined),
  },
};
