import { annotationsOf } from '../krm/resource';
import {
  type YamlNode,
  type YamlObject,
  type YamlValue,
  ifValid,
  isObject,
  mappingOf,
  objectAt,
  parseYaml,
  valueOf,
} from '../yaml/yaml';

/**
 * The variables that Flux replaces in a build (postBuild.substitute of its Kustomization), as github.com/fluxcd/pkg
 * kustomize 1.22.0 and envsubst 1.4.0 do it: `${VAR}`, and `${VAR:=default}`, `${VAR:-default}` and `${VAR=default}`,
 * whose default counts for an empty value too and may have variables in it. `$$` is an escape for `$`.
 *
 * Flux also knows string functions, such as `${VAR^^}`, and refuses an unclosed `${`. Both stay as they are here.
 */

/** A resource with this label or annotation is not substituted if the value is `disabled`. */
const SUBSTITUTE = 'kustomize.toolkit.fluxcd.io/substitute';
/** The start of a variable: up to its closing brace, or up to its default or the argument of a function, which end at the next `}`. */
const OPENING = /\$\{(#?)([a-z_]\w*)(\}|:?=|:[-?+]|[,^/#%:])/iy;
const NAME = /^[a-z_]\w*$/i;

/** How a text uses a variable. */
type Use = 'value' | 'value or default' | 'function';

/** By the operator after the name. envsubst reads `:?` and `:+` like `:=`. Every other operator is a function. */
const USES = new Map<string, Use>([
  ['}', 'value'],
  ...['=', ':=', ':-', ':?', ':+'].map((operator) => [operator, 'value or default'] as const),
]);

interface Variable {
  readonly name: string;
  readonly use: Use;
  /** The default, with the variables in it replaced. */
  readonly fallback: string;
}

/** What a variable becomes; undefined if it stays as it is. */
type Replace = (variable: Variable) => string | undefined;

/** A variable whose default or argument is being read. */
interface OpenVariable {
  readonly name: string;
  readonly use: Use;
  /** The index of its start, such as `${VAR:=`, among the parts of the text. */
  readonly start: number;
}

/** What precedes a value in YAML: in a list, `- a: b` is a mapping. */
type Before = 'key: ' | '- ';

/**
 * A resource with variables replaced, in its keys too. Variables that are not in the map and have no default stay as they
 * are; Flux replaces them with an empty text, or refuses them in its strict mode. Without any variable, Flux replaces
 * nothing, not even defaults and escapes.
 *
 * Flux substitutes in the YAML text, in which kustomize writes `replicas: ${REPLICAS}` without quotes, even if the source
 * has them. So a text that YAML holds without quotes is read as YAML again: `${REPLICAS}` becomes the number 3, an empty
 * text becomes null, and `${quote}3${quote}` with a double quote as the variable stays a string.
 */
export function substitute(value: YamlObject, variables: ReadonlyMap<string, string>): YamlObject {
  if (variables.size === 0 || isDisabled(value)) return value;
  const replace: Replace = ({ name, use, fallback }) => {
    if (use === 'function') return undefined;
    // Flux removes line breaks from values.
    const text = variables.get(name)?.replaceAll('\n', '');
    return use === 'value' || (text !== undefined && text !== '') ? text : fallback;
  };
  return withVariables(value, replace, 'key: ') as YamlObject;
}

/**
 * The names of the variables that `substitute` leaves as they are, also in a default that is not used and in a function.
 * Pass the value from before the substitution: after it, an escaped variable reads like any other.
 */
export function unknownVariables(
  value: YamlValue,
  variables: ReadonlyMap<string, string> = new Map(),
): string[] {
  const names = new Set<string>();
  const visit = (one: YamlValue) => {
    if (typeof one === 'string')
      replaceVariables(one, ({ name, use }) => {
        if (use === 'function' || (use === 'value' && !variables.has(name))) names.add(name);
        return undefined;
      });
    else if (Array.isArray(one)) one.forEach(visit);
    else if (isObject(one))
      for (const [key, child] of Object.entries(one)) {
        visit(key);
        visit(child);
      }
  };
  if (!isObject(value) || !isDisabled(value)) visit(value);
  return [...names];
}

/**
 * The variables of a document: the data of a ConfigMap, data and stringData of a Secret, or the entries of a flat mapping.
 * Skips what is not a string, number or boolean, and names that no variable can have, which Flux refuses. A number is
 * written in its shortest form: 1.10 without quotes is `1.1`.
 */
export function variablesOf(document: YamlObject): ReadonlyMap<string, string> {
  if (document.kind === 'ConfigMap') return scalarsIn(objectAt(document, 'data'));
  if (document.kind !== 'Secret') return scalarsIn(document);
  const decoded = [...scalarsIn(objectAt(document, 'data'))].map(
    ([name, base64]) => [name, Buffer.from(base64, 'base64').toString('utf8')] as const,
  );
  return new Map([...decoded, ...scalarsIn(objectAt(document, 'stringData'))]);
}

function scalarsIn(mapping: YamlObject): Map<string, string> {
  const scalars = new Map<string, string>();
  for (const [name, value] of Object.entries(mapping))
    if (NAME.test(name) && value !== null && typeof value !== 'object') scalars.set(name, String(value));
  return scalars;
}

function isDisabled(resource: YamlObject): boolean {
  const labels = objectAt(objectAt(resource, 'metadata'), 'labels');
  return [labels, annotationsOf(resource)].some((one) => one[SUBSTITUTE] === 'disabled');
}

function withVariables(value: YamlValue, replace: Replace, before: Before): YamlValue {
  if (typeof value === 'string') return substituted(value, replace, before);
  if (Array.isArray(value)) return value.map((entry) => withVariables(entry, replace, '- '));
  if (!isObject(value)) return value;
  const object = mappingOf();
  for (const [key, child] of Object.entries(value)) {
    const name = substituted(key, replace, 'key: ');
    // JSON has no other keys than strings.
    const field = typeof name === 'object' ? replaceVariables(key, replace) : String(name);
    object[field] = withVariables(child, replace, 'key: ');
  }
  return object;
}

function substituted(text: string, replace: Replace, before: Before): YamlValue {
  if (!text.includes('$')) return text;
  const replaced = replaceVariables(text, replace);
  if (replaced === text || !isPlain(text)) return replaced;
  const node = nodeAfter(before, replaced);
  const value = node === undefined ? undefined : ifValid(() => valueOf(node));
  return value === undefined ? replaced : value;
}

/** Whether kustomize writes a text without quotes: it is on one line, without tabs, and YAML reads it as this text. */
function isPlain(text: string): boolean {
  if (/[\t\n]/.test(text)) return false;
  const node = nodeAfter('key: ', text);
  return node?.kind === 'scalar' && node.plain && node.text === text;
}

/** The node that a text is in YAML; undefined if it is not one value. */
function nodeAfter(before: Before, text: string): YamlNode | undefined {
  const [root, ...more] = ifValid(() => parseYaml(`${before}${text}\n`, '')) ?? [];
  if (more.length > 0) return undefined;
  if (root?.kind === 'sequence' && root.items.length === 1) return root.items[0];
  return root?.kind === 'mapping' && root.entries.length === 1 ? root.entries[0]?.value : undefined;
}

/** A text with its variables replaced, in one pass. */
function replaceVariables(text: string, replace: Replace): string {
  const parts: string[] = [];
  const open: OpenVariable[] = [];
  let copied = 0;
  const copyTo = (end: number, next: number) => {
    if (end > copied) parts.push(text.slice(copied, end));
    copied = next;
  };
  for (const { index } of text.matchAll(/[$}]/g)) {
    if (index < copied) continue;
    if (text[index] === '}') {
      const closed = open.pop();
      if (closed === undefined) continue;
      copyTo(index, index + 1);
      const [opening = '', ...read] = parts.splice(closed.start);
      // Not join, which would copy the text once for each default that it is in.
      const argument = read.reduce((all, part) => all + part, '');
      const { name, use } = closed;
      parts.push(replace({ name, use, fallback: argument }) ?? `${opening}${argument}}`);
      continue;
    }
    const variable = openingAt(text, index);
    if (variable !== undefined) {
      const { opening, name, use, isClosed } = variable;
      copyTo(index, index + opening.length);
      if (!isClosed) open.push({ name, use, start: parts.length });
      parts.push((isClosed ? replace({ name, use, fallback: '' }) : undefined) ?? opening);
    } else if (open.length === 0 && text[index + 1] === '$') copyTo(index + 1, index + 2);
  }
  copyTo(text.length, text.length);
  return parts.join('');
}

/** The variable that starts at an offset. */
function openingAt(
  text: string,
  index: number,
):
  | { readonly opening: string; readonly name: string; readonly use: Use; readonly isClosed: boolean }
  | undefined {
  OPENING.lastIndex = index;
  const [opening, hash = '', name = '', operator = ''] = OPENING.exec(text) ?? [];
  const isClosed = operator === '}';
  // `${#VAR}` is the length of the value.
  if (opening === undefined || (hash !== '' && !isClosed)) return undefined;
  return { opening, name, use: (hash === '' ? USES.get(operator) : undefined) ?? 'function', isClosed };
}
