import { groupOf, resourceRef } from '../../krm/resource';
import type { FieldPath } from '../../yaml/field-path';
import { entriesIn, objectAt } from '../../yaml/yaml';
import { portReference } from '../services';
import type { Source } from '../topology-builder';

/** The ingress controller connects to the Services that an Ingress names. */
export const readIngress: Source = (at, topology) => {
  const { resource } = at;
  if (resource.kind !== 'Ingress' || groupOf(resource) !== 'networking.k8s.io') return;
  const { namespace = '' } = resourceRef(resource);
  const spec = objectAt(resource, 'spec');
  const backends = entriesIn(spec.rules).flatMap((rule, i) =>
    entriesIn(objectAt(rule, 'http').paths).map((path, j) => ({
      backend: objectAt(path, 'backend'),
      path: ['spec', 'rules', i, 'http', 'paths', j, 'backend'] as FieldPath,
    })),
  );
  backends.push({ backend: objectAt(spec, 'defaultBackend'), path: ['spec', 'defaultBackend'] });
  for (const { backend, path } of backends) {
    const service = objectAt(backend, 'service');
    const port = objectAt(service, 'port');
    if (typeof service.name !== 'string') continue;
    topology.connectToService(
      { is: 'ingress-controller' },
      { name: service.name, namespace, port: portReference(port.number ?? port.name) },
      { at, field: [...path, 'service'] },
    );
  }
};
