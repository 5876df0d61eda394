import type { Severity } from '../../krm/result';
import { message, words } from '../../message';
import type { FieldPath } from '../../yaml/field-path';
import { type YamlObject, isObject, textOf } from '../../yaml/yaml';
import { type FieldReport, placeOf } from './report';

/** Lists whose entries are told apart by fields. */
interface KeyedList {
  /** In this order: what is in one list must not be in another. */
  readonly lists: readonly string[];
  readonly key: readonly string[];
  /** Of a field of the key that is missing. */
  readonly defaults?: Readonly<Record<string, string>>;
  readonly severity: Severity;
  readonly remedy: string;
}

const RENAME = 'rename one of them';
const REMOVE = 'remove one of them';
const PROTOCOL = { protocol: 'TCP' };

/**
 * By model, what the API server refuses, or warns about: then server-side apply refuses it, or a later apply drops entries
 * (k8s.io/kubernetes 1.37, pkg/apis, validation, and pkg/api/pod/warnings.go). Volumes are the rule volumes'.
 */
const KEYED_LISTS = new Map<string, readonly KeyedList[]>([
  [
    'V1PodSpec',
    [
      {
        lists: ['initContainers', 'containers', 'ephemeralContainers'],
        key: ['name'],
        severity: 'error',
        remedy: RENAME,
      },
      {
        lists: ['topologySpreadConstraints'],
        key: ['topologyKey', 'whenUnsatisfiable'],
        severity: 'error',
        remedy: REMOVE,
      },
    ],
  ],
  [
    'V1Container',
    [
      { lists: ['ports'], key: ['name'], severity: 'error', remedy: RENAME },
      {
        lists: ['ports'],
        key: ['containerPort', 'protocol', 'hostPort', 'hostIP'],
        defaults: PROTOCOL,
        severity: 'warning',
        remedy: REMOVE,
      },
      {
        lists: ['env'],
        key: ['name'],
        severity: 'warning',
        remedy: 'remove one of them; the last one counts',
      },
    ],
  ],
  [
    'V1ServiceSpec',
    [
      { lists: ['ports'], key: ['name'], severity: 'error', remedy: RENAME },
      { lists: ['ports'], key: ['port', 'protocol'], defaults: PROTOCOL, severity: 'error', remedy: REMOVE },
    ],
  ],
  ['V1LimitRangeSpec', [{ lists: ['limits'], key: ['type'], severity: 'error', remedy: 'merge them' }]],
  [
    'V1CustomResourceDefinitionSpec',
    [{ lists: ['versions'], key: ['name'], severity: 'error', remedy: REMOVE }],
  ],
  ...['V1ValidatingWebhookConfiguration', 'V1MutatingWebhookConfiguration'].map(
    (model) =>
      [model, [{ lists: ['webhooks'], key: ['name'], severity: 'error', remedy: RENAME }]] as [
        string,
        KeyedList[],
      ],
  ),
]);

/** Whether an entry of `env` makes its value from the one before it, as the API server allows: `PATH: $(PATH):/app`. */
function extendsFormer(list: string, { name, value }: YamlObject): boolean {
  const reference = `$(${textOf(name)})`;
  return list === 'env' && typeof value === 'string' && value !== reference && value.includes(reference);
}

/** Entries of the lists in a mapping of a model that have the key of an earlier entry. */
export function checkKeyedLists(
  root: YamlObject,
  field: FieldPath,
  model: string,
  value: YamlObject,
): FieldReport[] {
  const keyed = KEYED_LISTS.get(model);
  if (keyed === undefined) return [];
  const reported = new Set<unknown>();
  return keyed.flatMap(({ lists, key, defaults = {}, severity, remedy }) => {
    const seen = new Set<string>();
    return lists.flatMap((list) => {
      const entries = value[list];
      if (!Array.isArray(entries)) return [];
      return entries.flatMap((entry, i) => {
        if (!isObject(entry)) return [];
        const found = key.map((name) => entry[name] ?? defaults[name]);
        if (found[0] === undefined || found[0] === '') return [];
        const identity = JSON.stringify(found);
        // One cause, one report: two ports that have the name and the number of each other.
        const isNew = !seen.has(identity) || reported.has(entry);
        seen.add(identity);
        if (isNew || extendsFormer(list, entry)) return [];
        reported.add(entry);
        const [first = ''] = key;
        const name = textOf(entry[first]);
        const rest = key.slice(1).filter((one) => entry[one] !== undefined && entry[one] !== null);
        const also = rest.map((one) => message` and the same ${words(one)}`);
        const at = field.length === 0 ? [list] : [...field, list];
        return [
          {
            problem: message`has two entries with the ${words(first)} ${JSON.stringify(name)}${also[0] ?? ''} in ${placeOf(root, at)}`,
            remedy: words(remedy),
            field: [...at, i, first],
            severity,
          },
        ];
      });
    });
  });
}
