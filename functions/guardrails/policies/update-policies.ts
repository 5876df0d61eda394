import path from 'node:path/posix';
import { InputError } from '../errors';
import type { Finding, Revision } from '../findings/finding';
import { type Edit, type Item, newItem, withItemEdit } from '../krm/item';
import { type ResourceRef, expandLists, resourceRef } from '../krm/resource';
import type { OverlayBuild } from '../kustomize/build-overlays';
import { type AnnotationNames, domainOfLabel } from '../kubernetes/annotation-names';
import { type Kustomization, policiesFile } from '../kustomize/graph';
import type { Package } from '../kustomize/package';
import { type Message, joinMessages, message, words } from '../message';
import type { ExternalPeers } from '../network/external-peers';
import {
  GENERATED_BY,
  generatedLabelOf,
  generatedLabelsOf,
  handWrittenPolicies,
  specOf,
  wantedPolicies,
} from '../network/generate';
import { DIRECTIONS, isNetworkPolicy } from '../network/policy';
import { readTopology } from '../network/topology';
import { networkPolicy } from '../rules/network-policy';
import { Commented, type Written, printYaml } from '../yaml/writer';
import { newlineOf } from '../yaml/text';
import { type YamlObject, isSame, objectAt } from '../yaml/yaml';
import { renamingsOf } from './names';
import { placePolicies } from './placement';
import type { SourcePolicy } from './source-policy';
import { committedPolicies, withCommitted } from './unknown-content';

const POLICY = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' } as const;
const RULE = { rule: networkPolicy.id, documentation: networkPolicy.documentation } as const;

/**
 * Brings the generated network policies of a package up to date with what its overlays build: missing policies are
 * added, outdated ones replaced, unneeded ones removed, and everything else stays. An overlay for which the rule is off
 * gets none.
 *
 * @param builds every overlay, with or without the policies that the package has
 * @param peersOf the external peers of an overlay
 * @param isOff whether the rule is off for an overlay
 * @throws InputError a policies file that holds other resources and is not listed in its kustomization
 */
export function updatePolicies(
  revision: Revision,
  pkg: Package,
  builds: readonly OverlayBuild[],
  peersOf: (overlay: string) => ExternalPeers,
  isOff: (overlay: string) => boolean,
  annotations: AnnotationNames,
): Revision {
  const required = builds
    .filter(({ overlay }) => !isOff(overlay))
    .map(({ overlay, resources }) => {
      const all = resources.flatMap((one) => expandLists(one));
      const peers = peersOf(overlay);
      const topology = withCommitted(readTopology(all, annotations, peers), committedPolicies(pkg, overlay));
      const handWritten = handWrittenPolicies(all, annotations);
      return { overlay, policies: wantedPolicies(topology, peers, handWritten) };
    });
  const without = builds.map(({ overlay }) => overlay).filter(isOff);
  const others = otherPolicies(pkg);
  const taken = new Set(others.map(({ resource }) => resourceRef(resource).name));
  const places = placePolicies(pkg, required, without, taken);
  const files = new PolicyFiles(
    pkg,
    annotations,
    builds.map(({ overlay }) => overlay),
  );
  for (const [place, policies] of places) files.update(place, policies);
  // Files beside kustomizations that no longer keep policies.
  for (const place of pkg.graph.keys())
    if (!places.has(place) && pkg.files.has(policiesFile(place))) files.update(place, []);
  const copies = others.flatMap((one) => {
    const label = generatedLabelOf(one.resource, annotations);
    return label === undefined ? [] : [copyOfGenerated(one, label)];
  });
  const updated = files.applyTo(revision);
  return copies.length === 0 ? updated : { ...updated, findings: [...updated.findings, ...copies] };
}

/** A policy that is built and that no generated file holds. */
interface OtherPolicy {
  readonly file: string;
  readonly resource: YamlObject;
}

function otherPolicies(pkg: Package): OtherPolicy[] {
  const generated = generatedItems(pkg);
  const files = new Set([...pkg.graph.values()].flatMap(({ resources }) => resources));
  return [...files].flatMap((file) =>
    (pkg.files.get(file) ?? [])
      .filter((item) => !generated.has(item))
      .flatMap(({ value }) => expandLists(value))
      .filter(({ resource }) => isNetworkPolicy(resource))
      .map(({ resource }) => ({ file, resource })),
  );
}

/** It looks generated, and nothing keeps it up to date. */
function copyOfGenerated({ file, resource }: OtherPolicy, label: string): Finding {
  return {
    ...RULE,
    severity: 'error',
    problem: words(`has the label ${label} in a file that the function does not write`),
    remedy: words('remove the label'),
    resource: resourceRef(resource),
    field: ['metadata', 'labels', label],
    currentValue: GENERATED_BY,
    overlays: [],
    source: { file },
  };
}

/**
 * The documents of a package that the function wrote: in a file of the expected name, beside a kustomization, with its
 * label in any domain.
 */
export function generatedItems({ files, graph }: Package): Set<Item> {
  const own = [...graph.keys()].flatMap((dir) => files.get(policiesFile(dir)) ?? []);
  return new Set(own.filter(isWritten));
}

function isWritten({ value }: Item): boolean {
  return generatedLabelsOf(value).length > 0;
}

/** The domains in the labels of the policies that the function wrote. */
export function domainsOfGenerated(pkg: Package): string[] {
  const labels = [...generatedItems(pkg)].flatMap(({ value }) => generatedLabelsOf(value));
  return [...new Set(labels.flatMap((label) => domainOfLabel(label) ?? []))];
}

/** The policies files of a package, and the kustomizations that name them. */
class PolicyFiles {
  private readonly edits = new Map<Item, Edit>();
  private readonly removed = new Set<Item>();
  private readonly added: Item[] = [];
  private readonly changed: Finding[] = [];
  /** Folder of a kustomization to the names of policies that its file no longer has, and of those that it must have. */
  private readonly removedNames = new Map<string, readonly string[]>();
  private readonly requiredNames = new Map<string, readonly string[]>();

  constructor(
    private readonly pkg: Package,
    private readonly annotations: AnnotationNames,
    private readonly overlays: readonly string[],
  ) {}

  update(place: string, required: readonly SourcePolicy[]): void {
    const kustomization = this.pkg.graph.get(place);
    if (kustomization === undefined) return;
    const file = policiesFile(place);
    const name = path.basename(file);
    const documents = this.pkg.files.get(file) ?? [];
    const generated = documents.filter(isWritten);
    const others = documents.filter((item) => !generated.includes(item));
    const isNamed = kustomization.resources.includes(file);
    if (others.length > 0 && required.length > 0 && !isNamed)
      throw new InputError(
        message`${file}: network policies are written to this file, and ${kustomization.file} does not list it under resources; list it there, or move its resources to another file`,
      );
    this.requiredNames.set(
      place,
      required.map((policy) => policy.name),
    );
    const isUnchanged =
      generated.length === required.length && required.every((one, i) => this.isUpToDate(generated[i], one));
    if (!isUnchanged) this.rewrite(place, others, generated, required);
    if (required.length > 0 && !isNamed) {
      const edit = [{ path: ['resources', '-'], value: name }];
      this.edit(kustomization, edit, message`lists ${name} under resources`);
    }
    if (others.length + required.length === 0 && isNamed) {
      const { resources } = kustomization.value;
      const index = (Array.isArray(resources) ? resources : []).findIndex(
        (one) => typeof one === 'string' && path.join(place, one) === file,
      );
      this.edit(
        kustomization,
        { list: 'resources', index },
        message`no longer lists ${name} under resources`,
      );
    }
  }

  /** The revision with these updates; the same object if there are none. */
  applyTo(revision: Revision): Revision {
    const { edits, removed, added } = this;
    if (edits.size + removed.size + added.length === 0) return revision;
    const kept = revision.items.filter((item) => !removed.has(item));
    const edited = kept.map((item) => {
      const edit = edits.get(item);
      return edit === undefined ? item : withItemEdit(item, edit);
    });
    return {
      ...revision,
      items: [...edited, ...added],
      changes: { edits: new Map([...revision.changes.edits, ...edits]), removed, added },
      changed: [...revision.changed, ...this.changed],
      effects: [...revision.effects, ...this.staleInCluster()],
    };
  }

  /** Writes the required policies after all other documents. A policy that is up to date keeps its text. */
  private rewrite(
    place: string,
    others: readonly Item[],
    generated: readonly Item[],
    required: readonly SourcePolicy[],
  ): void {
    const file = policiesFile(place);
    const firstIndex = (others.at(-1)?.index ?? -1) + 1;
    const newline = newlineOf([...others, ...generated].map(({ text }) => text).join(''));
    const oldNames = generated.map(({ value }) => resourceRef(value).name);
    const newNames = required.map(({ name }) => name);
    const changes: [name: string, change: string][] = [];
    for (const item of generated) this.removed.add(item);
    for (const [i, policy] of required.entries()) {
      const kept = generated.find((item) => this.isUpToDate(item, policy));
      const value = kept?.value ?? this.policyOf(policy);
      const text = kept?.text ?? printYaml(withReasons(value, policy)).replaceAll('\n', newline);
      this.added.push(newItem(text, value, file, firstIndex + i));
      if (kept === undefined)
        changes.push([policy.name, oldNames.includes(policy.name) ? 'is updated' : 'is added']);
    }
    const removedNames = oldNames.filter((one) => !newNames.includes(one));
    for (const name of removedNames) changes.push([name, 'is removed']);
    this.removedNames.set(place, removedNames);
    if (changes.length === 0)
      changes.push([newNames[0] ?? '', 'and the policies after it are sorted and deduplicated']);
    for (const [name, change] of changes) this.report(file, { ...POLICY, name }, words(change));
  }

  /** Names of policies of files as the overlays build them. */
  private builtNames(byPlace: ReadonlyMap<string, readonly string[]>): Set<string> {
    const { graph } = this.pkg;
    const built = this.overlays.flatMap((overlay) => {
      const renamings = renamingsOf(graph, overlay);
      return [...byPlace].flatMap(([place, names]) =>
        (renamings.get(place) ?? []).flatMap(({ builtName }) => names.map(builtName)),
      );
    });
    return new Set(built);
  }

  /** A removed policy restricts pods until it is deleted in the cluster too. */
  private staleInCluster(): Finding[] {
    // A policy that another file has now is still built.
    const removed = this.builtNames(this.removedNames);
    const required = removed.size === 0 ? removed : this.builtNames(this.requiredNames);
    const names = [...removed].filter((name) => !required.has(name));
    if (names.length === 0) return [];
    return [
      {
        ...RULE,
        severity: 'info',
        problem: words(
          'removed network policies stay in a cluster to which builds are applied without pruning',
        ),
        remedy: message`run \`kubectl delete networkpolicy ${joinMessages(names, ' ')}\` in each namespace that has them`,
        overlays: [],
      },
    ];
  }

  private edit({ file, value }: Kustomization, edit: Edit, problem: Message): void {
    const [item] = this.pkg.files.get(file) ?? [];
    if (item === undefined) return;
    this.edits.set(item, edit);
    this.report(file, { ...resourceRef(value), kind: 'Kustomization' }, problem);
  }

  private report(file: string, resource: ResourceRef, problem: Message): void {
    this.changed.push({ ...RULE, severity: 'info', problem, resource, overlays: [], source: { file } });
  }

  private policyOf(policy: SourcePolicy): YamlObject {
    const { name, namespace } = policy;
    const labels = { [this.annotations.generatedBy]: GENERATED_BY };
    const metadata = namespace === undefined ? { name, labels } : { name, namespace, labels };
    return { ...POLICY, metadata, spec: specOf(policy) };
  }

  /** Other labels and annotations may come from another function of the pipeline, but not its label in another domain. */
  private isUpToDate(item: Item | undefined, policy: SourcePolicy): boolean {
    if (item === undefined) return false;
    const { name, namespace } = policy;
    const ref = resourceRef(item.value);
    if (ref.name !== name || ref.namespace !== namespace) return false;
    const isLabelled = generatedLabelsOf(item.value).every((label) => label === this.annotations.generatedBy);
    const isSpecified = ref.apiVersion === POLICY.apiVersion && isSame(item.value.spec, specOf(policy));
    if (!isLabelled || !isSpecified) return false;
    return specLines(item.text) === specLines(printYaml(withReasons(this.policyOf(policy), policy)));
  }
}

/** A policy with the reasons of its rules as comments. */
function withReasons(policy: YamlObject, { rules }: SourcePolicy): Map<string, Written> {
  const spec = new Map<string, Written>(Object.entries(objectAt(policy, 'spec')));
  for (const direction of DIRECTIONS)
    if (spec.has(direction))
      spec.set(
        direction,
        (rules[direction] ?? []).map(({ rule, reasons }) => new Commented(reasons, rule)),
      );
  return new Map<string, Written>([...Object.entries(policy), ['spec', spec]]);
}

/** The lines of the spec of a policy, comments among them, however they are indented. */
function specLines(text: string): string {
  const lines = text.slice(text.search(/^spec:/m)).split(/\r?\n/);
  return lines
    .map((line) => line.trim())
    .join('\n')
    .trim();
}
