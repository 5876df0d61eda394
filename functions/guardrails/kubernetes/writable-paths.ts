import { annotationsOf } from '../krm/resource';
import { type YamlObject, objectsIn, textOf } from '../yaml/yaml';
import { type Message, message, words } from '../message';
import type { AnnotationNames } from './annotation-names';
import { parseQuantity } from './quantity';

/** A folder that stays writable on a read-only root file system, because an emptyDir is mounted there. */
export interface WritablePath {
  readonly path: string;
  /** Quantity. */
  readonly sizeLimit: string;
  readonly volume: string;
  /** Whether the annotation lists it; every workload has `/tmp`. */
  readonly isAnnotated: boolean;
}

/** Names of the volumes that the function adds. */
export const VOLUME_PREFIX = 'guardrails-';

/** Folders of which a container cannot start without what is mounted there (OCI runtime specification, Linux). */
const RESERVED_FOLDERS = new Set(['/dev', '/proc', '/sys']);
/** And files that the kubelet mounts into each container (pkg/kubelet/kubelet_pods.go). */
const RESERVED_PATHS = [...RESERVED_FOLDERS, '/etc/hosts', '/etc/hostname', '/etc/resolv.conf'];
const TMP = '/tmp';
const TMP_SIZE = '64Mi';
/** Characters of a volume's name, which is a DNS label (RFC 1123). */
const MAX_NAME = 63;
const FORM = words('use the form "/path=size", and separate entries with commas');

/** `/tmp` and the paths of the annotation, `/app/cache=256Mi, /var/run=1Mi`; or why it is invalid. */
export function writablePathsOf(
  resource: YamlObject,
  { writablePaths }: AnnotationNames,
): readonly WritablePath[] | { readonly problem: Message; readonly remedy: Message } {
  const written = annotationsOf(resource)[writablePaths];
  const sizes = new Map<string, string>();
  if (written !== undefined && written !== null && typeof written !== 'string')
    return { problem: words('the value must be a string'), remedy: words('put the value in quotes') };
  for (const entry of (written ?? '').split(',')) {
    if (entry.trim() === '') continue;
    const [path = '', size, ...more] = entry.split('=').map((part) => part.trim());
    if (!path.startsWith('/') || path.includes(':') || size === undefined || more.length > 0)
      return { problem: message`the entry ${JSON.stringify(entry)} is invalid`, remedy: FORM };
    const normal = normalMountPath(path);
    const refusal = refusalOf(path, normal);
    if (refusal !== undefined) return refusal;
    const quantity = parseQuantity(size);
    if (quantity === undefined || quantity.digits <= 0n)
      return {
        problem: message`the size ${JSON.stringify(size)} is not a quantity above 0, such as 64Mi`,
        remedy: FORM,
      };
    if (sizes.has(normal))
      return {
        problem: message`the path ${normal} is listed twice`,
        remedy: words('keep one entry for the path'),
      };
    sizes.set(normal, size);
  }
  // Shorter paths first: a path below a writable folder needs no volume.
  const others = [...sizes].filter(([path]) => path !== TMP).sort(([a], [b]) => a.length - b.length);
  const slugs = others.map(([path]) => slugOf(path));
  const [seen, shared] = [new Set([slugOf(TMP)]), new Set<string>()];
  for (const slug of slugs) (seen.has(slug) ? shared : seen).add(slug);
  const named = others.map(([path, sizeLimit], i) => {
    const slug = slugs[i] ?? '';
    // Paths that share a slug all get a hash, so that names do not depend on the order.
    return { path, sizeLimit, volume: volumeName(path, slug, shared.has(slug)), isAnnotated: true };
  });
  const tmp = {
    path: TMP,
    sizeLimit: sizes.get(TMP) ?? TMP_SIZE,
    volume: VOLUME_PREFIX + slugOf(TMP),
    isAnnotated: sizes.has(TMP),
  };
  return [tmp, ...named];
}

/** A writable folder that no annotation lists. */
export function writablePath(path: string, sizeLimit: string): WritablePath {
  return { path, sizeLimit, volume: volumeName(path, slugOf(path), false), isAnnotated: false };
}

/** Why a folder cannot be writable. */
function refusalOf(path: string, normal: string) {
  if (normal === '/' || path.split('/').includes('..'))
    return {
      problem: message`${path} cannot be a writable folder`,
      remedy: words('use an absolute path other than / and without ..'),
    };
  const taken = RESERVED_PATHS.find(
    (one) => normal === one || (RESERVED_FOLDERS.has(one) && normal.startsWith(`${one}/`)),
  );
  return taken === undefined
    ? undefined
    : {
        problem: message`${path} cannot be a writable folder, because the container runtime or the kubelet mounts ${words(taken)}`,
        remedy: words('remove the entry'),
      };
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

/** A mount path in its shortest form, as the container runtime reads it: from the root, without `.`, `..` and `//`. */
export function normalMountPath(path: string): string {
  return `/${segmentsOf(path).join('/')}`;
}

function segmentsOf(path: string): string[] {
  const segments: string[] = [];
  for (const segment of path.split('/'))
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  return segments;
}

/** A folder, and those below it that are mounted. */
interface Folder {
  mount: Mount | undefined;
  readonly below: Map<string, Folder>;
}

export interface Mount {
  readonly path: string;
  readonly isReadOnly: boolean;
}

/** The paths at which a container mounts volumes. */
export function mountPathsOf(container: YamlObject): MountPaths {
  const mounted = new MountPaths();
  for (const { mountPath, readOnly } of objectsIn(container.volumeMounts))
    mounted.add(textOf(mountPath), readOnly === true);
  return mounted;
}

class MountPaths {
  private readonly root: Folder = { mount: undefined, below: new Map() };

  add(path: string, isReadOnly = false): void {
    let at = this.root;
    for (const segment of segmentsOf(path)) {
      const next = at.below.get(segment) ?? { mount: undefined, below: new Map() };
      at.below.set(segment, next);
      at = next;
    }
    at.mount ??= { path, isReadOnly };
  }

  /** The innermost mount that a path lies at or below. */
  at(path: string): Mount | undefined {
    let at: Folder | undefined = this.root;
    let { mount } = at;
    for (const segment of segmentsOf(path)) {
      at = at.below.get(segment);
      if (at === undefined) break;
      mount = at.mount ?? mount;
    }
    return mount;
  }
}
