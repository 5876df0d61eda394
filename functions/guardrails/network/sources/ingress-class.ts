import { annotationsOf, groupOf, resourceRef } from '../../krm/resource';
import { message } from '../../message';
import { type YamlObject, objectAt } from '../../yaml/yaml';
import type { ConnectionEnd } from '../connection';
import { readIpRange } from '../ip-range';
import type { Source, TopologyBuilder } from '../topology-builder';

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-ingress-class */
/** https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-ingress-class */
export const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
/** https://kubernetes.io/docs/reference/labels-annotations-taints/#ingressclass-kubernetes-io-is-default-class */
const DEFAULT_ANNOTATION = 'ingressclass.kubernetes.io/is-default-class';
/** The spec.controller of its IngressClasses (kubernetes/ingress-nginx, ingressclass.DefaultControllerName). */
const INGRESS_NGINX = 'k8s.io/ingress-nginx';

/** What serves an Ingress: a controller, or a class of which nothing is known. */
export type IngressServer = { readonly controller: ConnectionEnd } | { readonly unknownClass: string };

/** IngressClasses of the build say which controller serves a class. */
export const readIngressClass: Source = ({ resource }, topology) => {
  if (resource.kind !== 'IngressClass' || groupOf(resource) !== 'networking.k8s.io') return;
  topology.ingressClasses.set(resourceRef(resource).name, resource);
};

/** The controller of an Ingress by its class; an Ingress without a class has the usual controller. */
export function serverOf(ingress: YamlObject, topology: TopologyBuilder): IngressServer {
  const { ingressController, ingressControllers } = topology.peers;
  const name = classOf(ingress, topology);
  const usual = { controller: { is: 'ingress-controller' } } as const;
  if (name === undefined) return usual;
  const configured = ingressControllers.get(name);
  if (configured !== undefined) {
    const end = message`the ingress controller of class ${name}`;
    if (!('cidrs' in configured)) return { controller: { is: 'pods', pods: configured, name: end } };
    const ranges = configured.cidrs.flatMap((cidr) => readIpRange(cidr) ?? []);
    return { controller: { is: 'addresses', ranges, name: end } };
  }
  const isUsual = ingressController.classes.includes(name) || isServedByNginx(name, topology);
  return isUsual ? usual : { unknownClass: name };
}

/**
 * The class of an Ingress: its field, else its annotation, else the default class of the build.
 * https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class
 */
function classOf(ingress: YamlObject, { ingressClasses }: TopologyBuilder): string | undefined {
  const written = [objectAt(ingress, 'spec').ingressClassName, annotationsOf(ingress)[CLASS_ANNOTATION]];
  const name = written.find((one) => typeof one === 'string' && one !== '');
  if (typeof name === 'string') return name;
  const [usual] =
    [...ingressClasses].find(([, one]) => annotationsOf(one)[DEFAULT_ANNOTATION] === 'true') ?? [];
  return usual;
}

/** Whether the IngressClass of a class names ingress-nginx, and the configured controller is that one. */
function isServedByNginx(name: string, { ingressClasses, peers }: TopologyBuilder): boolean {
  const ingressClass = ingressClasses.get(name);
  if (ingressClass === undefined || objectAt(ingressClass, 'spec').controller !== INGRESS_NGINX) return false;
  return peers.ingressController.podLabels['app.kubernetes.io/name'] === 'ingress-nginx';
}
