import { append } from './multimap';
import { type Labels, type Selector, selects } from './selector';

interface Entry<T> {
  readonly labels: Labels;
  readonly value: T;
}

/** In place of a namespace: whichever it is. */
const ANY = '*';

/** Objects by namespace and label, so that a selector is compared with few of them. */
export class LabelIndex<T> {
  private readonly lists = new Map<string, Entry<T>[]>();

  add(namespace: string, labels: Labels, value: T): void {
    for (const home of [namespace, ANY]) {
      append(this.lists, keyOf(home), { labels, value });
      for (const label of Object.entries(labels))
        append(this.lists, keyOf(home, ...label), { labels, value });
    }
  }

  /** @param namespaces undefined: all */
  selectedBy(selector: Selector, namespaces?: readonly string[]): T[] {
    return [...new Set(namespaces ?? [ANY])].flatMap((namespace) =>
      this.candidatesFor(selector, namespace)
        .filter(({ labels }) => selects(selector, labels))
        .map(({ value }) => value),
    );
  }

  /** The objects of a namespace with the rarest of the labels that a selector requires. */
  private candidatesFor({ matchLabels }: Selector, namespace: string): readonly Entry<T>[] {
    const [first, ...others] = [[], ...Object.entries(matchLabels)].map(
      (label) => this.lists.get(keyOf(namespace, ...label)) ?? [],
    );
    return others.reduce((rarest, one) => (one.length < rarest.length ? one : rarest), first ?? []);
  }
}

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
