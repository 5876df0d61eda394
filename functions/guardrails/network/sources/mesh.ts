import type { Placed } from '../../krm/resource';
import { message, words } from '../../message';
import { type YamlObject, objectAt } from '../../yaml/yaml';
import type { ConnectionEnd, Port, Workload } from '../connection';
import type { ExternalPeers, Mesh } from '../external-peers';
import type { SelectedPods } from '../selector';
import { type MeshMember, meshMembers } from '../mesh-members';
import { DIRECTIONS } from '../policy';
import { rangesOf } from '../required-traffic';
import { containerPortsIn, podPorts, portReference } from '../services';
import type { Source, TopologyBuilder } from '../topology-builder';

interface ControlPlane {
  readonly name: string;
  readonly pods: SelectedPods;
  readonly ports: readonly number[];
}

/** What the sidecars of a mesh connect to. Ambient pods have none. */
const CONTROL_PLANES: Readonly<Record<Mesh, ControlPlane | undefined>> = {
  istio: {
    name: 'istiod',
    pods: { namespace: 'istio-system', podLabels: { app: 'istiod' } },
    ports: [15012], // https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio
  },
  'istio-ambient': undefined,
  linkerd: {
    name: 'the control plane of Linkerd',
    pods: { namespace: 'linkerd', podLabels: {} },
    // identity, destination, policy: https://github.com/linkerd/linkerd2/tree/main/charts/linkerd-control-plane/templates
    ports: [8080, 8086, 8090],
  },
};

/** The port of the pods on which the traffic of a mesh arrives, beside their own ports. */
const TUNNELS: Readonly<Record<Mesh, { readonly name: string; readonly port: number } | undefined>> = {
  istio: undefined,
  'istio-ambient': { name: 'HBONE', port: 15008 }, // https://istio.io/latest/docs/ambient/usage/networkpolicy/
  linkerd: { name: 'the proxy of Linkerd', port: 4143 }, // https://linkerd.io/2/common-errors/network-policy/
};

/**
 * The source of probes of ambient pods, IPv4 and IPv6.
 * https://istio.io/latest/docs/ambient/usage/networkpolicy/#ambient-health-probes-and-kubernetes-networkpolicy
 */
const AMBIENT_PROBES = ['169.254.7.127/32', 'fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128'];
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'];

/**
 * The traffic of a service mesh: of sidecars with its control plane, and between its members. Without spec.network.mesh,
 * the isolation of members is held back. Runs after all connections are known.
 */
export const readMesh: Source<readonly Placed[]> = (resources, topology) => {
  const { mesh } = topology.peers;
  const served = new Set<Workload>();
  for (const [workload, member] of meshMembers(resources, topology.workloads.values(), mesh))
    if (isServed(member.mesh, mesh)) {
      served.add(workload);
      connectMember(workload, member, topology);
    } else holdBack(workload, member, topology);
  openTunnels(served, topology);
};

/** Whether the configuration names the mesh of a member: the mesh of ambient pods has sidecars too. */
function isServed(mesh: Mesh, configured: ExternalPeers['mesh']): boolean {
  return mesh === configured || (mesh === 'istio' && configured === 'istio-ambient');
}

function holdBack(workload: Workload, { mesh, evidence }: MeshMember, topology: TopologyBuilder): void {
  const answer = words(`set spec.network.mesh: ${mesh} in the configuration`);
  for (const direction of DIRECTIONS)
    topology.addNeed({ workload, direction, evidence, field: workload.pod.path, answer });
}

function connectMember(workload: Workload, { mesh, evidence }: MeshMember, topology: TopologyBuilder): void {
  const end = { is: 'workload', workload } as const;
  const control = CONTROL_PLANES[mesh];
  if (control !== undefined) {
    const to = { is: 'pods', pods: control.pods, name: words(control.name) } as const;
    topology.connect(end, to, control.ports.map(tcp), evidence, words(`sidecar -> ${control.name}`));
  }
  if (mesh !== 'istio-ambient') return;
  const from = {
    is: 'addresses',
    ranges: rangesOf(AMBIENT_PROBES),
    name: words('the probes of the kubelet'),
  } as const;
  topology.connect(from, end, probePorts(workload), evidence, words('probes in an ambient mesh'));
}

/** Members connect to each other through their proxies. Pods that are not in the build may be members too. */
function openTunnels(members: ReadonlySet<Workload>, { peers, connections }: TopologyBuilder): void {
  const tunnel = peers.mesh === undefined ? undefined : TUNNELS[peers.mesh];
  if (tunnel === undefined) return;
  const mayBeMember = (end: ConnectionEnd) =>
    end.is === 'workload' ? members.has(end.workload) : OUTSIDE_PODS.includes(end.is);
  const port = tcp(tunnel.port);
  for (const [i, connection] of connections.entries()) {
    const { from, to, ports } = connection;
    // Only TCP is proxied.
    if (
      !mayBeMember(from) ||
      !mayBeMember(to) ||
      isControlPlane(to) ||
      !ports.some(({ protocol }) => protocol === 'TCP')
    )
      continue;
    const cause = message`${connection.cause}, also on TCP ${tunnel.port}: ${words(tunnel.name)}`;
    connections[i] = { ...connection, ports: [...ports, port], cause };
  }
}

/** Ends of connections that are pods of other packages. */
const OUTSIDE_PODS: readonly ConnectionEnd['is'][] = ['ingress-controller', 'gateway', 'pods'];

function isControlPlane(end: ConnectionEnd): boolean {
  return end.is === 'pods' && Object.values(CONTROL_PLANES).some((control) => control?.pods === end.pods);
}

/** The ports that the kubelet probes. A name means a port of the same container. */
function probePorts({ pod }: Workload): Port[] {
  const ports = pod.containers.flatMap(({ value }) => {
    const own = { ports: containerPortsIn(value) };
    return PROBES.flatMap((key) => {
      const target = probedPort(objectAt(value, key));
      return target === undefined ? [] : podPorts({ protocol: 'TCP', target }, own);
    });
  });
  return [...new Set(ports.map(({ port }) => port))].map(tcp);
}

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Probe */
function probedPort(probe: YamlObject): number | string | undefined {
  const ports = ['httpGet', 'tcpSocket', 'grpc'].map((key) => portReference(objectAt(probe, key).port));
  return ports.find((one) => one !== undefined);
}

function tcp(port: number): Port {
  return { protocol: 'TCP', port };
}
