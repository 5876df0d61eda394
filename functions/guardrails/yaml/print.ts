import { type YamlValue, isObject, scalarValue } from './yaml';

/** A value as a YAML document in block style, lists indented: the form in which kpt writes a new file. */
export function printYaml(value: YamlValue): string {
  return linesOf(value)
    .map((line) => `${line}\n`)
    .join('');
}

function linesOf(value: YamlValue): string[] {
  if (Array.isArray(value) && value.length > 0)
    return value.flatMap((item) => linesOf(item).map((line, i) => (i === 0 ? `- ${line}` : `  ${line}`)));
  if (isObject(value) && Object.keys(value).length > 0)
    return Object.entries(value).flatMap(([key, child]) => {
      const lines = linesOf(child);
      const isBlock = (Array.isArray(child) || isObject(child)) && Object.keys(child).length > 0;
      return isBlock
        ? [`${printScalar(key)}:`, ...lines.map((line) => `  ${line}`)]
        : [`${printScalar(key)}: ${lines.join('')}`];
    });
  return [typeof value === 'string' ? printScalar(value) : JSON.stringify(value)];
}

/** Plain where every reader takes it for this text. */
function printScalar(text: string): string {
  const read = scalarValue({ kind: 'scalar', start: 0, end: 0, text, plain: true, tag: undefined });
  if (/^[A-Za-z0-9./:][-A-Za-z0-9./:_]*$/.test(text) && !text.endsWith(':') && read === text) return text;
  return /^[\x20-\x7e]*$/.test(text) ? `'${text.replaceAll("'", "''")}'` : JSON.stringify(text);
}
