import { posix } from 'node:path';
import { annotationsOf } from '../krm/item';
import type { YamlObject } from '../yaml/yaml';
import { parseQuantity } from './quantity';

/** A folder that stays writable on a read-only root file system: an emptyDir. */
export interface WritablePath {
  readonly path: string;
  /** Quantity. */
  readonly sizeLimit: string;
  readonly volume: string;
}

export const WRITABLE_PATHS = 'todo.example.com/writable-paths';
/** Volumes with these names are the function's own. */
export const VOLUME_PREFIX = 'guardrails-';

const TMP = '/tmp';
const TMP_SIZE = '64Mi';
/** Of a volume's name: a DNS label (RFC 1123). */
const MAX_NAME = 63;

/** `/tmp`, and what the annotation adds: `/app/cache=256Mi, /var/run=1Mi`; or what is wrong with it. */
export function writablePathsOf(
  resource: YamlObject,
): readonly WritablePath[] | { readonly problem: string } {
  const written = annotationsOf(resource)[WRITABLE_PATHS];
  const sizes = new Map<string, string>();
  if (written !== undefined && written !== null && typeof written !== 'string')
    return { problem: 'is no string' };
  for (const entry of (written ?? '').split(',')) {
    if (entry.trim() === '') continue;
    const [, path, size] = /^\s*(\/[^=:]*?)\s*=\s*([^=]*?)\s*$/.exec(entry) ?? [];
    if (path === undefined || size === undefined)
      return { problem: `${JSON.stringify(entry)} is no /path=size` };
    const normal = normalMountPath(path);
    if (normal === '/' || path.split('/').includes('..'))
      return { problem: `${path} is no folder to write in` };
    const quantity = parseQuantity(size);
    if (quantity === undefined || quantity.digits <= 0n)
      return { problem: `${JSON.stringify(size)} is no size, such as 64Mi` };
    if (sizes.has(normal)) return { problem: `${normal} stands there twice` };
    sizes.set(normal, size);
  }
  // Shorter paths first: what lies below a writable folder needs no volume of its own.
  const others = [...sizes].filter(([path]) => path !== TMP).sort(([a], [b]) => a.length - b.length);
  const slugs = others.map(([path]) => slugOf(path));
  const named = others.map(([path, sizeLimit], i) => {
    const slug = slugs[i] ?? '';
    // Of two paths with one slug neither gets the plain name: no order decides which.
    const isShared = slugs.indexOf(slug) !== slugs.lastIndexOf(slug);
    return { path, sizeLimit, volume: volumeName(path, slug, isShared || slug === slugOf(TMP)) };
  });
  const tmp = { path: TMP, sizeLimit: sizes.get(TMP) ?? TMP_SIZE, volume: VOLUME_PREFIX + slugOf(TMP) };
  return [tmp, ...named];
}

function slugOf(path: string): string {
  return path
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

function volumeName(path: string, slug: string, isShared: boolean): string {
  const name = VOLUME_PREFIX + slug;
  if (slug !== '' && name.length <= MAX_NAME && !isShared) return name;
  const hash = process
    .getBuiltinModule('node:crypto')
    .createHash('sha256')
    .update(path)
    .digest('hex')
    .slice(0, 8);
  return `${VOLUME_PREFIX}${slug.slice(0, 40)}-${hash}`.replace(/-+/g, '-');
}

/** A mount path in its shortest form, as the container runtime takes it: from the root, without `.`, `..`, `//`. */
export function normalMountPath(path: string): string {
  return posix.resolve('/', path);
}

/** Whether a mount at `mount` makes `path` a part of that mount. */
export function covers(mount: string, path: string): boolean {
  const at = normalMountPath(mount);
  return at === '/' || path === at || path.startsWith(`${at}/`);
}
