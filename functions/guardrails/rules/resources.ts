import { type Fix, formatPath } from '../yaml/field-path';
import { type YamlObject, type YamlValue, textOf } from '../yaml/yaml';
import { compareQuantities, parseQuantity } from '../kubernetes/quantity';
import type { ResourceName } from '../kubernetes/resource-defaults';
import { isAbsent, objectAt, podSpecOf } from '../kubernetes/workload';
import type { Finding, Rule } from './rule';

const NAMES: readonly ResourceName[] = ['cpu', 'memory'];
const SIDES = ['requests', 'limits'] as const;

/** Every container says what it needs and what it may take at most. */
export const resources: Rule = {
  id: 'resources',
  summary: 'Requests and limits for cpu and memory, no request above its limit',
  why: 'https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/',
  fixes: true,
  check: (resource, { resourceDefaults }) => {
    const pod = podSpecOf(resource);
    if (pod === undefined) return [];
    const ofPod = objectAt(pod.value, 'resources');
    const findings = checkPairs(ofPod, [...pod.path, 'resources'], 'the pod');
    for (const { name, sort, subject, value, path } of pod.containers) {
      // The API allows none there: they run in what the pod has left.
      if (sort === 'ephemeralContainer') continue;
      const own = objectAt(value, 'resources');
      const at = [...path, 'resources'];
      findings.push(...checkPairs(own, at, subject).map((one) => ({ ...one, container: name })));
      const missing = SIDES.flatMap((side) => NAMES.map((resourceName) => ({ side, resourceName }))).filter(
        ({ side, resourceName }) =>
          [own, ofPod].every((holder) => isAbsent(objectAt(holder, side)[resourceName])) &&
          // A pod's limit is its request too, where it has none.
          isAbsent(objectAt(ofPod, 'limits')[resourceName]),
      );
      // A limit in one container would be its request too, and more than the pod as a whole requests.
      const fixes: Fix[] = missing
        .filter(({ resourceName }) => isAbsent(objectAt(ofPod, 'requests')[resourceName]))
        .map(({ side, resourceName }) => ({
          path: [...at, side, resourceName],
          value: fillIn(own, side, resourceName, resourceDefaults[side][resourceName]),
        }));
      if (missing.length > 0)
        findings.push({
          what: `${subject} has no ${missing.map((one) => `${one.side}.${one.resourceName}`).join(', no ')}`,
          mend: 'set what it needs in its resources, or in those of the pod',
          field: formatPath(at),
          container: name,
          ...(fixes.length > 0 ? { fixes } : {}),
        });
    }
    return findings;
  },
};

/** The default, or the author's other side where the default would put the request above the limit. */
function fillIn(
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

function checkPairs(own: YamlObject, path: readonly (string | number)[], subject: string): Finding[] {
  return NAMES.flatMap((name) => {
    const findings: Finding[] = [];
    const values = SIDES.map((side) => objectAt(own, side)[name]);
    const [request, limit] = values.map(parseQuantity);
    SIDES.forEach((side, i) => {
      const value = values[i];
      const quantity = parseQuantity(value);
      if (isAbsent(value) || (quantity !== undefined && quantity.digits >= 0n)) return;
      findings.push({
        what: `${subject} has ${side}.${name} ${JSON.stringify(value)}, which is no amount`,
        mend: `write a quantity, such as ${name === 'cpu' ? '100m' : '128Mi'}`,
        field: formatPath([...path, side, name]),
        currentValue: value,
      });
    });
    if (request !== undefined && limit !== undefined && compareQuantities(request, limit) > 0)
      findings.push({
        what: `${subject} requests more ${name} (${textOf(values[0])}) than its limit (${textOf(values[1])})`,
        mend: 'raise the limit or lower the request',
        field: formatPath([...path, 'requests', name]),
        currentValue: values[0] ?? null,
      });
    return findings;
  });
}
