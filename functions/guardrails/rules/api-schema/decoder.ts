import { type ApiType, type Model, type Scalar, modelOf } from '../../kubernetes/api-types';
import { parseQuantity } from '../../kubernetes/quantity';
import { message, words } from '../../message';
import type { FieldPath } from '../../yaml/field-path';
import { type YamlObject, type YamlValue, isAbsent, isObject } from '../../yaml/yaml';
import { checkKeyedLists } from './duplicates';
import { checkLabels } from './labels';
import { type FieldReport, isTemplate, placeOf, unknownField, wrongType } from './report';
import { REQUIRED } from './required';

/** RFC 3339, as Go reads it: fractions of a second may be of any length. */
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;
/** Base64 with its padding; Go skips line breaks. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** What a scalar must be, as the end of a sentence. */
const EXPECTED: Readonly<Record<Scalar, string>> = {
  string: 'a string',
  boolean: 'true or false',
  int32: 'an integer',
  int64: 'an integer',
  double: 'a number',
  quantity: 'a quantity, such as 100m or 128Mi',
  intOrString: 'an integer or a string',
  time: 'a time, such as 2026-01-31T10:00:00Z',
  microtime: 'a time, such as 2026-01-31T10:00:00.000000Z',
  bytes: 'base64',
  any: 'any value',
};

/** What is not checked in a resource, because something else reports or replaces it. */
interface Exceptions {
  /** SOPS decrypts the resource before it is applied. */
  readonly isEncrypted: boolean;
}

/**
 * Checks a resource as the API server decodes it: strictly, with the required fields, the keyed lists and the labels that
 * its validation refuses.
 */
export class Decoder {
  readonly reports: FieldReport[] = [];
  private readonly path: (string | number)[] = [];
  private readonly parents: Model[] = [];
  private readonly labels = new Set<string>();
  private readonly exceptions: Exceptions;

  constructor(private readonly root: YamlObject) {
    this.exceptions = { isEncrypted: isObject(root.sops) };
  }

  /** The value at a path of the resource. */
  check(value: YamlValue | undefined, model: Model, path: FieldPath = []): readonly FieldReport[] {
    this.path.push(...path);
    if (!isAbsent(value)) this.model(value, model);
    this.path.length -= path.length;
    return this.reports;
  }

  private value(value: YamlValue, type: ApiType): void {
    // Go reads null as a missing value, in lists and maps too.
    if (value === null) return;
    switch (type.is) {
      case 'model':
        this.model(value, type.model);
        return;
      case 'list':
        if (!Array.isArray(value)) this.wrong(value, 'a list');
        else for (let i = 0; i < value.length; i++) this.child(i, value[i] ?? null, type.of);
        return;
      case 'map':
        if (!isObject(value)) this.wrong(value, 'a mapping');
        else for (const key of Object.keys(value)) this.child(key, value[key] ?? null, type.of);
        return;
      case 'scalar':
        if (!isScalar(value, type.scalar)) this.wrongScalar(value, type.scalar);
    }
  }

  private child(step: string | number, value: YamlValue, type: ApiType): void {
    this.path.push(step);
    this.value(value, type);
    this.path.pop();
  }

  private model(value: YamlValue, model: Model): void {
    if (!isObject(value)) {
      this.wrong(value, 'a mapping');
      return;
    }
    const { fields, name } = model;
    this.parents.push(model);
    for (const key of Object.keys(value)) {
      const type = fields.get(key);
      const child = value[key] ?? null;
      if (type === undefined) this.unknown(key, model);
      else {
        this.child(key, child, type);
        if (MAY_HAVE_LABELS.has(key)) this.labelsOf(key, child, model);
      }
    }
    for (const field of REQUIRED.get(name) ?? [])
      if (isAbsent(value[field]) || value[field] === '') this.missing(field);
    this.reports.push(...checkKeyedLists(this.root, this.path, name, value));
    this.parents.pop();
  }

  private labelsOf(key: string, value: YamlValue, { name }: Model): void {
    this.reports.push(...checkLabels(this.root, [...this.path, key], `${name}.${key}`, value, this.labels));
  }

  private wrong(value: YamlValue, expected: string): void {
    this.reports.push(wrongType(this.root, [...this.path], value, expected));
  }

  private wrongScalar(value: YamlValue, scalar: Scalar): void {
    // The rule resources reports the quantities of containers.
    const isOfContainer = scalar === 'quantity' && /^(?:cpu|memory)$/.test(String(this.path.at(-1)));
    if (
      isOfContainer &&
      this.path.at(-3) === 'resources' &&
      this.parents.some(({ name }) => name === 'V1PodSpec')
    )
      return;
    if (this.exceptions.isEncrypted && isTemplate(value)) return;
    this.wrong(value, EXPECTED[scalar]);
  }

  private unknown(key: string, model: Model): void {
    if (this.exceptions.isEncrypted && this.path.length === 0 && key === 'sops') return;
    const field = [...this.path, key];
    this.reports.push(unknownField(this.root, field, model.fields.keys(), this.elsewhere(key, model)));
  }

  /** Where a field belongs that is written one level too high or too low. */
  private elsewhere(key: string, model: Model) {
    const below = [...model.fields].filter(([, type]) => type.is === 'model' && type.model.fields.has(key));
    const [only] = below;
    if (only !== undefined && below.length === 1) return placeOf(this.root, [...this.path, only[0]]);
    const above = this.parents.at(-2);
    const isInList = typeof this.path.at(-1) === 'number';
    return above?.fields.has(key) === true
      ? placeOf(this.root, this.path.slice(0, isInList ? -2 : -1))
      : undefined;
  }

  private missing(name: string): void {
    this.reports.push({
      problem: message`has no ${placeOf(this.root, [...this.path, name])}`,
      remedy: words('set it; the API server requires it'),
      field: [...this.path],
    });
  }
}

const MAY_HAVE_LABELS = new Set([
  'labels',
  'annotations',
  'matchLabels',
  'matchExpressions',
  'selector',
  'nodeSelector',
]);

/** The metadata of a resource of any kind. */
export function checkMetadata(resource: YamlObject): readonly FieldReport[] {
  const model = modelOf('V1ObjectMeta');
  return model === undefined ? [] : new Decoder(resource).check(resource.metadata, model, ['metadata']);
}

function isScalar(value: YamlValue, scalar: Scalar): boolean {
  switch (scalar) {
    case 'string':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    case 'int32':
      return isInteger(value, 2 ** 31);
    case 'int64':
      return isInteger(value, 2 ** 63);
    case 'double':
      return typeof value === 'number';
    case 'quantity':
      return parseQuantity(value) !== undefined;
    case 'intOrString':
      return typeof value === 'string' || isInteger(value, 2 ** 31);
    case 'time':
    case 'microtime':
      return typeof value === 'string' && TIME.test(value);
    case 'bytes':
      return typeof value === 'string' && BASE64.test(value.replace(/[\r\n]/g, ''));
    case 'any':
      return true;
  }
}

/** Whether a value is an integer from `-limit` to `limit - 1`. */
function isInteger(value: YamlValue, limit: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= -limit && value < limit;
}
