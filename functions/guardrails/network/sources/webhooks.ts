import { groupOf, resourceRef } from '../../krm/resource';
import { message, words } from '../../message';
import { textOf } from '../../yaml/yaml';
import { Field } from '../decode';
import type { ServiceReference } from '../services';
import type { Origin, Source, TopologyBuilder } from '../topology-builder';
import { apiServerEnd } from './api-server-clients';

/** The default of the port of a webhook, and of an APIService (kubernetes.io/docs, API reference). */
const DEFAULT_PORT = 443;

/** The API server connects to the Services that webhooks and APIServices name. */
export const readWebhooks: Source = (at, topology) => {
  for (const service of servicesIn(new Field(at.resource), groupOf(at.resource))) {
    const { value: name } = service.at('name');
    const { value: namespace } = service.at('namespace');
    const { value: port } = service.at('port');
    if (typeof name !== 'string' || typeof namespace !== 'string') continue;
    const reference = { name, namespace, port: typeof port === 'number' ? port : DEFAULT_PORT };
    // A Service without a namespace is in the one that kubectl apply chooses. Others may be of other packages.
    const own = [reference, { ...reference, namespace: '' }].find(
      (one) => topology.service(one) !== undefined,
    );
    if (own !== undefined) connectFromApiServer(own, { at, field: service.path }, topology);
  }
};

/**
 * The fields that name a Service to the API server.
 * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#service-reference
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#service-reference
 * https://kubernetes.io/docs/tasks/extend-kubernetes/setup-extension-api-server/
 */
function servicesIn(resource: Field, group: string): Field[] {
  const { value: kind } = resource.at('kind');
  const spec = resource.at('spec');
  switch (`${group}/${textOf(kind)}`) {
    case 'admissionregistration.k8s.io/ValidatingWebhookConfiguration':
    case 'admissionregistration.k8s.io/MutatingWebhookConfiguration':
      return resource
        .at('webhooks')
        .entries()
        .map((webhook) => webhook.at('clientConfig').at('service'));
    case 'apiextensions.k8s.io/CustomResourceDefinition':
      return [spec.at('conversion').at('webhook').at('clientConfig').at('service')];
    case 'apiregistration.k8s.io/APIService':
      return [spec.at('service')];
    default:
      return [];
  }
}

function connectFromApiServer(reference: ServiceReference, origin: Origin, topology: TopologyBuilder): void {
  const { apiServer } = topology.peers;
  if (apiServer !== undefined) {
    topology.connectToService(apiServerEnd(apiServer), reference, origin);
    return;
  }
  const { kind, name } = resourceRef(origin.at.resource);
  const evidence = message`${kind}/${name} leads to it through Service/${reference.name}`;
  const { acceptsFrom } = topology.annotations;
  const answer = words(
    `set spec.network.apiServer in the configuration, or name the addresses of the API server in ${acceptsFrom}`,
  );
  for (const { workload, ports } of topology.podsOf(reference, origin)) {
    if (ports.length === 0 || topology.declaresClients(workload, ports)) continue;
    topology.addNeed({ workload, direction: 'ingress', evidence, field: workload.pod.path, answer });
  }
}
