import { objectAt } from '../yaml/yaml';
import { type Placed, resourceRef, groupOf } from '../krm/resource';
import { NAMESPACE_NAME, namespaceLabels } from './evaluate';
import type { ExternalPods } from './external-peers';
import { type Pod, type SelectorPeer, labelsLike } from './pods';
import { type Labels, type Selector, labelsIn } from './selector';
import type { Workload } from './topology';

/** A namespace of which nothing is known. */
export const ELSEWHERE = 'another namespace';

/** The pods of a build, and those that its policies and the configuration speak of, in namespaces with their labels. */
export class RepresentativePods {
  private readonly namespaces = new Map<string, Labels>();
  private readonly strangers = new Map<string, Map<Labels, Pod>>();

  /** @param resources all of the build, Lists taken apart */
  constructor(resources: readonly Placed[]) {
    for (const { resource } of resources) {
      if (resource.kind !== 'Namespace' || groupOf(resource) !== '') continue;
      this.namespaces.set(resourceRef(resource).name, labelsIn(objectAt(resource, 'metadata').labels));
    }
  }

  podOf(workload: Workload): Pod {
    const { namespace, labels, ports } = workload;
    return { workload, namespace, labels, ports, namespaceLabels: this.labelsOf(namespace) };
  }

  foreign({ namespace, podLabels }: ExternalPods): Pod {
    return this.stranger(namespace, podLabels);
  }

  /** A pod that is not of this build: the same one each time. */
  stranger(namespace: string, labels: Labels): Pod {
    const ofNamespace = this.strangers.get(namespace) ?? new Map<Labels, Pod>();
    this.strangers.set(namespace, ofNamespace);
    const pod = ofNamespace.get(labels) ?? this.podWith(namespace, labels);
    ofNamespace.set(labels, pod);
    return pod;
  }

  /** Pods with the labels that a selector asks for, and no others. */
  podsLike(selector: Selector | undefined, namespace: string): readonly Pod[] {
    return labelsLike(selector).map((labels) => this.podWith(namespace, labels));
  }

  /** Pods made up of what a peer of a policy asks for. */
  podsOfPeer({ namespaceSelector, podSelector }: SelectorPeer, home: string): readonly Pod[] {
    if (namespaceSelector === undefined) return this.podsLike(podSelector, home);
    return labelsLike(namespaceSelector).flatMap((labels) => {
      const name = labels[NAMESPACE_NAME] ?? ELSEWHERE;
      const like = this.podsLike(podSelector, name);
      return like.map((pod) => ({ ...pod, namespaceLabels: { ...this.labelsOf(name), ...labels } }));
    });
  }

  private podWith(namespace: string, labels: Labels): Pod {
    return { namespace, labels, namespaceLabels: this.labelsOf(namespace), ports: [] };
  }

  private labelsOf(namespace: string): Labels {
    return namespaceLabels(namespace, this.namespaces.get(namespace));
  }
}
