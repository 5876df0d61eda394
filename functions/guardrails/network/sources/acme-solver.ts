import { annotationsOf, groupOf, resourceRef } from '../../krm/resource';
import { message } from '../../message';
import { objectAt, objectsIn } from '../../yaml/yaml';
import type { Source } from '../topology-builder';
import { serverOf } from './ingress-class';

const HTTP01_SOLVER_PORT = 8089; // cert-manager, acme/http.go
const CERT_MANAGER = ['cert-manager.io/cluster-issuer', 'cert-manager.io/issuer', 'kubernetes.io/tls-acme'];

/** The ACME server reaches cert-manager's solver pods through an Ingress with TLS, or a Gateway, that it manages. */
export const readAcmeSolver: Source = (at, topology) => {
  const { resource } = at;
  const { kind, name, namespace = '' } = resourceRef(resource);
  const annotations = annotationsOf(resource);
  if (CERT_MANAGER.every((key) => annotations[key] === undefined)) return;
  const hasTls = objectsIn(objectAt(resource, 'spec').tls).length > 0;
  const isIngress = kind === 'Ingress' && groupOf(resource) === 'networking.k8s.io' && hasTls;
  const isGateway = kind === 'Gateway' && groupOf(resource) === 'gateway.networking.k8s.io';
  if (!isIngress && !isGateway) return;
  const server = isIngress ? serverOf(resource, topology) : ({ controller: { is: 'gateway' } } as const);
  if ('unknownClass' in server) {
    const problem = message`has the class ${server.unknownClass}, whose controller is not known, so no policy lets it reach the solver of cert-manager`;
    const remedy = 'add the class to spec.network.ingressControllers of the configuration';
    topology.report({ at, field: ['spec'] }, problem, remedy, 'warning');
    return;
  }
  const ports = [{ protocol: 'TCP', port: HTTP01_SOLVER_PORT }] as const;
  const reason = message`${kind}/${name} has TLS from cert-manager`;
  topology.connect(
    server.controller,
    { is: 'acme-solver', namespace },
    ports,
    reason,
    message`${kind}/${name} -> solver of cert-manager`,
  );
};
