import { InputError } from '../errors';
import { type Message, message, words } from '../message';
import { decodeText } from '../yaml/text';
import {
  type YamlNode,
  type YamlObject,
  type YamlValue,
  isObject,
  objectAt,
  objectsIn,
  parseYaml,
  valueOf,
} from '../yaml/yaml';
import { GENERATORS } from './generators';

/** What kustomize does with the file or folder that a kustomization names. */
export type Role =
  /** Under resources: a file of complete resources, or the folder of another kustomization. */
  | 'resource'
  | 'component'
  | 'patch'
  /** Generators, transformers and validators: the configuration of a plugin. */
  | 'plugin'
  /** The configuration of a plugin as text: kustomize reads it as a path if its own YAML reader refuses it. */
  | 'inline plugin'
  /** A file whose bytes, or KEY=value lines, a generator puts into a ConfigMap or a Secret. */
  | 'generator file'
  | 'generator env'
  /** CRDs, transformer configurations, an OpenAPI schema, replacements. */
  | 'other';

export interface Reference {
  readonly role: Role;
  /** The field of the kustomization, or the kind of the plugin, that names the path. */
  readonly field: string;
  /** As written, relative to the folder of the kustomization. */
  readonly path: string;
}

/** A field that names files, their role, and how to read the paths from its value. */
type FileField = readonly [field: string, role: Role, paths: (value: YamlValue | undefined) => YamlValue[]];

const FILE_FIELDS: readonly FileField[] = [
  ['resources', 'resource', list],
  ['bases', 'resource', list],
  ['components', 'component', list],
  ['patches', 'patch', pathsIn],
  ['patchesJson6902', 'patch', pathsIn],
  ['patchesStrategicMerge', 'patch', pathsNotInline],
  ['crds', 'other', list],
  ['configurations', 'other', list],
  ['replacements', 'other', pathsIn],
  ['openapi', 'other', (value) => pathsIn(one(value))],
];
const GENERATOR_FIELDS: readonly FileField[] = [
  ['files', 'generator file', (value) => list(value).map(withoutKey)],
  ['envs', 'generator env', list],
  ['env', 'generator env', one],
];
const PLUGIN_FIELDS = ['generators', 'transformers', 'validators'].map((field): FileField => [
  field,
  'plugin',
  pathsNotInline,
]);
/** The plugins that are built into kustomize, and their fields that name files. Every other plugin is a program. */
const BUILTIN_PLUGINS_WITHOUT_FILES =
  /^(IAMPolicyGenerator|(Annotations|Hash|ImageTag|Label|Namespace|Prefix|PrefixSuffix|ReplicaCount|Suffix)Transformer)$/;
const BUILTIN_PLUGINS = new Map<string, readonly FileField[]>([
  ['ConfigMapGenerator', GENERATOR_FIELDS],
  ['PatchJson6902Transformer', [['path', 'patch', one]]],
  ['PatchStrategicMergeTransformer', [['paths', 'patch', pathsNotInline]]],
  ['PatchTransformer', [['path', 'patch', one]]],
  ['ReplacementTransformer', [['replacements', 'other', pathsIn]]],
  ['SecretGenerator', GENERATOR_FIELDS],
  ['ValueAddTransformer', [['targetFilePath', 'other', one]]],
]);
const GENERATOR_LISTS = GENERATORS.map(([field]) => field);
const HELM = ['helmCharts', 'helmChartInflationGenerator', 'helmGlobals'];
/** Fields that make kustomize read files, run programs or use the network (kustomize api/types/kustomization.go). */
const FIELDS: readonly string[] = [
  ...[...FILE_FIELDS, ...GENERATOR_FIELDS, ...PLUGIN_FIELDS].map(([field]) => field),
  ...GENERATOR_LISTS,
  ...HELM,
  'buildMetadata',
  'kind',
  'path',
  'paths',
  'targetFilePath',
];
/** The YAML of a resource has one of these, because it has several keys. No path has one. */
const OF_YAML = /[\n\r\u0085\u2028\u2029{]/;

/** Every file and folder that a kustomization names, and why kustomize must not be started on it. */
export function referencesOf(kustomization: YamlObject): (Reference | Message)[] {
  return [
    ...disguisedFields(kustomization),
    ...HELM.filter((field) => !isEmpty(kustomization[field]))
      .slice(0, 1)
      .map(
        (field) =>
          message`${field} requires Helm, which a build does not run; render the chart and commit the manifests, or check what CI built with --built`,
      ),
    ...incompleteInline(kustomization, [...FILE_FIELDS, ...PLUGIN_FIELDS]),
    ...readFields(kustomization, FILE_FIELDS),
    ...GENERATOR_LISTS.flatMap((field) =>
      objectsIn(kustomization[field]).flatMap((one) => readFields(one, GENERATOR_FIELDS, field)),
    ),
    ...readFields(kustomization, PLUGIN_FIELDS),
    ...PLUGIN_FIELDS.flatMap(([field]) =>
      list(kustomization[field]).flatMap((entry) => inline(entry, field)),
    ),
  ];
}

function inline(entry: YamlValue, field: string): (Reference | Message)[] {
  const documents = inlineDocuments(entry)?.filter(isObject);
  if (typeof entry !== 'string' || documents === undefined) return [];
  const named = documents.flatMap((config) => pluginReferences(config, entry));
  return [{ role: 'inline plugin', field, path: entry }, ...named];
}

/**
 * The files that the configuration of a plugin names, or why the plugin is refused.
 *
 * @param text the YAML that it was read from
 */
export function pluginReferences(config: YamlObject, text: string): (Reference | Message)[] {
  // go.yaml.in/yaml/v3 reads plugins: a key of the mapping itself wins over a merge key, and a tag alone makes a merge key.
  if (parseYaml(text, '').some(hasMergeKey))
    return [
      words('a plugin has a merge key (<<), an alias as a key or a tag at a key; write its fields out'),
    ];
  const kind = typeof config.kind === 'string' ? config.kind : '';
  const fields = BUILTIN_PLUGINS.get(kind) ?? (BUILTIN_PLUGINS_WITHOUT_FILES.test(kind) ? [] : undefined);
  if (config.apiVersion === 'builtin' && fields !== undefined)
    return [
      ...disguisedFields(config),
      ...incompleteInline(config, fields),
      ...readFields(config, fields, kind),
    ];
  const plugin = kind === '' ? words('a plugin without a kind') : message`the plugin ${kind}`;
  return [
    message`${plugin} is not built into kustomize, and a build runs no other plugins; run it once and commit its output`,
  ];
}

/**
 * Go reads JSON keys in any letter case: `RESOURCES` and `reſources` are `resources` to kustomize, but unknown fields to
 * every other reader.
 */
function disguisedFields(kustomization: YamlObject): Message[] {
  const nested = ['patches', 'patchesJson6902', 'replacements', ...GENERATOR_LISTS];
  return [kustomization, kustomization.openapi, ...nested.flatMap((field) => list(kustomization[field]))]
    .filter(isObject)
    .flatMap(Object.keys)
    .flatMap((key) => {
      const folded = key.replaceAll('ſ', 's').replaceAll('\u212a', 'k').toLowerCase();
      const field = FIELDS.find((known) => known.toLowerCase() === folded);
      if (field === undefined || field === key) return [];
      return [message`kustomize reads the field ${key} as ${field}; rename it to ${field}`];
    });
}

/**
 * Entries that are YAML, and not a resource: kustomize reads such a text as a path, or as a URL. `http://example.com/a: b` is
 * a mapping, too.
 */
function incompleteInline(mapping: YamlObject, fields: readonly FileField[]): Message[] {
  return fields
    .filter(([, , paths]) => paths === pathsNotInline)
    .flatMap(([field]) =>
      list(mapping[field]).flatMap((entry) => {
        const documents = inlineDocuments(entry);
        if (documents === undefined && isNeither(entry))
          return [message`${field} has text that is neither a path nor the YAML of resources; fix the YAML`];
        if (documents?.every(isNamed) !== false) return [];
        return [
          message`${field} has inline YAML that kustomize reads as a path; give each document in it a kind and a metadata.name`,
        ];
      }),
    );
}

/** Skips what is not a string: kustomize refuses it. */
function readFields(mapping: YamlObject, fields: readonly FileField[], owner?: string): Reference[] {
  return fields.flatMap(([field, role, paths]) =>
    paths(mapping[field])
      .filter((path) => typeof path === 'string')
      .filter((path) => path !== '')
      .map((path) => ({ role, field: owner ?? field, path })),
  );
}

function list(value: YamlValue | undefined): YamlValue[] {
  return Array.isArray(value) ? value : [];
}

function one(value: YamlValue | undefined): YamlValue[] {
  return [value ?? null];
}

/** Whether a list of a kustomization has no entries. */
export function isEmpty(value: YamlValue | undefined): boolean {
  const entries = value ?? [];
  return Array.isArray(entries) && entries.length === 0;
}

function pathsIn(value: YamlValue | undefined): YamlValue[] {
  return objectsIn(value).map(({ path }) => path ?? null);
}

function pathsNotInline(value: YamlValue | undefined): YamlValue[] {
  return list(value).filter((entry) => inlineDocuments(entry) === undefined && !isNeither(entry));
}

/** Of a text that is not inline YAML here, but may be to kustomize. */
function isNeither(entry: YamlValue): boolean {
  return typeof entry === 'string' && OF_YAML.test(entry);
}

/** `key=path` names the key in the ConfigMap or Secret; a path alone is its own key. */
function withoutKey(entry: YamlValue): YamlValue {
  return typeof entry === 'string' ? entry.slice(entry.indexOf('=') + 1) : entry;
}

/** The documents of a text that is inline YAML, with a mapping among them; undefined for a path. */
function inlineDocuments(entry: YamlValue): YamlValue[] | undefined {
  if (typeof entry !== 'string') return undefined;
  let values: YamlValue[];
  try {
    values = parseYaml(decodeText(Buffer.from(entry), ''), '').map(valueOf);
  } catch (error) {
    // Like kustomize, which reads text that is not YAML as a path.
    if (error instanceof InputError) return undefined;
    throw error;
  }
  return values.some(isObject) ? values.filter((value) => value !== null) : undefined;
}

function isNamed(value: YamlValue): boolean {
  if (!isObject(value)) return false;
  const { name } = objectAt(value, 'metadata');
  return [value.kind, name].every((one) => typeof one === 'string' && one !== '');
}

function hasMergeKey(node: YamlNode | null): boolean {
  if (node?.kind === 'sequence') return node.items.some(hasMergeKey);
  if (node?.kind !== 'mapping') return false;
  return node.entries.some(
    ({ key, value }) =>
      key.kind !== 'scalar' || key.text === '<<' || key.tag !== undefined || hasMergeKey(value),
  );
}
