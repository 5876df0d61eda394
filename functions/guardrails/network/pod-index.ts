import { append } from './multimap';
import type { SelectorPeer } from './policy';
import { isPeer } from './policy-set';
import type { PodEndpoint } from './traffic';

/** The pods of a build by namespace and label. */
export class PodIndex {
  private readonly byNamespace = new Map<string, PodEndpoint[]>();
  private readonly byLabel = new Map<string, PodEndpoint[]>();

  constructor(private readonly pods: readonly PodEndpoint[]) {
    for (const pod of pods) {
      append(this.byNamespace, pod.namespace, pod);
      for (const label of Object.entries(pod.labels)) append(this.byLabel, label.join('='), pod);
    }
  }

  /** The pods that a peer of a policy in a namespace matches. */
  matching(peer: SelectorPeer, namespace: string): readonly PodEndpoint[] {
    const [label] = Object.entries(peer.podSelector?.matchLabels ?? {});
    const all = peer.namespaceSelector === undefined ? this.byNamespace.get(namespace) : this.pods;
    const candidates = label === undefined ? all : this.byLabel.get(label.join('='));
    return candidates?.filter((pod) => isPeer(peer, pod, namespace)) ?? [];
  }
}
