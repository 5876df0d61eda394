import type { Report } from '../findings/finding';
import { resourceRef } from '../krm/resource';
import type { ContainerBounds } from '../kubernetes/namespace-objects';
import { compareQuantities, parseQuantity } from '../kubernetes/quantity';
import type { ResourceDefaults, ResourceName } from '../kubernetes/resource-defaults';
import { podSpecOf } from '../kubernetes/workload';
import { type Message, message, words } from '../message';
import type { FieldPath, Fix } from '../yaml/field-path';
import { type YamlObject, type YamlValue, isAbsent, objectAt, textOf } from '../yaml/yaml';
import type { Rule } from './rule';

const NAMES: readonly ResourceName[] = ['cpu', 'memory'];
const SIDES = ['requests', 'limits'] as const;
type Side = (typeof SIDES)[number];

/** One value that a container must have: `limits.memory`. */
interface Wanted {
  readonly side: Side;
  readonly name: ResourceName;
  readonly byDefault: string;
}

/** Every container has requests and limits for cpu and memory, within what its namespace allows. */
export const resources: Rule = {
  id: 'resources',
  summary:
    'Requests and limits for cpu and memory; no request above its limit; every value within the LimitRanges of the build, and no value above `limits.cpu` or `limits.memory` of a ResourceQuota, or above `spec.resources.max`',
  adds: 'requests of 100m and 128Mi, limits of 500m and 512Mi, or the defaults of a LimitRange; adjusted to existing values and to the bounds of LimitRange, ResourceQuota and `spec.resources.max`',
  documentation: 'https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/',
  check: (resource, { resourceDefaults, namespaceObjects }) => {
    const pod = podSpecOf(resource);
    if (pod === undefined) return [];
    const { namespace } = resourceRef(resource);
    const bounds = {
      cpu: withMaximum(namespaceObjects.boundsOf('cpu', namespace), resourceDefaults.max.cpu),
      memory: withMaximum(namespaceObjects.boundsOf('memory', namespace), resourceDefaults.max.memory),
    };
    const ofPod = objectAt(pod.value, 'resources');
    const wanted = wantedOf(resourceDefaults);
    const reports = checkPairs(ofPod, [...pod.path, 'resources'], words('pod'));
    for (const { name: container, sort, subject, value, path } of pod.containers) {
      // The API server refuses resources there: ephemeral containers use what the pod has left.
      if (sort === 'ephemeralContainer') continue;
      const own = objectAt(value, 'resources');
      const field = [...path, 'resources'];
      const found = [...checkPairs(own, field, subject), ...checkBounds(own, field, subject, bounds)];
      reports.push(...found.map((one) => ({ ...one, container })));
      const missing = wanted.filter(
        ({ side, name }) =>
          [own, ofPod].every((holder) => isAbsent(objectAt(holder, side)[name])) &&
          // A limit of the pod is its request too, where it has no request.
          isAbsent(objectAt(ofPod, 'limits')[name]),
      );
      if (missing.length === 0) continue;
      const other = otherResourceIn(own);
      const fixes: Fix[] = missing
        // A limit in one container would be its request too, and could exceed what the pod requests.
        .filter(({ name }) => isAbsent(objectAt(ofPod, 'requests')[name]))
        // What a workload with a device needs is known to its author alone.
        .filter(({ side }) => side === 'requests' || other === undefined)
        .filter(({ name }) => canAdd(own, ofPod, name))
        .map((one) => ({
          path: [...field, one.side, one.name],
          value: defaultFor(own, one, missing, bounds[one.name]),
        }));
      const device = other === undefined ? '' : message`, and uses ${other}, so no default limit is added`;
      reports.push({
        problem: message`${subject} has no ${listOf(missing.map(({ side, name }) => `${side}.${name}`))}${device}`,
        remedy: words('set each missing value under resources of the container or of the pod'),
        field,
        container,
        ...(fixes.length > 0 ? { fixes } : {}),
      });
    }
    return reports;
  },
};

function wantedOf(defaults: ResourceDefaults): Wanted[] {
  const sides = { all: SIDES, requests: ['requests'] as const, none: [] }[defaults.add];
  return sides.flatMap((side) =>
    NAMES.flatMap((name) => {
      const byDefault = defaults[side][name];
      return byDefault === null ? [] : [{ side, name, byDefault }];
    }),
  );
}

/** Whether a default can be added: existing quantities are valid and not negative. */
function canAdd(own: YamlObject, ofPod: YamlObject, name: ResourceName): boolean {
  return SIDES.every((side) => {
    const value = objectAt(own, side)[name];
    // To the API server, null is 0 in the resources of a pod, which those of its containers must not exceed.
    const isZero = objectAt(ofPod, side)[name] === null;
    return !isZero && (isAbsent(value) || (parseQuantity(value)?.digits ?? -1n) >= 0n);
  });
}

/** A device (`nvidia.com/gpu`) or huge pages (`hugepages-2Mi`) among the resources of a container. */
function otherResourceIn(own: YamlObject): string | undefined {
  return SIDES.flatMap((side) => Object.keys(objectAt(own, side))).find(
    (name) => name.startsWith('hugepages-') || (name.includes('/') && !name.startsWith('kubernetes.io/')),
  );
}

/** The bounds of a namespace with the maximum of the configuration, where that is smaller. */
function withMaximum(bounds: ContainerBounds, text: string | null): ContainerBounds {
  const quantity = parseQuantity(text);
  if (text === null || quantity === undefined) return bounds;
  if (bounds.max !== undefined && compareQuantities(bounds.max.quantity, quantity) <= 0) return bounds;
  return { ...bounds, max: { text, quantity, by: 'spec.resources.max' } };
}

/** What is added: the default of the namespace or the configuration, within the bounds of the namespace and the author. */
function defaultFor(
  own: YamlObject,
  { side, name, byDefault }: Wanted,
  missing: readonly Wanted[],
  bounds: ContainerBounds,
): YamlValue {
  const isMissing = (wanted: Side) => missing.some((one) => one.side === wanted && one.name === name);
  const limit = isMissing('limits')
    ? within(bounds.defaultLimit?.text ?? defaultOf(missing, 'limits', name), bounds)
    : (objectAt(own, 'limits')[name] ?? bounds.defaultLimit?.text);
  if (side === 'limits') {
    const request = isMissing('requests') ? undefined : objectAt(own, 'requests')[name];
    return isMore(request, limit) ? (request ?? byDefault) : (limit ?? byDefault);
  }
  const request = within(bounds.defaultRequest?.text, bounds) ?? within(byDefault, bounds) ?? byDefault;
  return isMore(request, limit) || isBeyondRatio(request, limit, bounds) ? (limit ?? request) : request;
}

function defaultOf(missing: readonly Wanted[], side: Side, name: ResourceName): string | undefined {
  return missing.find((one) => one.side === side && one.name === name)?.byDefault;
}

function within(text: string | undefined, { min, max }: ContainerBounds): string | undefined {
  if (text === undefined) return undefined;
  if (max !== undefined && isMore(text, max.text)) return max.text;
  return min !== undefined && isMore(min.text, text) ? min.text : text;
}

/** Whether one quantity is more than another; false where one of them is missing or invalid. */
function isMore(a: YamlValue | undefined, b: YamlValue | undefined): boolean {
  if (isAbsent(a) || isAbsent(b)) return false;
  const [one, other] = [parseQuantity(a), parseQuantity(b)];
  return one !== undefined && other !== undefined && compareQuantities(one, other) > 0;
}

function isBeyondRatio(
  request: YamlValue | undefined,
  limit: YamlValue | undefined,
  { maxRatio }: ContainerBounds,
): boolean {
  if (maxRatio === undefined) return false;
  const [least, most] = [parseQuantity(request), parseQuantity(limit)];
  if (least === undefined || most === undefined) return false;
  // A ratio counts in billionths too.
  return most.digits * 1_000_000_000n > least.digits * maxRatio.quantity.digits;
}

/** What the API server refuses because of a LimitRange or a ResourceQuota. */
function checkBounds(
  own: YamlObject,
  path: FieldPath,
  subject: Message,
  bounds: Readonly<Record<ResourceName, ContainerBounds>>,
): Report[] {
  return NAMES.flatMap((name) => {
    const { min, max, maxRatio } = bounds[name];
    const [request, limit] = SIDES.map((side) => objectAt(own, side)[name]);
    const reports: Report[] = [];
    const report = (side: Side, problem: Message, remedy: Message) =>
      reports.push({
        problem,
        remedy,
        field: [...path, side, name],
        currentValue: objectAt(own, side)[name],
      });
    const has = message`${subject} has a ${words(name)}`;
    if (max !== undefined && isMore(limit, max.text))
      report(
        'limits',
        message`${has} limit of ${textOf(limit)} that exceeds the maximum ${max.text} of ${max.by}`,
        words('lower the limit'),
      );
    if (max !== undefined && isMore(request, max.text))
      report(
        'requests',
        message`${has} request of ${textOf(request)} that exceeds the maximum ${max.text} of ${max.by}`,
        words('lower the request'),
      );
    if (min !== undefined && isMore(min.text, request))
      report(
        'requests',
        message`${has} request of ${textOf(request)} below the minimum ${min.text} of ${min.by}`,
        words('raise the request'),
      );
    if (min !== undefined && isMore(min.text, limit))
      report(
        'limits',
        message`${has} limit of ${textOf(limit)} below the minimum ${min.text} of ${min.by}`,
        words('raise the limit'),
      );
    if (maxRatio !== undefined && isBeyondRatio(request, limit, bounds[name]))
      report(
        'requests',
        message`${has} limit of more than ${maxRatio.text} times its request; ${maxRatio.by} sets maxLimitRequestRatio: ${maxRatio.text}`,
        words('raise the request, or lower the limit'),
      );
    return reports;
  });
}

const OR_LIST = new Intl.ListFormat('en', { type: 'disjunction' });

/** `a`, `a or b`, `a, b, or c`. */
function listOf(names: readonly string[]): Message {
  return words(OR_LIST.format(names));
}

function checkPairs(own: YamlObject, path: FieldPath, subject: Message): Report[] {
  return NAMES.flatMap((name) => {
    const reports: Report[] = [];
    const values = SIDES.map((side) => objectAt(own, side)[name]);
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
    if (isMore(values[0], values[1]))
      reports.push({
        problem: message`${subject} has a ${name} request of ${textOf(values[0])} that exceeds its limit of ${textOf(values[1])}`,
        remedy: words('raise the limit, or lower the request'),
        field: [...path, 'requests', name],
        currentValue: values[0] ?? null,
      });
    return reports;
  });
}
