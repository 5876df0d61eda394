import { append } from './multimap';
import type { SelectorPeer } from './policy';
import { type Selector, selects } from './selector';
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

  /** @param selector undefined: every pod in the namespace */
  selectedBy(selector: Selector | undefined, namespace: string): readonly PodEndpoint[] {
    return this.candidates(selector, this.byNamespace.get(namespace) ?? []).filter(
      (pod) => pod.namespace === namespace && (selector === undefined || selects(selector, pod.labels)),
    );
  }

  /** The pods that a peer of a policy in a namespace matches. */
  matching({ namespaceSelector, podSelector }: SelectorPeer, namespace: string): readonly PodEndpoint[] {
    if (namespaceSelector === undefined) return this.selectedBy(podSelector, namespace);
    return this.candidates(podSelector, this.pods).filter(
      (pod) =>
        selects(namespaceSelector, pod.namespaceLabels) &&
        (podSelector === undefined || selects(podSelector, pod.labels)),
    );
  }

  private candidates(selector: Selector | undefined, all: readonly PodEndpoint[]): readonly PodEndpoint[] {
    const [label] = Object.entries(selector?.matchLabels ?? {});
    return label === undefined ? all : (this.byLabel.get(label.join('=')) ?? []);
  }
}
