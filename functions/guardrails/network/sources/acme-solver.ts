import { annotationsOf, groupOf, resourceRef } from '../../krm/resource';
import { message } from '../../message';
import { objectAt, objectsIn } from '../../yaml/yaml';
import type { Source } from '../topology-builder';

const HTTP01_SOLVER_PORT = 8089; // cert-manager, acme/http.go
const CERT_MANAGER = ['cert-manager.io/cluster-issuer', 'cert-manager.io/issuer', 'kubernetes.io/tls-acme'];

/** The ACME server reaches cert-manager's solver pods through an Ingress with TLS, or a Gateway, that it manages. */
export const readAcmeSolver: Source = ({ resource }, topology) => {
  const { kind, name, namespace = '' } = resourceRef(resource);
  const annotations = annotationsOf(resource);
  if (CERT_MANAGER.every((key) => annotations[key] === undefined)) return;
  const hasTls = objectsIn(objectAt(resource, 'spec').tls).length > 0;
  const isIngress = kind === 'Ingress' && groupOf(resource) === 'networking.k8s.io' && hasTls;
  const isGateway = kind === 'Gateway' && groupOf(resource) === 'gateway.networking.k8s.io';
  if (!isIngress && !isGateway) return;
  const from = { is: isIngress ? 'ingress-controller' : 'gateway' } as const;
  const ports = [{ protocol: 'TCP', port: HTTP01_SOLVER_PORT }] as const;
  const reason = message`${kind}/${name} has TLS from cert-manager`;
  topology.connect(
    from,
    { is: 'acme-solver', namespace },
    ports,
    reason,
    message`${kind}/${name} -> solver of cert-manager`,
  );
};
