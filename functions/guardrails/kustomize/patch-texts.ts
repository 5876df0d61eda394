import path from 'node:path/posix';
import { type YamlValue, entriesIn, isObject } from '../yaml/yaml';
import type { Kustomization } from './graph';
import type { Package } from './package';

/** The fields of a kustomization with patches. */
const FIELDS = ['patches', 'patchesStrategicMerge', 'patchesJson6902'];

/** The patches of some folders of a package as text, each with its target and the content of the file that it names. */
export function patchTexts(pkg: Package, dirs: Iterable<string>): string[] {
  return [...dirs].flatMap((dir) => {
    const kustomization = pkg.graph.get(dir);
    return kustomization === undefined ? [] : FIELDS.flatMap((field) => textsIn(pkg, kustomization, field));
  });
}

function textsIn({ files, others }: Package, { dir, value }: Kustomization, field: string): string[] {
  const written: YamlValue | undefined = value[field];
  if (!Array.isArray(written)) return entriesIn(written).map((one) => JSON.stringify(one));
  return written.map((entry) => {
    const named = isObject(entry) ? entry.path : entry;
    const file = typeof named === 'string' && !named.includes('\n') ? path.join(dir, named) : '';
    const items = (files.get(file) ?? []).map(({ text }) => text);
    return [JSON.stringify(entry), ...items, Buffer.from(others.get(file) ?? []).toString('utf8')].join('\n');
  });
}
