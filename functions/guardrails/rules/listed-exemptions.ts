import type { Finding, Source } from '../findings/finding';
import { type Placed, type ResourceRef, resourceRef } from '../krm/resource';
import { message, words } from '../message';
import type { FieldPath } from '../yaml/field-path';
import { ContainerNames, type Exemption, type ExemptionCheck, checkExemption } from './exemptions';

/** An entry of the exemptions file. */
export interface ListedExemption extends Exemption {
  /** The resources that it covers, at the source and in builds. */
  readonly kind: string;
  readonly name: string;
  /** undefined: any namespace. */
  readonly namespace: string | undefined;
  /** From the root of the file's document. */
  readonly field: FieldPath;
  readonly source: Source;
}

/** An entry, and what is wrong with it. */
export interface CheckedEntry {
  readonly entry: ListedExemption;
  readonly finding: Finding | undefined;
}

/** The entries of the exemptions file. Every lookup takes the same time, however many entries and resources there are. */
export class ListedExemptions {
  /** `kind/name` to the entries that have an effect on such resources. */
  private readonly effective = new Map<string, Map<string, ListedExemption>>();

  /** @param document the resource that has the entries, for findings */
  constructor(
    private readonly document: ResourceRef,
    readonly entries: readonly ListedExemption[],
    private readonly limits: Omit<ExemptionCheck, 'containers' | 'form'>,
  ) {
    for (const entry of entries) {
      if (this.problemOf(entry)?.severity === 'error') continue;
      const key = keyOf(entry);
      const group = this.effective.get(key) ?? new Map<string, ListedExemption>();
      this.effective.set(key, group);
      const { rule, namespace, container } = entry;
      const inGroup = partKey(rule, namespace, container);
      if (!group.has(inGroup)) group.set(inGroup, entry);
    }
  }

  /** The entry that covers a report of a rule about a resource. */
  find(resource: ResourceRef, rule: string, container: string | undefined): Exemption | undefined {
    const group = this.effective.get(keyOf(resource));
    if (group === undefined) return undefined;
    const { namespace } = resource;
    return (
      group.get(partKey(rule, namespace, container)) ??
      group.get(partKey(rule, namespace, undefined)) ??
      group.get(partKey(rule, undefined, container)) ??
      group.get(partKey(rule, undefined, undefined))
    );
  }

  /**
   * Checks every entry, in order.
   *
   * @param resources those of the package and of all its builds; undefined: some are not known
   */
  check(resources: NamedResources | undefined): CheckedEntry[] {
    return this.entries.map((entry) => {
      const containers = resources?.containersOf(entry);
      const found =
        this.problemOf(entry, containers) ??
        (resources === undefined || containers !== undefined ? undefined : NO_RESOURCE);
      if (found === undefined) return { entry, finding: undefined };
      const { rule, field, source, kind, name, namespace } = entry;
      const where = namespace === undefined ? '' : message` in the namespace ${namespace}`;
      const finding: Finding = {
        ...found,
        rule: 'exemption',
        problem: message`exemption of ${kind}/${name}${where} from ${rule}: ${found.problem}`,
        resource: this.document,
        field,
        overlays: [],
        source,
      };
      return { entry, finding };
    });
  }

  private problemOf(entry: ListedExemption, containers?: ContainerNames) {
    return checkExemption(entry, { ...this.limits, containers, form: 'entry' });
  }
}

const NO_RESOURCE = {
  severity: 'warning',
  problem: words('the package has no such resource, neither at the source nor in a build'),
  remedy: words('correct the field resource or namespace, or remove the entry'),
} as const;

/** Resources by kind and name, and their containers. */
export class NamedResources {
  private readonly containers = new Map<string, ContainerNames>();

  constructor(resources: readonly Placed[]) {
    for (const { resource } of resources) {
      const ref = resourceRef(resource);
      // An entry may name the namespace, or not.
      for (const namespace of new Set([undefined, ref.namespace])) {
        const key = keyOf(ref, namespace);
        this.containers.set(key, (this.containers.get(key) ?? new ContainerNames()).add(resource));
      }
    }
  }

  /** The names of all containers of the resources that an entry covers; undefined: there are no such resources. */
  containersOf(entry: ListedExemption): ContainerNames | undefined {
    return this.containers.get(keyOf(entry, entry.namespace));
  }
}

function keyOf(
  { kind, name }: Pick<ResourceRef, 'kind' | 'name'> | ListedExemption,
  namespace?: string,
): string {
  return JSON.stringify([kind, name, namespace]);
}

function partKey(rule: string, namespace: string | undefined, container: string | undefined): string {
  return JSON.stringify([rule, namespace ?? null, container ?? null]);
}
