import type { PlacedReport } from '../../findings/finding';
import { type Placed, annotationsOf, resourceRef } from '../../krm/resource';
import { type Message, message, words } from '../../message';
import type { Workload } from '../../network/connection';
import { readDeclarations } from '../../network/declarations';
import { isLabels, stringsIn } from '../../network/selector';
import { allPodPorts, haveCommonPort, isService } from '../../network/services';
import { workloadIndexOf } from '../../network/workload-index';
import { type YamlObject, objectAt, textOf } from '../../yaml/yaml';
import { NETWORK_POLICY } from '../network-policy';
import { listOf } from '../lists';
import type { RuleContext } from '../rule';

/** Annotations of load balancers that are not reachable from the internet, or that name their clients. */
const ANSWERS: readonly (readonly [key: RegExp, value: RegExp])[] = [
  // https://kubernetes.io/docs/concepts/services-networking/service/#internal-load-balancer
  [/internal/i, /^(?!false$|0$)./i],
  [/private-network|use-private-ip|private-only/i, /^(?!false$)./i],
  [/load-?balancer|networking\.gke\.io|scheme|address-type|\btype$/i, /^(?:internal|private|intranet)$/i],
  [/load-balancer-source-ranges|allowed-cidrs|allow-list|allowlist|whitelist/i, /./],
  // https://metallb.io, https://kube-vip.io and Cilium give addresses of the own network.
  [/^(?:metallb\.(?:universe\.tf|io)|kube-vip\.io|lbipam\.cilium\.io|io\.cilium)\//, /./],
  [/^tailscale\.com\/expose$/, /^true$/],
];
/** Classes of load balancers of private networks. */
const PRIVATE_CLASS = /internal|private|tailscale|metallb|kube-vip/i;

/** Services that are open to clients which nothing names. */
export function checkServices(resources: readonly Placed[], context: RuleContext): PlacedReport[] {
  return resources.flatMap((at): PlacedReport[] => {
    const { resource } = at;
    const opened = isService(resource) ? openedBy(resource) : undefined;
    if (opened === undefined || isAnswered(resource)) return [];
    const workloads = openWorkloads(at, resources, context);
    if (workloads === undefined) return [];
    const names = workloads.map(({ kind, name }) => `${kind}/${name}`);
    const pods = names.length === 0 ? words('pods that are not in this build') : listOf(names);
    return [
      {
        at,
        report: {
          problem: message`${opened.cause}, which opens ${pods} to clients that nothing names`,
          remedy: message`${words(opened.remedy)}, or name the clients in ${words(context.annotations.acceptsFrom)} of the workload`,
          field: opened.field,
          severity: 'warning',
        },
      },
    ];
  });
}

interface Opened {
  /** As the end of a sentence: `is of type NodePort`. */
  readonly cause: Message;
  readonly remedy: string;
  readonly field: readonly string[];
}

function openedBy(service: YamlObject): Opened | undefined {
  const { type, externalIPs } = objectAt(service, 'spec');
  if (type === 'LoadBalancer')
    return {
      cause: words('is of type LoadBalancer'),
      remedy: 'set spec.loadBalancerSourceRanges',
      field: ['spec', 'type'],
    };
  if (type === 'NodePort')
    return {
      cause: words('is of type NodePort'),
      remedy: 'use type ClusterIP behind an Ingress',
      field: ['spec', 'type'],
    };
  if (Array.isArray(externalIPs) && externalIPs.length > 0 && type !== 'ExternalName')
    return { cause: words('has externalIPs'), remedy: 'remove them', field: ['spec', 'externalIPs'] };
  return undefined;
}

function isAnswered(service: YamlObject): boolean {
  const { loadBalancerSourceRanges: ranges, loadBalancerClass } = objectAt(service, 'spec');
  if (Array.isArray(ranges) && ranges.length > 0 && !ranges.some(isAnywhere)) return true;
  if (typeof loadBalancerClass === 'string' && PRIVATE_CLASS.test(loadBalancerClass)) return true;
  return Object.entries(annotationsOf(service)).some(([key, value]) =>
    ANSWERS.some(([name, expected]) => name.test(key) && expected.test(textOf(value))),
  );
}

function isAnywhere(range: unknown): boolean {
  return range === '0.0.0.0/0' || range === '::/0';
}

/**
 * The workloads behind a Service whose clients nothing names, and which the rule network-policy does not report: it holds
 * the isolation of the others back until accepts-from answers. undefined: there is nothing to report.
 */
function openWorkloads(
  { resource }: Placed,
  resources: readonly Placed[],
  { annotations, levels }: RuleContext,
): readonly Workload[] | undefined {
  const spec = objectAt(resource, 'spec');
  const { name, namespace = '' } = resourceRef(resource);
  const labels = isLabels(spec.selector) ? stringsIn(spec.selector) : {};
  if (Object.keys(labels).length === 0 || [name, ...Object.values(labels)].some(isEntrance)) return undefined;
  const selected = workloadIndexOf(resources).selectedBy(labels, namespace);
  if (selected.length === 0) return [];
  const isReported = levels.get(NETWORK_POLICY) !== 'off';
  const open = selected.filter((workload) => {
    if (isReported && !workload.usesHostNetwork) return false;
    const { acceptsFrom } = readDeclarations(workload, annotations);
    const ports = allPodPorts(spec, workload);
    return (
      acceptsFrom?.every(({ port }) => !haveCommonPort([port], ports)) !== false && acceptsFrom?.length !== 0
    );
  });
  return open.length === 0 ? undefined : open;
}

/** Whether a name is that of an ingress controller or a gateway, whose clients are everyone. */
function isEntrance(name: string): boolean {
  return /ingress|gateway|traefik|haproxy|contour|envoy|kong/i.test(name);
}
