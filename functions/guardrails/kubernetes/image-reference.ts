/**
 * Container image references, by the grammar that kubelet reads them with: ParseNormalizedNamed of
 * github.com/distribution/reference v0.6.0. test/image-reference.test.ts holds this file to that library.
 */

export interface ImageReference {
  /**
   * Registry host and port, normalised: `docker.io` where the text names no registry, and for `index.docker.io`.
   * Empty in one corner of the grammar: in `my_host.example/app` the first component reads as a registry but is no
   * host (an underscore), so all of it is path.
   */
  readonly domain: string;
  /** Repository, normalised: `library/nginx` for `nginx`. */
  readonly path: string;
  readonly tag?: string;
  /** Algorithm and digits, such as `sha256:<64 hexadecimal digits>`. */
  readonly digest?: string;
}

// The grammar, from regexp.go of the library, in expressions that take linear time on any input.
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const IPV6 = String.raw`\[[a-fA-F0-9:]+\]`;
const HOST = anchored(String.raw`(?:${LABEL}(?:\.${LABEL})*|${IPV6})(?::[0-9]+)?`);
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PATH = anchored(`${COMPONENT}(?:/${COMPONENT})*`);
const TAG = anchored(String.raw`\w[\w.-]{0,127}`); // 128 characters; \w is ASCII in Go and here
const DIGEST = anchored('sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}'); // go-digest v1.0.0 algorithm.go
const IMAGE_ID = anchored('[a-f0-9]{64}');

const PATH_LIMIT = 255; // characters, with `library/` and without the registry; RepositoryNameTotalLengthMax
// Characters, and our own limit, where the library has none: path, tag and digest are bounded and a host name ends at
// 253 (RFC 1035), so nothing real comes near it, and no hostile string exhausts the stack of the expressions.
const TEXT_LIMIT = 4096;

/**
 * Parses an image reference as kubelet does, by ParseNormalizedNamed of github.com/distribution/reference v0.6.0, or
 * says why it is none. Knows the digest algorithms that kubelet knows: sha256, sha384 and sha512.
 */
export function parseImageReference(text: string): ImageReference | { readonly invalid: string } {
  if (text === '') return { invalid: 'empty' };
  if (text.length > TEXT_LIMIT) return { invalid: `longer than ${TEXT_LIMIT} characters` };
  if (/\s/.test(text)) return { invalid: 'contains whitespace' };
  if (IMAGE_ID.test(text)) return { invalid: '64 hexadecimal digits are an image ID, not a name' };

  const [name, digest] = cut(text, '@');
  const [registry, remainder] = splitRegistry(name);
  const [repository, tag] = cut(remainder, ':');

  const domain = HOST.test(registry) ? registry : '';
  let path = repository;
  if (domain === '') path = `${registry}/${repository}`;
  else if (domain === 'docker.io' && !repository.includes('/')) path = `library/${repository}`;

  if (path.length > PATH_LIMIT) return { invalid: `repository name longer than ${PATH_LIMIT} characters` };
  if (!PATH.test(path)) {
    if (domain === '')
      return { invalid: 'what stands before the first "/" is not a registry host with an optional port' };
    if (PATH.test(path.toLowerCase())) return { invalid: 'uppercase letters in the repository name' };
    return {
      invalid:
        'the repository name is not lowercase letters and digits, joined by ".", "_", "__", "-" or "/"',
    };
  }
  if (tag !== undefined && !TAG.test(tag)) {
    return {
      invalid: 'the tag is not 1 to 128 letters, digits, "_", "." and "-", or starts with "." or "-"',
    };
  }
  if (digest !== undefined && !DIGEST.test(digest)) {
    return {
      invalid: 'the digest is not sha256, sha384 or sha512 with 64, 96 or 128 lowercase hexadecimal digits',
    };
  }
  return { domain, path, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/**
 * Why the image is not pinned (`no tag`, `tag latest` or `invalid: <reason>`), or undefined when it is.
 *
 * A digest pins, also with `:latest` beside it. The tag `latest` is refused in any letter case: `LATEST` is a valid and
 * a different tag, but is only ever written to float. Every other tag passes, also `main`, `stable` and `edge`: no list
 * of words is complete, any tag can be moved, and only a digest cannot.
 */
export function whyNotPinned(text: string): string | undefined {
  const reference = parseImageReference(text);
  if ('invalid' in reference) return `invalid: ${reference.invalid}`;
  if (reference.digest !== undefined) return undefined;
  if (reference.tag === undefined) return 'no tag';
  return reference.tag.toLowerCase() === 'latest' ? 'tag latest' : undefined;
}

/**
 * The registry and the rest of a name, as splitDockerDomain in the library's normalize.go: the first of several
 * components is the registry if it is `localhost` or holds a ".", a ":" or an uppercase letter.
 */
function splitRegistry(name: string): [registry: string, remainder: string] {
  const [first, rest] = cut(name, '/');
  if (rest === undefined || !(first === 'localhost' || /[.:A-Z]/.test(first))) return ['docker.io', name];
  return [first === 'index.docker.io' ? 'docker.io' : first, rest];
}

/** What stands before and after the first separator; nothing after it if there is none. */
function cut(text: string, separator: string): [before: string, after: string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function anchored(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}
