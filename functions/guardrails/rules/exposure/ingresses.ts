import type { PlacedReport } from '../../findings/finding';
import { type Placed, annotationsOf, groupOf } from '../../krm/resource';
import { type Message, message, words } from '../../message';
import { CLASS_ANNOTATION } from '../../network/sources/ingress-class';
import { type YamlObject, type YamlValue, isAbsent, objectAt, objectsIn, textOf } from '../../yaml/yaml';
import { listOf } from '../lists';
import { covers, isPublicHost } from './hosts';

/** Classes of controllers that get certificates by themselves, and of those that serve private networks. */
const OTHER_CLASSES = /^(?:tailscale|ngrok|cloudflare.*)$|internal|private|(?:^|-)rilb(?:-|$)/i;
/** What the rule ingress-backend reports: a certificate is asked for, and no Secret is named for it. */
const CERTIFICATE_REQUESTS = [
  'cert-manager.io/cluster-issuer',
  'cert-manager.io/issuer',
  'kubernetes.io/tls-acme',
];
/**
 * Annotations with which a controller terminates TLS without `spec.tls`, or passes it on, and those that say that it is
 * terminated before the controller or that the network is private. The value must match.
 */
const TLS_ELSEWHERE: readonly (readonly [key: RegExp, value: RegExp])[] = [
  // https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/; of Alibaba, too
  [/^alb\.ingress\.kubernetes\.io\/certificate-arn$/, /./],
  [/^alb\.ingress\.kubernetes\.io\/listen-ports$/, /HTTPS/i],
  [/^alb\.ingress\.kubernetes\.io\/scheme$/, /^internal$/],
  // https://cloud.google.com/kubernetes-engine/docs/concepts/ingress-xlb
  [/^networking\.gke\.io\/(?:v1beta1\.)?(?:managed-certificates|certmap|FrontendConfig)$/, /./],
  [/^ingress\.gcp\.kubernetes\.io\/pre-shared-cert$/, /./],
  // https://azure.github.io/application-gateway-kubernetes-ingress/annotations/
  [/^appgw\.ingress\.kubernetes\.io\/appgw-ssl-(?:certificate|profile)$/, /./],
  [/^appgw\.ingress\.kubernetes\.io\/use-private-ip$/, /^true$/],
  // https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/ingress/
  [/^traefik\.ingress\.kubernetes\.io\/router\.tls(?:\..+)?$/, /^(?!false$)./],
  [/^traefik\.ingress\.kubernetes\.io\/router\.entrypoints$/, /secure|https|tls|443/i],
  // https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/: TLS ends in a load balancer
  [/^nginx\.ingress\.kubernetes\.io\/(?:ssl-passthrough|force-ssl-redirect)$/, /^true$/],
  [/^(?:haproxy\.org|haproxy-ingress\.github\.io|ingress\.kubernetes\.io)\/ssl-passthrough$/, /^true$/],
  [/^haproxy\.org\/ssl-certificate$/, /./],
  [/^konghq\.com\/protocols$/, /https|tls/],
  [/^route\.openshift\.io\/termination$/, /./],
  [/^oci-native-ingress\.oraclecloud\.com\/certificate-ocid$/, /./],
  [/^external-dns\.alpha\.kubernetes\.io\/cloudflare-proxied$/, /^true$/],
];

/** Ingresses that serve public hosts without TLS. */
export function checkIngresses(resources: readonly Placed[]): PlacedReport[] {
  const ingresses = resources.filter(
    ({ resource }) =>
      resource.kind === 'Ingress' && /^(?:networking\.k8s\.io|extensions)$/.test(groupOf(resource)),
  );
  // Controllers apply the certificate of a host to all Ingresses that serve it.
  const encrypted = new Set(ingresses.flatMap(({ resource }) => encryptedHosts(resource)));
  return ingresses.flatMap((at): PlacedReport[] => {
    const hosts = openHosts(at.resource, encrypted);
    if (hosts === undefined || isElsewhere(at.resource)) return [];
    return [
      {
        at,
        report: {
          problem: message`serves ${hosts} without TLS`,
          remedy: words(
            'add the hosts and a secretName under spec.tls; if TLS is terminated before the controller, say so with the annotation of the load balancer or an exemption',
          ),
          field: ['spec'],
          severity: 'warning',
        },
      },
    ];
  });
}

/** What an Ingress serves without TLS; undefined: nothing of the public. */
function openHosts(ingress: YamlObject, encrypted: ReadonlySet<string>): Message | undefined {
  const spec = objectAt(ingress, 'spec');
  const tls = objectsIn(spec.tls);
  // Without hosts, the certificate is for all of the Ingress.
  if (tls.some(({ hosts }) => !Array.isArray(hosts) || hosts.length === 0)) return undefined;
  const rules = objectsIn(spec.rules);
  const isForAny = rules.length === 0 || rules.some(({ host }) => isAbsent(host) || host === '');
  if (isForAny && tls.length === 0) return words('any host');
  const written: (YamlValue | undefined)[] = rules.map(({ host }) => host);
  const open = written.filter(isPublicHost).filter((host) => !covers(encrypted, host));
  return open.length === 0 ? undefined : listOf([...new Set(open)]);
}

function encryptedHosts(ingress: YamlObject): string[] {
  return objectsIn(objectAt(ingress, 'spec').tls).flatMap(({ hosts }) =>
    Array.isArray(hosts) ? hosts.map((host) => textOf(host).toLowerCase()) : [],
  );
}

function isElsewhere(ingress: YamlObject): boolean {
  const annotations = annotationsOf(ingress);
  const ingressClass = objectAt(ingress, 'spec').ingressClassName ?? annotations[CLASS_ANNOTATION];
  if (!isAbsent(ingressClass) && OTHER_CLASSES.test(textOf(ingressClass))) return true;
  if (CERTIFICATE_REQUESTS.some((key) => annotations[key] !== undefined)) return true;
  return Object.entries(annotations).some(([key, value]) =>
    TLS_ELSEWHERE.some(([name, expected]) => name.test(key) && expected.test(textOf(value))),
  );
}
