import path from 'node:path/posix';
import { Message, message, words } from '../message';
import { type YamlObject, type YamlValue, isAbsent, isObject, mappingOf, textOf } from '../yaml/yaml';

/** How Argo CD edits a field of a kustomization; or why it cannot. */
type Edit = (kustomization: YamlObject, field: string, value: YamlValue) => YamlObject | Message;

/** The fields of an override that are applied: those that Argo CD sets with `kustomize edit set`. */
const EDITS = new Map<string, Edit>([
  ['namePrefix', setText],
  ['nameSuffix', setText],
  ['images', setImages],
  ['replicas', setReplicas],
  ['namespace', setText],
]);
/** Fields that a kustomization can have as well. */
const IN_KUSTOMIZATION = new Set(['commonAnnotations', 'commonLabels', 'components', 'patches']);
/** Fields that Argo CD takes from the Application only (mergeSourceParameters in its repository.go). */
const IGNORED = new Set(['chart', 'path', 'repoURL', 'targetRevision']);
const BUILT = 'check the build that Argo CD makes with --built';

/** kustomize api/types/image.go */
const IMAGE_FIELDS = ['name', 'newName', 'tagSuffix', 'newTag', 'digest'];
/** kustomize api/types/replica.go */
const REPLICA_FIELDS = ['name', 'count'];
/** As a new name, tag or digest: keep that of the kustomization. */
const KEEP = '*';

const GENERAL_FILE = '.argocd-source.yaml';
const FILE = /^\.argocd-source(?:-[^/]+)?\.yaml$/;
const MAX_COUNT = 2 ** 31 - 1; // int32; apimachinery pkg/util/intstr

/**
 * The files among the names of a folder that Argo CD merges into the source of an Application: the general one first,
 * then those for one Application each.
 */
export function argoCdSourceFiles(names: readonly string[]): string[] {
  const isGeneral = (name: string) => Number(name === GENERAL_FILE);
  return names
    .filter((name) => FILE.test(name))
    .sort((a, b) => isGeneral(b) - isGeneral(a) || compareText(a, b));
}

/**
 * The override of the one Application that a folder has files for, or why it is refused.
 *
 * @param files as `argoCdSourceFiles` returns them
 */
export function readArgoCdSource(
  dir: string,
  files: readonly string[],
  read: (file: string) => YamlObject | Message,
): YamlObject | Message {
  const ofApplications = files.filter((file) => path.basename(file) !== GENERAL_FILE);
  if (ofApplications.length > 1)
    return message`${dir} has override files for several Applications of Argo CD; check the build of each with --built`;
  let override: YamlObject = {};
  for (const file of files) {
    const one = read(file);
    if (one instanceof Message) return one;
    override = mergeArgoCdSources(override, one);
  }
  return override;
}

/**
 * The override of an Application: its own file over the general one. Mappings are merged, lists are replaced, and a null
 * changes nothing: Argo CD makes a JSON merge patch, but decodes the result over what it had before.
 */
export function mergeArgoCdSources(general: YamlObject, own: YamlObject): YamlObject {
  const merged = mappingOf(general);
  for (const [field, value] of Object.entries(own)) {
    const before = merged[field];
    if (isObject(before) && isObject(value)) merged[field] = mergeArgoCdSources(before, value);
    else if (value !== null) merged[field] = value;
  }
  return merged;
}

/**
 * A kustomization as Argo CD edits it before the build, or why the override is refused. Verified against Argo CD 3.1
 * (util/kustomize/kustomize.go) and `kustomize edit set` of kustomize 5.8.1.
 *
 * @param override the content of the file, a partial ApplicationSource
 * @param file the path of the override in messages
 */
export function applyArgoCdSource(
  kustomization: YamlObject,
  override: YamlObject,
  file: string,
): YamlObject | Message {
  for (const [field, value] of Object.entries(override))
    if (field !== 'kustomize' && !isEmpty(value))
      return IGNORED.has(field)
        ? message`${file}: Argo CD ignores ${field} in this file; remove it`
        : message`${file}: ${field} is not supported; ${words(BUILT)}`;
  const { kustomize } = override;
  if (isAbsent(kustomize)) return kustomization;
  if (!isObject(kustomize)) return message`${file}: ${mustBe('kustomize', 'a mapping', kustomize)}`;
  let edited = kustomization;
  for (const [field, value] of Object.entries(kustomize)) {
    const edit = EDITS.get(field) ?? refuse;
    const result = value === null ? edited : edit(edited, field, value);
    if (result instanceof Message) return message`${file}: ${result}`;
    edited = result;
  }
  return edited;
}

function refuse(kustomization: YamlObject, field: string, value: YamlValue): YamlObject | Message {
  if (isEmpty(value)) return kustomization;
  const remedy = IN_KUSTOMIZATION.has(field) ? `set it in the kustomization, or ${BUILT}` : BUILT;
  return message`kustomize.${field} is not supported; ${words(remedy)}`;
}

/** Whether a value sets nothing: Argo CD omits such a field. */
function isEmpty(value: YamlValue): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) return Object.keys(value).length === 0;
  return value === null || value === '' || value === false;
}

function setText(kustomization: YamlObject, field: string, value: YamlValue): YamlObject | Message {
  if (typeof value !== 'string') return mustBe(`kustomize.${field}`, 'a string', value);
  if (value === '') return kustomization;
  return disguisedField(kustomization, [field]) ?? mappingOf(kustomization, { [field]: value });
}

/** `kustomize edit set image`: an image replaces the entry with its name, and the list is sorted by name. */
function setImages(kustomization: YamlObject, field: string, value: YamlValue): YamlObject | Message {
  if (!Array.isArray(value)) return mustBe(`kustomize.${field}`, 'a list', value);
  if (value.length === 0) return kustomization;
  const images = new Map<string, YamlObject>();
  for (const [i, text] of value.entries()) {
    const image = imageEntry(text, `kustomize.${field}[${i}]`);
    if (image instanceof Message) return image;
    images.set(nameOf(image), image);
  }
  const current = entriesAt(kustomization, ['images', 'imageTags'], IMAGE_FIELDS);
  if (current instanceof Message) return current;
  for (const entry of current) {
    const image = images.get(nameOf(entry));
    images.set(nameOf(entry), image === undefined ? entry : withKept(image, entry));
  }
  const edited = mappingOf(kustomization, {
    images: sortedByName([...images.values()].map((image) => withKept(image, {}))),
  });
  // Deprecated; kustomize moves its entries to images.
  delete edited.imageTags;
  return edited;
}

/** An entry of `images` from `[name=]newName[:tag][@digest]`, as `kustomize edit set image` reads it; or why it is invalid. */
function imageEntry(text: YamlValue, field: string): YamlObject | Message {
  if (typeof text !== 'string') return mustBe(field, 'a string', text);
  if (text.includes('$'))
    return message`${field} is ${text}, in which Argo CD replaces variables; write the value, or ${words(BUILT)}`;
  const separator = text.indexOf('=');
  const [newName, newTag, digest] = splitImage(text.slice(separator + 1));
  if (newName === text || text.startsWith('-'))
    return message`${field} is ${JSON.stringify(text)}, which kustomize refuses; use name:tag, name@digest or name=newName:tag`;
  const name = text.slice(0, Math.max(separator, 0));
  return name === ''
    ? fieldsOf({ name: newName, newTag, digest })
    : fieldsOf({ name, newName, newTag, digest });
}

/** Split of kustomize api/internal/image/image.go: a colon before the first slash belongs to the registry. */
function splitImage(text: string): [name: string, tag: string, digest: string] {
  const from = Math.max(text.indexOf('/'), 0);
  const at = text.indexOf('@', from);
  const colon = text.indexOf(':', from);
  const end = at === -1 ? text.length : at;
  const hasTag = colon !== -1 && colon < end;
  return [text.slice(0, hasTag ? colon : end), hasTag ? text.slice(colon + 1, end) : '', text.slice(end + 1)];
}

/** An entry of `images` in which the fields to keep come from another one. kustomize drops the tagSuffix of such an entry. */
function withKept(image: YamlObject, from: YamlObject): YamlObject {
  if (![image.newName, image.newTag, image.digest].includes(KEEP)) return image;
  const kept = (field: string) => (image[field] === KEEP ? from[field] : image[field]);
  return fieldsOf({
    name: image.name,
    newName: kept('newName'),
    newTag: kept('newTag'),
    digest: kept('digest'),
  });
}

/** `kustomize edit set replicas`: a count replaces the entry with its name, and the list is sorted by name. */
function setReplicas(kustomization: YamlObject, field: string, value: YamlValue): YamlObject | Message {
  if (!Array.isArray(value)) return mustBe(`kustomize.${field}`, 'a list', value);
  if (value.length === 0) return kustomization;
  const replicas = new Map<string, YamlObject>();
  for (const [i, entry] of value.entries()) {
    const path = `kustomize.${field}[${i}]`;
    if (!isObject(entry)) return mustBe(path, 'a mapping with name and count', entry);
    const { name, count } = entry;
    if (typeof name !== 'string' || !/^[^-=][^=]*$/.test(name))
      return mustBe(`${path}.name`, 'the name of a resource', name);
    const number = replicaCount(count);
    if (number === undefined) return mustBe(`${path}.count`, 'an integer', count);
    replicas.set(name, mappingOf({ name, count: number }));
  }
  const current = entriesAt(kustomization, ['replicas'], REPLICA_FIELDS);
  if (current instanceof Message) return current;
  for (const entry of current) if (!replicas.has(nameOf(entry))) replicas.set(nameOf(entry), entry);
  return mappingOf(kustomization, { replicas: sortedByName([...replicas.values()]) });
}

function replicaCount(count: YamlValue | undefined): number | undefined {
  const isText = typeof count === 'string' && /^[-+]?[0-9]+$/.test(count);
  const number = isText ? Number(count) : count;
  if (typeof number !== 'number' || !Number.isInteger(number)) return undefined;
  return Math.abs(number) <= MAX_COUNT ? number : undefined;
}

/** The entries of lists in a kustomization; or why they cannot be edited. */
function entriesAt(
  kustomization: YamlObject,
  fields: readonly string[],
  known: readonly string[],
): YamlObject[] | Message {
  const disguised = disguisedField(kustomization, fields);
  if (disguised !== undefined) return disguised;
  const entries: YamlObject[] = [];
  for (const field of fields) {
    const list = kustomization[field] ?? [];
    if (!Array.isArray(list) || !list.every(isObject))
      return message`${field} of the kustomization must be a list of mappings; fix it`;
    const unknown = list.flatMap(Object.keys).find((key) => !known.includes(key));
    if (unknown !== undefined)
      return message`${field} of the kustomization has the unknown field ${unknown}; use one of ${words(known.join(', '))}`;
    entries.push(...list);
  }
  return entries;
}

/** kustomize reads keys in any letter case, so that an edit would add a second field. */
function disguisedField(kustomization: YamlObject, fields: readonly string[]): Message | undefined {
  for (const key of Object.keys(kustomization)) {
    const folded = key.replaceAll('ſ', 's').replaceAll('\u212a', 'k').toLowerCase();
    const field = fields.find((one) => one.toLowerCase() === folded);
    if (field !== undefined && field !== key)
      return message`kustomize reads the field ${key} as ${field}; rename it to ${field}`;
  }
  return undefined;
}

function mustBe(field: string, expected: string, found: YamlValue | undefined): Message {
  const isQuotable = typeof found === 'number' || typeof found === 'boolean';
  const remedy = expected === 'a string' && isQuotable ? 'quote it' : 'fix the value';
  return message`${field} must be ${words(expected)}, found ${textOf(found)}; ${words(remedy)}`;
}

function nameOf({ name }: YamlObject): string {
  return typeof name === 'string' ? name : '';
}

function sortedByName(entries: readonly YamlObject[]): YamlObject[] {
  return entries.toSorted((a, b) => compareText(nameOf(a), nameOf(b)));
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** A mapping without the fields that are empty. */
function fieldsOf(fields: Readonly<Record<string, YamlValue | undefined>>): YamlObject {
  const mapping = mappingOf();
  for (const [key, value] of Object.entries(fields))
    if (!isAbsent(value) && value !== '') mapping[key] = value;
  return mapping;
}
