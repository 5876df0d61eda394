import type { ImageReference } from './image-reference';

/** Which images may run. */
export interface ImagePolicy {
  /** Registries and repositories; undefined: any. */
  readonly registries: readonly RegistryPattern[] | undefined;
  /** Whether an image must have a digest. */
  readonly digest: DigestMode;
}

/** The strictest first. */
export const DIGEST_MODES = ['required', 'optional'] as const;
export type DigestMode = (typeof DIGEST_MODES)[number];

export const IMAGE_POLICY: ImagePolicy = { registries: undefined, digest: 'optional' };

/** An entry of `spec.images.registries`: a registry, or the start of the name of a repository. */
export class RegistryPattern {
  private readonly expression: RegExp;

  /** @param text a valid entry (see `isRegistryPattern`); `*` stands for any characters but `/` */
  constructor(readonly text: string) {
    const names = namesIn(text).map((name) => name.split('*').map(escaped).join('[^/]*'));
    this.expression = new RegExp(`^(?:${names.join('|')})(?:/|$)`);
  }

  /** Whether an image is from there. */
  allows({ domain, path }: ImageReference): boolean {
    return this.expression.test(`${domain.toLowerCase()}/${path}`);
  }

  /** Whether it allows all that another entry allows. */
  includes(other: RegistryPattern): boolean {
    return namesIn(other.text).every((name) => this.expression.test(name));
  }
}

/** A registry host, or a registry host and the start of a repository name. */
export const REGISTRY_FORM =
  '^(?:localhost|(?=[^/]*[.:*])(?:[A-Za-z0-9.*-]+|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?)(?:/[a-z0-9._*-]+)*/?$';
export const LONGEST_REGISTRY = 300; // characters; a host has at most 253 (RFC 1035)
const FORM = new RegExp(REGISTRY_FORM);

export function isRegistryPattern(text: string): boolean {
  return text.length <= LONGEST_REGISTRY && FORM.test(text);
}

/** The names that an entry means: `docker.io/nginx` is the image `nginx` too, which the registry has under `library/`. */
function namesIn(text: string): string[] {
  const [host = '', ...path] = withoutEnd(text).split('/');
  const domain = host === 'index.docker.io' ? 'docker.io' : host.toLowerCase();
  const name = [domain, ...path].join('/');
  const [repository, ...more] = path;
  const isImage = domain === 'docker.io' && repository !== undefined && more.length === 0;
  return isImage && repository !== 'library' ? [name, `docker.io/library/${repository}`] : [name];
}

/** `ghcr.io/acme/*` and `ghcr.io/acme/` are `ghcr.io/acme`: all below it is allowed. */
function withoutEnd(text: string): string {
  return text.replace(/\/(?:\*{1,2})?$/, '');
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
