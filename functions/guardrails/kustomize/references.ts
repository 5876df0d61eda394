import { InputError } from '../errors';
import { type YamlObject, type YamlValue, isObject, parseYaml, valueOf } from '../yaml/yaml';

/** What kustomize does with the file or folder that a kustomization names. */
export type Role =
  /** Under resources: a file of whole resources, or the folder of another kustomization. */
  | 'resource'
  | 'component'
  | 'patch'
  /** Generators, transformers and validators: the configuration of a plugin. */
  | 'plugin'
  /** A file whose bytes, or KEY=value lines, a generator puts into a ConfigMap or a Secret. */
  | 'generator file'
  | 'generator env'
  /** CRDs, transformer configurations, an OpenAPI schema, replacements. */
  | 'other';

export interface Reference {
  readonly role: Role;
  /** As the kustomization writes it. */
  readonly path: string;
}

export interface References {
  readonly references: readonly Reference[];
  /** Why kustomize must not be started on this kustomization. */
  readonly problems: readonly string[];
}

/** Fields through which kustomize comes to files, programs or the network (kustomize api/types/kustomization.go). */
const FIELDS = new Set([
  'bases',
  'buildMetadata',
  'components',
  'configMapGenerator',
  'configurations',
  'crds',
  'generators',
  'helmChartInflationGenerator',
  'helmCharts',
  'helmGlobals',
  'kind',
  'openapi',
  'patches',
  'patchesJson6902',
  'patchesStrategicMerge',
  'replacements',
  'resources',
  'secretGenerator',
  'transformers',
  'validators',
  'env',
  'envs',
  'files',
  'path',
]);

/** The fields that name files in the plugins that kustomize has built in; every other plugin is a program. */
const BUILTIN_PLUGINS = new Map<string, (config: YamlObject) => Reference[]>([
  ['AnnotationsTransformer', () => []],
  ['ConfigMapGenerator', generatorInputs],
  ['HashTransformer', () => []],
  ['IAMPolicyGenerator', () => []],
  ['ImageTagTransformer', () => []],
  ['LabelTransformer', () => []],
  ['NamespaceTransformer', () => []],
  ['PatchJson6902Transformer', (config) => files('patch', [config.path])],
  ['PatchStrategicMergeTransformer', (config) => patchesOrFiles(config.paths)],
  ['PatchTransformer', (config) => files('patch', [config.path])],
  ['PrefixSuffixTransformer', () => []],
  ['PrefixTransformer', () => []],
  ['ReplacementTransformer', (config) => files('other', objects(config.replacements).map(pathOf))],
  ['ReplicaCountTransformer', () => []],
  ['SecretGenerator', generatorInputs],
  ['SuffixTransformer', () => []],
  ['ValueAddTransformer', () => []],
]);

/** Every file and folder that a kustomization names, and what in it a plain build could not or should not do. */
export function referencesOf(kustomization: YamlObject): References {
  const problems = disguisedFields(kustomization);
  if (
    ['helmCharts', 'helmChartInflationGenerator', 'helmGlobals'].some(
      (field) => !isEmpty(kustomization[field]),
    )
  )
    problems.push('a Helm chart: a plain build has no Helm; render it once and commit the manifests');
  const plugins = ['generators', 'transformers', 'validators'].flatMap((field) => list(kustomization[field]));
  const references: Reference[] = [
    ...files('resource', [...list(kustomization.resources), ...list(kustomization.bases)]),
    ...files('component', list(kustomization.components)),
    ...files(
      'patch',
      [...objects(kustomization.patches), ...objects(kustomization.patchesJson6902)].map(pathOf),
    ),
    ...patchesOrFiles(kustomization.patchesStrategicMerge),
    ...files('other', [...list(kustomization.crds), ...list(kustomization.configurations)]),
    ...files('other', objects(kustomization.replacements).map(pathOf)),
    ...files('other', isObject(kustomization.openapi) ? [kustomization.openapi.path] : []),
    ...[...objects(kustomization.configMapGenerator), ...objects(kustomization.secretGenerator)].flatMap(
      generatorInputs,
    ),
  ];
  for (const entry of plugins) {
    const inline = inlineDocuments(entry);
    if (inline === undefined) references.push(...files('plugin', [entry]));
    else
      for (const config of inline) {
        const plugin = pluginReferences(config);
        references.push(...plugin.references);
        problems.push(...plugin.problems);
      }
  }
  return { references, problems };
}

/** The files that the configuration of a plugin names. A plugin that is not built in is a problem. */
export function pluginReferences(config: YamlObject): References {
  const kind = typeof config.kind === 'string' ? config.kind : '';
  const read = config.apiVersion === 'builtin' ? BUILTIN_PLUGINS.get(kind) : undefined;
  if (read === undefined)
    return {
      references: [],
      problems: [
        `the plugin ${kind || 'without a kind'}: a plain build runs no functions and no programs; ` +
          'run it once and commit what it makes',
      ],
    };
  return { references: read(config), problems: disguisedFields(config) };
}

/**
 * Go reads JSON keys in any letter case: `RESOURCES` and `reſources` are `resources` to kustomize. Written so, a field
 * would be obeyed by the build and overlooked by every reader.
 */
function disguisedFields(kustomization: YamlObject): string[] {
  const nested = ['patches', 'patchesJson6902', 'replacements', 'configMapGenerator', 'secretGenerator'];
  const mappings = [
    kustomization,
    kustomization.openapi,
    ...nested.flatMap((field) => list(kustomization[field])),
  ];
  return mappings
    .filter(isObject)
    .flatMap(Object.keys)
    .flatMap((key) => {
      const folded = key.replaceAll('ſ', 's').replaceAll('\u212a', 'k').toLowerCase();
      const field = [...FIELDS].find((known) => known.toLowerCase() === folded);
      return field === undefined || field === key
        ? []
        : [`the field ${key}: kustomize reads it as ${field}; write ${field}`];
    });
}

function list(value: YamlValue | undefined): YamlValue[] {
  return Array.isArray(value) ? value : [];
}

function objects(value: YamlValue | undefined): YamlObject[] {
  return list(value).filter(isObject);
}

function isEmpty(value: YamlValue | undefined): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

function pathOf({ path }: YamlObject): YamlValue | undefined {
  return path;
}

/** What is not a text kustomize itself refuses. */
function files(role: Role, paths: readonly (YamlValue | undefined)[]): Reference[] {
  return paths
    .filter((path) => typeof path === 'string' && path !== '')
    .map((path) => ({ role, path: path as string }));
}

function patchesOrFiles(value: YamlValue | undefined): Reference[] {
  return files(
    'patch',
    list(value).filter((entry) => inlineDocuments(entry) === undefined),
  );
}

function generatorInputs(config: YamlObject): Reference[] {
  // `key=path` names the key in the ConfigMap; a bare path is its own key.
  const sources = list(config.files).map((entry) =>
    typeof entry === 'string' ? entry.slice(entry.indexOf('=') + 1) : entry,
  );
  return [...files('generator file', sources), ...files('generator env', [...list(config.envs), config.env])];
}

/** The mappings of a text that is YAML itself, where a path may stand as well; undefined for a path. */
function inlineDocuments(entry: YamlValue): YamlObject[] | undefined {
  if (typeof entry !== 'string') return undefined;
  let values: YamlValue[];
  try {
    values = parseYaml(entry, '').map(valueOf);
  } catch (error) {
    // As kustomize does: what is no YAML is tried as a path, and a path that is not there is refused.
    if (error instanceof InputError) return undefined;
    throw error;
  }
  const mappings = values.filter(isObject);
  return mappings.length > 0 ? mappings : undefined;
}
