import { type YamlValue, textOf } from '../../yaml/yaml';

/** The entries of an annotation, which commas separate. */
export function entriesOf(annotation: YamlValue | undefined): string[] {
  return textOf(annotation ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
