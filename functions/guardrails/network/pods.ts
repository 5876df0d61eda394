import { type Endpoint, type PodEndpoint } from './evaluate';
import type { Peer } from './policy';
import { type Labels, type Selector, selects } from './selector';
import type { Workload } from './topology';

/** A pod, and the workload that it is of; undefined for one that only a policy or the configuration speaks of. */
export interface Pod extends PodEndpoint {
  readonly workload?: Workload;
}

/** An end of a connection, of which the workload may be known. */
export type End = Endpoint & { readonly workload?: Workload };

/** A peer that is no range of addresses. */
export type SelectorPeer = Exclude<Peer, { readonly ipBlock: unknown }>;

/** The pods of a build by namespace and label. */
export class PodIndex {
  private readonly byNamespace = new Map<string, Pod[]>();
  private readonly byLabel = new Map<string, Pod[]>();
  private readonly known: ReadonlySet<Pod>;

  constructor(private readonly pods: readonly Pod[]) {
    this.known = new Set(pods);
    for (const pod of pods) {
      append(this.byNamespace, pod.namespace, pod);
      for (const [key, value] of Object.entries(pod.labels)) append(this.byLabel, `${key}=${value}`, pod);
    }
  }

  has(pod: Pod): boolean {
    return this.known.has(pod);
  }

  /** undefined: every pod there. */
  selectedBy(selector: Selector | undefined, namespace: string): readonly Pod[] {
    return this.candidates(selector, this.byNamespace.get(namespace) ?? []).filter(
      (pod) => pod.namespace === namespace && (selector === undefined || selects(selector, pod.labels)),
    );
  }

  matching({ namespaceSelector, podSelector }: SelectorPeer, home: string): readonly Pod[] {
    if (namespaceSelector === undefined) return this.selectedBy(podSelector, home);
    return this.candidates(podSelector, this.pods).filter(
      (pod) =>
        selects(namespaceSelector, pod.namespaceLabels) &&
        (podSelector === undefined || selects(podSelector, pod.labels)),
    );
  }

  private candidates(selector: Selector | undefined, all: readonly Pod[]): readonly Pod[] {
    const [label] = Object.entries(selector?.matchLabels ?? {});
    return label === undefined ? all : (this.byLabel.get(label.join('=')) ?? []);
  }
}

/** Sets of labels; the product of a hostile selector's lists has no end. */
const MOST_LIKE = 1000;

/** Every set of labels that a selector tells from others, up to 1,000: one for each value that it lists. */
export function labelsLike(selector: Selector | undefined): readonly Labels[] {
  let found: Labels[] = [selector?.matchLabels ?? {}];
  for (const { key, operator, values } of selector?.matchExpressions ?? []) {
    if (operator === 'In')
      found = found
        .flatMap((labels) => values.map((value) => ({ ...labels, [key]: value })))
        .slice(0, MOST_LIKE);
    if (operator === 'Exists') found = found.map((labels) => ({ [key]: 'any', ...labels }));
  }
  return found.filter((labels) => selector === undefined || selects(selector, labels));
}

/** Adds to one of several lists. */
export function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
