import type { Item } from '../krm/item';
import { InputError } from '../errors';
import { type YamlValue, isObject, parseYaml, valueOf } from '../krm/yaml';

/** Makes a text safe to print: every value of a Secret in the package, as written and decoded, is blotted out. */
export function redactor(items: readonly Item[]): (text: string) => string {
  const secrets = new Set<string>();
  for (const { value } of items) collect(value, secrets);
  const longestFirst = [...secrets]
    .filter((secret) => secret.trim() !== '')
    .sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((safe, secret) => safe.replaceAll(secret, '***'), text);
}

function collect(value: YamlValue, secrets: Set<string>): void {
  if (Array.isArray(value))
    value.forEach((entry) => {
      collect(entry, secrets);
    });
  if (typeof value === 'string') collectInline(value, secrets);
  if (!isObject(value)) return;
  if (value.kind === 'Secret')
    for (const field of ['data', 'stringData'])
      if (isObject(value[field]))
        Object.values(value[field]).forEach((one) => {
          addScalar(one, secrets);
        });
  // A patch whose target is a Secret, and the literals of a secretGenerator.
  if (isObject(value.target) && value.target.kind === 'Secret' && typeof value.patch === 'string')
    scalarsOf(parsed(value.patch), secrets);
  if (Array.isArray(value.secretGenerator))
    for (const generator of value.secretGenerator.filter(isObject))
      if (Array.isArray(generator.literals))
        for (const literal of generator.literals)
          if (typeof literal === 'string') addScalar(literal.slice(literal.indexOf('=') + 1), secrets);
  Object.values(value).forEach((child) => {
    collect(child, secrets);
  });
}

function collectInline(text: string, secrets: Set<string>): void {
  if (text.includes('Secret') && text.includes('\n'))
    parsed(text).forEach((value) => {
      collect(value, secrets);
    });
}

function parsed(text: string): YamlValue[] {
  try {
    return parseYaml(text, '').map(valueOf);
  } catch (error) {
    if (error instanceof InputError)
      return text.split('\n').map((line) => line.slice(line.indexOf(':') + 1).trim());
    throw error;
  }
}

function scalarsOf(values: readonly YamlValue[], secrets: Set<string>): void {
  for (const value of values)
    if (Array.isArray(value)) scalarsOf(value, secrets);
    else if (isObject(value))
      for (const [key, child] of Object.entries(value)) {
        if (!['op', 'path', 'from'].includes(key)) scalarsOf([child], secrets);
      }
    else addScalar(value, secrets);
}

function addScalar(value: YamlValue, secrets: Set<string>): void {
  if (value === null || typeof value === 'object') return;
  const text = String(value);
  // A shorter text is no secret, and blotting it out would blot out the message.
  if (text.length < 4) return;
  secrets.add(text);
  for (const line of text.split('\n')) if (line.length >= 4) secrets.add(line);
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    const decoded = Buffer.from(text, 'base64').toString('utf8');
    if (decoded.length >= 4 && !decoded.includes('\ufffd')) secrets.add(decoded);
  }
}
