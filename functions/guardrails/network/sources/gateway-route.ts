import { groupOf, resourceRef } from '../../krm/resource';
import { message } from '../../message';
import { type YamlObject, isAbsent, isObject, objectAt, objectsIn } from '../../yaml/yaml';
import { Field } from '../decode';
import { type ServiceReference, portReference } from '../services';
import type { Source, TopologyBuilder } from '../topology-builder';

const GROUP = 'gateway.networking.k8s.io';

/** ReferenceGrants of the build let routes of other namespaces refer to Services. */
export const readReferenceGrant: Source = ({ resource }, topology) => {
  if (resource.kind === 'ReferenceGrant' && groupOf(resource) === GROUP)
    topology.referenceGrants.push(resource);
};

/** The gateway connects to the Services that an HTTPRoute, or another route of the Gateway API, names. */
export const readGatewayRoute: Source = (at, topology) => {
  const { resource } = at;
  const { namespace: home = '' } = resourceRef(resource);
  if (!isGatewayRoute(resource)) return;
  const rules = new Field(resource).at('spec').at('rules').entries();
  for (const { value, path: field } of rules.flatMap(backendsOf)) {
    const { kind: to = 'Service', group = '', name, namespace, port } = isObject(value) ? value : {};
    if (to !== 'Service' || group !== '' || typeof name !== 'string') continue;
    const inNamespace = typeof namespace === 'string' ? namespace : home;
    const reference = { name, namespace: inNamespace, port: portReference(port) };
    if (topology.service(reference) === undefined || isGranted(resource, reference, topology))
      topology.connectToService({ is: 'gateway' }, reference, { at, field });
    else
      topology.report(
        { at, field },
        message`refers to Service/${name} in namespace ${inNamespace} without a ReferenceGrant there`,
        'add a ReferenceGrant to that namespace',
        'warning',
      );
  }
};

/** Whether a resource is a route of gateways: one whose parents are Services directs the traffic of a service mesh. */
export function isGatewayRoute(resource: YamlObject): boolean {
  if (groupOf(resource) !== GROUP || !resourceRef(resource).kind.endsWith('Route')) return false;
  const parents = objectsIn(objectAt(resource, 'spec').parentRefs);
  // https://gateway-api.sigs.k8s.io/mesh/
  return parents.length === 0 || parents.some(({ kind }) => kind !== 'Service');
}

/**
 * Whether a route may refer to a Service. The namespace of a route without one is not known, so it may be that of the
 * Service.
 * https://gateway-api.sigs.k8s.io/api-types/referencegrant/
 */
function isGranted(
  route: YamlObject,
  { name, namespace }: ServiceReference,
  { referenceGrants }: TopologyBuilder,
): boolean {
  const { kind, namespace: home = '' } = resourceRef(route);
  if (home === '' || namespace === home) return true;
  return referenceGrants.some((grant) => {
    const { from, to } = objectAt(grant, 'spec');
    const isFrom = objectsIn(from).some(
      (one) => one.group === GROUP && one.kind === kind && one.namespace === home,
    );
    const isTo = objectsIn(to).some(
      (one) =>
        (isAbsent(one.group) || one.group === '') &&
        one.kind === 'Service' &&
        (isAbsent(one.name) || one.name === name),
    );
    return isFrom && isTo && resourceRef(grant).namespace === namespace;
  });
}

/** The backends of a rule, then those to which it mirrors requests. */
function backendsOf(rule: Field): Field[] {
  const backends = rule.at('backendRefs').entries();
  const filters = [rule, ...backends].flatMap((one) => one.at('filters').entries());
  return [...backends, ...filters.map((filter) => filter.at('requestMirror').at('backendRef'))];
}
