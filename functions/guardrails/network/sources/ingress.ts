import { groupOf, resourceRef } from '../../krm/resource';
import { message, words } from '../../message';
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
  const backends = paths.map((one) => [one.at('backend'), one.at('path').value] as const);
  for (const [backend, path] of [...backends, [spec.at('defaultBackend'), undefined] as const]) {
    const service = backend.at('service');
    const { value: name } = service.at('name');
    if (typeof name !== 'string') continue;
    const port = service.at('port');
    const reference = portReference(port.at('number').value ?? port.at('name').value);
    const detail = typeof path === 'string' ? message` ${path}` : words('');
    const origin = { at, field: service.path, detail };
    topology.connectToService({ is: 'ingress-controller' }, { name, namespace, port: reference }, origin);
  }
};
