import type { Report } from '../findings/finding';
import { compareQuantities, parseQuantity } from '../kubernetes/quantity';
import type { ResourceName } from '../kubernetes/resource-defaults';
import { podSpecOf } from '../kubernetes/workload';
import { type Message, message, words } from '../message';
import type { FieldPath, Fix } from '../yaml/field-path';
import { type YamlObject, type YamlValue, isAbsent, objectAt, textOf } from '../yaml/yaml';
import type { Rule } from './rule';

const NAMES: readonly ResourceName[] = ['cpu', 'memory'];
const SIDES = ['requests', 'limits'] as const;

/** Every container has requests and limits for cpu and memory. */
export const resources: Rule = {
  id: 'resources',
  summary: 'Requests and limits for cpu and memory, no request above its limit',
  adds: 'requests of 100m and 128Mi, limits of 500m and 512Mi; a value of the author bounds the one that is added',
  documentation: 'https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/',
  check: (resource, { resourceDefaults }) => {
    const pod = podSpecOf(resource);
    if (pod === undefined) return [];
    const ofPod = objectAt(pod.value, 'resources');
    const reports = checkPairs(ofPod, [...pod.path, 'resources'], words('pod'));
    for (const { name: container, sort, subject, value, path } of pod.containers) {
      // The API server refuses resources there: ephemeral containers use what the pod has left.
      if (sort === 'ephemeralContainer') continue;
      const own = objectAt(value, 'resources');
      const field = [...path, 'resources'];
      reports.push(...checkPairs(own, field, subject).map((one) => ({ ...one, container })));
      const missing = SIDES.flatMap((side) => NAMES.map((name) => ({ side, name }))).filter(
        ({ side, name }) =>
          [own, ofPod].every((holder) => isAbsent(objectAt(holder, side)[name])) &&
          // A limit of the pod is its request too, where it has no request.
          isAbsent(objectAt(ofPod, 'limits')[name]),
      );
      // A limit in one container would be its request too, and could exceed what the pod requests.
      const fixes: Fix[] = missing
        .filter(({ name }) => isAbsent(objectAt(ofPod, 'requests')[name]))
        .map(({ side, name }) => ({
          path: [...field, side, name],
          value: defaultFor(own, side, name, resourceDefaults[side][name]),
        }));
      if (missing.length > 0)
        reports.push({
          problem: message`${subject} has no ${listOf(missing.map(({ side, name }) => `${side}.${name}`))}`,
          remedy: words('set each missing value under resources of the container or of the pod'),
          field,
          container,
          ...(fixes.length > 0 ? { fixes } : {}),
        });
    }
    return reports;
  },
};

/** The default, or the author's value of the other side where the default would put the request above the limit. */
function defaultFor(
  own: YamlObject,
  side: (typeof SIDES)[number],
  name: ResourceName,
  byDefault: string,
): YamlValue {
  const other = objectAt(own, side === 'requests' ? 'limits' : 'requests')[name];
  const [wanted, given] = [parseQuantity(byDefault), parseQuantity(other)];
  if (wanted === undefined || given === undefined || other === undefined) return byDefault;
  const difference = compareQuantities(wanted, given);
  const fits = side === 'requests' ? difference <= 0 : difference >= 0;
  return fits ? byDefault : other;
}

/** `a`, `a or b`, `a, b, or c`. */
function listOf(names: readonly string[]): Message {
  return words(new Intl.ListFormat('en', { type: 'disjunction' }).format(names));
}

function checkPairs(own: YamlObject, path: FieldPath, subject: Message): Report[] {
  return NAMES.flatMap((name) => {
    const reports: Report[] = [];
    const values = SIDES.map((side) => objectAt(own, side)[name]);
    const [request, limit] = values.map(parseQuantity);
    SIDES.forEach((side, i) => {
      const value = values[i];
      const quantity = parseQuantity(value);
      if (isAbsent(value) || (quantity !== undefined && quantity.digits >= 0n)) return;
      reports.push({
        problem: message`${subject} has an invalid quantity in ${side}.${name}: ${JSON.stringify(value)}`,
        remedy: words(`write a quantity, such as ${name === 'cpu' ? '100m' : '128Mi'}`),
        field: [...path, side, name],
        currentValue: value,
      });
    });
    if (request !== undefined && limit !== undefined && compareQuantities(request, limit) > 0)
      reports.push({
        problem: message`${subject} has a ${name} request of ${textOf(values[0])} that exceeds its limit of ${textOf(values[1])}`,
        remedy: words('raise the limit, or lower the request'),
        field: [...path, 'requests', name],
        currentValue: values[0] ?? null,
      });
    return reports;
  });
}
