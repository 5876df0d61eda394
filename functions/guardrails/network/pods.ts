import { type Placed, groupOf, resourceRef } from '../krm/resource';
import { objectAt } from '../yaml/yaml';
import type { Workload } from './connection';
import type { SelectedPods } from './selector';
import { append } from './multimap';
import type { SelectorPeer } from './policy';
import { isPeer } from './policy-set';
import { type Labels, type Selector, selects, stringsIn } from './selector';
import { NAMESPACE_NAME, type PodEndpoint, namespaceLabels } from './traffic';

/** The name that represents a namespace about which nothing is known. */
export const ELSEWHERE = 'another namespace';

/** The pods of a build by label. */
export class PodIndex {
  private readonly byLabel = new Map<string, PodEndpoint[]>();

  constructor(private readonly pods: readonly PodEndpoint[]) {
    for (const pod of pods)
      for (const label of Object.entries(pod.labels)) append(this.byLabel, label.join('='), pod);
  }

  /** The pods that a peer of a policy in a namespace matches. */
  matching(peer: SelectorPeer, namespace: string): readonly PodEndpoint[] {
    const [label] = Object.entries(peer.podSelector?.matchLabels ?? {});
    const candidates = label === undefined ? this.pods : (this.byLabel.get(label.join('=')) ?? []);
    return candidates.filter((pod) => isPeer(peer, pod, namespace));
  }
}

/** Pods that represent all pods which policies and the configuration treat alike, in namespaces with their labels. */
export class RepresentativePods {
  private readonly namespaces = new Map<string, Labels>();
  private readonly pods = new Map<Workload | string, PodEndpoint>();

  constructor(resources: readonly Placed[]) {
    for (const { resource } of resources) {
      if (resource.kind !== 'Namespace' || groupOf(resource) !== '') continue;
      this.namespaces.set(resourceRef(resource).name, stringsIn(objectAt(resource, 'metadata').labels));
    }
  }

  /** A pod of a workload: always the same one. */
  ofWorkload(workload: Workload): PodEndpoint {
    const { namespace, labels, ports, usesHostNetwork } = workload;
    const made = { ...this.podWith(namespace, labels), workload, ports, usesHostNetwork };
    const pod = this.pods.get(workload) ?? made;
    this.pods.set(workload, pod);
    return pod;
  }

  /** A pod that is not in the build: the same one for the same labels. */
  withLabels({ namespace, podLabels }: SelectedPods): PodEndpoint {
    const key = JSON.stringify([namespace, podLabels]);
    const pod = this.pods.get(key) ?? this.podWith(namespace, podLabels);
    this.pods.set(key, pod);
    return pod;
  }

  /** Pods with the labels that a selector requires, and no others. */
  selectedBy(selector: Selector | undefined, namespace: string): readonly PodEndpoint[] {
    return labelsSelectedBy(selector).map((labels) => this.podWith(namespace, labels));
  }

  /** Pods with the labels that a peer of a policy in a namespace requires, in namespaces with such labels. */
  matching({ namespaceSelector, podSelector }: SelectorPeer, namespace: string): readonly PodEndpoint[] {
    if (namespaceSelector === undefined) return this.selectedBy(podSelector, namespace);
    return labelsSelectedBy(namespaceSelector).flatMap((labels) => {
      const name = labels[NAMESPACE_NAME] ?? ELSEWHERE;
      const ofNamespace = { ...this.labelsOf(name), ...labels };
      return this.selectedBy(podSelector, name).map((pod) => ({ ...pod, namespaceLabels: ofNamespace }));
    });
  }

  private podWith(namespace: string, labels: Labels): PodEndpoint {
    return { namespace, labels, namespaceLabels: this.labelsOf(namespace), ports: [] };
  }

  private labelsOf(namespace: string): Labels {
    return namespaceLabels(namespace, this.namespaces.get(namespace));
  }
}

/** A selector with long lists distinguishes too many sets of labels to check them all. */
const MOST_SETS = 1000;

/** Every set of labels that a selector distinguishes, up to 1,000: one for each value that it lists. */
function labelsSelectedBy(selector: Selector | undefined): readonly Labels[] {
  let found: Labels[] = [selector?.matchLabels ?? {}];
  for (const { key, operator, values } of selector?.matchExpressions ?? []) {
    if (operator === 'In')
      found = found.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))).slice(0, MOST_SETS);
    if (operator === 'Exists') found = found.map((labels) => ({ [key]: 'any', ...labels }));
  }
  return found.filter((labels) => selector === undefined || selects(selector, labels));
}
