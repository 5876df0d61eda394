import { groupOf, resourceRef } from '../../krm/resource';
import { Field } from '../decode';
import { portReference } from '../services';
import type { Source } from '../topology-builder';

/** The ingress controller connects to the Services that an Ingress names. */
export const readIngress: Source = (at, topology) => {
  const { resource } = at;
  if (resource.kind !== 'Ingress' || groupOf(resource) !== 'networking.k8s.io') return;
  const { namespace = '' } = resourceRef(resource);
  const spec = new Field(resource).at('spec');
  const rules = spec.at('rules').entries();
  const paths = rules.flatMap((rule) => rule.at('http').at('paths').entries());
  for (const backend of [...paths.map((path) => path.at('backend')), spec.at('defaultBackend')]) {
    const service = backend.at('service');
    const { value: name } = service.at('name');
    if (typeof name !== 'string') continue;
    const port = service.at('port');
    const reference = portReference(port.at('number').value ?? port.at('name').value);
    const origin = { at, field: service.path };
    topology.connectToService({ is: 'ingress-controller' }, { name, namespace, port: reference }, origin);
  }
};
