// For `npm run update`: the JSON Schema of the configuration, and the table of its keys.
import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import { GUARDRAILS } from '../../functions/guardrails/config/schema';

/** A JSON Schema, with the keywords that are read here. */
interface SchemaNode {
  readonly $schema?: string;
  readonly description?: string;
  default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  /** Of a mapping with any keys: what its values are. */
  readonly additionalProperties?: false | SchemaNode;
}

/** Mappings that have one row in the table, with a name for any of their keys. */
const ONE_ROW: ReadonlyMap<string, string> = new Map([
  ['spec.rules', 'RULE'],
  ['spec.environments', 'OVERLAY'],
  ['spec.network.ingressControllers', 'CLASS'],
]);

/** The JSON Schema of the configuration, in the draft that the YAML language server reads. */
export function configSchema(): SchemaNode {
  const { $schema, ...schema } = toJsonSchema(GUARDRAILS, {
    target: 'draft-07',
    typeMode: 'output', // of a pipe with two schemas, the first accepts any type
    ignoreActions: ['check'], // the annotation beside it says the same
    overrideSchema: ({ jsonSchema }) => simplified(jsonSchema),
  }) as SchemaNode;
  const environments = schema.properties?.spec?.properties?.environments;
  if (environments !== undefined) removeDefaults(environments);
  return { ...($schema && { $schema }), ...schema };
}

/** The keys below `spec`, as rows of Markdown: the key, its meaning, its default. */
export function configTable(): string[][] {
  return rowsOf('spec', configSchema().properties?.spec ?? {});
}

function rowsOf(name: string, node: SchemaNode): string[][] {
  const key = ONE_ROW.get(name);
  const properties = Object.entries(node.properties ?? {});
  if (key === undefined && properties.length > 0)
    return properties.flatMap(([child, value]) => rowsOf(`${name}.${child}`, value));
  const value = key === undefined ? node.default : properties[0]?.[1].default;
  return [
    [
      `\`${key === undefined ? name : `${name}.${key}`}\``,
      node.description ?? '',
      value === undefined ? 'none' : `\`${flow(value)}\``,
    ],
  ];
}

/** A value as YAML in one line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).map(([key, one]) => `${key}: ${flow(one)}`);
  return `{${entries.join(', ')}}`;
}

/** One list where all alternatives are values; no keywords that say nothing. */
function simplified(schema: JsonSchema): JsonSchema {
  const simple = { ...schema };
  if (simple.required?.length === 0) delete simple.required;
  delete simple.propertyNames; // that they are strings
  const values = simple.anyOf?.map((one) =>
    typeof one === 'boolean' ? undefined : (one.enum ?? (one.const === undefined ? undefined : [one.const])),
  );
  if (values?.every((some) => some !== undefined) !== true) return simple;
  delete simple.anyOf;
  return { ...simple, enum: values.flat() };
}

/** For environments: where a key is missing, the value of `spec` holds, and not its default. */
function removeDefaults(node: SchemaNode): void {
  delete node.default;
  for (const child of Object.values(node.properties ?? {})) removeDefaults(child);
  if (typeof node.additionalProperties === 'object') removeDefaults(node.additionalProperties);
}
