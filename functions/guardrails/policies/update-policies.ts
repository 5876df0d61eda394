import path from 'node:path/posix';
import { InputError } from '../errors';
import type { Finding } from '../findings/finding';
import type { Revision } from '../findings/revision';
import { type Edit, type Item, newItem, withItemEdit } from '../krm/item';
import { type ResourceRef, expandLists, resourceRef } from '../krm/resource';
import type { OverlayBuild } from '../kustomize/build-overlays';
import { type Kustomization, policiesFile } from '../kustomize/graph';
import type { Package } from '../kustomize/package';
import { type Message, message, words } from '../message';
import type { ExternalPeers } from '../network/external-peers';
import { GENERATED_BY, GENERATED_LABEL, isGenerated, wantedPolicies } from '../network/generate';
import { isNetworkPolicy } from '../network/policy';
import { readTopology } from '../network/topology';
import { networkPolicy } from '../rules/network-policy';
import { printYaml } from '../yaml/writer';
import { newlineOf } from '../yaml/text';
import { type YamlObject, isObject, isSame, objectsIn, parseYaml, valueOf } from '../yaml/yaml';
import { type SourcePolicy, placePolicies } from './placement';

const API_VERSION = 'networking.k8s.io/v1';
const { id: rule, documentation } = networkPolicy;

/**
 * Brings the generated network policies of a package up to date with what its overlays build: missing policies are
 * added, outdated ones replaced, unneeded ones removed, and everything else stays. An overlay for which the rule is off
 * gets none.
 *
 * @param builds every overlay, with or without the policies that the package has
 * @param isOff whether the rule is off for an overlay
 * @throws InputError a policies file with other resources in it that its kustomization does not name
 */
export function updatePolicies(
  revision: Revision,
  pkg: Package,
  builds: readonly OverlayBuild[],
  peers: ExternalPeers,
  isOff: (overlay: string) => boolean,
): Revision {
  const isStamped = [...pkg.graph.values()].some(({ value }) => stampsSelectors(value));
  const required = builds
    .filter(({ overlay }) => !isOff(overlay))
    .map(({ overlay, resources }) => {
      const topology = readTopology(resources.flatMap((one) => expandLists(one)));
      return { overlay, policies: wantedPolicies(topology, peers, isStamped) };
    });
  const without = builds.map(({ overlay }) => overlay).filter(isOff);
  const others = otherPolicies(pkg);
  const taken = new Set(others.map(({ resource }) => resourceRef(resource).name));
  const { places, problem } = placePolicies(pkg.graph, required, without, taken);
  if (problem !== undefined) {
    if (required.every(({ policies }) => policies.length === 0)) return revision;
    const warning: Finding = { rule, documentation, severity: 'warning', ...problem, overlays: [] };
    return { ...revision, findings: [...revision.findings, warning] };
  }
  const files = new PolicyFiles(revision, pkg);
  for (const [place, policies] of places) files.update(place, policies);
  // Files beside kustomizations that no longer keep policies.
  for (const place of pkg.graph.keys())
    if (!places.has(place) && pkg.files.has(policiesFile(place))) files.update(place, []);
  const updated = files.revision();
  const copies = others.filter(({ resource }) => isGenerated(resource)).map(copyOfGenerated);
  return copies.length === 0 ? updated : { ...updated, findings: [...updated.findings, ...copies] };
}

/** Whether a kustomization adds labels to selectors. */
function stampsSelectors({ commonLabels, labels }: YamlObject): boolean {
  return (
    isObject(commonLabels) || objectsIn(labels).some(({ includeSelectors }) => includeSelectors === true)
  );
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
function copyOfGenerated({ file, resource }: OtherPolicy): Finding {
  return {
    rule,
    documentation,
    severity: 'error',
    problem: words(`has the label ${GENERATED_LABEL} in a file that the function does not write`),
    remedy: words('remove the label'),
    resource: resourceRef(resource),
    field: ['metadata', 'labels', GENERATED_LABEL],
    currentValue: GENERATED_BY,
    overlays: [],
    source: { file },
  };
}

/** The documents of a package that the function wrote: in a file of the expected name, beside a kustomization. */
export function generatedItems({ files, graph }: Package): Set<Item> {
  const own = [...graph.keys()].flatMap((dir) => files.get(policiesFile(dir)) ?? []);
  return new Set(own.filter(({ value }) => isGenerated(value)));
}

/** The policies files of a package, and the kustomizations that name them. */
class PolicyFiles {
  private readonly edits = new Map<Item, Edit>();
  private readonly edited = new Map<Item, Item>();
  private readonly removed = new Set<Item>();
  private readonly added: Item[] = [];
  private readonly changed: Finding[] = [];

  constructor(
    private readonly before: Revision,
    private readonly pkg: Package,
  ) {}

  update(place: string, required: readonly SourcePolicy[]): void {
    const kustomization = this.pkg.graph.get(place);
    if (kustomization === undefined) return;
    const file = policiesFile(place);
    const documents = this.pkg.files.get(file) ?? [];
    const generated = documents.filter(({ value }) => isGenerated(value));
    const others = documents.filter((item) => !generated.includes(item));
    const isNamed = kustomization.resources.includes(file);
    if (others.length > 0 && required.length > 0 && !isNamed)
      throw new InputError(
        message`${file}: network policies are written to this file, and ${kustomization.file} does not list it under resources; list it there, or move its resources to another file`,
      );
    if (!isInOrder(generated, required)) this.rewrite(file, others, generated, required);
    if (required.length > 0 && !isNamed) this.name(kustomization, file);
    if (others.length + required.length === 0 && isNamed) this.unname(kustomization, file);
  }

  revision(): Revision {
    const { items, changes, changed, findings } = this.before;
    if (this.edits.size + this.removed.size + this.added.length === 0) return this.before;
    return {
      items: [
        ...items.filter((item) => !this.removed.has(item)).map((item) => this.edited.get(item) ?? item),
        ...this.added,
      ],
      changes: {
        edits: new Map([...changes.edits, ...this.edits]),
        removed: this.removed,
        added: this.added,
      },
      changed: [...changed, ...this.changed],
      findings,
    };
  }

  /** Other documents go first then, and a policy that is up to date keeps its text. */
  private rewrite(
    file: string,
    others: readonly Item[],
    generated: readonly Item[],
    required: readonly SourcePolicy[],
  ): void {
    const before = this.changed.length;
    const firstIndex = (others.at(-1)?.index ?? -1) + 1;
    const newline = newlineOf([...others, ...generated].map(({ text }) => text).join(''));
    for (const item of generated) this.removed.add(item);
    required.forEach((policy, i) => {
      const kept = generated.find((item) => isUpToDate(item, policy));
      const text = kept?.text ?? printYaml(policyOf(policy)).replaceAll('\n', newline);
      const value = kept?.value ?? valueOf(parseYaml(text, file)[0] ?? null);
      if (isObject(value)) this.added.push(newItem(text, value, file, firstIndex + i));
      if (kept !== undefined) return;
      const isNew = !generated.some(({ value: old }) => resourceRef(old).name === policy.name);
      this.report(file, policyRef(policy.name), words(isNew ? 'is added' : 'is updated'));
    });
    for (const { value } of generated) {
      const { name } = resourceRef(value);
      if (!required.some((policy) => policy.name === name))
        this.report(file, policyRef(name), words('is removed'));
    }
    if (this.changed.length === before)
      this.report(
        file,
        policyRef(required[0]?.name ?? ''),
        words('and those after it are sorted, each once'),
      );
  }

  private report(file: string, resource: ResourceRef, problem: Message): void {
    this.changed.push({
      rule,
      documentation,
      severity: 'info',
      problem,
      resource,
      overlays: [],
      source: { file },
    });
  }

  private name(kustomization: Kustomization, file: string): void {
    const name = path.basename(file);
    const edit = [{ path: ['resources', '-'], value: name }];
    this.edit(kustomization, edit, message`lists ${name} under resources`);
  }

  private unname(kustomization: Kustomization, file: string): void {
    const { resources } = kustomization.value;
    const index = (Array.isArray(resources) ? resources : []).findIndex(
      (one) => typeof one === 'string' && path.join(kustomization.dir, one) === file,
    );
    const problem = message`no longer lists ${path.basename(file)} under resources`;
    this.edit(kustomization, { list: 'resources', index }, problem);
  }

  private edit({ file, value }: Kustomization, edit: Edit, problem: Message): void {
    const [item] = this.pkg.files.get(file) ?? [];
    if (item === undefined) return;
    this.edits.set(item, edit);
    this.edited.set(item, withItemEdit(item, edit));
    this.report(file, { ...resourceRef(value), kind: 'Kustomization' }, problem);
  }
}

function policyRef(name: string): ResourceRef {
  return { apiVersion: API_VERSION, kind: 'NetworkPolicy', name };
}

function policyOf({ name, namespace, spec }: SourcePolicy): YamlObject {
  return {
    apiVersion: API_VERSION,
    kind: 'NetworkPolicy',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { [GENERATED_LABEL]: GENERATED_BY },
    },
    spec,
  };
}

function isInOrder(generated: readonly Item[], required: readonly SourcePolicy[]): boolean {
  return (
    generated.length === required.length &&
    required.every((policy, i) => {
      const item = generated[i];
      return item !== undefined && isUpToDate(item, policy);
    })
  );
}

/** Other labels and annotations may come from another function of the pipeline. */
function isUpToDate({ value }: Item, { name, namespace, spec }: SourcePolicy): boolean {
  const ref = resourceRef(value);
  return (
    ref.apiVersion === API_VERSION &&
    ref.name === name &&
    ref.namespace === namespace &&
    isSame(value.spec, spec)
  );
}
