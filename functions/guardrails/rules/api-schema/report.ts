import type { Report } from '../../findings/finding';
import { isNear } from '../../kubernetes/spelling';
import { type Message, message, words } from '../../message';
import { type FieldPath, formatPath } from '../../yaml/field-path';
import { type YamlObject, type YamlValue, isObject } from '../../yaml/yaml';

/** What a check of a resource reports, without the container. */
export type FieldReport = Omit<Report, 'container' | 'fixes'> & {
  /** The value is unknown, because another program replaces it. */
  readonly isTemplate?: boolean;
};

/**
 * A path for a message: `spec.template.spec.containers[web].ports[0]`. An entry of a list is named by its `name`, where it
 * has one, so that the message stays the same when a patch inserts entries.
 */
export function placeOf(root: YamlObject, path: FieldPath): Message {
  let value: YamlValue | undefined = root;
  const steps = path.map((step, i) => {
    value = Array.isArray(value) ? value[Number(step)] : isObject(value) ? value[String(step)] : undefined;
    if (typeof step === 'string') return `${i === 0 ? '' : '.'}${formatPath([step])}`;
    return isObject(value) && typeof value.name === 'string' ? `[${value.name}]` : `[${step}]`;
  });
  return message`${steps.join('')}`;
}

/** What was found, without the value of a string or of a number, which may be secret. */
function typeName(value: YamlValue): string {
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'a mapping';
  if (value === null) return 'null';
  return typeof value === 'boolean' ? `the boolean ${value}` : `a ${typeof value}`;
}

/**
 * What another program replaces before it reaches the API server: Flux, Helm, Argo CD Vault Plugin, SOPS, or a script that
 * replaces words in capitals.
 */
const TEMPLATE = /\$\{|\{\{|^<[^<>]+>$|^ENC\[|^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/;

export function isTemplate(value: YamlValue): boolean {
  if (isObject(value)) return Object.keys(value).some(isTemplate);
  return typeof value === 'string' && TEMPLATE.test(value);
}

const TEMPLATE_REPORT = {
  remedy: words('check the values that replace it'),
  severity: 'info',
  isTemplate: true,
} as const;

/** A value of the wrong type, or an info for a template whose value is unknown. */
export function wrongType(
  root: YamlObject,
  field: FieldPath,
  value: YamlValue,
  expected: string,
): FieldReport {
  const place = placeOf(root, field);
  // A list of capabilities that is written as one of them, such as NET_BIND_SERVICE, is no template.
  const mayBeName = expected === 'a list' && typeof value === 'string' && value.split('_').length < 4;
  if (isTemplate(value) && !(mayBeName && /^[A-Z]/.test(value)))
    return {
      problem: message`has a template in ${place}, which must be ${words(expected)}, so its value is unknown`,
      ...TEMPLATE_REPORT,
      field,
    };
  return {
    problem: message`has ${words(typeName(value))} in ${place}, which must be ${words(expected)}`,
    remedy: words(remedyFor(value, expected)),
    field,
    unlessReported: true,
  };
}

function remedyFor(value: YamlValue, expected: string): string {
  const isScalar = typeof value === 'number' || typeof value === 'boolean';
  if (isScalar && expected === 'a string') return 'put the value in quotes';
  const isQuoted = typeof value === 'string';
  if (isQuoted && expected === 'an integer' && /^-?[0-9]+$/.test(value)) return 'remove the quotes';
  if (isQuoted && expected === 'true or false' && /^(?:true|false)$/.test(value)) return 'remove the quotes';
  if (expected === 'a list') return 'write a list, each entry after a dash';
  if (expected === 'a mapping' && Array.isArray(value)) return 'write a mapping, without a dash';
  return `write ${expected}`;
}

/**
 * A field that the API server does not know.
 *
 * @param known the fields that it knows there
 * @param elsewhere where a field of this name belongs; undefined if that is not known
 */
export function unknownField(
  root: YamlObject,
  field: FieldPath,
  known: Iterable<string>,
  elsewhere?: Message,
): FieldReport {
  const name = String(field.at(-1));
  if (isTemplate(name))
    return {
      problem: message`has a template in ${placeOf(root, field)}, so its fields are unknown`,
      ...TEMPLATE_REPORT,
      field,
    };
  const meant = meantName(name, known);
  const remedy =
    meant !== undefined
      ? message`did you mean ${meant}?`
      : elsewhere !== undefined
        ? message`move it to ${elsewhere}`
        : words('remove it, or move it to where the API has it');
  return {
    problem: message`has the unknown field ${placeOf(root, field)}`,
    remedy,
    field,
    unlessReported: true,
  };
}

/** The known name that a misspelt one is meant to be. */
export function meantName(name: string, known: Iterable<string>): string | undefined {
  const all = [...known];
  const lower = name.toLowerCase();
  // In a short name, two other letters make another word.
  const mostTypos = name.length < 4 ? 0 : name.length < 6 ? 1 : 2;
  return (
    all.find((one) => one.toLowerCase() === lower) ??
    [1, 2].filter((n) => n <= mostTypos).flatMap((n) => all.filter((one) => isNear(name, one, n)))[0]
  );
}
