import { type Placed, groupOf, resourceRef } from '../../krm/resource';
import { message, words } from '../../message';
import { Field } from '../decode';
import { portReference } from '../services';
import type { Source, TopologyBuilder } from '../topology-builder';
import { type IngressServer, serverOf } from './ingress-class';
import { type IngressBackend, annotatedServices } from './ingress-nginx';

/** The ingress controller connects to the Services that an Ingress names. */
export const readIngress: Source = (at, topology) => {
  const { resource } = at;
  if (resource.kind !== 'Ingress' || groupOf(resource) !== 'networking.k8s.io') return;
  const server = serverOf(resource, topology);
  // A load balancer without pods is not ingress-nginx. Other controllers read its annotations too (traefik/traefik#12637).
  const isLoadBalancer = 'controller' in server && server.controller.is === 'addresses';
  const annotated = isLoadBalancer ? [] : annotatedServices(at, topology);
  for (const backend of [...backendsOf(at), ...annotated]) lead(server, backend, topology);
};

function backendsOf(at: Placed): IngressBackend[] {
  const { namespace = '' } = resourceRef(at.resource);
  const spec = new Field(at.resource).at('spec');
  const rules = spec.at('rules').entries();
  const paths = rules.flatMap((rule) => rule.at('http').at('paths').entries());
  const backends = paths.map((one) => [one.at('backend'), one.at('path').value] as const);
  return [...backends, [spec.at('defaultBackend'), undefined] as const].flatMap(([backend, path]) => {
    const service = backend.at('service');
    const { value: name } = service.at('name');
    if (typeof name !== 'string') return [];
    const port = service.at('port');
    const reference = {
      name,
      namespace,
      port: portReference(port.at('number').value ?? port.at('name').value),
    };
    const detail = typeof path === 'string' ? message` ${path}` : words('');
    return [{ reference, origin: { at, field: service.path, detail } }];
  });
}

/** Connects the controller of an Ingress to a Service; of a class that is not known, the pods need clients. */
function lead(server: IngressServer, { reference, origin }: IngressBackend, topology: TopologyBuilder): void {
  if ('controller' in server) {
    topology.connectToService(server.controller, reference, origin);
    return;
  }
  const { unknownClass } = server;
  const { kind, name } = resourceRef(origin.at.resource);
  const evidence = message`${kind}/${name} has the class ${unknownClass}, whose controller is not known`;
  const answer = message`add ${unknownClass} to spec.network.ingressControllers of the configuration`;
  for (const { workload, ports } of topology.podsOf(reference, origin))
    if (ports.length > 0 && !topology.declaresClients(workload, ports))
      topology.addNeed({ workload, direction: 'ingress', evidence, field: ['spec'], answer });
}
