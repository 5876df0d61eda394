import type { PlacedReport } from '../../findings/finding';
import { type Placed, annotationsOf, groupOf, resourceRef } from '../../krm/resource';
import { message, words } from '../../message';
import { Field } from '../../network/decode';
import { CLASS_ANNOTATION } from '../../network/sources/ingress-class';
import { type YamlObject, objectAt, objectsIn, textOf } from '../../yaml/yaml';

/** https://cert-manager.io/docs/usage/ingress/#supported-annotations */
const ISSUERS = ['cert-manager.io/cluster-issuer', 'cert-manager.io/issuer'];
/** https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary */
const CANARY = 'nginx.ingress.kubernetes.io/canary';
/** Annotations of Traefik and of the AWS controller with which two Ingresses of one class are served apart. */
const APART = /^(?:traefik\.ingress\.kubernetes\.io\/router\.|alb\.ingress\.kubernetes\.io\/group\.name$)/;
/** Controllers that make a load balancer, with an address of its own, for each Ingress. */
const ONE_BALANCER_EACH = /^(?:gce|alb|azure|application-gateway)/;

export function isIngress(resource: YamlObject): boolean {
  return resource.kind === 'Ingress' && groupOf(resource) === 'networking.k8s.io';
}

/** An Ingress that asks cert-manager for a certificate and does not say for which hosts. */
export function issuerWithoutTls(at: Placed): PlacedReport[] {
  const annotations = annotationsOf(at.resource);
  const issuer = ISSUERS.find((key) => annotations[key] !== undefined);
  if (issuer === undefined || objectsIn(objectAt(at.resource, 'spec').tls).length > 0) return [];
  return [
    {
      at,
      report: {
        problem: message`has the annotation ${words(issuer)}, but no tls, so cert-manager makes no certificate`,
        remedy: words('add spec.tls with the hosts and a secretName, or remove the annotation'),
        field: ['metadata', 'annotations', issuer],
        severity: 'error',
      },
    },
  ];
}

/** Paths that two Ingresses of a class, or one of them twice, serve for one host: which one counts is not defined. */
export function repeatedPaths(ingresses: readonly Placed[]): PlacedReport[] {
  const known = new Map<string, Placed>();
  return ingresses.flatMap((at) => {
    const served = classOf(at.resource);
    if (served === undefined) return [];
    return pathsOf(at).flatMap(({ field, host, path, pathType }) => {
      const key = JSON.stringify([served, host, path, pathType]);
      const first = known.get(key);
      if (first === undefined) known.set(key, at);
      if (first === undefined) return [];
      const { kind, name } = resourceRef(first.resource);
      const where = first === at ? words('twice') : message`, as ${kind}/${name} does`;
      const route = message`${host === '' ? words('any host') : host} ${path}`;
      return {
        at,
        report: {
          problem: message`serves ${route}${first === at ? words(' ') : words('')}${where}`,
          remedy: words('remove one of them: which one counts depends on the controller'),
          field: field.path,
          severity: 'warning' as const,
        },
      };
    });
  });
}

/** What distinguishes the Ingresses of different controllers; undefined: one that may repeat others. */
function classOf(resource: YamlObject): string | undefined {
  const annotations = annotationsOf(resource);
  if (textOf(annotations[CANARY]) === 'true') return undefined;
  const name = textOf(objectAt(resource, 'spec').ingressClassName ?? annotations[CLASS_ANNOTATION] ?? '');
  const apart = Object.entries(annotations).filter(([key]) => APART.test(key));
  if (ONE_BALANCER_EACH.test(name) && apart.length === 0) return undefined;
  if (Object.keys(annotations).some((key) => key.startsWith('kubernetes.io/ingress.global-static-ip-name')))
    return undefined;
  return JSON.stringify([name, apart.sort()]);
}

interface ServedPath {
  readonly field: Field;
  readonly host: string;
  readonly path: string;
  readonly pathType: string;
}

function pathsOf({ resource }: Placed): ServedPath[] {
  const rules = new Field(resource).at('spec').at('rules').entries();
  return rules.flatMap((rule) =>
    rule
      .at('http')
      .at('paths')
      .entries()
      .map((field) => ({
        field,
        host: textOf(rule.at('host').value ?? ''),
        path: textOf(field.at('path').value ?? '/'),
        pathType: textOf(field.at('pathType').value ?? ''),
      })),
  );
}
