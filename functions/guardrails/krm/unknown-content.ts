import { type YamlObject, objectAt } from '../yaml/yaml';

/**
 * In place of content that a ResourceList does not carry: not a valid image reference, tag, name or number, so that no check
 * takes it for a real value.
 */
export const UNKNOWN_CONTENT = '<?>';
/** What precedes the name, in hexadecimal digits, of a file of variables whose keys are not known. */
const UNKNOWN_KEY = 'GUARDRAILS_PLACEHOLDER_';

/** A key that stands for all variables of a file; one of its own for each file, because a generator may read several. */
export function unknownKeyOf(file: string): string {
  return UNKNOWN_KEY + Buffer.from(file).toString('hex');
}

/** Whether a key, or a text, of generated data is not known. */
export function isUnknownContent(key: string, text: unknown): boolean {
  return text === UNKNOWN_CONTENT || key.startsWith(UNKNOWN_KEY);
}

/** Whether a ConfigMap or a Secret has content that is not known. */
export function hasUnknownContent(resource: YamlObject): boolean {
  if (resource.kind !== 'ConfigMap' && resource.kind !== 'Secret') return false;
  const isSecret = resource.kind === 'Secret';
  const text = isSecret ? Buffer.from(UNKNOWN_CONTENT).toString('base64') : UNKNOWN_CONTENT;
  return Object.entries(objectAt(resource, 'data')).some(
    ([key, value]) => value === text || isUnknownContent(key, value),
  );
}

/** The hash of its content at the end of the name of what kustomize generates (api/hasher/hasher.go). */
const HASH = /-[2456789bcdfghkmt]{10}$/;

/** A name of generated data without the hash, which is that of a placeholder where the content is not known. */
export function withoutHash(name: string): string {
  return name.replace(HASH, '');
}
