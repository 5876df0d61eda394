import { groupOf, resourceRef } from '../../krm/resource';
import { isObject } from '../../yaml/yaml';
import { Field } from '../decode';
import { portReference } from '../services';
import type { Source } from '../topology-builder';

/** The gateway connects to the Services that an HTTPRoute, or another route of the Gateway API, names. */
export const readGatewayRoute: Source = (at, topology) => {
  const { resource } = at;
  const { kind, namespace: home = '' } = resourceRef(resource);
  if (groupOf(resource) !== 'gateway.networking.k8s.io' || !kind.endsWith('Route')) return;
  const rules = new Field(resource).at('spec').at('rules').entries();
  for (const { value, path: field } of rules.flatMap(backendsOf)) {
    const { kind: to = 'Service', group = '', name, namespace, port } = isObject(value) ? value : {};
    if (to !== 'Service' || group !== '' || typeof name !== 'string') continue;
    const inNamespace = typeof namespace === 'string' ? namespace : home;
    const reference = { name, namespace: inNamespace, port: portReference(port) };
    topology.connectToService({ is: 'gateway' }, reference, { at, field });
  }
};

/** The backends of a rule, then those to which it mirrors requests. */
function backendsOf(rule: Field): Field[] {
  const backends = rule.at('backendRefs').entries();
  const filters = [rule, ...backends].flatMap((one) => one.at('filters').entries());
  return [...backends, ...filters.map((filter) => filter.at('requestMirror').at('backendRef'))];
}
