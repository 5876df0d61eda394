import { isAnnotationKey, isLabelKey, isLabelValue } from '../../kubernetes/label-syntax';
import { message, words } from '../../message';
import type { FieldPath } from '../../yaml/field-path';
import { type YamlObject, type YamlValue, isObject, objectsIn, textOf } from '../../yaml/yaml';
import { type FieldReport, isTemplate, placeOf } from './report';

/** The fields that hold labels, by model. */
const LABELS = new Set([
  'V1ObjectMeta.labels',
  'V1LabelSelector.matchLabels',
  'V1ServiceSpec.selector',
  'V1ReplicationControllerSpec.selector',
  'V1PodSpec.nodeSelector',
]);

const KEY_REMEDY = words(
  'write a name of at most 63 letters, digits, -, _ and ., after a DNS subdomain and / if it has a prefix',
);
const VALUE_REMEDY = words(
  'use at most 63 letters, digits, -, _ and ., with a letter or a digit at the start and at the end',
);

/**
 * The labels, selectors and annotations that the API server refuses in a field of a model (apimachinery,
 * pkg/apis/meta/v1/validation).
 *
 * @param reported `key=value` of what is reported already: a workload repeats its labels in its selector
 */
export function checkLabels(
  root: YamlObject,
  field: FieldPath,
  qualified: string,
  value: YamlValue,
  reported: Set<string>,
): FieldReport[] {
  if (qualified === 'V1LabelSelector.matchExpressions') return checkExpressions(root, field, value, reported);
  const isAnnotations = qualified === 'V1ObjectMeta.annotations';
  if (!isObject(value) || !(isAnnotations || LABELS.has(qualified))) return [];
  return Object.keys(value).flatMap((key) => {
    const at = [...field, key];
    if (isAnnotations) return checkKey(root, at, key, isAnnotationKey, reported);
    const text = value[key];
    return [
      ...checkKey(root, at, key, isLabelKey, reported),
      ...(typeof text === 'string' ? checkValue(root, at, text, `${key}=${text}`, reported) : []),
    ];
  });
}

function checkExpressions(
  root: YamlObject,
  field: FieldPath,
  value: YamlValue,
  reported: Set<string>,
): FieldReport[] {
  return objectsIn(value).flatMap(({ key, values }, i) => [
    ...(typeof key === 'string' && key !== ''
      ? checkKey(root, [...field, i, 'key'], key, isLabelKey, reported)
      : []),
    ...(Array.isArray(values) ? values : []).flatMap((text, j) =>
      typeof text === 'string'
        ? checkValue(root, [...field, i, 'values', j], text, `${textOf(key)}=${text}`, reported)
        : [],
    ),
  ]);
}

function checkKey(
  root: YamlObject,
  field: FieldPath,
  key: string,
  isValid: (key: string) => boolean,
  reported: Set<string>,
): FieldReport[] {
  if (isValid(key) || isTemplate(key) || reported.has(key)) return [];
  reported.add(key);
  return [
    {
      problem: message`has the invalid key ${JSON.stringify(key)} in ${placeOf(root, field.slice(0, -1))}`,
      remedy: KEY_REMEDY,
      field,
      unlessReported: true,
    },
  ];
}

function checkValue(
  root: YamlObject,
  field: FieldPath,
  text: string,
  identity: string,
  reported: Set<string>,
): FieldReport[] {
  if (isLabelValue(text) || isTemplate(text) || reported.has(identity)) return [];
  reported.add(identity);
  return [
    {
      problem: message`has the invalid label value ${JSON.stringify(text)} in ${placeOf(root, field)}`,
      remedy: VALUE_REMEDY,
      field,
      unlessReported: true,
      currentValue: text,
    },
  ];
}
