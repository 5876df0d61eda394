/**
 * Container image references, by the grammar that kubelet reads them with: ParseNormalizedNamed of
 * github.com/distribution/reference v0.6.0, against which test/kubernetes/image-reference.test.ts checks this file.
 */

export interface ImageReference {
  /**
   * Registry host and port, normalised: `docker.io` where the text names no registry, and for `index.docker.io`.
   * Empty in one case: in `my_host.example/app` the first component looks like a registry but is not a valid host name,
   * because of the underscore, so all of it is path.
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
// Characters; the library has no limit. Path, tag and digest are bounded and a host name has at most 253 characters
// (RFC 1035), so no real reference comes near it, and no hostile one exhausts the stack of the expressions.
const TEXT_LIMIT = 4096;

/**
 * Parses an image reference as kubelet does, by ParseNormalizedNamed of github.com/distribution/reference v0.6.0, or
 * says why it is invalid. Knows the digest algorithms that kubelet knows: sha256, sha384 and sha512.
 */
export function parseImageReference(text: string): ImageReference | { readonly invalid: string } {
  if (text === '') return { invalid: 'it is empty' };
  if (text.length > TEXT_LIMIT) return { invalid: `it has more than ${TEXT_LIMIT} characters` };
  if (/\s/.test(text)) return { invalid: 'it contains whitespace' };
  if (IMAGE_ID.test(text)) return { invalid: 'it is an image ID of 64 hexadecimal digits' };

  const [name, digest] = cut(text, '@');
  const [registry, remainder] = splitRegistry(name);
  const [repository, tag] = cut(remainder, ':');

  const domain = HOST.test(registry) ? registry : '';
  let path = repository;
  if (domain === '') path = `${registry}/${repository}`;
  else if (domain === 'docker.io' && !repository.includes('/')) path = `library/${repository}`;

  if (path.length > PATH_LIMIT)
    return { invalid: `the repository name has more than ${PATH_LIMIT} characters` };
  if (!PATH.test(path)) {
    if (domain === '')
      return { invalid: 'the part before the first "/" is not a registry host with an optional port' };
    if (PATH.test(path.toLowerCase())) return { invalid: 'the repository name has uppercase letters' };
    return {
      invalid:
        'the repository name may have lowercase letters and digits, joined by ".", "_", "__", "-" or "/"',
    };
  }
  if (tag !== undefined && !TAG.test(tag)) {
    return {
      invalid:
        'the tag must have 1 to 128 letters, digits, "_", "." or "-", and must not start with "." or "-"',
    };
  }
  if (digest !== undefined && !DIGEST.test(digest)) {
    return {
      invalid: 'the digest must be sha256, sha384 or sha512 with 64, 96 or 128 lowercase hexadecimal digits',
    };
  }
  return { domain, path, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/**
 * Why an image is not pinned, as a clause about it: `has no tag`, `has the tag latest` or `is not a valid image reference:
 * <reason>`; undefined for a pinned one.
 *
 * A digest pins an image, with the tag `latest` too. The tag `latest` is refused in any letter case: `LATEST` is another
 * valid tag, but only ever used as a floating one. Every other tag passes, `main`, `stable` and `edge` included: no list
 * of words is complete, any tag can be moved, and only a digest cannot.
 */
export function whyNotPinned(text: string): string | undefined {
  const reference = parseImageReference(text);
  if ('invalid' in reference) return `is not a valid image reference: ${reference.invalid}`;
  if (reference.digest !== undefined) return undefined;
  if (reference.tag === undefined) return 'has no tag';
  return reference.tag.toLowerCase() === 'latest' ? 'has the tag latest' : undefined;
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

/** The text before and after the first separator; undefined after it if there is none. */
function cut(text: string, separator: string): [before: string, after: string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function anchored(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}
