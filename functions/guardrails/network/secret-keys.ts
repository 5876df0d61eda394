import { groupOf, resourceRef } from '../krm/resource';
import { type YamlObject, isObject, objectAt, objectsIn, textOf } from '../yaml/yaml';

/** The keys that a resource gives a Secret; never their values. */
export interface SecretKeys {
  /** Of the Secret. */
  readonly name: string;
  readonly keys: readonly string[];
}

/**
 * Reads the keys that a Secret, a SealedSecret or an ExternalSecret lists; undefined for other resources, and where the
 * keys come from a store.
 */
export function readSecretKeys(resource: YamlObject): SecretKeys | undefined {
  const { kind, name } = resourceRef(resource);
  const group = groupOf(resource);
  const spec = objectAt(resource, 'spec');
  if (kind === 'Secret' && group === '')
    return { name, keys: [...keysOf(resource.data), ...keysOf(resource.stringData)] };
  if (kind === 'SealedSecret' && group === 'bitnami.com') return { name, keys: keysOf(spec.encryptedData) };
  if (kind !== 'ExternalSecret' || group !== 'external-secrets.io') return undefined;
  const target = objectAt(spec, 'target');
  const template = objectAt(target, 'template');
  // https://external-secrets.io/latest/api/externalsecret/: these bring keys that no manifest lists.
  if (objectsIn(spec.dataFrom).length > 0 || template.templateFrom !== undefined) return undefined;
  const ofTemplate = keysOf(template.data);
  const ofStore = objectsIn(spec.data).map(({ secretKey }) => textOf(secretKey ?? ''));
  const keys =
    ofTemplate.length > 0 && template.mergePolicy !== 'Merge' ? ofTemplate : [...ofStore, ...ofTemplate];
  return { name: typeof target.name === 'string' ? target.name : name, keys };
}

function keysOf(value: unknown): string[] {
  return isObject(value) ? Object.keys(value) : [];
}
