import { DEFAULT_ACCOUNT, ServiceAccounts, serviceAccountOf } from '../../kubernetes/service-accounts';
import type { Placed } from '../../krm/resource';
import { type Message, message, words } from '../../message';
import type { FieldPath } from '../../yaml/field-path';
import { isAbsent, textOf } from '../../yaml/yaml';
import type { ConnectionEnd, Workload } from '../connection';
import { Field } from '../decode';
import { API_SERVER_PORTS, type ExternalPeers } from '../external-peers';
import { rangesOf } from '../required-traffic';
import type { Source, TopologyBuilder } from '../topology-builder';

const CONFIGURE = 'set spec.network.apiServer in the configuration';
const NO_TOKEN = `${CONFIGURE}, or automountServiceAccountToken: false where the pods do not call the API server`;

/** What shows that a workload calls the API server. */
interface Evidence {
  /** As a clause: `ServiceAccount/web is bound by RoleBinding/web`. */
  readonly text: Message;
  readonly field: FieldPath;
  readonly cause: Message;
  /** A sentence. */
  readonly answer: string;
}

/**
 * A workload calls the API server when its pods mount a token that the build gives rights to, or that they would not need
 * otherwise: that of a ServiceAccount other than the default one.
 * https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/
 */
export const readApiServerClients: Source<readonly Placed[]> = (resources, topology) => {
  const accounts = new ServiceAccounts(resources);
  for (const workload of topology.workloads.values()) {
    const evidence = evidenceOfAccount(workload, accounts) ?? evidenceOfVolume(workload);
    if (evidence !== undefined) connect(workload, topology, evidence);
  }
};

/**
 * Connects a workload to the API server. Where the addresses are not known, it is a need, unless connects-to names them.
 *
 * @param evidence a clause: `env API_SERVER names kubernetes.default`
 * @param field from the root of the resource of the workload
 */
export function connectToApiServer(
  workload: Workload,
  topology: TopologyBuilder,
  evidence: Message,
  field: FieldPath,
): void {
  connect(workload, topology, { text: evidence, field, cause: evidence, answer: CONFIGURE });
}

/** The API server as an end of a connection. */
export function apiServerEnd({ addresses }: NonNullable<ExternalPeers['apiServer']>): ConnectionEnd {
  return { is: 'addresses', ranges: rangesOf(addresses), name: words('the API server') };
}

function connect(
  workload: Workload,
  topology: TopologyBuilder,
  { text, field, cause, answer }: Evidence,
): void {
  const { apiServer } = topology.peers;
  const { connectsTo, opened } = topology.declarationsOf(workload);
  // A token that is mounted may never be used: none says so.
  if (connectsTo?.length === 0) return;
  if (apiServer !== undefined) {
    const ports = apiServer.ports.map((port) => ({ protocol: 'TCP', port }) as const);
    topology.connect({ is: 'workload', workload }, apiServerEnd(apiServer), ports, text, cause);
    return;
  }
  if (opened.opensAddresses(API_SERVER_PORTS) || topology.heldForApiServer.has(workload)) return;
  topology.heldForApiServer.add(workload);
  topology.addNeed({ workload, direction: 'egress', evidence: text, field, answer: words(answer) });
}

function evidenceOfAccount({ pod, namespace }: Workload, accounts: ServiceAccounts): Evidence | undefined {
  if (!accounts.mountsToken(pod, namespace)) return undefined;
  const account = serviceAccountOf(pod);
  const binding = accounts.bindingOf(namespace, account);
  if (binding === undefined && account === DEFAULT_ACCOUNT) return undefined;
  const text =
    binding === undefined
      ? message`it mounts the token of ServiceAccount/${account}`
      : message`ServiceAccount/${account} is bound by ${binding}`;
  return { text, field: pod.path, cause: message`ServiceAccount/${account} -> API server`, answer: NO_TOKEN };
}

/**
 * A token without an audience is for the API server.
 * https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
 */
function evidenceOfVolume({ pod }: Workload): Evidence | undefined {
  for (const volume of new Field(pod.value, pod.path).at('volumes').entries())
    for (const source of volume.at('projected').at('sources').entries()) {
      const token = source.at('serviceAccountToken');
      const audience = token.at('audience').value;
      if (token.isAbsent || !(isAbsent(audience) || audience === '')) continue;
      const name = textOf(volume.at('name').value);
      const text = message`volume ${name} holds a token for the API server`;
      return { text, field: volume.path, cause: message`volume ${name} -> API server`, answer: CONFIGURE };
    }
  return undefined;
}
