import { groupOf, resourceRef } from '../../krm/resource';
import type { FieldPath } from '../../yaml/field-path';
import { type YamlObject, entriesIn, objectAt } from '../../yaml/yaml';
import { portReference } from '../services';
import type { Source } from '../topology-builder';

/** The gateway connects to the Services that an HTTPRoute, or another route of the Gateway API, names. */
export const readGatewayRoute: Source = (at, topology) => {
  const { resource } = at;
  const { kind, namespace: home = '' } = resourceRef(resource);
  if (groupOf(resource) !== 'gateway.networking.k8s.io' || !kind.endsWith('Route')) return;
  const rules = entriesIn(objectAt(resource, 'spec').rules);
  for (const [backend, field] of rules.flatMap((rule, i) => backendsOf(rule, ['spec', 'rules', i]))) {
    const { kind: to = 'Service', group = '', name, namespace, port } = backend;
    if (to === 'Service' && group === '' && typeof name === 'string')
      topology.connectToService(
        { is: 'gateway' },
        { name, namespace: typeof namespace === 'string' ? namespace : home, port: portReference(port) },
        { at, field },
      );
  }
};

/** The backends of a rule, then those to which it mirrors requests. */
function backendsOf(rule: YamlObject, path: FieldPath): (readonly [YamlObject, FieldPath])[] {
  const backends = entriesIn(rule.backendRefs).map(
    (backend, i) => [backend, [...path, 'backendRefs', i]] as const,
  );
  const mirrors = [[rule, path] as const, ...backends].flatMap(([{ filters }, at]) =>
    entriesIn(filters).map(
      (filter, i) =>
        [
          objectAt(objectAt(filter, 'requestMirror'), 'backendRef'),
          [...at, 'filters', i, 'requestMirror', 'backendRef'],
        ] as const,
    ),
  );
  return [...backends, ...mirrors];
}
