import { type YamlObject, type YamlValue, isObject, textOf } from '../yaml/yaml';

/** An entry of `images`, as kustomize applies it (api/filters/imagetag, api/internal/image). */
export interface ImagesEntry {
  /** A regular expression for the name, or a name with a tag. */
  readonly name: string;
  /** undefined where the entry does not set it. */
  readonly newName: string | undefined;
  readonly newTag: string | undefined;
  readonly digest: string | undefined;
  readonly tagSuffix: string | undefined;
}

/** Characters of a name that need no regular expression except for `.`, which is any character. */
const PLAIN = /^[\w./:@-]+$/;
const CONTAINER_LISTS = ['containers', 'initContainers'];

/** Reads an entry of `images`; undefined if it has no name. */
export function imagesEntry({
  name,
  newName,
  newTag,
  digest,
  tagSuffix,
}: YamlObject): ImagesEntry | undefined {
  if (typeof name !== 'string' || name === '') return undefined;
  const text = (value: YamlValue | undefined) => textOf(value ?? '') || undefined;
  return {
    name,
    newName: text(newName),
    newTag: text(newTag),
    digest: text(digest),
    tagSuffix: text(tagSuffix),
  };
}

/**
 * Whether an entry applies to an image: its name, with any tag and digest, is a match for all of the image's text. Undefined
 * for a name that is a regular expression beyond `.`.
 */
export function matcherOf({ name }: ImagesEntry): ((image: string) => boolean) | undefined {
  if (!PLAIN.test(name)) return undefined;
  const pattern = new RegExp(`^${name}(:[\\w.{}-]*)?(@sha256:[\\w.{}-]*)?$`);
  return (image) => pattern.test(image);
}

/** The image that an entry makes of one that it applies to. */
export function applyEntry(image: string, { newName, newTag, digest, tagSuffix }: ImagesEntry): string {
  const [name, rest] = splitImage(image);
  const [oldTag, oldDigest] = splitAt(rest, '@');
  const suffixed = tagSuffix === undefined ? undefined : `${oldTag}${tagSuffix}`;
  const isPinned = newTag !== undefined || digest !== undefined;
  const tag = newTag === undefined ? (isPinned ? '' : (suffixed ?? oldTag)) : `:${newTag}`;
  const kept = suffixed === undefined ? oldDigest : '';
  const suffix = isPinned ? (digest === undefined ? '' : `@${digest}`) : kept;
  return `${newName ?? name}${tag}${suffix}`;
}

/** An image without tag and digest. */
export function nameOfImage(image: string): string {
  return splitImage(image)[0];
}

/** The images of a resource that kustomize's `images` visits: of containers and initContainers in any kind, and image volumes. */
export function visitedImages(resource: YamlObject): string[] {
  return resource.kind === 'CustomResourceDefinition' ? [] : stringsAt(resource, isVisited);
}

/** Every text under `image` or `reference` in a value, at any depth: the images that a patch may write. */
export function imagesInPatch(patch: YamlValue): string[] {
  return stringsAt(patch, (key) => key === 'image' || key === 'reference');
}

/** Not recursive: resources may be deep. */
function stringsAt(root: YamlValue, isWanted: (key: string, list: string | undefined) => boolean): string[] {
  const found: string[] = [];
  const open: { readonly value: YamlValue; readonly list: string | undefined }[] = [
    { value: root, list: undefined },
  ];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { value, list } = place;
    if (Array.isArray(value)) for (const entry of value) open.push({ value: entry, list });
    else if (isObject(value))
      for (const [key, child] of Object.entries(value)) {
        if (typeof child === 'string' && isWanted(key, list)) found.push(child);
        if (typeof child === 'object') open.push({ value: child, list: listOf(key, list) });
      }
  }
  return found;
}

function listOf(key: string, list: string | undefined): string {
  return list === 'volumes' && key === 'image' ? 'volumes.image' : key;
}

function isVisited(key: string, list = ''): boolean {
  return (
    (key === 'image' && CONTAINER_LISTS.includes(list)) || (key === 'reference' && list === 'volumes.image')
  );
}

function splitImage(image: string): [name: string, rest: string] {
  const slash = Math.max(image.indexOf('/'), 0);
  const length = image.slice(slash).search(/[:@]/);
  return length === -1 ? [image, ''] : [image.slice(0, slash + length), image.slice(slash + length)];
}

function splitAt(text: string, separator: string): [before: string, rest: string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at)];
}
