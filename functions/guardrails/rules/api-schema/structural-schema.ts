import { groupOf, isDefinition } from '../../krm/resource';
import { message, words } from '../../message';
import { type FieldPath } from '../../yaml/field-path';
import {
  type YamlObject,
  type YamlValue,
  isObject,
  isSame,
  objectAt,
  objectsIn,
  textOf,
} from '../../yaml/yaml';
import { type FieldReport, placeOf, unknownField, wrongType } from './report';

/** The schemas of CustomResourceDefinitions, by apiVersion and kind; undefined for a version that is not served. */
export class CustomSchemas {
  private readonly byKind = new Map<string, YamlObject | undefined>();
  /** Group and kind to the apiVersions that are served. */
  private readonly served = new Map<string, string[]>();

  /** @param resources of which the CustomResourceDefinitions count; of two for one kind, the last */
  constructor(resources: readonly YamlObject[]) {
    for (const definition of resources) if (isDefinition(definition)) this.add(objectAt(definition, 'spec'));
  }

  private add(spec: YamlObject): void {
    const { kind } = objectAt(spec, 'names');
    const { group } = spec;
    if (typeof kind !== 'string' || typeof group !== 'string') return;
    const served: string[] = [];
    this.served.set(`${group}/${kind}`, served);
    for (const { name, served: isServed, schema } of objectsIn(spec.versions)) {
      if (isServed !== true) continue;
      const apiVersion = `${group}/${textOf(name)}`;
      served.push(apiVersion);
      const { openAPIV3Schema } = isObject(schema) ? schema : {};
      // Deprecated, and not allowed in new definitions: nothing is pruned.
      const isOpen = spec.preserveUnknownFields === true || !isObject(openAPIV3Schema);
      this.byKind.set(`${apiVersion} ${kind}`, isOpen ? undefined : openAPIV3Schema);
    }
  }

  /** Whether a definition of the kind is known. */
  has(resource: YamlObject): boolean {
    return this.served.has(`${groupOf(resource)}/${textOf(resource.kind)}`);
  }

  check(resource: YamlObject): FieldReport[] {
    const { apiVersion, kind } = resource;
    const served = this.served.get(`${groupOf(resource)}/${textOf(kind)}`);
    if (served === undefined) return [];
    if (!served.includes(textOf(apiVersion)))
      return [
        {
          problem: message`has the apiVersion ${textOf(apiVersion)}, which its CustomResourceDefinition does not serve`,
          remedy: message`write apiVersion: ${served.join(' or ')}`,
          field: ['apiVersion'],
          currentValue: apiVersion ?? null,
        },
      ];
    const schema = this.byKind.get(`${textOf(apiVersion)} ${textOf(kind)}`);
    if (schema === undefined) return [];
    const checker = new Checker(resource);
    checker.object(resource, schema, [], true);
    return checker.reports;
  }
}

const ROOT_FIELDS = ['apiVersion', 'kind', 'metadata'];

const EXPECTED = new Map([
  ['object', 'a mapping'],
  ['array', 'a list'],
  ['string', 'a string'],
  ['integer', 'an integer'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
]);

/**
 * Checks a resource against a structural schema: types, unknown and required fields, and enums (apiextensions-apiserver,
 * pkg/apiserver/schema). The value validations beside (patterns, bounds, anyOf, CEL) are left to the API server.
 */
class Checker {
  readonly reports: FieldReport[] = [];

  constructor(private readonly root: YamlObject) {}

  private value(value: YamlValue, schema: YamlObject, path: FieldPath): void {
    if (value === null) {
      // Without `nullable`, the API server replaces null by the default, if there is one.
      if (schema.nullable !== true && schema.default === undefined && schema.type !== undefined)
        this.wrong(value, schema, path);
      return;
    }
    if (schema['x-kubernetes-int-or-string'] === true) {
      if (typeof value !== 'string' && !Number.isInteger(value))
        this.reports.push(wrongType(this.root, path, value, 'an integer or a string'));
      return;
    }
    if (!isOfType(value, schema.type)) {
      this.wrong(value, schema, path);
      return;
    }
    const { enum: allowed, items } = schema;
    if (Array.isArray(allowed) && !allowed.some((one) => isSame(one, value)))
      this.notAllowed(value, allowed, path);
    if (Array.isArray(value) && isObject(items))
      value.forEach((item, i) => {
        this.value(item, items, [...path, i]);
      });
    if (isObject(value)) this.object(value, schema, path, schema['x-kubernetes-embedded-resource'] === true);
  }

  object(value: YamlObject, schema: YamlObject, path: FieldPath, isResource: boolean): void {
    const properties = objectAt(schema, 'properties');
    const { additionalProperties } = schema;
    const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties === true;
    for (const [key, child] of Object.entries(value)) {
      const at = [...path, key];
      const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
      if (isResource && ROOT_FIELDS.includes(key)) continue;
      if (isObject(own)) this.value(child, own, at);
      else if (isObject(additionalProperties)) this.value(child, additionalProperties, at);
      else if (!isOpen) this.reports.push(unknownField(this.root, at, Object.keys(properties)));
    }
    const { required } = schema;
    for (const name of Array.isArray(required) ? required : []) {
      const key = textOf(name);
      const hasDefault = objectAt(properties, key).default !== undefined;
      if (Object.hasOwn(value, key) || hasDefault) continue;
      this.reports.push({
        problem: message`has no ${placeOf(this.root, [...path, key])}`,
        remedy: words('set it; the CustomResourceDefinition requires it'),
        field: path,
      });
    }
  }

  private wrong(value: YamlValue, { type }: YamlObject, path: FieldPath): void {
    this.reports.push(wrongType(this.root, path, value, EXPECTED.get(textOf(type)) ?? 'of another type'));
  }

  private notAllowed(value: YamlValue, allowed: readonly YamlValue[], field: FieldPath): void {
    this.reports.push({
      problem: message`has ${textOf(value)} in ${placeOf(this.root, field)}, which its CustomResourceDefinition does not allow`,
      remedy: message`write one of ${allowed.map(textOf).join(', ')}`,
      field,
      currentValue: value,
    });
  }
}

/** What each type of a structural schema allows; one without a type allows everything. */
function isOfType(value: YamlValue, type: YamlValue | undefined): boolean {
  if (type === 'object') return isObject(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return type === undefined || typeof value === type;
}
