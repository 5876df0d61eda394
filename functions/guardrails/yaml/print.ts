import type { YamlValue } from './value';
import { Writer } from './writer';

const KPT_STYLE = {
  newline: '\n',
  step: 2,
  listIndent: 2,
  string: { quote: "'", plainColon: true },
  json: false,
  gap: ' ',
} as const;

/** A value as a YAML document in the block style in which kpt writes a new file. */
export function printYaml(value: YamlValue): string {
  return new Writer(KPT_STYLE)
    .lines(value)
    .map((line) => `${line}\n`)
    .join('');
}
