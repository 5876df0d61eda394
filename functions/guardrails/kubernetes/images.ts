import { type Message, message, words } from '../message';
import { type FieldPath, formatPath } from '../yaml/field-path';
import {
  type YamlObject,
  type YamlValue,
  ifValid,
  isAbsent,
  isObject,
  parseYaml,
  textOf,
  valueOf,
} from '../yaml/yaml';
import {
  type ImageForm,
  type ImageKind,
  type TemplateMark,
  imageKindOf,
  isWithoutImages,
} from './image-kinds';
import { whyNotPinned } from './image-reference';
import { CONTAINER_LISTS, isWorkload, servedApiVersion } from './workload';

/** An image that a resource runs, mounts or deploys. */
export interface ImageUse {
  /** `container "backend"`, `image volume "model"`, `spec.image`, `image.tag in spec.valuesContent`. */
  readonly subject: Message;
  /** From the resource's root. */
  readonly field: FieldPath;
  /** undefined for a container without an image. */
  readonly image: YamlValue | undefined;
  /**
   * What `image` is: the image of a container, of a volume or of another field; an override of kustomize,
   * `[name=]newName[:tag][@digest]`; or a tag alone.
   */
  readonly form: 'container' | 'volume' | 'field' | 'override' | 'tag';
  /** The container's name; undefined if it is not the image of a container. */
  readonly container: string | undefined;
  /** How parameters start, in a kind whose controller replaces them. */
  readonly templates: TemplateMark | undefined;
}

/** A mapping or list of a resource, and how to get there: a path is only made for what is found. */
interface Place {
  readonly value: YamlObject | YamlValue[];
  /** undefined for the root. */
  readonly parent: Place | undefined;
  readonly step: string | number;
  /** The kind in the table that it is in: the fields of no other are searched there. */
  readonly kind: ImageKind | undefined;
  /** Whether it is in Helm values, where a tag beside a repository is one of an image, whatever the mapping is called. */
  readonly isHelm: boolean;
}

/** A field of a mapping or an entry of a list. */
interface Match {
  readonly place: Place;
  readonly step: string | number;
}

const LISTS = new Map<string, string>(CONTAINER_LISTS);
/** Fields of a mapping under `image` that may hold a reference. */
const NAMES = ['repository', 'reference', 'name'];
/** Fields beside `tag` in Helm values that show that it is the tag of an image. */
const BESIDE_TAG = ['repository', 'image', 'registry', 'hub'];
const DIGESTS = ['digest', 'sha', 'sha256'];

/**
 * Every image in a resource of any kind: of containers of every sort and of image volumes at any depth, and in the fields
 * of the table of kinds. In kinds other than the built-in workloads, also what is explicitly `latest` in other fields:
 * a string under `image`, a tag beside or under it, and an `imageTag`. Annotations, labels, status, and kinds of data,
 * schemas and policies hold no images.
 */
export function imagesOf(resource: YamlObject): readonly ImageUse[] {
  // Two rules ask for it, and a value that was read never changes.
  const uses = USES.get(resource) ?? new Search(resource).uses;
  USES.set(resource, uses);
  return uses;
}

const USES = new WeakMap<YamlObject, readonly ImageUse[]>();

class Search {
  readonly uses: ImageUse[] = [];
  /** Places still to visit, the next one last. Not recursive: resources may be deep. */
  private readonly open: Place[] = [];
  /** Mappings whose `image` is among the uses. */
  private readonly found = new Set<YamlObject>();
  private readonly helmValues = new Set<YamlValue>();
  private readonly isWorkload: boolean;
  /** A built-in workload has images in its lists alone. */
  private readonly isBuiltIn: boolean;

  /** @param text the field with the YAML text of Helm values that the resource was read from */
  constructor(
    resource: YamlObject,
    private readonly text?: FieldPath,
  ) {
    const isHelm = text !== undefined;
    this.isWorkload = !isHelm && isWorkload(resource);
    this.isBuiltIn = this.isWorkload && servedApiVersion(resource) !== undefined;
    this.open.push({ value: resource, parent: undefined, step: '', kind: undefined, isHelm });
    for (let place = this.open.pop(); place !== undefined; place = this.open.pop()) this.visit(place);
  }

  private visit(place: Place): void {
    const { value, isHelm } = place;
    if (Array.isArray(value)) {
      for (let i = value.length - 1; i >= 0; i--) this.openChild(place, i, value[i]);
      return;
    }
    let here = place;
    // Also a resource in a resource, such as one that a template creates.
    if (
      typeof value.kind === 'string' &&
      typeof value.apiVersion === 'string' &&
      !this.isBuiltIn &&
      !isHelm
    ) {
      if (place.parent === undefined && isWithoutImages(value)) return;
      const kind = imageKindOf(value);
      if (kind !== undefined && Object.keys(place.kind?.fields ?? {}).length === 0) {
        here = { ...place, kind };
        this.visitFields(here, kind);
      }
    }
    if (!this.isBuiltIn) this.visitMapping(here, value);
    const start = this.open.length;
    for (const key in value) {
      const child = value[key];
      if (typeof child !== 'object' || child === null || isDescription(key, here, value)) continue;
      if (Array.isArray(child)) this.visitList(here, key, child);
      this.openChild(here, key, child);
    }
    reverseFrom(this.open, start);
  }

  private openChild(parent: Place, step: string | number, value: YamlValue | undefined): void {
    if (typeof value !== 'object' || value === null) return;
    const isHelm = parent.isHelm || this.helmValues.has(value);
    this.open.push({ value, parent, step, kind: parent.kind, isHelm });
  }

  /** The entries of a list of containers or volumes. */
  private visitList(place: Place, key: string, list: readonly YamlValue[]): void {
    const sort = LISTS.get(key);
    if (sort === undefined && key !== 'volumes') return;
    for (const [i, entry] of list.entries()) {
      if (!isObject(entry)) continue;
      const { image, name = i } = entry;
      const quoted = JSON.stringify(name);
      if (sort === undefined) {
        if (!isObject(image) || place.isHelm) continue;
        const subject = message`image volume ${quoted}`;
        this.add('volume', subject, place, [key, i, 'image', 'reference'], image.reference);
      } else {
        // In other kinds an entry without an image is not a container, and Helm charts have mappings as images.
        if (!this.isWorkload && (image === undefined || isObject(image))) continue;
        const container = textOf(entry.name ?? '');
        const subject = message`${words(sort)} ${quoted}`;
        this.add('container', subject, place, [key, i, 'image'], image, container);
      }
      this.found.add(entry);
    }
  }

  /** What is explicitly `latest` in a mapping, whatever its kind. */
  private visitMapping(place: Place, value: YamlObject): void {
    const { image, imageTag, tag } = value;
    if (!this.found.has(value)) {
      if (isLatestImage(image)) this.addField('field', place, ['image'], image);
      if (isObject(image) && !hasDigest(image)) {
        const name = NAMES.find((one) => isLatestImage(image[one]));
        if (isLatest(image.tag)) this.addField('tag', place, ['image', 'tag'], image.tag);
        else if (name !== undefined) this.addField('field', place, ['image', name], image[name]);
      }
    }
    if (isLatest(imageTag) && !hasDigest(value)) this.addField('tag', place, ['imageTag'], imageTag);
    if (isLatest(tag) && place.step !== 'image' && !hasDigest(value) && isTagOfImage(place, value))
      this.addField('tag', place, ['tag'], tag);
  }

  /** The fields of a kind in the table. */
  private visitFields(root: Place, { fields }: ImageKind): void {
    for (const [form, patterns] of Object.entries(fields))
      for (const pattern of patterns)
        for (const { place, step } of matchesOf(root, stepsOf(pattern)))
          this.visitField(form as ImageForm, place, step);
  }

  private visitField(form: ImageForm, place: Place, step: string | number): void {
    const value = childOf(place.value, step);
    // The operator has a default.
    if (isAbsent(value) || value === '') return;
    switch (form) {
      case 'image':
        if (step === 'image' && isObject(place.value)) this.found.add(place.value);
        this.addField('field', place, [step], value);
        return;
      case 'tag':
        if (isLatest(value) && isObject(place.value) && !hasDigest(place.value))
          this.addField('tag', place, [step], value);
        return;
      case 'kustomize text':
        this.addField('override', place, [step], value);
        return;
      case 'kustomize entry':
        if (isObject(value) && !isAbsent(value.newTag) && !hasDigest(value))
          this.addField('tag', place, [step, 'newTag'], value.newTag);
        return;
      case 'Helm values':
        this.helmValues.add(value);
        return;
      case 'Helm values text':
        if (typeof value === 'string') this.visitText(value, this.fieldOf(place, [step]));
        return;
      case 'Helm parameters':
        if (Array.isArray(value)) this.visitParameters(value, place, step);
    }
  }

  private visitText(text: string, field: FieldPath): void {
    for (const values of ifValid(() => parseYaml(text, '').map(valueOf)) ?? [])
      if (isObject(values)) this.uses.push(...new Search(values, field).uses);
  }

  private visitParameters(parameters: readonly YamlValue[], place: Place, list: string | number): void {
    for (const [i, parameter] of parameters.entries()) {
      if (!isObject(parameter) || typeof parameter.name !== 'string') continue;
      const { name, value } = parameter;
      const keys = name.split('.');
      const last = keys.pop() ?? '';
      const isTag = last === 'imageTag' || (last === 'tag' && isImageKey(keys.at(-1)));
      const isImage = last === 'image' || (NAMES.includes(last) && isImageKey(keys.at(-1)));
      const form = isTag && isLatest(value) ? 'tag' : isImage && isLatestImage(value) ? 'field' : undefined;
      if (form !== undefined)
        this.add(form, message`the Helm parameter ${name}`, place, [list, i, 'value'], value);
    }
  }

  private addField(
    form: ImageUse['form'],
    place: Place,
    rest: FieldPath,
    image: YamlValue | undefined,
  ): void {
    const path = formatPath([...pathOf(place), ...rest]);
    const subject = this.text === undefined ? message`${path}` : message`${path} in ${formatPath(this.text)}`;
    this.add(form, subject, place, rest, image);
  }

  private add(
    form: ImageUse['form'],
    subject: Message,
    place: Place,
    rest: FieldPath,
    image: YamlValue | undefined,
    container?: string,
  ): void {
    const field = this.fieldOf(place, rest);
    this.uses.push({ subject, field, image, form, container, templates: place.kind?.templates });
  }

  private fieldOf(place: Place, rest: FieldPath): FieldPath {
    return this.text ?? [...pathOf(place), ...rest];
  }
}

function pathOf(place: Place): FieldPath {
  const path: (string | number)[] = [];
  for (let at = place; at.parent !== undefined; at = at.parent) path.push(at.step);
  return path.reverse();
}

/** Whether a field is data, describes a resource or its pods, or is their state. A chart may have components of these names. */
function isDescription(key: string, { parent, isHelm }: Place, mapping: YamlObject): boolean {
  if (key === 'labels' || key.endsWith('nnotations')) return true;
  if (key === 'data' || key === 'stringData')
    return mapping.kind === 'ConfigMap' || mapping.kind === 'Secret';
  if (key !== 'metadata' && key !== 'status') return false;
  return (parent === undefined && !isHelm) || mapping.spec !== undefined || mapping.kind !== undefined;
}

function isTagOfImage({ isHelm, step }: Place, mapping: YamlObject): boolean {
  if (typeof mapping.image === 'string') return !mapping.image.includes('@');
  return isHelm && (isImageKey(step) || BESIDE_TAG.some((key) => typeof mapping[key] === 'string'));
}

/** `image`, `sidecarImage`, `images`. */
function isImageKey(key: string | number | undefined): boolean {
  return typeof key === 'string' && /image/i.test(key);
}

function isLatest(tag: YamlValue | undefined): tag is string {
  return typeof tag === 'string' && tag.toLowerCase() === 'latest';
}

function isLatestImage(image: YamlValue | undefined): image is string {
  return typeof image === 'string' && /:latest$/i.test(image) && whyNotPinned(image) === 'has the tag latest';
}

function hasDigest(mapping: YamlObject): boolean {
  return DIGESTS.some((key) => typeof mapping[key] === 'string' && mapping[key] !== '');
}

function childOf(value: YamlObject | YamlValue[], step: string | number): YamlValue | undefined {
  if (Array.isArray(value)) return typeof step === 'number' ? value[step] : undefined;
  return value[step];
}

/** The steps of a pattern of the table: `['spec', 'steps', '[]', 'image']`. */
function stepsOf(pattern: string): readonly string[] {
  return pattern.replaceAll('[]', '.[]').split('.');
}

function matchesOf(root: Place, steps: readonly string[]): Match[] {
  const matches: Match[] = [];
  const open: [place: Place, next: number][] = [[root, 0]];
  for (const [place, next] of open) {
    const step = steps[next] ?? '';
    const isDeep = step === '**';
    if (isDeep) open.push([place, next + 1]);
    for (const key of isDeep ? stepsIn(place.value) : matchingSteps(place.value, step)) {
      const value = childOf(place.value, key);
      if (next === steps.length - 1) matches.push({ place, step: key });
      else if (typeof value === 'object' && value !== null)
        open.push([{ ...place, value, parent: place, step: key }, isDeep ? next : next + 1]);
    }
  }
  return matches;
}

function matchingSteps(value: YamlObject | YamlValue[], step: string): readonly (string | number)[] {
  if (Array.isArray(value)) return step === '[]' ? stepsIn(value) : [];
  if (step === '*') return stepsIn(value);
  return value[step] === undefined ? [] : [step];
}

function stepsIn(value: YamlObject | YamlValue[]): readonly (string | number)[] {
  return Array.isArray(value) ? [...value.keys()] : Object.keys(value);
}

function reverseFrom(places: Place[], start: number): void {
  for (let i = start, j = places.length - 1; i < j; i++, j--) {
    const [first, last] = [places[i], places[j]];
    if (first !== undefined && last !== undefined) [places[i], places[j]] = [last, first];
  }
}
