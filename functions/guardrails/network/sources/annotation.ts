import { annotationsOf } from '../../krm/resource';
import { words } from '../../message';
import { textOf } from '../../yaml/yaml';
import type { Workload } from '../connection';

/** The entries of an annotation, which commas separate, and the annotation as the origin of connections. */
export function readAnnotation(at: Workload, key: string) {
  const entries = textOf(annotationsOf(at.resource)[key] ?? '').split(',');
  return {
    entries: entries.map((entry) => entry.trim()).filter((entry) => entry !== ''),
    origin: { at, field: ['metadata', 'annotations', key], part: words(`annotation ${key}`) },
  };
}
