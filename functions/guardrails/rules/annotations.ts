import type { Report } from '../findings/finding';
import { annotationsOf } from '../krm/resource';
import { ANNOTATIONS, type AnnotationNames } from '../kubernetes/annotation-names';
import { podSpecOf } from '../kubernetes/workload';
import { isNear, nearestOf } from '../kubernetes/spelling';
import { message, words } from '../message';
import type { FieldPath } from '../yaml/field-path';
import { type YamlObject, isAbsent, objectAt, textOf } from '../yaml/yaml';

const EXEMPT = 'exempt';

const HARDEN_MODES = ['all', 'safe'] as const;

/** Which rules add fields: all, or those whose fixes rarely stop a workload. */
export type HardenMode = (typeof HARDEN_MODES)[number];

/** What the annotation of a workload says; undefined: what the configuration says. */
export function hardenModeOf(resource: YamlObject, { harden }: AnnotationNames): HardenMode | undefined {
  const value = annotationsOf(resource)[harden];
  return HARDEN_MODES.find((mode) => mode === value);
}

/**
 * Annotations of the function that have no effect: misspelt, in a former domain, at the pod template, or with an invalid
 * value.
 *
 * @param ruleIds every rule there is
 */
export function checkAnnotations(
  resource: YamlObject,
  names: AnnotationNames,
  ruleIds: readonly string[],
): Report[] {
  const own = annotationsOf(resource);
  const pod = podSpecOf(resource);
  const ofPod =
    pod === undefined || pod.metadata === resource.metadata ? {} : objectAt(pod.metadata, 'annotations');
  const podField = [...(pod?.path.slice(0, -1) ?? []), 'metadata', 'annotations'];
  const read = (key: string) => readKey(key, names, ruleIds);
  return [
    ...Object.keys(own).flatMap((key) => checkKey(key, read(key), names, ['metadata', 'annotations', key])),
    ...Object.keys(ofPod).flatMap((key) => checkPlace(key, read(key), names, [...podField, key])),
    ...checkHarden(own, names),
  ];
}

/** A key of the function, in its domain or a former one. */
interface ReadKey {
  readonly domain: string;
  /** The key to write in its place; the same where it has an effect. */
  readonly correctKey: string;
}

/** Reads a key that is one of the function, or nearly one; undefined: it belongs to another program. */
function readKey(key: string, names: AnnotationNames, ruleIds: readonly string[]): ReadKey | undefined {
  const slash = key.indexOf('/');
  if (slash < 0) return undefined;
  const [prefix, name] = [key.slice(0, slash), key.slice(slash + 1)];
  const isDomain = (text: string) => text === names.domain || names.formerDomains.has(text);
  const known = isDomain(prefix) ? nearestOf(name, ANNOTATIONS) : undefined;
  if (known !== undefined) return { domain: prefix, correctKey: `${names.domain}/${known}` };

  const [label = ''] = prefix.split('.', 1);
  const domain = prefix.slice(label.length + 1);
  if (!isDomain(domain)) return undefined;
  // readExemptions reports an unknown rule.
  if (key.startsWith(names.exemptionPrefix)) return { domain, correctKey: key };
  const rule = nearestOf(name, ruleIds);
  if (!isExempt(label, rule !== undefined)) return undefined;
  if (domain !== names.domain && rule === undefined) return undefined;
  return { domain, correctKey: names.exemptionPrefix + (rule ?? '<rule>') };
}

/** Whether the first label of a prefix is that of exemptions, or nearly so. */
function isExempt(label: string, hasRule: boolean): boolean {
  return /^exempt[a-z]*$/.test(label) || (hasRule && isNear(label, EXEMPT));
}

function checkKey(
  key: string,
  read: ReadKey | undefined,
  names: AnnotationNames,
  field: FieldPath,
): Report[] {
  if (read === undefined || read.correctKey === key) return [];
  const { domain, correctKey } = read;
  const problem =
    domain === names.domain
      ? message`annotation ${key} has no effect, because its name is misspelt`
      : message`annotation ${key} has no effect, because the annotation domain is ${words(names.domain)}`;
  return [{ problem, remedy: words(`write ${correctKey}`), field }];
}

function checkPlace(
  key: string,
  read: ReadKey | undefined,
  { domain, exemptionPrefix }: AnnotationNames,
  field: FieldPath,
): Report[] {
  if (read === undefined || key.startsWith(exemptionPrefix)) return [];
  const { correctKey } = read;
  if (correctKey !== key && read.domain === domain) return [];
  return [
    {
      problem: message`annotation ${key} has no effect in the pod template`,
      remedy:
        correctKey === key
          ? words('move it to the metadata of the workload')
          : words(`write ${correctKey} in the metadata of the workload`),
      field,
    },
  ];
}

function checkHarden(annotations: YamlObject, { harden }: AnnotationNames): Report[] {
  const value = annotations[harden];
  if (isAbsent(value) || HARDEN_MODES.some((mode) => mode === value)) return [];
  return [
    {
      problem: message`annotation ${words(harden)} must be ${words(HARDEN_MODES.join(' or '))}, found ${textOf(value)}`,
      remedy: words('correct the value, or remove the annotation'),
      field: ['metadata', 'annotations', harden],
      currentValue: value,
    },
  ];
}
