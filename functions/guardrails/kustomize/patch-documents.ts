import path from 'node:path/posix';
import { decodeText } from '../yaml/text';
import { type YamlValue, ifValid, parseYaml, valueOf } from '../yaml/yaml';
import type { Package } from './package';

/** The documents of a file that a kustomization names, relative to its folder; undefined if it cannot be read. */
export function documentsAt(
  { files, others }: Package,
  dir: string,
  file: YamlValue | undefined,
): YamlValue[] | undefined {
  if (typeof file !== 'string' || file.includes('\n')) return undefined;
  const target = path.join(dir, file);
  const items = files.get(target);
  if (items !== undefined) return items.map(({ value }) => value);
  const content = others.get(target);
  return content && ifValid(() => parseYaml(decodeText(content, target), target).map(valueOf));
}

/** The documents of an inline patch; undefined if it cannot be read. */
export function documentsIn(text: YamlValue | undefined): YamlValue[] | undefined {
  return typeof text === 'string' ? ifValid(() => parseYaml(text, '').map(valueOf)) : undefined;
}
