import type { Report } from '../findings/finding';
import { annotationsOf } from '../krm/resource';
import { podSpecOf } from '../kubernetes/workload';
import { WRITABLE_PATHS } from '../kubernetes/writable-paths';
import { message, words } from '../message';
import type { FieldPath } from '../yaml/field-path';
import { type YamlObject, isAbsent, objectAt, textOf } from '../yaml/yaml';

const DOMAIN = 'todo.example.com/';
/** Overrides spec.harden for a workload. */
const HARDEN = `${DOMAIN}harden`;
const KNOWN = [HARDEN, WRITABLE_PATHS, `${DOMAIN}connects-to`, `${DOMAIN}internet-egress`];
/** A key that differs from a known one in so many characters is misspelt. */
const MOST_TYPOS = 2;

const HARDEN_MODES = ['all', 'safe'] as const;

/** Which rules add fields: all, or those whose fixes rarely stop a workload. */
export type HardenMode = (typeof HARDEN_MODES)[number];

/** What the annotation of a workload says; undefined: what the configuration says. */
export function hardenModeOf(resource: YamlObject): HardenMode | undefined {
  const value = annotationsOf(resource)[HARDEN];
  return HARDEN_MODES.find((mode) => mode === value);
}

/** Annotations of the function that have no effect: misspelt, at the pod template, or with an invalid value. */
export function checkAnnotations(resource: YamlObject): Report[] {
  const own = annotationsOf(resource);
  const pod = podSpecOf(resource);
  const ofPod =
    pod === undefined || pod.metadata === resource.metadata ? {} : objectAt(pod.metadata, 'annotations');
  const podField = [...(pod?.path.slice(0, -1) ?? []), 'metadata', 'annotations'];
  return [
    ...Object.keys(own).flatMap((key) => checkKey(key, ['metadata', 'annotations', key])),
    ...Object.keys(ofPod).flatMap((key) => checkPlace(key, [...podField, key])),
    ...checkHarden(own),
  ];
}

function checkKey(key: string, field: FieldPath): Report[] {
  if (!key.startsWith(DOMAIN) || KNOWN.includes(key)) return [];
  const near = KNOWN.find((known) => isNear(key, known));
  if (near === undefined) return [];
  return [
    {
      problem: message`annotation ${key} has no effect, because its name is misspelt`,
      remedy: words(`write ${near}`),
      field,
    },
  ];
}

function checkPlace(key: string, field: FieldPath): Report[] {
  if (!KNOWN.includes(key)) return [];
  return [
    {
      problem: message`annotation ${key} has no effect in the pod template`,
      remedy: words('move it to the metadata of the workload'),
      field,
    },
  ];
}

function checkHarden(annotations: YamlObject): Report[] {
  const value = annotations[HARDEN];
  if (isAbsent(value) || HARDEN_MODES.some((mode) => mode === value)) return [];
  return [
    {
      problem: message`annotation ${words(HARDEN)} must be ${words(HARDEN_MODES.join(' or '))}, found ${textOf(value)}`,
      remedy: words('correct the value, or remove the annotation'),
      field: ['metadata', 'annotations', HARDEN],
      currentValue: value,
    },
  ];
}

/** Whether a key becomes a known one by at most MOST_TYPOS insertions, deletions and replacements (Levenshtein). */
function isNear(key: string, known: string): boolean {
  if (Math.abs(key.length - known.length) > MOST_TYPOS) return false;
  let row = Array.from({ length: known.length + 1 }, (_, i) => i);
  for (let i = 0; i < key.length; i++) {
    const next = [i + 1];
    for (let j = 1; j < row.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (key[i] === known[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return (row.at(-1) ?? Infinity) <= MOST_TYPOS;
}
